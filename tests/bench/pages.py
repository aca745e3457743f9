"""What is measured on a seeded site: every page of the console, and the work that must not grow with the tables."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Count, QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.cognito.tokens import TokenSet
from accounts.encryption import seal
from accounts.ending import end_sessions
from accounts.hygiene import prune_batch
from accounts.models import EndedSession, EndReason, Event, Revocation, Session, User
from accounts.models.authorization import digest
from accounts.models.one_read import statement
from accounts.sessions import SessionStore
from tests.bench.seed import ALMOST_ALL, BUSY_MAILBOX, LARGE_GROUP, OFFICE, SMALL_GROUP

# Where a list is opened far down.
DEPTH = 0.9


class Site:
    """A seeded database, with an operator and the person of 200 sessions signed in."""

    def __init__(self, alias: str, size: int) -> None:
        self.alias = alias
        self.size = size
        with self.as_default():
            self.busy = User.objects.get(email=BUSY_MAILBOX)
            self.operator_client = sign_in(_operator())
            self.busy_client = sign_in(self.busy)
            others = Session.objects.exclude(user=self.busy).exclude(ip_address=OFFICE)
            self.row = others.order_by("started_at")[0]
            counts = Session.objects.order_by().values_list("user").annotate(count=Count("pk"))
            self.person_of_twelve = counts.filter(count=12)[0][0]
            self.console = dict(self._console())
            self.own = {"own: start": reverse("home"), "own: sessions": reverse("sessions")}

    @contextmanager
    def as_default(self) -> Iterator[None]:
        """Let everything in the block use this site's database."""
        before = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = connections[self.alias]
        # Built for the database that has the name; another may be of another kind.
        is_other_kind = before.vendor != connections[self.alias].vendor
        if is_other_kind:
            statement.cache_clear()
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = before
            if is_other_kind:
                statement.cache_clear()

    def _console(self) -> Iterator[tuple[str, str]]:
        """Yield the addresses of the console's pages under names that are the same at every size."""
        yield "overview", reverse("console")
        yield from self._session_lists()
        yield "session, live", reverse("console_session", args=[self.row.public_id])
        yield "session, ended", reverse("console_session", args=[EndedSession.objects.all()[0].pk])
        yield from self._other_lists()
        yield "person, 200 sessions", reverse("console_person", args=[self.busy.pk])
        yield "person", reverse("console_person", args=[self.row.user_id])
        yield "revocation", reverse("console_revocation", args=[Revocation.objects.all()[0].pk])
        yield "flagged sessions", f"{reverse('console_sessions')}?state=flagged"
        yield "health", reverse("console_health")

    def _session_lists(self) -> Iterator[tuple[str, str]]:
        person = self.row.person
        deep = {
            column: _cursor(Session.objects.all(), column, "public_id") for column in ("last_seen_at", "started_at")
        }
        queries: dict[str, dict[str, str]] = {
            "first page": {},
            "far down": {"after": deep["last_seen_at"]},
            "by sign-in": {"sort": "started"},
            "by sign-in, far down": {"sort": "started", "after": deep["started_at"]},
            **{f"tokens {health}": {"health": health} for health in ("fresh", "refresh_due", "asleep", "refreshing")},
            "tokens refresh_failing": {"health": "refresh_failing"},
            **{f"group {name}": {"group": name} for name in (SMALL_GROUP, LARGE_GROUP, ALMOST_ALL)},
            **{f"browser {name}": {"browser": name} for name in ("Chrome", "Firefox", "Opera")},
            **{f"signed in {age}": {"age": age} for age in ("-1h", "-1d", "1d", "7d")},
            "rare in all, none": {"health": "refreshing", "group": LARGE_GROUP, "browser": "Opera", "age": "7d"},
            "rare in all, by sign-in": {"group": LARGE_GROUP, "browser": "Opera", "age": "1d", "sort": "started"},
            "common in all": {"health": "fresh", "group": ALMOST_ALL, "browser": "Chrome", "age": "1h"},
            "failing and rare": {"health": "refresh_failing", "browser": "Opera"},
            "e-mail": {"q": person.email},
            "e-mail, beginning": {"q": "ana"},
            "e-mail, one letter": {"q": "e"},
            "e-mail, nobody": {"q": "nobody.at.all"},
            "e-mail, beginning and rare": {"q": "ana", "browser": "Opera", "health": "asleep"},
            "e-mail of 200 sessions": {"q": BUSY_MAILBOX},
            "subject": {"q": person.subject},
            "session id": {"q": str(self.row.public_id)},
            "ended session id": {"q": str(EndedSession.objects.all()[0].pk)},
            "unknown id": {"q": str(uuid.uuid4())},
            "address": {"q": str(self.row.ip_address)},
            "office address": {"q": OFFICE},
            "office address, by sign-in": {"q": OFFICE, "sort": "started"},
            "office address and rare": {"q": OFFICE, "browser": "Opera", "health": "refreshing"},
            "unknown address": {"q": "192.0.2.1"},
        }
        for name, query in queries.items():
            yield f"sessions: {name}", f"{reverse('console_sessions')}?{urlencode(query)}"

    def _other_lists(self) -> Iterator[tuple[str, str]]:
        person = self.row.person
        lists: dict[str, tuple[str, dict[str, dict[str, str]]]] = {
            "people": (
                "console_people",
                {
                    "first page": {},
                    "far down": {"after": _cursor(User.objects.all(), "email_folded", "pk", sign="")},
                    "e-mail": {"q": person.email},
                    "e-mail, beginning": {"q": "zoe"},
                    "e-mail, one letter": {"q": "e"},
                    "subject": {"q": person.subject},
                    "nobody": {"q": "nobody.at.all"},
                },
            ),
            "events": (
                "console_events",
                {
                    "first page": {},
                    "far down": {"after": _cursor(Event.objects.all(), "at", "pk")},
                    "common kind": {"kind": "refreshed"},
                    "rare kind": {"kind": "refresh_reused"},
                    "last hour": {"since": "1h"},
                    "person": {"person": person.email},
                    "busy person": {"person": BUSY_MAILBOX},
                    "session": {"session": str(self.row.public_id)},
                    "operator": {"actor": str(self.busy.pk)},
                    "operator and kind": {"actor": str(self.busy.pk), "kind": "refresh_failed"},
                    "nobody": {"person": "nobody@example.com"},
                },
            ),
            "revocations": (
                "console_revocations",
                {
                    "first page": {},
                    "far down": {"after": _cursor(Revocation.objects.all(), "created_at", "pk")},
                    **{state: {"state": state} for state in ("pending", "done", "given_up")},
                    "late": {"when": "late"},
                    "given up today": {"state": "given_up", "when": "day"},
                    "settled today": {"when": "day"},
                },
            ),
        }
        for title, (url, queries) in lists.items():
            for name, query in queries.items():
                yield f"{title}: {name}", f"{reverse(url)}?{urlencode(query)}"

    # --- what is done, rather than looked at

    def open(self, path: str) -> None:
        client = self.busy_client if path in self.own.values() else self.operator_client
        response = client.get(path)
        assert response.status_code == 200, f"{path}: {response.status_code}"

    def first_line_of_csv(self, url: str) -> None:
        """Ask for a file and read no more than its first record."""
        response: Any = self.operator_client.get(url)
        lines = iter(response.streaming_content)
        assert next(lines)
        assert next(lines)

    def end_everything_of_one_person(self) -> None:
        """End twelve sessions of one person; then undo it, for the next run."""
        with transaction.atomic():
            mine = Session.objects.filter(user=self.person_of_twelve)
            assert len(end_sessions(mine, EndReason.OPERATOR, now=timezone.now(), tell_now=False)) == 12
            transaction.set_rollback(True)

    def prune(self) -> int:
        """Tidy up a batch as if it were 40 days later, when everything has run out; return the number of rows."""
        return prune_batch(timezone.now() + timedelta(days=40))


