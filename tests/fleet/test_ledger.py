"""Each claim of the fleet test can be broken: here is what breaks it, without a fleet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fake_user_pool.state import SignIn
from tests.fleet.disasters import Disaster, is_lost_with_its_host
from tests.fleet.ledger import CLAIMS, Ledger
from tests.fleet.pool import FleetPool, Told
from tests.fleet.visits import Outcome, Visit

HERE = "127.1.0.1"
GOOD = Visit("user@example.com", "GET", "/", Outcome.GOOD, 200, 10.0, 10.5)
BROKEN_POST = replace(GOOD, method="POST", path="/logout/", outcome=Outcome.FAILED, status=502)


def host_killed(*, began: float = 10.0) -> Disaster:
    return Disaster("kill a host", began=began, over=began + 2, breaks=is_lost_with_its_host, delays=True)


@pytest.fixture
def ledger() -> Ledger:
    """One person with one session, and one of theirs that has ended."""
    pool = FleetPool()
    user = pool.add_person("user@example.com")
    for _ in range(2):
        pool.sign_in(user)
    living, ended = pool.sign_ins.values()
    ended.revoked = True
    pool.told = [Told(ended, 50.0)]
    return Ledger(pool, [GOOD], [host_killed()], 0.0, {living.origin_jti: HERE}, {HERE}, 0)


def broken(ledger: Ledger) -> list[str]:
    return [claim for claim, look in CLAIMS.items() if look(ledger)]


def living(ledger: Ledger) -> SignIn:
    return next(each for each in ledger.pool.sign_ins.values() if each.origin_jti in ledger.live)


def ended(ledger: Ledger) -> SignIn:
    return next(each for each in ledger.pool.sign_ins.values() if each.origin_jti not in ledger.live)


def test_a_ledger_without_a_fault_breaks_no_claim(ledger: Ledger) -> None:
    assert broken(ledger) == []


@pytest.mark.parametrize("outcome", [Outcome.SIGNED_OUT, Outcome.NOT_THEIRS, Outcome.ODD])
def test_what_nobody_may_get_breaks_a_claim(ledger: Ledger, outcome: Outcome) -> None:
    assert len(broken(replace(ledger, visits=[GOOD, replace(GOOD, outcome=outcome)]))) == 1


def test_a_form_under_way_at_a_host_that_died_may_fail(ledger: Ledger) -> None:
    assert broken(replace(ledger, visits=[BROKEN_POST])) == []


def test_a_page_that_broke_off_half_way_may_fail(ledger: Ledger) -> None:
    assert broken(replace(ledger, visits=[replace(GOOD, outcome=Outcome.FAILED, status=0)])) == []


@pytest.mark.parametrize(
    "visit",
    [
        pytest.param(replace(BROKEN_POST, started=13.0, ended=13.1), id="later"),
        pytest.param(replace(GOOD, outcome=Outcome.FAILED, status=502), id="a page"),
        pytest.param(replace(GOOD, outcome=Outcome.PUT_OFF, started=33.0, ended=33.1), id="for too long"),
    ],
)
def test_no_other_request_may(ledger: Ledger, visit: Visit) -> None:
    assert broken(replace(ledger, visits=[visit])) == ["requests fail only where something has just died"]


def test_a_page_that_took_longer_than_its_token_lived_may_be_put_off(ledger: Ledger) -> None:
    assert broken(replace(ledger, visits=[replace(GOOD, outcome=Outcome.PUT_OFF, started=50.0, ended=59.0)])) == []


def test_an_end_that_cognito_never_hears_of_breaks_a_claim(ledger: Ledger) -> None:
    ended(ledger).revoked = False

    assert broken(ledger) == ["Cognito is told of every end"]


def test_tokens_that_nobody_has_since_their_host_died_are_no_end(ledger: Ledger) -> None:
    ended(ledger).revoked = False

    assert broken(replace(ledger, visits=[replace(GOOD, path="/callback/", outcome=Outcome.ONCE_MORE)])) == []


@pytest.mark.parametrize(("first", "is_fault"), [(11.0, False), (50.0, True)])
def test_cognito_is_told_again_only_if_something_died_meanwhile(ledger: Ledger, first: float, is_fault: bool) -> None:
    ledger.pool.told = [Told(ended(ledger), first), Told(ended(ledger), 90.0)]

    assert bool(ledger.told_twice()) is is_fault


def test_a_living_session_whose_token_is_revoked_breaks_a_claim(ledger: Ledger) -> None:
    living(ledger).revoked = True

    assert broken(ledger) == ["nothing is revoked that lives"]


def test_a_refresh_token_used_after_its_grace_breaks_a_claim(ledger: Ledger) -> None:
    ledger.pool.refused_refreshes.append(("RefreshTokenReuseException", living(ledger)))

    assert broken(ledger) == ["no refresh token is used after its grace"]


def test_two_refreshes_at_once_break_a_claim(ledger: Ledger) -> None:
    ledger.pool.overlapping.append(living(ledger))

    assert broken(ledger) == ["no two refreshes of one session are under way"]


def test_a_session_with_the_proxys_address_breaks_a_claim(ledger: Ledger) -> None:
    assert broken(replace(ledger, addresses={"127.0.0.1"})) == ["sessions show where the browser is, not the proxy"]
