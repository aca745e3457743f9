from __future__ import annotations

from datetime import datetime, timedelta

from time_machine import TimeMachineFixture

from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool


def test_a_front_end_learns_who_is_signed_in_and_until_when(admin: Browser) -> None:
    row = admin.row

    response = admin.get("/api/session/")

    assert response.status_code == 200
    answer = response.json()
    assert answer["session"] == str(row.public_id)
    assert answer["user"] == {"id": str(row.person.pk), "email": "admin@example.com", "name": "Ada Admin"}
    assert answer["groups"] == ["admins"]
    assert answer["health"] == "fresh"
    for name in ("access_token_expires_at", "idle_end", "ends_at"):
        assert datetime.fromisoformat(answer[name]) > utc_now()


def test_it_holds_no_secret(user: Browser) -> None:
    tokens = user.row.token_set()

    text = user.get("/api/session/").content.decode()

    for secret in (tokens.access_token, tokens.id_token, tokens.refresh_token, str(user.cookies["session"].value)):
        assert secret not in text


def test_nobody_gets_401_and_where_to_sign_in(visitor: Browser) -> None:
    response = visitor.get("/api/session/")

    assert response.status_code == 401
    assert response.json() == {"error": "login_required", "login_url": "/login/"}
    assert "no-store" in response["Cache-Control"]


def test_a_session_that_is_over_gets_401(user: Browser, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(utc_now() + timedelta(hours=2))

    assert user.get("/api/session/").status_code == 401


def test_it_says_when_cognito_is_silent(user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(utc_now() + timedelta(minutes=29))
    user.get("/")
    time_machine.move_to(utc_now() + timedelta(minutes=29))

    with pool.down():
        answer = user.get("/api/session/").json()

    assert answer["health"] == "refresh_failing"


def test_it_is_for_looking_only(user: Browser) -> None:
    for method in (user.post, user.put, user.delete):
        assert method("/api/session/").status_code == 405
