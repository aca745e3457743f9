"""One of a person's own sessions: where it is found, how it was opened, and what happened in it, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.ending import end_session, lapse_reason
from accounts.models import EndedSession, EndReason, Event, Revocation, Session, User
from dashboard.paging import Keyset, Page
from dashboard.token_page import TokenReport

NEWEST_ENDED = Keyset("ended_at", "public_id")
NEWEST_EVENTS = Keyset("at", "pk", parse_unique=int)
DEVICES_NAMED = 3
# How the commands sign the reasons they write: the owner of a session reads why, not who.
SIGNATURE = "manage.py by "

# A colour, an icon and words for each kind of event that is about one session.
STEPS: Mapping[str, tuple[str, str, Promise, Promise | str]] = {
    Event.Kind.SIGNED_IN: ("ok", "check", gettext_lazy("Signed in"), ""),
    Event.Kind.REFRESHED: ("info", "arrows", gettext_lazy("Tokens refreshed"), ""),
    Event.Kind.REFRESH_FAILED: (
        *("warn", "warning", gettext_lazy("Refresh failed")),
        gettext_lazy("Cognito did not give us new tokens."),
    ),
    Event.Kind.REFRESH_REUSED: (
        *("bad", "warning", gettext_lazy("An old refresh token turned up")),
        gettext_lazy("Somebody may have copied it. Cognito takes none of this session's tokens any more."),
    ),
    Event.Kind.ENDED: ("idle", "stop", gettext_lazy("Ended"), ""),
    Event.Kind.NOT_RECOGNISED: (
        *("bad", "warning", gettext_lazy("Not recognised")),
        gettext_lazy("From another browser you said that you do not recognise this session."),
    ),
    Event.Kind.FLAG_SETTLED: (
        *("info", "check", gettext_lazy("Looked into")),
        gettext_lazy("The people who run this site have looked into it."),
    ),
}
# By the type of the error, which stands first in what is stored of it.
PASSING: Mapping[str, Promise] = {
    "ProviderUnavailableError": gettext_lazy("Cognito could not be reached."),
    "ThrottledError": gettext_lazy("Cognito was busy and asked us to wait."),
}
# The values of `amr` that a person would call a way to sign in.
# https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
METHODS: Mapping[str, Promise] = {
    "pwd": gettext_lazy("Password"),
    "otp": gettext_lazy("Authenticator app"),
    "sms": gettext_lazy("Text message"),
    "email_otp": gettext_lazy("E-mail code"),
    "swk": gettext_lazy("Passkey"),
    "hwk": gettext_lazy("Passkey"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened in a session."""

    at: datetime
    tone: str
    icon: str
    title: str
    text: str = ""


def own_session(current: Session, public_id: UUID, now: datetime, *, is_over: bool = False) -> Session | EndedSession:
    """Return a session of the person who has the current one, live or ended lately. Raise Http404 for any other.

    `is_over` says which of the two it most likely is, and so where to look first.
    """
    if public_id == current.public_id:
        return current
    live = Session.objects.filter(user=current.user_id, public_id=public_id)
    ended = own_ended_sessions(current.person, now).filter(pk=public_id)
    found: Session | EndedSession | None = ended.first() or live.first() if is_over else live.first() or ended.first()
    if isinstance(found, Session) and found.expire_date <= now:
        found = end_session(found, lapse_reason(found, now), now=now)
    if found is None:
        raise Http404
    return found


def own_ended_sessions(person: User, now: datetime) -> QuerySet[EndedSession]:
    """Return what is still shown of the person's ended sessions, and whether Cognito knows."""
    return EndedSession.objects.recent(now).filter(user=person).select_related("revocation")


def own_events(person: User, public_id: UUID) -> QuerySet[Event]:
    """Return the events of a session of the person; each says by `is_over` whether it has ended."""
    trace = EndedSession.objects.filter(pk=OuterRef("session_id"))
    events: QuerySet[Event] = Event.objects.filter(session_id=public_id, user=person).annotate(is_over=Exists(trace))
    return events


def previous_sign_in(current: Session) -> Event | None:
    """Return the person's last sign-in before the current one, with `browser` and `system`; None in both if unknown."""

    def known(column: str) -> Coalesce:
        live = Session.objects.filter(public_id=OuterRef("session_id")).values(column)
        ended = EndedSession.objects.filter(pk=OuterRef("session_id")).values(column)
        return Coalesce(Subquery(live), Subquery(ended))

    earlier = Event.objects.filter(user=current.user_id, kind=Event.Kind.SIGNED_IN, at__lt=current.started_at)
    others = earlier.exclude(session_id=current.public_id)
    event: Event | None = others.annotate(browser=known("browser"), system=known("system")).order_by("-at").first()
    return event


