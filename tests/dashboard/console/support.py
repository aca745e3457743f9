"""Many sessions, people, events and revocations without a sign-in for each."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import DEFAULT_DB_ALIAS

from accounts.cognito.errors import ProviderUnavailableError
from accounts.cognito.tokens import TokenSet
from accounts.conf import api_breaker
from accounts.flagging import flag_session
from accounts.models import EndedSession, EndReason, Event, Revocation, Session, User

# What no page may ever show; each stands where the real one would.
SECRET_TOKEN = "SECRET-TOKEN-TEXT"
NAMES = [
    *("ana.lima", "ben.okafor", "chiara.russo", "dmitri.volkov", "eva.novak", "femi.adeyemi", "grete.sommer"),
    *("hiro.tanaka", "ines.garcia", "jan.de-vries", "katarzyna.wisniewska-kowalczyk", "li.wei", "maya.patel"),
]
DEVICES = [
    *(("Chrome 131", "Windows 10"), ("Firefox 132", "Ubuntu"), ("Mobile Safari 18", "iOS 18"), ("", "")),
    *(("Edge 130", "Windows 11"), ("Safari 18", "Mac OS X 14")),
]


def make_person(mailbox: str, using: str = DEFAULT_DB_ALIAS, **columns: Any) -> User:
    defaults = {"issuer": "https://issuer.example", "subject": str(uuid4()), "email": f"{mailbox}@example.com"}
    person: User = User.objects.using(using).create(**(defaults | columns))
    return person


def make_session(person: User, now: datetime, **columns: Any) -> Session:
    """Make a live session with a token set that can be decrypted and revoked."""
    defaults = {
        "key_digest": uuid4().hex * 2,
        "public_id": uuid4(),
        "started_at": now - timedelta(hours=1),
        "last_seen_at": now,
        "expire_date": now + timedelta(minutes=20),
        "ends_at": now + timedelta(hours=11),
        "ip_address": "203.0.113.7",
        "browser": "Firefox 132",
        "system": "Ubuntu",
        "access_issued_at": now - timedelta(minutes=10),
        "access_expires_at": now + timedelta(minutes=50),
        "refresh_due_at": now + timedelta(minutes=30),
        "probe_due_at": now + timedelta(minutes=1),
    }
    row = Session(user=person, **(defaults | columns))
    row.token_set_sealed = row._sealed(secret_tokens())
    row.save(force_insert=True, using=person._state.db)
    return row


def make_sessions(count: int, now: datetime, **columns: Any) -> list[Session]:
    """Make sessions of one person each; those later in the list were used less lately."""
    return [
        make_session(
            make_person(f"person{number:03}"), now, **({"last_seen_at": now - timedelta(minutes=number)} | columns)
        )
        for number in range(count)
    ]


def flag(row: Session, now: datetime) -> EndedSession:
    """Let the owner of a session say that it is a stranger's."""
    flag_session(row.person, row.public_id, now)
    return EndedSession.objects.get(pk=row.public_id)


def make_flagged(person: User, now: datetime, **columns: Any) -> EndedSession:
    """Make the trace of a session that its owner did not recognise."""
    defaults = {
        "public_id": uuid4(),
        "key_digest": uuid4().hex * 2,
        "reason": EndReason.NOT_RECOGNISED,
        "started_at": now - timedelta(hours=3),
        "last_seen_at": now - timedelta(minutes=40),
        "ended_at": now - timedelta(minutes=30),
        "flagged_at": now - timedelta(minutes=30),
        "browser": "Chrome 131",
        "system": "Windows 10",
    }
    using = person._state.db
    ended: EndedSession = EndedSession.objects.using(using).create(user=person, **(defaults | columns))
    about = {"session_id": ended.pk, "user": person, "ip_address": ended.ip_address, "request_id": uuid4().hex}
    Event.objects.using(using).create(kind=Event.Kind.NOT_RECOGNISED, at=now - timedelta(minutes=30), **about)
    return ended


def make_revocation(row: Session, now: datetime, **columns: Any) -> Revocation:
    revocation = Revocation.of(row, Revocation.Kind.REFRESH_TOKEN, now)
    revocation.put_tokens(secret_tokens(), row.access_expires_at)
    for name, value in ({"claimed_until": None, "due_at": now} | columns).items():
        setattr(revocation, name, value)
    revocation.save(force_insert=True, using=row._state.db)
    return revocation


