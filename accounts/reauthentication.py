"""Re-authentication: somebody who signed in long ago proves again who they are before they do what is sensitive.

The proof is the `auth_time` of a new sign-in, never the mere fact of one. Managed login asks again when it is told to
(`prompt=login`, `max_age`); the classic hosted UI ignores both and answers from its login cookie. For that one there is
its sign-out, which clears the cookie and shows the sign-in page. Each round trip begins with a button, so a user pool
that never asks leads to a page that says so, not to a loop.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import sign_in
from accounts.cognito import oidc
from accounts.http import SignedInRequest, wants_json
from accounts.kept_form import keep, page_of, read_form, remember
from accounts.rate_limits import SIGN_IN, limited

logger = logging.getLogger(__name__)

# What the round trip asked of the hosted UI.
PROMPT, SIGN_OUT = "prompt", "sign-out"


def ask(request: Any) -> HttpResponse:
    """Answer a request that came too long after the sign-in: a page goes by way of the question, a form stops at it.

    What the form carries is kept, and offered after the sign-in; one that carries nothing leads back to its page.
    """
    if wants_json(request):
        # RFC 9470 has this error for APIs.
        return JsonResponse({"error": "insufficient_user_authentication"}, status=401)
    if request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(_address(next=request.get_full_path()))
    form = read_form(request)
    kept = keep(request, form, request.session_row, timezone.now()) if form else None
    next_url = page_of(kept.form) if kept else sign_in.safe_next(request, request.headers.get("Referer", ""))
    is_lost = form is not None and kept is None
    response = _question(request, next_url, was_form=True, kept_form=kept, form_is_lost=is_lost, status=401)
    if kept:
        remember(response, kept)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited(SIGN_IN, methods=("POST",))
def reauthenticate(request: SignedInRequest) -> HttpResponse:
    """Ask whether it is still them; by POST, begin the round trip that answers it and leads back here."""
    if request.method == "POST":
        return _begin(request)
    next_url = sign_in.safe_next(request, request.GET.get("next", ""))
    if request.GET.get("person", str(request.user.pk)) != str(request.user.pk):
        return render(request, "accounts/reauthenticated_as_other.html")
    if request.session_row.has_recent_sign_in(timezone.now()):
        return HttpResponseRedirect(next_url)
    tried = request.GET.get("tried", "")
    if tried:
        row = request.session_row
        logger.warning(
            "Session %s: after %s the user pool says auth_time %s", row.public_id, ascii(tried)[:20], row.auth_time
        )
    return _question(request, next_url, tried=tried)


def _begin(request: SignedInRequest) -> HttpResponse:
    """Send the browser to the hosted UI, to ask this very person again."""
    next_url = sign_in.safe_next(request, request.POST.get("next", ""))
    how = SIGN_OUT if request.POST.get("how") == SIGN_OUT else PROMPT
    back = _address(next=next_url, person=str(request.user.pk), tried=how)
    if how == SIGN_OUT:
        return sign_in.begin(request, next_url=back, hints={}, sign_out_first=True)
    hints = {
        "prompt": "login",
        "max_age": str(settings.COGNITO_REAUTHENTICATE_SECONDS),
        "login_hint": request.user.email,
    }
    hints |= oidc.language_hint(get_language() or "")
    return sign_in.begin(request, next_url=back, hints=hints)


def _question(request: Any, next_url: str, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"next_url": next_url, "auth_time": request.session_row.auth_time}
    return render(request, "accounts/reauthenticate.html", context, status=status)


def _address(**query: str) -> str:
    return f"{reverse('reauthenticate')}?{urlencode(query)}"
