"""The app, its database and its user pool together, and the few ways tests move them along."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import EndedSession, Session
from tests.fake_user_pool import Call, FakeUserPool, Person
from tests.fake_user_pool.web import Request, Response
from tests.servers import AppServer, HttpBrowser

REFRESH = "GetTokensFromRefreshToken"
AGO = timedelta(seconds=1)


class LatePool(FakeUserPool):
    """A user pool that can do its work at once and keep the answer back."""

    def __init__(self) -> None:
        super().__init__()
        self._late: dict[str, tuple[threading.Event, threading.Event]] = {}

    @contextmanager
    def answers_held(self, operation: str) -> Iterator[threading.Event]:
        """Keep the answers to an operation back inside the block; the event tells that there is one."""
        done, over = self._late[operation] = threading.Event(), threading.Event()
        try:
            yield done
        finally:
            del self._late[operation]
            over.set()

    def newest_refresh_token(self) -> str:
        return next(reversed(self.refresh_tokens))

    def answer(self, request: Request) -> Response:
        response = super().answer(request)
        if late := self._late.get(request.headers.get("x-amz-target", "").rpartition(".")[2]):
            done, over = late
            done.set()
            over.wait()
        return response


@dataclass
class Site:
    """The app under gunicorn, the pool it signs people in with, and its database under `alias`."""

    pool: LatePool
    server: AppServer
    database_url: str
    alias: str

    def visitor(self, person: Person | None = None) -> HttpBrowser:
        """Return a new browser, with somebody new in front of it unless told otherwise."""
        someone = person or self.pool.add_person(f"{uuid4().hex[:12]}@example.com", name="Uma User")
        return HttpBrowser(self.server.url, self.pool, someone)

    def user(self, person: Person | None = None) -> HttpBrowser:
        """Return a new browser with somebody signed in."""
        browser = self.visitor(person)
        browser.sign_in()
        return browser

    def sessions(self, *people: Person) -> QuerySet[Session]:
        """Return the live sessions of some people."""
        subjects = [person.sub for person in people]
        rows: QuerySet[Session] = Session.objects.using(self.alias).filter(user__subject__in=subjects)
        return rows

    def ended_sessions(self, *people: Person) -> QuerySet[EndedSession]:
        subjects = [person.sub for person in people]
        return EndedSession.objects.using(self.alias).filter(user__subject__in=subjects)

    def session(self, browser: HttpBrowser) -> Session:
        """Return the only session of this browser's person."""
        return self.sessions(browser.person).select_related("user").get()

    def make_refresh_due(self, *people: Person) -> None:
        """Move their sessions to where a refresh is due and the access token still good."""
        self.sessions(*people).update(refresh_due_at=timezone.now() - AGO)

    def expire_access_tokens(self, *people: Person) -> None:
        """Move their sessions to where the access token has expired."""
        self.sessions(*people).update(refresh_due_at=timezone.now() - AGO, access_expires_at=timezone.now() - AGO)

    def let_the_lease_run_out(self, person: Person) -> None:
        """Move everything on by as long as a claim lasts: who holds one has lost it."""
        for token in self.pool.refresh_tokens.values():
            if token.retired_at is not None:
                token.retired_at -= Session.REFRESH_LEASE.total_seconds()
        self.sessions(person).update(refresh_claimed_until=timezone.now() - AGO)

    def refreshes(self) -> list[Call]:
        """Return the refresh calls that the pool has received in this test."""
        return self.pool.calls.of(REFRESH)
