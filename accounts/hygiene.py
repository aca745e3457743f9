"""Keeping the tables small: what has run out is ended or deleted in bounded batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.ending import end_lapsed
from accounts.models import AuthorizationRequest, EndedSession, Event, EventCount, KeptForm, Revocation

# Small enough not to hold up anybody who writes meanwhile.
BATCH = 500


def prune_batch(now: datetime) -> int:
    """End or delete one batch of everything that has run out, and return how many rows that were."""
    settled = Revocation.objects.exclude(state=Revocation.State.PENDING)
    outdated: list[QuerySet[Any]] = [
        AuthorizationRequest.objects.filter(expires_at__lte=now),
        KeptForm.objects.filter(expires_at__lte=now),
        EndedSession.objects.filter(ended_at__lte=now - EndedSession.KEPT),
        settled.filter(settled_at__lte=now - Revocation.KEPT),
        Event.objects.filter(at__lte=now - Event.KEPT),
        EventCount.objects.filter(start__lte=now - EventCount.KEPT),
    ]
    return end_lapsed(now, most=BATCH) + sum(_delete_batch(rows) for rows in outdated)


def _delete_batch(rows: QuerySet[Any]) -> int:
    pks = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
    return rows.model._default_manager.filter(pk__in=pks).delete()[0] if pks else 0