def sign_in(person: User) -> Client:
    """Give a browser in which the person is signed in, with tokens that stay fresh while the benchmark runs."""
    now = timezone.now()
    soon, key, public_id = now + timedelta(days=1), secrets.token_hex(16), uuid.uuid4()
    Session.objects.create(
        key_digest=digest(key),
        public_id=public_id,
        user=person,
        session_data=SessionStore().encode({}),
        token_set_sealed=seal(
            TokenSet(access_token="x", id_token="x", refresh_token="x").to_json(), bound_to=str(public_id)
        ),
        expire_date=soon,
        ends_at=soon,
        # Not to be noted again for as long as that.
        last_seen_at=soon,
        access_expires_at=soon,
        refresh_due_at=soon,
        probe_due_at=soon,
        # Groups as new as these are not asked for again.
        refreshed_at=soon,
    )
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


def _operator() -> User:
    operator = User.objects.create(issuer="bench", subject="operator", email="operator@example.com", is_staff=True)
    operator.groups.add(Group.objects.get(name=settings.COGNITO_STAFF_GROUPS[0]))
    return operator


def _cursor(rows: QuerySet[Any], column: str, unique: str, sign: str = "-") -> str:
    """Return the cursor of a page far down a list."""
    ordered = rows.order_by(f"{sign}{column}", f"{sign}{unique}").values_list(column, unique)
    value, key = ordered[int(rows.count() * DEPTH)]
    return f"{value if isinstance(value, str) else value.isoformat()}~{key}"
