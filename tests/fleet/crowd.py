"""Two hundred people who go on clicking."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeGuard
from urllib.parse import urlsplit

import requests

from tests.fake_user_pool import Person
from tests.fleet.fleet import Fleet
from tests.fleet.visits import Outcome, Visit, Visits
from tests.servers import HttpBrowser

# The start page, the claims of the tokens, what only Cognito knows, JSON for a front end, one's sessions.
PAGES = ("/", "/tokens/", "/profile/", "/api/session/", "/sessions/")
# Of these, the pages that name whoever is signed in.
SAYS_WHO = ("/", "/tokens/", "/profile/", "/api/session/")
# How many requests there are at once at the most: with more people than that waiting, everybody is slower.
AT_ONCE = 12
THINKING_SECONDS = (1.0, 4.0)
# One in so many has a second browser, in which they sign in and out.
SECOND_BROWSERS = 4
DOMAIN = "@people.example.com"


class Seat:
    """One browser of somebody, and whether they are signed in there; None: they tried to sign out and got no answer."""

    def __init__(self, browser: HttpBrowser, visits: Visits) -> None:
        self.browser = browser
        self.is_signed_in: bool | None = False
        self._visits = visits

    def sign_in(self) -> None:
        """Sign in through the hosted UI; whoever gets no answer on the way begins again next time."""
        start = self.ask("GET", "/login/?next=/")
        if not leads_on(start):
            return
        response = self.browser.pool.authorize(start.headers["Location"], self.browser.person)
        answer = self.ask("GET", response)
        self.is_signed_in = leads_on(answer) and not answer.headers["Location"].startswith("/login/")

    def sign_out(self) -> None:
        self.is_signed_in = False if leads_on(self.ask("POST", "/logout/")) else None

    def look(self) -> None:
        """Find out whether signing out came through, after no answer."""
        response = self.ask("GET", "/api/session/")
        if response is not None and response.status_code in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
            self.is_signed_in = response.status_code == HTTPStatus.OK

    def load(self, page: str) -> None:
        self.ask("GET", page)

    def ask(self, method: str, address: str) -> requests.Response | None:
        """Send a request, note what it came to, and return the answer, if there was one."""
        path, started = urlsplit(address).path, time.monotonic()
        response = None
        try:
            response = self.browser.post(address) if method == "POST" else self.browser.get(address)
        except requests.RequestException:
            outcome = Outcome.FAILED
        else:
            outcome = self._judged(response, path)
        status = 0 if response is None else response.status_code
        email = self.browser.person.email
        self._visits.add(Visit(email, method, path, outcome, status, started, time.monotonic()))
        return response

    def _judged(self, response: requests.Response, path: str) -> Outcome:
        status = response.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            is_put_off = status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in response.headers
            return Outcome.PUT_OFF if is_put_off else Outcome.FAILED
        is_asked = response.headers.get("Location", "").startswith("/login/")
        if is_asked and path == "/callback/":
            return Outcome.ONCE_MORE
        if status == HTTPStatus.UNAUTHORIZED or is_asked:
            # Who has asked for it, or may have, is not surprised.
            return Outcome.SIGNED_OUT if self.is_signed_in else Outcome.GOOD
        if status >= HTTPStatus.BAD_REQUEST:
            return Outcome.ODD
        if status == HTTPStatus.OK and self.is_signed_in and self.browser.person.email not in response.text:
            if DOMAIN in response.text:
                return Outcome.NOT_THEIRS
            if path in SAYS_WHO:
                return Outcome.SIGNED_OUT
        return Outcome.GOOD


def leads_on(response: requests.Response | None) -> TypeGuard[requests.Response]:
    """Tell whether there is an answer, and it is a redirect."""
    return response is not None and response.status_code == HTTPStatus.FOUND


@dataclass
class Someone:
    """A person with a browser in which they stay signed in, and perhaps a second in which they come and go."""

    first: Seat
    second: Seat | None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def person(self) -> Person:
        return self.first.browser.person

    @property
    def seats(self) -> list[Seat]:
        return [self.first, *([self.second] if self.second else [])]

    def act(self) -> None:
        """Do one thing, unless they are busy elsewhere."""
        if not self.lock.acquire(blocking=False):
            return
        try:
            self._act()
        finally:
            self.lock.release()

    def _act(self) -> None:
        if self.second is None or random.random() < 0.6:
            self.first.load(random.choice(PAGES))
        elif self.second.is_signed_in is None:
            self.second.look()
        elif not self.second.is_signed_in:
            self.second.sign_in()
        elif random.random() < 0.5:
            self.second.load(random.choice(PAGES))
        else:
            self.second.sign_out()

    def reload(self) -> None:
        """Ask for a page in every browser they are signed in."""
        with self.lock:
            for seat in self.seats:
                if seat.is_signed_in:
                    seat.load("/api/session/")


class Crowd:
    """Everybody, some at a time: whoever has thought for a while is next."""

    def __init__(self, fleet: Fleet, size: int) -> None:
        self.visits = Visits()
        self.people = [self._someone(fleet, number) for number in range(size)]
        self._over = threading.Event()
        self._queue: list[tuple[float, int]] = []
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="crowd")
        self._clicking: list[Future[None]] = []

    def arrive(self) -> None:
        """Sign everybody in, in their first browser."""
        list(self._executor.map(lambda someone: someone.first.sign_in(), self.people))

    def begin(self) -> None:
        """Let them click until `leave`."""
        now = time.monotonic()
        self._queue = [(now + random.uniform(0, THINKING_SECONDS[1]), n) for n in range(len(self.people))]
        heapq.heapify(self._queue)
        self._clicking = [self._executor.submit(self._click) for _ in range(AT_ONCE)]

    def leave(self) -> None:
        """Finish what is under way, and raise what went wrong in here."""
        self._over.set()
        for each in self._clicking:
            each.result()

    def close(self) -> None:
        self._over.set()
        self._executor.shutdown(cancel_futures=True)

    def of(self, emails: Sequence[str]) -> list[Someone]:
        return [someone for someone in self.people if someone.person.email in emails]

    def _click(self) -> None:
        while not self._over.is_set():
            with self._lock:
                due, number = heapq.heappop(self._queue)
            if not self._over.wait(max(0.0, due - time.monotonic())):
                self.people[number].act()
            with self._lock:
                heapq.heappush(self._queue, (time.monotonic() + random.uniform(*THINKING_SECONDS), number))

    def _someone(self, fleet: Fleet, number: int) -> Someone:
        email = f"person-{number}{DOMAIN}"
        person = fleet.pool.add_person(email, name=email)

        def seat(place: int) -> Seat:
            # An address of their own: the whole of 127.0.0.0/8 is this machine.
            address = f"127.{place}.{number // 250}.{number % 250 + 1}"
            browser = HttpBrowser(
                fleet.proxy.site_url, fleet.pool, person, address=address, certificate=fleet.proxy.certificate
            )
            return Seat(browser, self.visits)

        return Someone(seat(1), seat(2) if number % SECOND_BROWSERS == 0 else None)
