"""Forms sent after their session's end, or too long after its beginning: kept, and offered once more after signing in.

Kept is what carries anything at all beside its CSRF token. A form without is a button, such as "Sign out this session":
nobody loses words with it, and pressing it late may not be meant any more. Views that need no login answer their forms
themselves and are not asked.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.cognito.redacted import Redacted
from accounts.http import SignedInRequest, wants_json
from accounts.models import EndedSession, EndReason, KeptForm, Session
from accounts.models.authorization import digest
from accounts.models.kept_form import FormContent
from accounts.sign_in import BROWSER_VALUE, cookie_name, safe_next, set_cookie
from accounts.writing import if_writable

logger = logging.getLogger(__name__)

# A random value: which browser sent a form. It is offered to no other one: whoever holds the key of a session, ended or
# too old to act, and is not its owner, must not touch what they sent, nor lay a form before them.
KEPT_COOKIE = "gatehouse_kept_form"
# A form left open over night; a browser keeps the cookie of its session no longer by default.
LATEST_AFTER_END = timedelta(hours=12)
# A button that carries along where it leads.
NOTHING_FILLED_IN = ("reauthenticate",)
OFFERS = ("kept_form_send", "kept_form_discard")


@dataclass(frozen=True, slots=True, repr=False)
class Kept(Redacted):
    """A form that was kept, and the random value that ties it to its browser, which only the cookie holds."""

    form: KeptForm
    browser: str


def read_form(request: HttpRequest) -> FormContent | None:
    """Return what a browser's form carries beside its CSRF token; None if that is nothing, or it is no such form."""
    is_button = request.resolver_match is not None and request.resolver_match.url_name in NOTHING_FILLED_IN
    if request.method != "POST" or wants_json(request) or is_button:
        return None
    pairs = [(name, value) for name, values in request.POST.lists() for value in map(str, values)]
    fields = tuple(pair for pair in pairs if pair[0] != "csrfmiddlewaretoken")
    has_content = bool(request.FILES) or any(value.strip() for _name, value in fields)
    return FormContent(request.get_full_path(), fields) if has_content else None


def keep(request: Any, content: FormContent, session: Session | EndedSession, now: datetime) -> Kept | None:
    """Keep the form for the owner of the session it was sent in; None if that cannot be."""
    owner = cast(UUID, session.user_id)  # nobody's session has no form to keep: what is kept needs a login
    browser = _browser_of(request) or secrets.token_urlsafe(32)
    again = request.resolver_match
    if again is not None and again.url_name in OFFERS:
        # What was offered has not been taken yet.
        offered = KeptForm.objects.offered(now).filter(pk=again.kwargs["form_id"], user_id=owner).first()
        return Kept(offered, browser) if offered and offered.is_of(browser) else None
    if _is_too_late(session, now) or request.FILES or safe_next(request, content.path) != content.path:
        return None
    ids = {"session_id": session.public_id, "user_id": owner}
    form = if_writable(partial(KeptForm.objects.keep, content, browser=browser, now=now, **ids))
    if form is None:
        return None
    logger.info("A form was kept for session %s", form.session_id)
    return Kept(form, browser)


def _is_too_late(session: Session | EndedSession, now: datetime) -> bool:
    if isinstance(session, Session):
        return False
    return session.reason == EndReason.DISABLED or now - session.ended_at > LATEST_AFTER_END


def remember(response: HttpResponse, kept: Kept) -> None:
    """Tie the kept form to the browser that sent it."""
    set_cookie(response, KEPT_COOKIE, kept.browser, max_age=round(KeptForm.LIFETIME.total_seconds()))


def page_of(form: KeptForm) -> str:
    """Return the address at which the form is offered."""
    return reverse("kept_form", args=[form.pk])


def remembered_page(request: HttpRequest) -> str:
    """Return where the form is offered that this browser sent last; the start page if there is none."""
    browser = _browser_of(request)
    if not browser:
        return settings.LOGIN_REDIRECT_URL
    of_browser = KeptForm.objects.offered(timezone.now()).filter(browser_digest=digest(browser))
    newest = of_browser.order_by("-kept_at").first()
    return page_of(newest) if newest else settings.LOGIN_REDIRECT_URL


@never_cache
@require_safe
def kept_form(request: SignedInRequest, form_id: UUID) -> HttpResponse:
    """Show what was typed, to be sent or discarded.

    It may be looked at as often as one likes, since a reload must lose nothing; only `send` and `discard` take it away.
    """
    kept = _find(request, form_id)
    content = kept.content() if kept else None
    if content is None:
        return _gone(request)
    readable = content.readable()
    ids = content.ids()
    unseen = len(content.fields) - sum(map(len, readable.values())) - len(ids)
    context = {"kept": kept, "content": content, "readable": readable, "ids": ids, "unseen": unseen}
    return render(request, "accounts/kept_form.html", context | {"now": timezone.now()})


@never_cache
@require_POST
def send(request: SignedInRequest, form_id: UUID) -> HttpResponse:
    """Have the browser send the form where it was meant to go, once: the offer carries the same fields.

    307 keeps method and body (RFC 9110 section 15.4.8), so the view it is for checks all that it always checks.
    """
    kept = _find(request, form_id)
    content = kept.content() if kept else None
    if kept is None or content is None or not _take(kept):
        return _gone(request)
    return HttpResponseRedirect(content.path, preserve_request=True)


@never_cache
@require_POST
def discard(request: SignedInRequest, form_id: UUID) -> HttpResponse:
    """Throw the form away."""
    kept = _find(request, form_id)
    if kept is None or not _take(kept):
        return _gone(request)
    messages.info(request, _("What you had filled in was discarded. Nothing was sent."))
    return redirect(settings.LOGIN_REDIRECT_URL)


def _find(request: SignedInRequest, form_id: UUID) -> KeptForm | None:
    """Return the form if this very browser sent it; None if it did not, or if the form is gone.

    Raise Http404 for anybody else's form: there never was one.
    """
    form = KeptForm.objects.offered(timezone.now()).filter(pk=form_id).first()
    if form is None:
        return None
    if form.user_id != request.user.pk:
        raise Http404
    return form if form.is_of(_browser_of(request)) else None


def _take(kept: KeptForm) -> bool:
    """Delete the kept form; of two requests that race, only one is told that it did."""
    return bool(KeptForm.objects.filter(pk=kept.pk).delete()[0])


def _gone(request: SignedInRequest) -> HttpResponse:
    return render(request, "accounts/kept_form_gone.html", status=410)


def _browser_of(request: HttpRequest) -> str:
    value = request.COOKIES.get(cookie_name(KEPT_COOKIE), "")
    return value if BROWSER_VALUE.fullmatch(value) else ""
