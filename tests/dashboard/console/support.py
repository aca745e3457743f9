"""Many sessions, people, events and revocations without a sign-in for each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from accounts.cognito.tokens import TokenSet
from accounts.models import Revocation, Session, User

# What no page may ever show; each stands where the real one would.
SECRET_TOKEN = "SECRET-TOKEN-TEXT"


def make_person(name: str, **columns: Any) -> User:
    defaults = {"issuer": "https://issuer.example", "subject": str(uuid4()), "email": f"{name}@example.com"}
    person: User = User.objects.create(**(defaults | columns))
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
    row.save(force_insert=True)
    return row


def make_sessions(count: int, now: datetime, **columns: Any) -> list[Session]:
    """Make sessions of one person each; those later in the list were used less lately."""
    return [
        make_session(
            make_person(f"person{number:03}"), now, **({"last_seen_at": now - timedelta(minutes=number)} | columns)
        )
        for number in range(count)
    ]


def make_revocation(row: Session, now: datetime, **columns: Any) -> Revocation:
    revocation = Revocation.of(row, secret_tokens(), Revocation.Kind.REFRESH_TOKEN, now)
    for name, value in ({"claimed_until": None, "due_at": now} | columns).items():
        setattr(revocation, name, value)
    revocation.save(force_insert=True)
    return revocation


def secret_tokens() -> TokenSet:
    return TokenSet(access_token=SECRET_TOKEN, id_token=SECRET_TOKEN, refresh_token=SECRET_TOKEN)
