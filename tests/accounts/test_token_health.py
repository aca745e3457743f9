from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from accounts.models import Session, TokenHealth, User

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MOMENTS = (None, NOW - timedelta(minutes=1), NOW, NOW + timedelta(minutes=1))


@pytest.mark.django_db
def test_the_database_and_the_row_agree_on_health() -> None:
    Session.objects.bulk_create(
        Session(
            key_digest=uuid4().hex,
            expire_date=NOW,
            refresh_claimed_until=claimed_until,
            access_expires_at=expires_at,
            refresh_due_at=due_at,
            refresh_failures=failures,
        )
        for claimed_until, expires_at, due_at, failures in itertools.product(MOMENTS, MOMENTS, MOMENTS, (0, 2))
    )

    for health in TokenHealth.of_live():
        found = set(Session.objects.in_health(health, NOW))

        assert found
        assert found == {row for row in Session.objects.all() if row.health(NOW) == health}


@pytest.mark.django_db
def test_healths_are_counted_among_the_sessions_used_last() -> None:
    person = User.objects.create(issuer="https://issuer.example", subject="1")
    for age in range(3):
        Session.objects.create(
            key_digest=uuid4().hex,
            user=person,
            expire_date=NOW + timedelta(minutes=1),
            last_seen_at=NOW - timedelta(minutes=age),
            refresh_failures=age,
        )

    counts = Session.objects.count_by_health(NOW, most=2)

    assert counts == {"fresh": 0, "refresh_due": 0, "refreshing": 0, "asleep": 1, "refresh_failing": 1}


@pytest.mark.django_db
def test_sessions_that_are_over_are_not_counted_but_looked_at() -> None:
    person = User.objects.create(issuer="https://issuer.example", subject="1")
    for age, is_over in enumerate((True, True, False)):
        Session.objects.create(
            key_digest=uuid4().hex,
            user=person,
            expire_date=NOW - timedelta(minutes=1) if is_over else NOW + timedelta(minutes=1),
            last_seen_at=NOW - timedelta(minutes=age),
        )

    assert sum(Session.objects.count_by_health(NOW, most=2).values()) == 0
    assert sum(Session.objects.count_by_health(NOW, most=3).values()) == 1
