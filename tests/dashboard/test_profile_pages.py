from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import profile
from accounts.cognito.user_pool import UserProfile
from accounts.models import Session
from dashboard.profile_page import attribute_groups, linked_accounts, mfa_methods
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool


def profile_with(**attributes: str) -> UserProfile:
    return UserProfile(username="u-1", attributes=attributes, mfa_methods=(), preferred_mfa="")


def test_the_profile_shows_what_cognito_says(user: Browser) -> None:
    page = words(user.get("/profile/"))

    assert "E-mail address user@example.com Verified" in page
    assert "Name Uma User" in page
    assert f"User id {user.person.sub}" in page


def test_an_outsider_sees_nothing_of_the_user(user: Browser, outsider: Browser) -> None:
    user.get("/profile/")

    page = words(outsider.get("/profile/"))

    assert "outsider@example.com" in page
    assert "user@example.com" not in page
    assert user.person.sub not in page


def test_groups_are_those_of_the_newest_token(admin: Browser) -> None:
    page = words(admin.get("/profile/"))

    assert "Groups admins From the cognito:groups claim" in page


def test_who_is_in_no_group_is_told_so(user: Browser) -> None:
    assert "You are in no group." in words(user.get("/profile/"))


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (Failure.THROTTLED, 503, "Cognito is busy and asked us to wait."),
        (Failure.UNAVAILABLE, 503, "Cognito cannot be reached right now."),
        ("InvalidParameterException", 200, "This site and the user pool disagree about their settings."),
    ],
)
def test_each_problem_is_named_and_signs_nobody_out(
    user: Browser, pool: FakeUserPool, failure: Failure | str, status: int, said: str
) -> None:
    pool.fail("GetUser", failure)

    response = user.get("/profile/")

    assert response.status_code == status
    assert said in words(response)
    assert "You stay signed in." in words(response)
    assert "Exception" not in words(response)
    assert response["X-Request-ID"] in words(response)


def test_without_an_answer_the_last_known_profile_is_shown(
    user: Browser, pool: FakeUserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.get("/profile/")
    monkeypatch.setattr(profile, "FRESH_FOR", timedelta(0))
    pool.fail("GetUser", Failure.UNAVAILABLE)

    page = words(user.get("/profile/"))

    assert "Below is the last profile it gave us, from" in page
    assert "user@example.com" in page


def test_a_token_without_the_scope_is_explained_with_the_way_out(user: Browser) -> None:
    Session.objects.update(scopes="openid email")

    response = user.get("/profile/")

    assert response.status_code == 200
    assert "made without the scope aws.cognito.signin.user.admin" in words(response)
    assert "sign out and sign in again" in words(response)


def test_attributes_are_grouped_and_labelled() -> None:
    found = profile_with(sub="s", email="e@example.com", given_name="E", **{"custom:cost_centre": "4", "new_one": "n"})

    groups = {group.title: [a.label for a in group.attributes] for group in attribute_groups(found)}

    assert groups == {
        "Identity": ["User name", "User id"],
        "Contact": ["E-mail address"],
        "Profile": ["Given name"],
        "Custom": ["Cost centre"],
        "Other": ["New one"],
    }


def test_a_verified_mark_stands_beside_its_attribute_and_not_in_a_row_of_its_own() -> None:
    found = profile_with(
        email="e@example.com", email_verified="true", phone_number="+49", phone_number_verified="false"
    )

    contact = next(group for group in attribute_groups(found) if group.title == "Contact")

    assert [(a.name, a.verified) for a in contact.attributes] == [("email", True), ("phone_number", False)]


def test_no_profile_has_no_groups_and_no_second_factors() -> None:
    assert attribute_groups(None) == []
    assert mfa_methods(None) == []


def test_second_factors_have_names_and_the_preferred_one_comes_first() -> None:
    found = UserProfile(
        username="u",
        attributes={},
        mfa_methods=("EMAIL_OTP", "NEW_ONE", "SMS_MFA", "SOFTWARE_TOKEN_MFA"),
        preferred_mfa="SMS_MFA",
    )

    methods = [(method.label, method.preferred) for method in mfa_methods(found)]

    assert methods == [
        ("Text message", True),
        ("E-mail code", False),
        ("NEW_ONE", False),
        ("Authenticator app", False),
    ]


@pytest.mark.parametrize("nonsense", ["", "{", "7", '["x"]', '{"a": 1}', None, 7])
def test_identities_that_make_no_sense_are_no_linked_accounts(nonsense: object) -> None:
    assert linked_accounts(nonsense) == ()


def test_identities_are_shown_readably() -> None:
    text = '[{"userId": "1", "providerName": "Google", "issuer": null, "primary": "true"}]'

    assert linked_accounts(text) == ("Google, account 1 (primary)",)


def test_identities_that_cannot_be_read_are_shown_as_they_are() -> None:
    (group,) = [g for g in attribute_groups(profile_with(identities="?")) if g.title == "Identity"]

    assert group.attributes[-1].values == ("?",)
