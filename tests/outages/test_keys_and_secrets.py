"""Keys and secrets that change while people are signed in: the issuer's signing keys, and the app client's secret."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from accounts import tasks
from accounts.models import Revocation, Session
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool, Signing
from tests.outages.support import WHEN_REFRESH_IS_DUE, later

pytestmark = pytest.mark.django_db(transaction=True)
NEW_SECRET = "n3w-s3cr3t-of-the-app-client"


@pytest.fixture
def short_lived(pool: FakeUserPool) -> FakeUserPool:
    """A user pool whose access tokens live ten minutes."""
    pool.access_token_seconds = 600
    return pool


def test_a_new_signing_key_fails_no_sign_in_and_costs_one_fetch(
    user: Browser, visitor: Browser, pool: FakeUserPool
) -> None:
    pool.rotate_keys()
    pool.calls.clear()

    with later(60):
        response = visitor.sign_in()

    assert response.status_code == 302
    assert visitor.get("/sessions/").status_code == 200
    assert pool.calls.count("jwks") == 1


def test_a_new_signing_key_fails_no_refresh_and_costs_one_fetch_for_all_sessions(
    short_lived: FakeUserPool, visitor: Browser, outsider: Browser
) -> None:
    visitor.sign_in()
    short_lived.rotate_keys(keep_old=False)
    short_lived.calls.clear()

    with later(WHEN_REFRESH_IS_DUE):
        pages = [visitor.get("/profile/").status_code, outsider.get("/profile/").status_code]

    assert pages == [200, 200]
    assert short_lived.calls.count("GetTokensFromRefreshToken") == 2
    assert short_lived.calls.count("jwks") == 1


def test_tokens_of_keys_that_do_not_exist_cause_one_fetch_in_ten_seconds(user: Browser, pool: FakeUserPool) -> None:
    strangers = [Browser(pool, pool.add_person(f"stranger-{number}@example.com")) for number in range(5)]
    pool.tamper("id_token", signing=Signing.UNKNOWN_KID, times=5)
    pool.calls.clear()

    with later(60):
        pages = [stranger.sign_in().status_code for stranger in strangers]

    assert 302 not in pages
    assert pool.calls.count("jwks") == 1


def test_a_key_set_out_of_reach_matters_to_nobody_whose_keys_are_known(
    short_lived: FakeUserPool, visitor: Browser, outsider: Browser
) -> None:
    short_lived.fail("jwks", Failure.UNAVAILABLE)

    with later(WHEN_REFRESH_IS_DUE):
        pages = [visitor.sign_in().status_code, outsider.get("/profile/").status_code]

    assert pages == [302, 200]


def test_a_refresh_whose_keys_are_out_of_reach_keeps_the_rotated_refresh_token(
    short_lived: FakeUserPool, visitor: Browser
) -> None:
    short_lived.rotation = True
    visitor.sign_in()
    short_lived.rotate_keys()
    short_lived.fail("jwks", Failure.UNAVAILABLE, times=1)
    with later(WHEN_REFRESH_IS_DUE):
        visitor.get("/")

    with later(WHEN_REFRESH_IS_DUE + 90):
        response = visitor.get("/profile/")

    assert response.status_code == 200
    assert visitor.row.refresh_failures == 0


@pytest.mark.parametrize("known", [["old", "new"], ["new", "old"]], ids=["old-first", "new-first"])
def test_with_two_client_secrets_everything_works_before_during_and_after_the_change(
    short_lived: FakeUserPool, visitor: Browser, outsider: Browser, settings: Settings, known: list[str]
) -> None:
    secrets = {"old": short_lived.client_secrets[0], "new": NEW_SECRET}
    settings.COGNITO_CLIENT_SECRET = [secrets[name] for name in known]

    for accepted in (["old"], ["old", "new"], ["new"]):
        short_lived.client_secrets[:] = [secrets[name] for name in accepted]
        someone = Browser(short_lived, short_lived.add_person(f"{'-'.join(accepted)}@example.com"))
        assert someone.sign_in().status_code == 302
        with later(WHEN_REFRESH_IS_DUE):
            assert someone.get("/profile/").status_code == 200
            assert someone.post("/logout/").status_code == 302

    assert not Revocation.objects.exclude(state=Revocation.State.DONE).exists()
    assert all(sign_in.revoked for sign_in in short_lived.sign_ins.values() if sign_in.person is not outsider.person)


def test_the_first_secret_is_tried_first_and_alone_if_it_is_good(
    pool: FakeUserPool, visitor: Browser, settings: Settings
) -> None:
    settings.COGNITO_CLIENT_SECRET = [pool.client_secrets[0], NEW_SECRET]

    visitor.sign_in()
    visitor.post("/logout/")

    calls = [*pool.calls.of("token"), *pool.calls.of("RevokeToken")]
    used = [call.parameters.get("client_secret", call.parameters.get("ClientSecret")) for call in calls]
    assert used == [pool.client_secrets[0]] * 2


def test_a_secret_withdrawn_too_early_stops_sign_ins_and_loses_nothing(
    short_lived: FakeUserPool, visitor: Browser, outsider: Browser
) -> None:
    leaver = Browser(short_lived, short_lived.add_person("leaver@example.com"))
    leaver.sign_in()
    right = short_lived.client_secrets[0]
    short_lived.client_secrets[:] = [NEW_SECRET]

    with later(WHEN_REFRESH_IS_DUE):
        pages = [visitor.sign_in().status_code, outsider.get("/profile/").status_code]
        leaver.post("/logout/")
    pending = Revocation.objects.pending().count()
    short_lived.client_secrets[:] = [right]
    with later(WHEN_REFRESH_IS_DUE + 90):
        tasks.deliver_revocations.call()
        pages_afterwards = [visitor.sign_in().status_code, outsider.get("/profile/").status_code]

    assert pages == [500, 200]
    assert pending == 1
    assert pages_afterwards == [302, 200]
    assert not Revocation.objects.pending().exists()
    assert Session.objects.count() == 2
