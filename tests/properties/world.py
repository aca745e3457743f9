"""The world in which the state machine acts, and what must hold in it.

The model is small: for each browser, the session it signed in to and whether that has ended in a way the app was told
of. Everything else that decides about a session is the pool's own truth (revoked, disabled, deleted, expired, rotated
out), which the app must find out and may not contradict.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accounts import conf, tasks
from accounts.models import AuthorizationRequest, Chore, EndedSession, Event, Revocation, Session, User
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool, Person
from tests.fake_user_pool.signing import SigningKey
from tests.fake_user_pool.state import SignIn

START = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
# Longer than the longest back-off of a refresh, and than a probe's interval.
SURELY_ASKED = timedelta(seconds=80)
SPARE_KEYS = [f"{number}{'A' * 42}" for number in "bcdefgh"]
PAGES = ["/", "/sessions/", "/tokens/", "/profile/"]
OPERATIONS = ["token", "GetUser", "GetTokensFromRefreshToken", "RevokeToken", "GlobalSignOut", "jwks"]
FAILURES = [Failure.CLOSED, Failure.UNAVAILABLE, Failure.THROTTLED, Failure.INTERNAL_ERROR, Failure.HTML]
SEATS = st.integers(0, 3)
GRACES = st.sampled_from([0.0, 10.0, 30.0, 60.0])
LIVES = st.sampled_from([300.0, 900.0, 3600.0])


@dataclass(eq=False)
class Seat:
    """A browser with its person, and the session that the model believes it has."""

    browser: Browser
    session: uuid.UUID | None = None
    sign_in: SignIn | None = None
    last_seen: datetime = START
    ends_at: datetime = START

    @property
    def owner(self) -> Person:
        """Return whose session it is, or who would sign in."""
        return self.sign_in.person if self.sign_in is not None else self.browser.person


@dataclass
class Model:
    """What the model remembers of one example."""

    seats: list[Seat]
    ended: set[uuid.UUID] = field(default_factory=set)
    families: dict[uuid.UUID, SignIn] = field(default_factory=dict)
    dead_since: dict[str, datetime] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)
    last_fault: datetime = START
    refresh_answer_lost: bool = False


class World:
    """The app, its pool, and the clock."""

    def __init__(self, pool: FakeUserPool) -> None:
        self.pool = pool
        self.keys = pool.access_key, pool.id_key
        self.clock: Any = None
        self._travel: time_machine.travel | None = None
        self._keys = override_settings()

    def begin(self) -> Model:
        """Empty everything, and put two people in front of two browsers each."""
        self.close()
        for model in (Session, EndedSession, Revocation, Event, AuthorizationRequest, Chore):
            model._default_manager.all().delete()
        User.objects.all().delete()
        cache.clear()
        conf.token_verifier.cache_clear()
        pool = self.pool
        pool.recover()
        pool.tamperings.clear()
        pool.rotation, pool.grace_seconds, pool.access_token_seconds = False, 0.0, 3600.0
        pool.access_key, pool.id_key, pool.retired_keys = *self.keys, []
        self._travel = time_machine.travel(START, tick=True)
        self.clock = self._travel.start()
        people = [pool.add_person(f"{uuid.uuid4().hex[:8]}@example.com") for _ in range(2)]
        return Model([Seat(Browser(pool, person)) for person in people for _ in range(2)])

    def close(self) -> None:
        """Go back to the real time and the real keys."""
        if self._travel is not None:
            self._travel.stop()
            self._travel = None
        self.use_keys(settings.TOKEN_ENCRYPTION_KEYS[:0])

    def use_keys(self, ring: list[str]) -> None:
        """Encrypt with the first of `ring` and decrypt with all; an empty one stands for the keys of before."""
        self._keys.disable() if self._keys.options else None
        self._keys = override_settings(TOKEN_ENCRYPTION_KEYS=ring) if ring else override_settings()
        if ring:
            self._keys.enable()


def world_machine(world: World) -> type[RuleBasedStateMachine]:
    """Return the state machine of a world; hypothesis makes one per example."""

    class SessionLife(Life):
        def __init__(self) -> None:
            super().__init__(world)

    return SessionLife


class Life(RuleBasedStateMachine):
    """What people, operators, time and trouble do."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.pool = world.pool
        self.model = world.begin()

    def teardown(self) -> None:
        self.world.close()

    # People

    @initialize(number=st.integers(2, 4), rotation=st.booleans(), grace=GRACES, seconds=LIVES)
    def the_day_begins(self, number: int, rotation: bool, grace: float, seconds: float) -> None:
        self.the_pool_is_set(rotation, grace, seconds)
        for seat in range(number):
            self.sign_in(seat)

    @rule(number=SEATS)
    def sign_in(self, number: int) -> None:
        seat = self.model.seats[number]
        person = seat.browser.person
        self.open_page(number, "/sessions/")
        if seat.session is not None or person.sub not in self.pool.people or not person.enabled:
            return
        known, families = set(Session.objects.values_list("public_id", flat=True)), set(self.pool.sign_ins)
        response = seat.browser.sign_in()

        new = Session.objects.exclude(public_id__in=known)
        if response.status_code != 302:
            assert not new.exists()
            assert self.model.faults or self._keys_were_read_just_now(), "a sign-in failed on a day without trouble"
            return
        row = new.select_related("user").get()
        assert row.person.subject == person.sub
        family = next(self.pool.sign_ins[key] for key in self.pool.sign_ins if key not in families)
        seat.session, seat.sign_in = row.public_id, family
        seat.last_seen, seat.ends_at = timezone.now(), row.ends_at or START
        self.model.families[row.public_id] = family

    def _keys_were_read_just_now(self) -> bool:
        """Tell whether the key set may not be read again yet."""
        fetched = conf.token_verifier().keys.fetched_at
        return fetched is not None and timezone.now() - fetched < timedelta(seconds=15)

    @rule(number=SEATS, page=st.sampled_from(PAGES))
    def open_page(self, number: int, page: str) -> None:
        seat = self.model.seats[number]
        must_live, must_be_over = self._verdict(seat)
        response = seat.browser.get(page)

        assert response.status_code in ({200, 302, 401} if page != "/profile/" else {200, 302, 401, 503})
        row = response.wsgi_request.session_row  # type: ignore[attr-defined]
        if row is not None:
            assert row.public_id == seat.session, "somebody else's session"
            assert row.person.subject == seat.owner.sub, "somebody else's identity"
            assert not must_be_over, "a session that must have ended goes on"
            seat.last_seen = timezone.now()
        elif seat.session is not None:
            assert not must_live, f"signed out without a reason: {EndedSession.objects.filter(pk=seat.session).first()}"
            self._over(seat)

    def _verdict(self, seat: Seat) -> tuple[bool, bool]:
        """Return whether a seat's session must go on now, and whether it must not."""
        if seat.session is None or seat.sign_in is None:
            return False, True
        now = timezone.now()
        if seat.session in self.model.ended or now >= seat.ends_at:
            return False, True
        idle = now - seat.last_seen
        limit = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
        if idle >= limit + timedelta(seconds=1):
            return False, True
        # The last minute is noted once only: see Session.SEEN_EVERY.
        may_be_idle = idle >= limit - Session.SEEN_EVERY
        dead_since = self._dead_since(seat.sign_in, now)
        if dead_since is not None:
            calm_since = max(dead_since, self.model.last_fault)
            return False, not self.model.faults and now - calm_since > SURELY_ASKED
        return not may_be_idle and not self._rotated_out(seat), False

    def _rotated_out(self, seat: Seat) -> bool:
        """Tell whether the stored refresh token has been replaced at the pool by one that never arrived."""
        row = Session.objects.filter(public_id=seat.session).first()
        if row is None or not self.model.refresh_answer_lost:
            return False
        found = self.pool.refresh_tokens[row.token_set().refresh_token]
        return found.retired_at is not None

    def _dead_since(self, family: SignIn, now: datetime) -> datetime | None:
        """Return since when a sign-in is of no more use at the pool, as far as the model has noticed."""
        person = family.person
        is_dead = family.revoked or not person.enabled or person.sub not in self.pool.people
        if not is_dead and now.timestamp() < family.expires_at:
            return None
        return self.model.dead_since.setdefault(family.event_id, now)

    def _over(self, seat: Seat) -> None:
        if seat.session is not None:
            self.model.ended.add(seat.session)
        seat.session = seat.sign_in = None

    @rule(number=SEATS, way=st.sampled_from(["here", "everywhere", "others"]))
    def somebody_signs_out(self, number: int, way: str) -> None:
        getattr(self, f"sign_out_{way}")(number)

    def sign_out_here(self, number: int) -> None:
        seat = self.model.seats[number]

        seat.browser.post("/logout/")

        self._over(seat)

    def sign_out_everywhere(self, number: int) -> None:
        seat = self.model.seats[number]
        owner = seat.owner

        response = seat.browser.post("/logout/everywhere/")

        if seat.session is not None and response.get("Location", "").startswith(self.pool.base_url):
            for other in self.model.seats:
                if other.owner is owner:
                    self._over(other)
        self._over(seat)

    def sign_out_others(self, number: int) -> None:
        seat = self.model.seats[number]

        response = seat.browser.post("/sessions/revoke-others/")

        if response.get("Location", "") == "/sessions/":
            seat.last_seen = timezone.now()
            for other in self.model.seats:
                if other is not seat and other.owner is seat.owner:
                    self._over(other)

    # Time

    @rule(seconds=st.one_of(st.integers(1, 90), st.integers(90, 4000)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.shift(timedelta(seconds=seconds))

    @rule(number=SEATS, page=st.sampled_from(PAGES), seconds=st.integers(1, 1790))
    def somebody_comes_back(self, number: int, page: str, seconds: int) -> None:
        self.world.clock.shift(timedelta(seconds=seconds))
        self.open_page(number, page)

    @rule(number=SEATS, minutes=st.integers(5, 120))
    def somebody_works_for_long(self, number: int, minutes: int) -> None:
        for _ in range(0, minutes, 20):
            self.world.clock.shift(timedelta(minutes=min(minutes, 20)))
            self.open_page(number, "/")

    # The pool's administrators

    @rule(rotation=st.booleans(), grace=GRACES, seconds=LIVES)
    def the_pool_is_set(self, rotation: bool, grace: float, seconds: float) -> None:
        self.pool.rotation, self.pool.grace_seconds, self.pool.access_token_seconds = rotation, grace, seconds

    @rule(keep_old=st.booleans())
    def the_pool_changes_its_signing_keys(self, keep_old: bool) -> None:
        with self.pool.lock:
            old = [self.pool.access_key, self.pool.id_key]
            (self.pool.retired_keys if keep_old else self.pool.removed_keys).extend(old)
            # New names for the same few key pairs: making one is slow.
            self.pool.access_key, self.pool.id_key = SigningKey(0), SigningKey(1)

    @rule(number=SEATS, fate=st.sampled_from(["disabled", "enabled", "deleted", "signed_out"]))
    def an_administrator_decides(self, number: int, fate: str) -> None:
        getattr(self, f"_is_{fate}")(number)

    def _is_disabled(self, number: int) -> None:
        self.pool.disable(self._person(number))
        self._note_deaths()

    def _is_enabled(self, number: int) -> None:
        self._note_deaths()
        self.pool.enable(self._person(number))

    def _is_deleted(self, number: int) -> None:
        """Delete a person; somebody else sits down at the same browsers."""
        gone = self._person(number)
        self.pool.delete(gone)
        self._note_deaths()
        newcomer = self.pool.add_person(f"{uuid.uuid4().hex[:8]}@example.com")
        for seat in self.model.seats:
            if seat.browser.person is gone:
                seat.browser.person = newcomer

    def _is_signed_out(self, number: int) -> None:
        self.pool.sign_out_everywhere(self._person(number))
        self._note_deaths()

    def _person(self, number: int) -> Person:
        return self.model.seats[number].browser.person

    def _note_deaths(self) -> None:
        for seat in self.model.seats:
            if seat.sign_in is not None:
                self._dead_since(seat.sign_in, timezone.now())

    # Trouble

    @rule(operation=st.sampled_from(OPERATIONS), failure=st.sampled_from(FAILURES))
    def an_outage_begins(self, operation: str, failure: Failure) -> None:
        self.pool.fail(operation, failure)
        self.model.faults.add(operation)

    @rule()
    def outages_end(self) -> None:
        self.pool.recover()
        self.model.faults.clear()
        self.model.last_fault = timezone.now()

    @rule(operation=st.sampled_from(OPERATIONS))
    def an_answer_is_lost(self, operation: str) -> None:
        self.pool.fail(operation, Failure.LOST_ANSWER, times=1)
        self.model.faults.add(operation)
        self.model.refresh_answer_lost |= operation == "GetTokensFromRefreshToken"

    # Operators and workers

    @rule(what=st.sampled_from([tasks.deliver_revocations.call, tasks.prune.call, cache.clear]))
    def something_runs(self, what: Callable[[], object]) -> None:
        what()

    @rule()
    def all_sessions_are_revoked(self) -> None:
        call_command("sessions", "revoke-all", reason="property", verbosity=0)
        for seat in self.model.seats:
            self._over(seat)

    @rule(key=st.sampled_from(SPARE_KEYS))
    def the_token_key_is_replaced(self, key: str) -> None:
        newest = list(settings.TOKEN_ENCRYPTION_KEYS)
        if key not in newest:
            self.world.use_keys([key, *newest])
            call_command("rotate_token_keys", verbosity=0)
            self.world.use_keys([key])

    # What always holds

    @invariant()
    def an_ended_session_never_comes_back(self) -> None:
        live = Session.objects.live(timezone.now()).filter(public_id__in=self.model.ended)
        assert not live.exists()

    @invariant()
    def every_row_has_an_owner(self) -> None:
        assert not Session.objects.filter(user=None).exists()

    @invariant()
    def the_tokens_of_a_session_open_and_belong_to_its_person(self) -> None:
        for row in Session.objects.select_related("user"):
            token = self.pool.refresh_tokens[row.token_set().refresh_token]
            assert token.sign_in.person.sub == row.person.subject
            assert token.sign_in is self.model.families[row.public_id]

    @invariant()
    def a_session_that_has_ended_is_dead_at_the_pool_or_about_to_be(self) -> None:
        for trace in EndedSession.objects.select_related("revocation"):
            family = self.model.families[trace.public_id]
            is_dead = self._dead_since(family, timezone.now()) is not None
            is_pending = trace.revocation is not None and trace.revocation.is_pending
            assert is_dead or is_pending, f"{trace} lives on at the pool: {trace.revocation}"

    @invariant()
    def a_settled_revocation_holds_no_tokens(self) -> None:
        assert not Revocation.objects.exclude(state=Revocation.State.PENDING).exclude(sealed="").exists()
