"""Rights follow the groups at Cognito: at sign-in, at each refresh, and in the console within a probe."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from time_machine import TimeMachineFixture

from accounts.conf import token_verifier, user_pool
from accounts.models import Session, User
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

REFRESH = "GetTokensFromRefreshToken"
A_PROBE_LATER = timedelta(seconds=61)
REASON = {"reason": "because"}


def end(operator: Browser, row: Session) -> int:
    status: int = operator.post(f"/console/sessions/{row.public_id}/revoke/", REASON).status_code
    return status


def test_rights_taken_away_are_gone_a_probe_later(
    admin: Browser, user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.set_groups(admin.person, [])
    time_machine.move_to(utc_now() + A_PROBE_LATER)

    statuses = [admin.get("/console/people/").status_code, end(admin, user.row)]

    assert statuses == [403, 403]
    assert Session.objects.filter(user__subject=user.person.sub).exists()
    assert not User.objects.get(subject=admin.person.sub).is_staff


def test_an_action_alone_notices_too(
    admin: Browser, user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.set_groups(admin.person, ["support"])
    time_machine.move_to(utc_now() + A_PROBE_LATER)

    assert end(admin, user.row) == 403
    assert admin.get("/console/people/").status_code == 200  # a viewer now


def test_an_operator_at_work_costs_one_refresh_a_probe(
    admin: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    counts = []
    for _ in range(3):
        for page in ("sessions/", "events/", "people/"):
            assert admin.get(f"/console/{page}").status_code == 200
        counts.append(pool.calls.count(REFRESH))
        time_machine.move_to(utc_now() + A_PROBE_LATER)

    assert counts == [0, 1, 2]


def test_nobody_else_is_refreshed_for_it(
    outsider: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(utc_now() + A_PROBE_LATER)

    assert outsider.get("/console/people/").status_code == 403
    assert pool.calls.count(REFRESH) == 0


@pytest.mark.parametrize("outage", [Failure.UNAVAILABLE, Failure.THROTTLED, Failure.CLOSED])
def test_an_outage_leaves_operators_their_rights(
    admin: Browser, user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture, outage: Failure
) -> None:
    pool.set_groups(admin.person, [])
    # At rest: on a busy machine the back-off of two seconds could pass between the two pages.
    time_machine.move_to(utc_now() + A_PROBE_LATER, tick=False)
    pool.fail("*", outage)

    statuses = [admin.get("/console/people/").status_code, end(admin, user.row)]

    assert statuses == [200, 302]
    assert pool.calls.count(REFRESH) == 1  # and then the back-off


def test_after_the_outage_they_follow_again(
    admin: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(utc_now() + A_PROBE_LATER)
    pool.fail(REFRESH, Failure.UNAVAILABLE)
    admin.get("/console/people/")
    pool.recover()
    pool.set_groups(admin.person, [])
    time_machine.move_to(utc_now() + A_PROBE_LATER)

    assert admin.get("/console/people/").status_code == 403


def test_a_session_that_is_refused_ends_and_says_so(
    admin: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(utc_now() + A_PROBE_LATER)
    pool.fail("GetUser", Failure.UNAVAILABLE)  # so that the probe does not find out first
    pool.disable(admin.person)

    response = admin.get("/console/people/")

    assert response.status_code == 401
    assert "Your session has ended" in response.content.decode()


def test_a_second_request_waits_for_the_first_ones_refresh(
    admin: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.set_groups(admin.person, [])
    time_machine.move_to(utc_now() + A_PROBE_LATER)
    elsewhere = admin.row
    elsewhere.doubt_tokens(utc_now())
    assert elsewhere.claim_refresh(utc_now()) is not None
    naps = []

    def meanwhile(seconds: float) -> None:
        """Let the other process finish while this one sleeps for the second time."""
        naps.append(seconds)
        if len(naps) == 2:
            before = elsewhere.token_set()
            response = user_pool().refresh(before.refresh_token)
            tokens = token_verifier().verify_refresh(response, before=before, subject=admin.person.sub, now=utc_now())
            assert elsewhere.finish_refresh(tokens, utc_now())
            elsewhere.person.follow_groups(tokens.id_claims.groups)

    monkeypatch.setattr(time, "sleep", meanwhile)

    assert admin.get("/console/people/").status_code == 403
    assert len(naps) == 2
    assert pool.calls.count(REFRESH) == 1
