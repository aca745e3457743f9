"""Requests that a page or a browser makes by itself: they keep no session alive, and are spared nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.models import EndedSession, EndReason
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)

POLL = {"X-Background": "true", "HX-Request": "true"}


def later(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def test_a_request_in_the_background_is_no_sign_of_the_person(user: Browser) -> None:
    before = user.row

    with later(120):
        assert user.get("/sessions/", headers=POLL).status_code == 200

    after = user.row
    assert (after.last_seen_at, after.expire_date) == (before.last_seen_at, before.expire_date)


def test_any_other_request_moves_the_idle_limit(user: Browser) -> None:
    before = user.row

    with later(120):
        user.get("/sessions/", headers={"HX-Request": "true"})

    assert user.row.last_seen_at > before.last_seen_at
    assert user.row.expire_date > before.expire_date


def test_a_session_that_only_polls_ends_at_its_idle_limit(user: Browser, settings: Settings) -> None:
    for minutes in range(5, 30, 5):
        with later(minutes * 60):
            assert user.get("/sessions/", headers=POLL).status_code == 200

    with later(settings.SESSION_IDLE_SECONDS + 1):
        response = user.get("/sessions/", headers=POLL)

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.IDLE


def test_a_session_of_which_only_reports_come_ends_at_its_idle_limit(user: Browser, settings: Settings) -> None:
    body = {"csp-report": {"document-uri": "http://testserver/", "effective-directive": "img-src"}}
    for minutes in range(10, 30, 10):
        with later(minutes * 60):
            assert user.post("/csp-report/", json.dumps(body), content_type="application/csp-report").status_code == 204

    with later(settings.SESSION_IDLE_SECONDS + 1):
        response = user.get("/sessions/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.IDLE


def test_requests_that_call_themselves_background_do_not_escape_the_probe(user: Browser, pool: FakeUserPool) -> None:
    pool.disable(user.person)

    with later(61):
        response = user.get("/sessions/", headers=POLL)

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.ACCESS_REFUSED


def test_polling_probes_no_more_often_than_anything_else(user: Browser, pool: FakeUserPool) -> None:
    with later(61):
        for _ in range(5):
            user.get("/sessions/", headers=POLL)

    assert pool.calls.count("GetUser") == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_script_of_somebody_signed_out_gets_a_page_to_show_and_no_redirect(visitor: Browser, method: str) -> None:
    response = getattr(visitor, method)("/sessions/", headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert "Your session has ended" in response.content.decode()
    assert "/login/?next=" in response.content.decode()
