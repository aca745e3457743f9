"""How sign-ins end, and what each way of ending them stops."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from botocore.exceptions import ClientError

from tests.contract.support import TIMEOUT, Person, Pool, Tokens, code_of, fake_only, refresh, revoke, sign_in

GONE = {"NotAuthorizedException", "UserNotFoundException"}


def get_user_fails_with(pool: Pool, tokens: Tokens) -> str:
    """Return the name of the error that GetUser raises, or an empty string."""
    return _error(lambda: pool.api.get_user(AccessToken=tokens["access_token"]))


def refresh_fails_with(pool: Pool, tokens: Tokens) -> str:
    return _error(lambda: refresh(pool, tokens["refresh_token"]))


def user_info_status(pool: Pool, tokens: Tokens) -> int:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return requests.get(f"{pool.url}/oauth2/userInfo", headers=headers, timeout=TIMEOUT).status_code


def _error(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return code_of(error)
    return ""


def disable(pool: Pool, person: Person) -> None:
    pool.admin.admin_disable_user(UserPoolId=pool.user_pool_id, Username=person.email)


def test_revoking_stops_refresh_and_access_tokens(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    revoke(pool, tokens["refresh_token"])

    assert refresh_fails_with(pool, tokens) == "NotAuthorizedException"
    assert get_user_fails_with(pool, tokens) == "NotAuthorizedException"
    assert user_info_status(pool, tokens) == 401


def test_revoking_stops_access_tokens_that_came_by_refresh(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)
    refreshed = {"access_token": refresh(pool, tokens["refresh_token"])["AccessToken"]}

    revoke(pool, tokens["refresh_token"])

    assert get_user_fails_with(pool, refreshed) == "NotAuthorizedException"


def test_revoking_one_sign_in_leaves_the_others(pool: Pool, user: Person) -> None:
    here, elsewhere = sign_in(pool, user), sign_in(pool, user)

    revoke(pool, here["refresh_token"])

    assert get_user_fails_with(pool, elsewhere) == ""
    assert refresh_fails_with(pool, elsewhere) == ""


def test_revoking_twice_or_something_unknown_succeeds(pool: Pool, user: Person) -> None:
    token = sign_in(pool, user)["refresh_token"]
    revoke(pool, token)

    revoke(pool, token)
    revoke(pool, "unknown")


def test_global_sign_out_stops_every_sign_in(pool: Pool, user: Person) -> None:
    here, elsewhere = sign_in(pool, user), sign_in(pool, user)

    pool.api.global_sign_out(AccessToken=here["access_token"])

    for tokens in (here, elsewhere):
        assert get_user_fails_with(pool, tokens) == "NotAuthorizedException"
        assert refresh_fails_with(pool, tokens) == "NotAuthorizedException"
        assert user_info_status(pool, tokens) == 401


def test_global_sign_out_of_one_person_leaves_others(pool: Pool, user: Person, admin: Person) -> None:
    other = sign_in(pool, admin)

    pool.api.global_sign_out(AccessToken=sign_in(pool, user)["access_token"])

    assert get_user_fails_with(pool, other) == ""


def test_signing_out_everywhere_again_is_not_authorized(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)
    pool.api.global_sign_out(AccessToken=tokens["access_token"])

    with pytest.raises(pool.api.exceptions.NotAuthorizedException):
        pool.api.global_sign_out(AccessToken=tokens["access_token"])


def test_global_sign_out_needs_the_admin_scope(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user, scope="openid email profile")

    with pytest.raises(pool.api.exceptions.NotAuthorizedException):
        pool.api.global_sign_out(AccessToken=tokens["access_token"])


def test_an_administrator_signs_somebody_out_everywhere(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    pool.admin.admin_user_global_sign_out(UserPoolId=pool.user_pool_id, Username=user.email)

    assert get_user_fails_with(pool, tokens) == "NotAuthorizedException"
    assert refresh_fails_with(pool, tokens) == "NotAuthorizedException"


def test_people_sign_in_again_after_a_global_sign_out(pool: Pool, user: Person) -> None:
    pool.api.global_sign_out(AccessToken=sign_in(pool, user)["access_token"])

    assert get_user_fails_with(pool, sign_in(pool, user)) == ""


def test_disabling_somebody_stops_their_tokens(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    disable(pool, user)

    assert get_user_fails_with(pool, tokens) == "NotAuthorizedException"
    assert refresh_fails_with(pool, tokens) == "NotAuthorizedException"
    assert user_info_status(pool, tokens) == 401


def test_enabling_somebody_again_does_not_revive_their_tokens(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)
    disable(pool, user)

    pool.admin.admin_enable_user(UserPoolId=pool.user_pool_id, Username=user.email)

    assert get_user_fails_with(pool, tokens) == "NotAuthorizedException"
    assert refresh_fails_with(pool, tokens) == "NotAuthorizedException"
    assert get_user_fails_with(pool, sign_in(pool, user)) == ""


def test_deleting_somebody_stops_their_tokens(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    pool.admin.admin_delete_user(UserPoolId=pool.user_pool_id, Username=user.email)

    assert get_user_fails_with(pool, tokens) in GONE
    assert refresh_fails_with(pool, tokens) in GONE


def test_people_may_delete_themselves(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    pool.api.delete_user(AccessToken=tokens["access_token"])

    assert get_user_fails_with(pool, tokens) in GONE


@fake_only("never checks the client on revocation")
@pytest.mark.parametrize("changes", [{"ClientSecret": "x" * 51}, {"ClientId": "nobody"}], ids=["secret", "client"])
def test_revoking_as_another_client_is_unauthorized(pool: Pool, user: Person, changes: dict[str, str]) -> None:
    tokens = sign_in(pool, user)

    with pytest.raises(pool.api.exceptions.UnauthorizedException):
        revoke(pool, tokens["refresh_token"], **changes)

    assert refresh_fails_with(pool, tokens) == ""


@fake_only("revokes whatever it is given")
def test_only_refresh_tokens_can_be_revoked(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    with pytest.raises(pool.api.exceptions.UnsupportedTokenTypeException):
        revoke(pool, tokens["access_token"])

    assert get_user_fails_with(pool, tokens) == ""


def revoke_at_endpoint(pool: Pool, secret: str, **body: str) -> requests.Response:
    auth = (pool.client_id, secret)
    return requests.post(f"{pool.url}/oauth2/revoke", data=body, auth=auth, timeout=TIMEOUT)


@fake_only("has no /oauth2/revoke")
def test_the_revocation_endpoint_revokes(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    response = revoke_at_endpoint(pool, pool.client_secret, token=tokens["refresh_token"])

    assert (response.status_code, response.content) == (200, b"")
    assert get_user_fails_with(pool, tokens) == "NotAuthorizedException"


@fake_only("has no /oauth2/revoke")
def test_the_revocation_endpoint_names_its_errors(pool: Pool, user: Person) -> None:
    tokens = sign_in(pool, user)

    nothing = revoke_at_endpoint(pool, pool.client_secret)
    wrong_type = revoke_at_endpoint(pool, pool.client_secret, token=tokens["access_token"])
    wrong_client = revoke_at_endpoint(pool, "wrong", token=tokens["refresh_token"])
    unknown = revoke_at_endpoint(pool, pool.client_secret, token="unknown")

    assert (nothing.status_code, nothing.json()["error"]) == (400, "invalid_request")
    assert (wrong_type.status_code, wrong_type.json()["error"]) == (400, "unsupported_token_type")
    assert (wrong_client.status_code, wrong_client.json()["error"]) == (401, "invalid_client")
    assert unknown.status_code == 200
