"""The table of docs/operations.md: each part of Cognito, failing in each way, as a person and an operator see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import pytest
from _pytest.mark import ParameterSet

from accounts import tasks
from accounts.models import Event, Revocation
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import (
    WHEN_IT_IS_OVER,
    WHEN_REFRESH_IS_DUE,
    WHEN_THE_ACCESS_TOKEN_HAS_EXPIRED,
    People,
    impatience,
    is_dead_at_the_pool,
    later,
    readiness,
    secrets_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

EVERYTHING = "everything"
SLOW = 10.0
Fault = Failure | str | float
DOWN: dict[str, Fault] = {"down": Failure.CLOSED}
REFUSING: dict[str, Fault] = {"refuses": Failure.UNAVAILABLE, "internal-error": Failure.INTERNAL_ERROR}
THROTTLING: dict[str, Fault] = {"throttles": Failure.THROTTLED}
TOO_SLOW: dict[str, Fault] = {"slow": SLOW}
NONSENSE: dict[str, Fault] = {"page": Failure.HTML, "half": Failure.TRUNCATED_JSON, "shape": Failure.WRONG_SHAPE}
# A user pool that means something else by our settings: somebody must mend it, and nobody is signed out over it.
MISCONFIGURED: dict[str, Fault] = {"configuration": "ForbiddenException"}
ANY = DOWN | REFUSING | THROTTLING | TOO_SLOW
API = ANY | MISCONFIGURED


@dataclass(frozen=True)
class Seen:
    """Statuses of what people do while the outage lasts; the defaults are those of a day without one."""

    start_sign_in: int = 302
    finish_sign_in: int = 302
    home: int = 200
    profile: int = 200
    home_once_expired: int = 200
    profile_once_expired: int = 200
    sign_out: int = 302
    sign_out_everywhere: int = 302


@dataclass(frozen=True)
class Outage:
    """What fails, and how; what is seen of it; what Cognito cannot be told."""

    part: str
    fault: Fault
    seen: Seen
    left_pending: frozenset[str] = frozenset()

    @contextmanager
    def lasting(self, pool: FakeUserPool) -> Iterator[None]:
        """Let the outage last as long as the block."""
        if self.part == EVERYTHING:
            with pool.down():
                yield
            return
        with impatience() if isinstance(self.fault, float) else nullcontext():
            if isinstance(self.fault, float):
                pool.slow(self.part, self.fault)
            else:
                pool.fail(self.part, self.fault)
            yield
            pool.recover()


def rows(part: str, faults: dict[str, Fault], seen: Seen, *left_pending: str) -> list[ParameterSet]:
    return [
        pytest.param(Outage(part, fault, seen, frozenset(left_pending)), id=f"{part}-{name}")
        for name, fault in faults.items()
    ]


NO_SIGN_IN = Seen(finish_sign_in=503)
NO_PROFILE = Seen(profile=503, profile_once_expired=503)
NOTHING_NEW = Seen(profile_once_expired=503)
REFRESH = "GetTokensFromRefreshToken"
TABLE = [
    *rows("token", ANY | NONSENSE, NO_SIGN_IN),
    *rows("token", {"configuration": "invalid_client"}, Seen(finish_sign_in=500)),
    *rows("jwks", ANY | NONSENSE, replace(NO_SIGN_IN, profile_once_expired=503)),
    *rows(REFRESH, API | NONSENSE, NOTHING_NEW),
    *rows("GetUser", ANY | NONSENSE, NO_PROFILE),
    # The page says that somebody must mend it: waiting would not help.
    *rows("GetUser", MISCONFIGURED, Seen()),
    # An answer that says "done" in the right words is believed: a shape of its own it does not have.
    *rows("RevokeToken", API | {"page": Failure.HTML}, Seen(), "leaver"),
    *rows("GlobalSignOut", API | {"page": Failure.HTML}, Seen(), "careful"),
    *rows(
        EVERYTHING,
        {"down": Failure.CLOSED},
        Seen(finish_sign_in=503, profile=503, profile_once_expired=503),
        "leaver",
        "careful",
    ),
]
outages = pytest.mark.parametrize("outage", TABLE)


def live_through(people: People, pool: FakeUserPool, outage: Outage) -> Seen:
    """Let people do everything while it lasts, and return what they saw."""
    if outage.part == "jwks":
        pool.rotate_keys()  # keys that nobody has seen yet: otherwise no one would miss the key set
    with outage.lasting(pool):
        with later(WHEN_REFRESH_IS_DUE):
            authorization_response = pool.authorize(people.visitor.start_sign_in(), people.visitor.person)
            seen = Seen(
                start_sign_in=people.visitor.get("/login/").status_code,
                finish_sign_in=people.visitor.get(authorization_response).status_code,
                home=people.user.get("/").status_code,
                profile=people.user.get("/profile/").status_code,
                sign_out=people.leaver.post("/logout/").status_code,
                sign_out_everywhere=people.careful.post("/logout/everywhere/").status_code,
            )
        with later(WHEN_THE_ACCESS_TOKEN_HAS_EXPIRED):
            return replace(
                seen,
                home_once_expired=people.user.get("/").status_code,
                profile_once_expired=people.user.get("/profile/").status_code,
            )


@pytest.fixture
def pool(steady: FakeUserPool) -> FakeUserPool:
    """The user pool of this module's tests."""
    return steady


