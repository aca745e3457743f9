from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from accounts.decorators import live_tokens_wanted
from accounts.http import GatehouseRequest, SignedInRequest, wants_json
from accounts.profile import ProfileProblem, read_profile
from dashboard.profile_page import attribute_groups, mfa_methods
from dashboard.session_page import previous_sign_in


@login_not_required
@require_safe
def home(request: GatehouseRequest) -> HttpResponse:
    """Say what this is, or who is signed in and how their session is; without a call to Cognito."""
    if request.session_row is None:
        return render(request, "dashboard/welcome.html", {"ended": request.ended_session})
    context = {
        "session": request.session_row,
        "previous": previous_sign_in(request.session_row),
        "now": timezone.now(),
    }
    return render(request, "dashboard/home.html", context)


@require_safe
@live_tokens_wanted
def profile(request: SignedInRequest) -> HttpResponse:
    """Show what GetUser says of the person, or why it says nothing now."""
    reading = read_profile(request.session_row, request.token_set, timezone.now())
    context = {
        "session": request.session_row,
        "reading": reading,
        "attribute_groups": attribute_groups(reading.profile),
        "mfa_methods": mfa_methods(reading.profile),
        "user_groups": request.user.groups.order_by("name"),
        "now": timezone.now(),
    }
    passing = reading.problem in (ProfileProblem.THROTTLED, ProfileProblem.UNREACHABLE)
    response = render(request, "dashboard/profile.html", context, status=503 if passing else 200)
    if passing:
        response["Retry-After"] = "5"
    return response


# --- Error pages of Django's own errors


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say sorry with what cannot fail: no context processor, and so neither the database nor the session."""
    if wants_json(request):
        return JsonResponse({"error": "500"}, status=500)
    with _language_of(request):
        return HttpResponse(render_to_string("500.html", {"request": request}), status=500)


def _error(request: HttpRequest, status: int) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": str(status)}, status=status)
    with _language_of(request):
        return render(request, f"{status}.html", status=status)


def _language_of(request: HttpRequest) -> translation.override:
    """Speak the visitor's language; what fails before LanguageMiddleware finds the thread in its last visitor's."""
    return translation.override(translation.get_language_from_request(request))
