from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import tasks
from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_KEY = "YW5vdGhlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjAxMjM"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_list_prints_live_sessions_as_json_lines(user: Browser, admin: Browser) -> None:
    listed = [json.loads(line) for line in run("sessions", "list", "--json").splitlines()]

    assert {record["person"] for record in listed} == {"user@example.com", "admin@example.com"}
    assert {record["health"] for record in listed} == {"fresh"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--group", "admins"], {"admin@example.com"}),
        (["--user", "USER@example.com"], {"user@example.com"}),
        (["--ip", "127.0.0.1"], {"admin@example.com", "user@example.com"}),
        (["--ip", "203.0.113.9"], set()),
        (["--signed-in-before", "2020-01-01T00:00"], set()),
    ],
)
def test_list_filters(user: Browser, admin: Browser, filters: list[str], expected: set[str]) -> None:
    listed = [json.loads(line) for line in run("sessions", "list", "--json", *filters).splitlines()]

    assert {record["person"] for record in listed} == expected


def test_show_tells_a_sessions_events(user: Browser) -> None:
    public_id = str(user.row.public_id)

    shown = run("sessions", "show", public_id)

    assert "person=user@example.com" in shown
    assert "kind=signed_in" in shown


def test_show_of_an_unknown_session_says_so() -> None:
    with pytest.raises(CommandError, match="no session"):
        run("sessions", "show", "00000000-0000-0000-0000-000000000000")


def test_revoke_ends_one_session_and_records_who_and_why(user: Browser, admin: Browser, pool: FakeUserPool) -> None:
    run("sessions", "revoke", str(user.row.public_id), "--reason", "lost laptop")

    assert user.get("/sessions/").status_code == 401
    assert admin.get("/sessions/").status_code == 200
    assert EndedSession.objects.get().reason == EndReason.OPERATOR
    assert "lost laptop" in Event.objects.get(kind=Event.Kind.ENDED).detail
    assert pool.calls.count("RevokeToken") == 1


def test_revoke_needs_a_reason(user: Browser) -> None:
    with pytest.raises(CommandError, match="--reason"):
        run("sessions", "revoke", str(user.row.public_id))


def test_the_zone_of_an_address_means_nothing_here(user: Browser, admin: Browser) -> None:
    Session.objects.filter(pk=user.row.pk).update(ip_address="fe80::1")

    listed = json.loads(run("sessions", "list", "--json", "--ip", "fe80::1%eth0"))

    assert listed["person"] == "user@example.com"


@pytest.mark.parametrize("action", ["revoke", "revoke-user", "revoke-all", "settle"])
def test_a_reason_is_one_line(user: Browser, action: str) -> None:
    named = [] if action == "revoke-all" else [str(user.row.public_id)]

    with pytest.raises(CommandError, match="one line"):
        run("sessions", action, *named, "--reason", "lost\n2030-01-01 INFO accounts.ending")

    assert Session.objects.get() == user.row


def test_revoke_user_signs_the_person_out_of_the_pool(user: Browser, pool: FakeUserPool) -> None:
    second = Browser(pool, user.person)
    second.sign_in()

    assert run("sessions", "revoke-user", "user@example.com", "--reason", "left") == "2 sessions ended.\n"

    assert pool.calls.count("GlobalSignOut") == 1
    assert not Session.objects.exists()
    assert set(Revocation.objects.values_list("state", flat=True)) == {Revocation.State.DONE}


def test_revoke_user_refuses_an_unknown_person() -> None:
    with pytest.raises(CommandError, match="Nobody"):
        run("sessions", "revoke-user", "nobody@example.com", "--reason", "x")


def test_revoke_all_takes_effect_before_cognito_is_told(user: Browser, admin: Browser, pool: FakeUserPool) -> None:
    assert run("sessions", "revoke-all", "--reason", "incident") == "2 sessions ended.\n"

    assert pool.calls.count("RevokeToken") == 0
    response = user.get("/sessions/")
    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.OPERATOR


