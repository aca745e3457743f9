"""The one way a session ends, for every reason and from every place."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from accounts.encryption import SealedDataError
from accounts.models import EndedSession, EndReason, Revocation, Session
from accounts.revocation import deliver_while_it_works, enqueue


class SessionEndedError(Exception):
    """The session of this request is no more; `ended` says why."""

    def __init__(self, ended: EndedSession | None) -> None:
        super().__init__(ended.reason if ended else "ended elsewhere")
        self.ended = ended


def end_sessions(
    sessions: QuerySet[Session], reason: EndReason, *, now: datetime, everywhere: Session | None = None
) -> list[EndedSession]:
    """End sessions and return what is left of them; those that somebody else ended meanwhile are not among them.

    One transaction deletes the rows, records the ends and enqueues what Cognito must be told. Only then, and only
    for as long as Cognito answers, it is told at once. `everywhere` is the session whose tokens ask Cognito for a
    global sign-out.
    """
    with transaction.atomic():
        ended = [trace for row in sessions if (trace := _end(row, reason, now, everywhere))]
    # The global sign-out goes first: once it succeeds, the others have nothing left to revoke.
    pending = [trace.revocation for trace in ended if trace.revocation]
    pending.sort(key=lambda revocation: revocation.kind != Revocation.Kind.GLOBAL)
    transaction.on_commit(partial(deliver_while_it_works, pending, now))
    return ended


def end_session(row: Session, reason: EndReason, *, now: datetime) -> EndedSession | None:
    """End one session and return its trace, or that of its earlier end; None for a session of nobody."""
    end_sessions(Session.objects.filter(public_id=row.public_id), reason, now=now)
    return EndedSession.objects.select_related("revocation").filter(public_id=row.public_id).first()


def end_lapsed(now: datetime) -> int:
    """End the sessions whose time is over and return how many that were."""
    lapsed = Session.objects.lapsed(now)
    idle = end_sessions(lapsed.filter(ends_at__gt=now), EndReason.IDLE, now=now)
    absolute = end_sessions(lapsed.filter(ends_at__lte=now), EndReason.ABSOLUTE, now=now)
    nobody = end_sessions(lapsed.filter(user=None), EndReason.IDLE, now=now)
    return len(idle) + len(absolute) + len(nobody)


def lapse_reason(row: Session, now: datetime) -> EndReason:
    """Tell which time limit a lapsed session has run into."""
    return EndReason.ABSOLUTE if row.ends_at and row.ends_at <= now else EndReason.IDLE


def _end(row: Session, reason: EndReason, now: datetime, everywhere: Session | None) -> EndedSession | None:
    """Delete exactly the row that was read, so that the newest refresh token is the one to be revoked.

    A refresh that stores new tokens in between changes `token_version`: then the row is read again.
    """
    current: Session | None = row
    while current is not None:
        matching = Session.objects.filter(public_id=current.public_id, token_version=current.token_version)
        if matching.delete()[0]:
            return _record(current, reason, now, everywhere) if current.user_id else None
        current = Session.objects.filter(public_id=row.public_id).first()
    return None


def _record(row: Session, reason: EndReason, now: datetime, everywhere: Session | None) -> EndedSession:
    kept = ("public_id", "key_digest", "user_id", "started_at", "last_seen_at", "ip_address", "browser", "system")
    is_global = everywhere is not None and everywhere.public_id == row.public_id
    return EndedSession.objects.create(
        **{name: getattr(row, name) for name in kept},
        access_expires_at=row.access_expires_at,
        reason=reason,
        ended_at=now,
        revocation=_revocation(row, Revocation.Kind.GLOBAL if is_global else Revocation.Kind.REFRESH_TOKEN, now),
    )


def _revocation(row: Session, kind: Revocation.Kind, now: datetime) -> Revocation | None:
    try:
        return enqueue(row, row.token_set(), kind, now)
    except SealedDataError:
        return None  # no key opens them any more: there is no token left to revoke