def fail_calls(count: int) -> None:
    """Let this process get no answer to so many calls in a row."""
    for _ in range(count):
        with suppress(ProviderUnavailableError), api_breaker().guard("GetUser"):
            raise ProviderUnavailableError("down")


def secret_tokens() -> TokenSet:
    return TokenSet(access_token=SECRET_TOKEN, id_token=SECRET_TOKEN, refresh_token=SECRET_TOKEN)


def make_busy_day(now: datetime, using: str) -> None:
    """Fill a site with what an operator may meet: many people, every health, every kind of event and revocation."""
    chance = random.Random(4)
    people = [make_person(name, using, name=name.replace(".", " ").title()) for name in NAMES]
    healths: list[dict[str, Any]] = [
        *([{}] * 6),
        {"refresh_due_at": now - timedelta(minutes=2)},
        {"access_expires_at": now - timedelta(hours=2)},
        {"refresh_claimed_until": now + timedelta(minutes=5)},
        {"refresh_failures": 4, "refresh_error": "ProviderUnavailableError: no answer in time"},
    ]
    rows = []
    for number in range(120):
        device = chance.choice(DEVICES)
        seen = now - timedelta(minutes=number * 3, seconds=chance.randrange(60))
        columns = {"browser": device[0], "system": device[1], "last_seen_at": seen, **healths[number % len(healths)]}
        started = seen - timedelta(minutes=chance.randrange(400))
        address = chance.choice(("203.0.113.24", "198.51.100.7", "2001:db8:4c1a:9f00:7d2e:13ff:fe40:8b21"))
        rows.append(make_session(chance.choice(people), now, started_at=started, ip_address=address, **columns))
    _make_events(rows, now, using, chance)
    _make_ends(rows, now, using)


def _make_events(rows: list[Session], now: datetime, using: str, chance: random.Random) -> None:
    events = []
    for minutes in range(1, 24 * 60, 4):
        row = chance.choice(rows)
        kind = chance.choices(list(Event.Kind), weights=[4, 12, 1, 0, 3, *[0] * (len(Event.Kind) - 5)])[0]
        detail = "ProviderUnavailableError: no answer in time" if kind == Event.Kind.REFRESH_FAILED else ""
        reason = chance.choice((EndReason.IDLE, EndReason.SIGNED_OUT)) if kind == Event.Kind.ENDED else ""
        about = {"session_id": row.public_id, "user": row.user, "ip_address": row.ip_address, "request_id": uuid4().hex}
        events.append(Event(at=now - timedelta(minutes=minutes), kind=kind, detail=detail, reason=reason, **about))
    reused = {"session_id": rows[3].public_id, "user": rows[3].user, "request_id": uuid4().hex}
    events.append(Event(at=now, kind=Event.Kind.REFRESH_REUSED, detail="RefreshTokenReuseException", **reused))
    Event.objects.using(using).bulk_create(events)


def _make_ends(rows: list[Session], now: datetime, using: str) -> None:
    error = "ProviderUnavailableError: no answer in time"
    states: list[dict[str, Any]] = [
        {"attempts": 6, "last_error": error, "due_at": now + timedelta(minutes=8)},
        {"attempts": 1, "last_error": "ThrottledError: TooManyRequestsException"},
        {"state": "done", "settled_at": now - timedelta(minutes=30)},
        {"state": "done", "settled_at": now - timedelta(hours=3)},
        {"state": "expired", "settled_at": now - timedelta(hours=5)},
        {"state": "given_up", "settled_at": now - timedelta(hours=2), "last_error": "the pool was deleted"},
    ]
    for number, columns in enumerate(states):
        row = make_session(rows[3].person, now, started_at=now - timedelta(hours=9))
        revocation = make_revocation(row, now - timedelta(minutes=16 * (number + 1)), **columns)
        EndedSession.objects.using(using).create(
            public_id=row.public_id,
            key_digest=row.key_digest,
            user=row.person,
            reason=EndReason.ELSEWHERE,
            started_at=row.started_at,
            last_seen_at=row.last_seen_at,
            ended_at=revocation.created_at,
            ip_address=row.ip_address,
            browser=row.browser,
            system=row.system,
            access_expires_at=row.access_expires_at,
            revocation=revocation,
        )
        row.delete()