def test_revoke_all_with_a_filter_spares_the_others(user: Browser, admin: Browser) -> None:
    run("sessions", "revoke-all", "--reason", "incident", "--group", "admins")

    assert admin.get("/sessions/").status_code == 401
    assert user.get("/sessions/").status_code == 200


def test_revoke_all_cannot_be_undone_by_a_request_under_way(user: Browser) -> None:
    under_way = user.row
    run("sessions", "revoke-all", "--reason", "incident")

    under_way.touch(timezone.now() + timedelta(minutes=5))

    assert not Session.objects.live(timezone.now()).exists()


def test_prune_finishes_what_revoke_all_began(user: Browser, admin: Browser, pool: FakeUserPool) -> None:
    run("sessions", "revoke-all", "--reason", "incident")

    run("sessions", "prune")
    tasks.deliver_revocations.call()

    assert set(EndedSession.objects.values_list("reason", flat=True)) == {EndReason.OPERATOR}
    assert pool.calls.count("RevokeToken") == 2


@pytest.mark.parametrize(
    "action", [["revoke-all", "--reason", "x"], ["revoke-user", "user@example.com", "--reason", "x"]]
)
def test_a_dry_run_ends_nothing(user: Browser, action: list[str]) -> None:
    assert run("sessions", *action, "--dry-run") == "1 session would end.\n"

    assert user.get("/sessions/").status_code == 200


def test_generate_key_prints_a_key_that_settings_take() -> None:
    from accounts.encryption import parse_key

    assert len(parse_key(run("generate_key").strip()).raw_value) == 32


def test_rotate_token_keys_encrypts_anew_and_signs_nobody_out(
    user: Browser, outsider: Browser, pool: FakeUserPool, settings: Settings
) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    outsider.post("/logout/")
    old = settings.TOKEN_ENCRYPTION_KEYS[0]
    settings.TOKEN_ENCRYPTION_KEYS = [OTHER_KEY, old]

    assert "1 encrypted anew" in run("rotate_token_keys")

    settings.TOKEN_ENCRYPTION_KEYS = [OTHER_KEY]
    assert user.get("/profile/").status_code == 200
    assert Revocation.objects.get().token_set().refresh_token


def test_rotate_token_keys_twice_finds_nothing_to_do(user: Browser, settings: Settings) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = [OTHER_KEY, settings.TOKEN_ENCRYPTION_KEYS[0]]
    run("rotate_token_keys")

    assert "sessions: 0 encrypted anew" in run("rotate_token_keys")


def test_rotate_token_keys_on_a_dry_run_changes_nothing(user: Browser, settings: Settings) -> None:
    before = user.row.token_set_sealed
    settings.TOKEN_ENCRYPTION_KEYS = [OTHER_KEY, settings.TOKEN_ENCRYPTION_KEYS[0]]

    assert "1 would be encrypted anew" in run("rotate_token_keys", "--dry-run")

    assert user.row.token_set_sealed == before


def test_a_session_no_key_opens_ends_alone_and_without_a_server_error(
    user: Browser, outsider: Browser, settings: Settings
) -> None:
    Session.objects.filter(pk=user.row.pk).update(token_set_sealed=outsider.row.token_set_sealed)

    response = user.get("/profile/")

    assert response.status_code == 401
    assert EndedSession.objects.get().reason == EndReason.UNREADABLE
    assert outsider.get("/profile/").status_code == 200


def test_the_secret_key_rotates_without_signing_anyone_out(user: Browser, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-" * 4

    assert user.get("/sessions/").status_code == 200


def test_of_too_many_sessions_the_one_not_used_for_longest_ends(
    user: Browser, pool: FakeUserPool, settings: Settings
) -> None:
    settings.SESSION_MAX_PER_PERSON = 2
    browsers = [Browser(pool, user.person) for _ in range(2)]

    for browser in browsers:
        browser.sign_in()

    assert user.get("/sessions/").status_code == 401
    assert [browser.get("/sessions/").status_code for browser in browsers] == [200, 200]
    assert EndedSession.objects.get().reason == EndReason.TOO_MANY