def timeline(page: Page[Event], session: Session | EndedSession) -> list[Step]:
    """Return a page of what happened, newest first; the first page has what no event tells, too."""
    steps = [_step(event) for event in page.rows]
    if page.is_first:
        oldest = page.rows[-1].at if page.next_cursor else None
        steps += [step for step in _unrecorded(session) if oldest is None or step.at >= oldest]
    return sorted(steps, key=lambda step: step.at, reverse=True)


def operators_words(events: Iterable[Event]) -> str:
    """Return the reason that an operator gave for ending the session; empty if none of these events tells."""
    return next((_operators_words(event) for event in events if event.kind == Event.Kind.ENDED), "")


def why_given_up(session: Session | EndedSession) -> str:
    """Return why nobody tries any more to tell Cognito of the session's end; empty while somebody does."""
    revocation = session.revocation if isinstance(session, EndedSession) else None
    if revocation is None or revocation.state != Revocation.State.GIVEN_UP:
        return ""
    return _unsigned(revocation.last_error)


def sign_in_methods(reports: Iterable[TokenReport]) -> list[str]:
    """Return how the person signed in, as far as the ID token tells."""
    claims = {claim.name: claim.values for report in reports if report.use == "id" for claim in report.claims}
    named = [str(METHODS[value]) for value in claims.get("amr", ()) if value in METHODS]
    return list(dict.fromkeys([*named, *claims.get("identities", ())]))


def device(session: Session | EndedSession) -> str:
    """Say which browser a session is in, as far as it told."""
    if session.browser and session.system:
        return _("%(browser)s on %(system)s") % {"browser": session.browser, "system": session.system}
    return session.browser or session.system or _("An unknown browser")


def devices(sessions: list[EndedSession]) -> str:
    """Say which browsers sessions were in; only the first few of many."""
    names = [device(session) for session in sessions[:DEVICES_NAMED]]
    more = len(sessions) - len(names)
    if more:
        names.append(ngettext("%(count)d more", "%(count)d more", more) % {"count": more})
    return ", ".join(names)


def _step(event: Event) -> Step:
    tone, icon, title, text = STEPS.get(event.kind, ("idle", "info", capfirst(event.get_kind_display()), ""))
    if event.kind == Event.Kind.REFRESH_FAILED:
        text = PASSING.get(event.detail.partition(":")[0], text)
    elif event.kind == Event.Kind.ENDED:
        text = _why_ended(event)
    return Step(event.at, tone, icon, str(title), str(text))


def _why_ended(event: Event) -> str:
    known = event.reason in EndReason.values
    why = _("%(reason)s.") % {"reason": capfirst(str(EndReason(event.reason).label))} if known else ""
    words = _operators_words(event)
    return " ".join([why, _("The reason given: %(reason)s") % {"reason": words}]) if words else why


def _operators_words(event: Event) -> str:
    return _unsigned(event.detail) if event.reason == EndReason.OPERATOR else ""


def _unsigned(words: str) -> str:
    return words.partition(": ")[2] if words.startswith(SIGNATURE) else words


def _unrecorded(session: Session | EndedSession) -> Iterator[Step]:
    """Yield what happens too often, or too late, to be an event of the session."""
    if isinstance(session, Session):
        if session.probed_at:
            text = _(
                "We asked Cognito whether it still accepts this session. This happens often; only the last is shown."
            )
            yield Step(session.probed_at, "info", "arrows", _("Cognito asked"), text)
    elif session.revocation is not None and session.revocation.settled_at:
        yield _settled(session.revocation, session.revocation.settled_at)


def _settled(revocation: Revocation, at: datetime) -> Step:
    if revocation.state == Revocation.State.DONE:
        return Step(at, "ok", "check", _("Cognito told"), _("It has revoked the tokens of this session."))
    if revocation.state == Revocation.State.EXPIRED:
        return Step(at, "idle", "moon", _("Refresh token expired"), _("There was nothing left to revoke."))
    return Step(at, "idle", "stop", _("Revocation given up"), _("We have stopped trying to tell Cognito."))
