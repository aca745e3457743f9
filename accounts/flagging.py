"""A session that its owner does not recognise: over at once, and marked for whoever runs the site."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.ending import end_sessions
from accounts.models import EndedSession, EndReason, Event, Session, User


def flag_session(user: User, public_id: UUID, now: datetime) -> bool:
    """End a session of this person's that they do not recognise, if it is live, and flag it for operators.

    One transaction does all of it. False if it was flagged before, or is no session of theirs.
    """
    with transaction.atomic():
        end_sessions(Session.objects.filter(user=user, public_id=public_id), EndReason.NOT_RECOGNISED, now=now)
        mine = EndedSession.objects.recent(now).filter(user=user, pk=public_id)
        if not mine.filter(flagged_at=None).update(flagged_at=now):
            return False
        Event.objects.record(Event.Kind.NOT_RECOGNISED, mine.get(), now=now)
    return True


def settle_flag(ended: EndedSession, why: str, now: datetime, *, actor: User | None = None) -> bool:
    """Record that an operator has looked into a flagged session; False if it is not flagged, or no longer."""
    with transaction.atomic():
        if not EndedSession.objects.flagged().filter(pk=ended.pk).update(flag_settled_at=now):
            return False
        Event.objects.record(Event.Kind.FLAG_SETTLED, ended, now=now, actor=actor, detail=why[:200])
    return True
