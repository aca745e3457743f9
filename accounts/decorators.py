from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise

from accounts.cognito.errors import ProviderUnavailableError
from accounts.http import set_session
from accounts.reauthentication import ask
from accounts.refresh import await_groups, await_tokens

View = Callable[..., HttpResponseBase]


def live_tokens_wanted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Run the view with the newest tokens: when they have expired and another request is refreshing them, wait for it.

    The view sees by `request.session_row.has_live_access_token(now)` whether there are any.
    """

    @wraps(view)
    def patient(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        set_session(request, await_tokens(request.session_row, timezone.now()))
        return view(request, *args, **kwargs)

    return patient


def live_tokens_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Run the view only with an access token that Cognito will look at; otherwise answer 503 with Retry-After."""

    @live_tokens_wanted
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row, now = request.session_row, timezone.now()
        if not row.has_live_access_token(now):
            wait = max(1, round((row.refresh_due_at - now).total_seconds()))
            raise ProviderUnavailableError("the access token has expired and cannot be refreshed now", retry_after=wait)
        return view(request, *args, **kwargs)

    return guarded


def newest_groups_wanted(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Run the view with an operator's rights as their groups say now, give or take COGNITO_PROBE_SECONDS.

    Older tokens are refreshed first. While Cognito is out of reach the last known rights hold: an outage must not keep
    operators from their work.
    """

    @wraps(view)
    def current(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_staff:
            # Another user object, if the groups are new: what Django remembers of permissions goes with the old one.
            set_session(request, await_groups(request.session_row, timezone.now()))
        return view(request, *args, **kwargs)

    return current


def offered_as(title: str | Promise, *, ends_something: bool) -> Callable[[View], View]:
    """Name what a form sent to the view does, for the page that offers it once more when it was sent too late."""

    def named(view: View) -> View:
        view.form_title, view.form_ends_something = title, ends_something  # type: ignore[attr-defined]
        return view

    return named


def recent_sign_in_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Run the view only for who has lately proved who they are; ask others to, and lead them back.

    COGNITO_REAUTHENTICATE_SECONDS says how lately.
    """

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.session_row.has_recent_sign_in(timezone.now()):
            return ask(request)
        return view(request, *args, **kwargs)

    return guarded
