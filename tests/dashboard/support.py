from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import EndedSession, EndReason, Session, User
from accounts.models.authorization import digest
from config.settings import SESSION_COOKIE_NAME
from tests.conftest import Browser

# What a script shows once its moment has come.
LATER = re.compile(r'<(\w+)[^>]* data-after="[^"]*" hidden>.*?</\1>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")


def words(response: Any) -> str:
    """Return what a page says, without markup and what is not shown yet, and with single spaces."""
    return " ".join(unescape(TAG.sub(" ", LATER.sub(" ", response.content.decode()))).split())


def row_of(browser: Browser) -> Session:
    """Return the session of a browser, though the same person has others."""
    row: Session = Session.objects.get(pk=digest(browser.cookies[SESSION_COOKIE_NAME].value))
    return row


def end_many(person: User, count: int) -> list[EndedSession]:
    """Leave traces of sessions that have ended, the last one first, a minute between them."""
    now = timezone.now()
    return EndedSession.objects.bulk_create(
        EndedSession(
            public_id=uuid4(),
            key_digest=uuid4().hex * 2,
            user=person,
            reason=EndReason.IDLE,
            started_at=now - timedelta(days=1),
            last_seen_at=now - timedelta(hours=2),
            ended_at=now - timedelta(minutes=number + 1),
        )
        for number in range(count)
    )