@outages
def test_an_outage_shows_as_the_table_says_ends_no_session_and_is_made_up_for_afterwards(
    people: People, pool: FakeUserPool, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    session = people.user.row.public_id

    seen = live_through(people, pool, outage)

    assert seen == outage.seen
    assert people.user.row.public_id == session
    assert untold(people) == outage.left_pending
    assert_operators_are_told(people, outage, caplog)
    assert not [secret for secret in secrets_of(pool) if secret in caplog.text]

    with later(WHEN_IT_IS_OVER):
        profile, sign_in = people.user.get("/profile/"), people.latecomer.sign_in()
        tasks.deliver_revocations.call()
        pages_of_leavers = {browser.get("/sessions/").status_code for browser in (people.leaver, people.careful)}

    assert (profile.status_code, sign_in.status_code) == (200, 302)
    assert (people.user.row.public_id, people.user.row.refresh_failures) == (session, 0)
    assert pages_of_leavers == {302}
    assert not Revocation.objects.pending().exists()
    assert all(is_dead_at_the_pool(pool, browser.person) for browser in (people.leaver, people.careful))


def untold(people: People) -> set[str]:
    """Return who has signed out without Cognito knowing yet."""
    pending = Revocation.objects.pending()
    return {
        name
        for name in ("leaver", "careful")
        if pending.filter(user__subject=getattr(people, name).person.sub).exists()
    }


def assert_operators_are_told(people: People, outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    assert any(record.name.startswith("accounts.") and record.levelname != "INFO" for record in caplog.records)
    assert readiness(people.visitor) == (200, 200)
    if outage.part in {REFRESH, "jwks", EVERYTHING}:
        row = people.user.row
        assert row.refresh_failures > 0
        assert row.refresh_error
        assert Event.objects.filter(kind=Event.Kind.REFRESH_FAILED, session_id=row.public_id).exists()
    for revocation in Revocation.objects.pending():
        assert revocation.attempts == 1
        assert revocation.last_error


@pytest.mark.parametrize(
    ("page", "failing"), [("/profile/", "GetUser"), ("/callback/", "token"), ("/callback/", "jwks")]
)
def test_a_page_that_cannot_be_had_says_when_to_try_again(
    people: People, pool: FakeUserPool, page: str, failing: str
) -> None:
    address = page if page == "/profile/" else pool.authorize(people.visitor.start_sign_in(), people.visitor.person)
    browser = people.user if page == "/profile/" else people.visitor
    pool.rotate_keys()
    pool.fail(failing, Failure.UNAVAILABLE)

    with later(WHEN_REFRESH_IS_DUE if failing == "GetUser" else 20):
        response = browser.get(address)

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


def test_a_failing_sign_in_can_be_tried_again_and_arrives(people: People, pool: FakeUserPool) -> None:
    pool.fail("token", Failure.UNAVAILABLE, times=1)
    failed = people.visitor.sign_in("/sessions/")

    again = people.visitor.get(
        pool.authorize(people.visitor.get(failed.context["action_url"])["Location"], people.visitor.person)
    )

    assert failed.status_code == 503
    assert again["Location"] == "/sessions/"


@pytest.mark.parametrize("fault", [Failure.THROTTLED, Failure.LOST_ANSWER, Failure.UNAVAILABLE])
def test_a_code_is_never_sent_twice(people: People, pool: FakeUserPool, fault: Failure) -> None:
    pool.calls.clear()
    pool.fail("token", fault)

    people.visitor.sign_in()

    assert pool.calls.count("token") == 1
