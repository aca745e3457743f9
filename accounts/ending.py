"""The one way a session ends, for every reason and from every place."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import EndedSession, EndReason, Event, Revocation, Session, User
from accounts.revocation import deliver_while_it_works, leave_to_worker

logger = logging.getLogger(__name__)


class SessionEndedError(Exception):
    """The session of this request is no more; `ended` says why."""

    def __init__(self, ended: EndedSession | None) -> None:
        super().__init__(ended.reason if ended else "ended elsewhere")
        self.ended = ended


def end_sessions(
    sessions: QuerySet[Session],
    reason: EndReason,
    *,
    now: datetime,
    everywhere: Session | User | None = None,
    actor: User | None = None,
    note: str = "",
    tell_now: bool = True,
) -> list[EndedSession]:
    """End sessions and return what is left of them; those that somebody else ended meanwhile are not among them.

    One transaction deletes the rows, records the ends and enqueues what Cognito must be told. Only then, and only
    for as long as Cognito answers, it is told at once. `everywhere` is the session whose tokens ask Cognito for a
    global sign-out, or the person for whom AWS credentials do; `actor` and `note` say in the audit trail who ended
    somebody else's sessions, and why. Without `tell_now` telling Cognito is left to the worker.
    """
    with transaction.atomic():
        # In one order whoever asks, so that two that overlap wait for each other and not both for ever.
        rows = [row for candidate in sessions.order_by("pk") if (row := _delete(candidate)) is not None]
        ended = [_record(row, reason, now, everywhere, actor, note) for row in rows if row.user_id]
        pending = [trace.revocation for trace in ended if trace.revocation]
        if isinstance(everywhere, User):
            pending.append(_enqueue(Revocation.by_admin(everywhere, now)))
        elif everywhere is not None and everywhere.public_id not in {row.public_id for row in rows}:
            # Somebody else has just ended that session; its tokens may still speak for the person.
            pending.append(_enqueue(Revocation.of(everywhere, Revocation.Kind.GLOBAL, now)))
    # The global sign-out goes first: once it succeeds, the others have nothing left to revoke.
    pending.sort(key=lambda revocation: not revocation.is_global)
    transaction.on_commit(
        partial(deliver_while_it_works, pending, now) if tell_now else partial(leave_to_worker, pending)
    )
    return ended


def end_session(
    row: Session, reason: EndReason, *, now: datetime, actor: User | None = None, note: str = ""
) -> EndedSession | None:
    """End one session and return its trace, or that of its earlier end; None for a session of nobody."""
    end_sessions(Session.objects.filter(public_id=row.public_id), reason, now=now, actor=actor, note=note)
    return EndedSession.objects.select_related("revocation").filter(public_id=row.public_id).first()


def end_everywhere(
    user: User, *, now: datetime, actor: User | None = None, note: str = ""
) -> list[EndedSession] | None:
    """End a person's sessions here and have Cognito revoke all their tokens; return what is left of the sessions.

    By this host's AWS credentials if it may, else with the tokens of one of the sessions: without any, nothing can
    be done, and None comes back.
    """
    live = Session.objects.live(now).filter(user=user)
    newest = live.order_by(F("access_expires_at").desc(nulls_last=True)).first()
    everywhere = user if settings.COGNITO_ADMIN_API else newest
    if everywhere is None:
        return None
    with transaction.atomic():
        kind = Event.Kind.SIGNED_OUT_EVERYWHERE
        Event.objects.record(kind, None, now=now, user=user, actor=actor, detail=note[:200])
        return end_sessions(live, EndReason.OPERATOR, now=now, everywhere=everywhere, actor=actor, note=note)


def end_surplus(user: User, now: datetime) -> list[EndedSession]:
    """End the person's sessions beyond SESSION_MAX_PER_PERSON, those not used for longest first."""
    newest_first = Session.objects.live(now).filter(user=user).order_by("-last_seen_at")
    surplus = list(newest_first.values_list("pk", flat=True)[settings.SESSION_MAX_PER_PERSON :])
    return end_sessions(Session.objects.filter(pk__in=surplus), EndReason.TOO_MANY, now=now) if surplus else []


def end_lapsed(now: datetime, *, most: int) -> int:
    """End at most so many sessions whose time is over, each with its reason, and return how many that were.

    The rows are read in one go and ended one by one: an error with one does not keep the others.
    """
    ended = 0
    for row in list(Session.objects.lapsed(now).order_by("expire_date")[:most]):
        this = Session.objects.filter(public_id=row.public_id)
        try:
            end_sessions(this, lapse_reason(row, now), now=now, tell_now=False)
        except Exception:
            logger.exception("Session %s has lapsed but could not be ended", row.public_id)
        else:
            ended += 1
    return ended


def lapse_reason(row: Session, now: datetime) -> EndReason:
    """Tell why a session's time is over: somebody ended it together with others, or it ran into a limit."""
    if row.end_reason:
        return EndReason(row.end_reason)
    return EndReason.ABSOLUTE if row.ends_at and row.ends_at <= now else EndReason.IDLE


def _delete(row: Session) -> Session | None:
    """Delete exactly the row that was read, so that the newest refresh token is the one to be revoked.

    A refresh that stores new tokens in between changes `token_version`: then the row is read again. Return the row
    as it was when deleted, or None if it is gone already.
    """
    current: Session | None = row
    while current is not None:
        matching = Session.objects.filter(public_id=current.public_id, token_version=current.token_version)
        if matching.delete()[0]:
            return current
        current = Session.objects.filter(public_id=row.public_id).first()
    return None


def _record(
    row: Session, reason: EndReason, now: datetime, everywhere: Session | User | None, actor: User | None, note: str
) -> EndedSession:
    Event.objects.record(Event.Kind.ENDED, row, now=now, reason=reason, actor=actor, detail=note[:200])
    kept = ("public_id", "key_digest", "user_id", "started_at", "last_seen_at", "ip_address", "browser", "system")
    is_global = isinstance(everywhere, Session) and everywhere.public_id == row.public_id
    kind = Revocation.Kind.GLOBAL if is_global else Revocation.Kind.REFRESH_TOKEN
    return EndedSession.objects.create(
        **{name: getattr(row, name) for name in kept},
        access_expires_at=row.access_expires_at,
        reason=reason,
        ended_at=now,
        revocation=_enqueue(Revocation.of(row, kind, now)),
    )


def _enqueue(revocation: Revocation) -> Revocation:
    revocation.save(force_insert=True)
    return revocation
