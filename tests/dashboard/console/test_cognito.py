"""What an operator learns of a person from Cognito, and does to them there, with AWS credentials."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.budget import ADMIN_GET_USER
from accounts.models import Event, Revocation, Session
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin_api(settings: Settings, aws_credentials: None) -> None:
    settings.COGNITO_ADMIN_API = True


def ask(browser: Browser, about: Browser) -> Any:
    return browser.get(f"/console/people/{about.row.user_id}/?ask=cognito")


def sign_out(browser: Browser, person: Any) -> str:
    response = browser.post(
        f"/console/people/{person}/sign-out-everywhere/", {"everywhere-reason": "left the company"}, follow=True
    )
    return words(response)


def test_without_credentials_cognito_is_neither_asked_nor_offered(
    admin: Browser, user: Browser, pool: FakeUserPool
) -> None:
    page = words(ask(admin, user))

    assert "COGNITO_ADMIN_API" in page
    assert "Ask Cognito" not in page
    assert pool.calls.count("AdminGetUser") == 0


@pytest.mark.usefixtures("admin_api")
def test_cognito_is_asked_only_when_somebody_wants_to_know(admin: Browser, user: Browser, pool: FakeUserPool) -> None:
    page = words(admin.get(f"/console/people/{user.row.user_id}/"))

    assert "Ask Cognito" in page
    assert pool.calls.count("AdminGetUser") == 0


@pytest.mark.usefixtures("admin_api")
def test_a_viewer_may_ask_and_is_answered_plainly(viewer: Browser, user: Browser, pool: FakeUserPool) -> None:
    pool.disable(user.person)
    person = user.row.user_id

    page = words(viewer.get(f"/console/people/{person}/?ask=cognito"))

    assert "Disabled" in page
    assert "CONFIRMED confirmed" in page
    assert "None of their own" in page
    assert user.person.username in page


@pytest.mark.usefixtures("admin_api")
def test_however_often_viewers_ask_the_probes_go_on(viewer: Browser, user: Browser, pool: FakeUserPool) -> None:
    person = user.row.user_id
    later = timezone.now() + timedelta(seconds=61)
    pool.disable(user.person)

    with time_machine.travel(later, tick=False):
        pages = [words(viewer.get(f"/console/people/{person}/?ask=cognito")) for _ in range(40)]
        response = user.get("/sessions/")

    assert "Too many calls" in pages[-1]
    assert pool.calls.count("AdminGetUser") == ADMIN_GET_USER.per_second
    assert response.status_code == 401
    assert not Session.objects.filter(user=person).exists()


@pytest.mark.usefixtures("admin_api")
def test_a_form_that_is_wrong_does_not_ask_cognito(admin: Browser, user: Browser, pool: FakeUserPool) -> None:
    response = admin.post(f"/console/people/{user.row.user_id}/end/?ask=cognito", {"here-reason": ""})

    assert response.status_code == 422
    assert pool.calls.count("AdminGetUser") == 0


@pytest.mark.usefixtures("admin_api")
@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure.UNAVAILABLE, "did not answer in time"),
        (Failure.THROTTLED, "Too many calls"),
        ("AccessDeniedException", "must allow cognito-idp:AdminGetUser"),
        ("UserNotFoundException", "has no such user"),
        ("ResourceNotFoundException", "Is it the right user pool?"),
    ],
)
def test_whatever_goes_wrong_is_said_and_the_page_is_there(
    admin: Browser, user: Browser, pool: FakeUserPool, failure: Failure | str, said: str
) -> None:
    pool.fail("AdminGetUser", failure)

    response = ask(admin, user)

    assert response.status_code == 200
    assert said in words(response)
    assert "What happened" in words(response)


@pytest.mark.usefixtures("no_aws_credentials")
def test_a_host_without_credentials_is_told_what_is_missing(admin: Browser, user: Browser, settings: Settings) -> None:
    settings.COGNITO_ADMIN_API = True

    assert "its credentials must allow cognito-idp:AdminGetUser" in words(ask(admin, user))


@pytest.mark.usefixtures("admin_api")
def test_somebody_without_a_session_here_is_signed_out_everywhere(
    admin: Browser, user: Browser, pool: FakeUserPool
) -> None:
    person, elsewhere = user.row.user_id, pool.sign_in(user.person)
    Session.objects.filter(user=person).delete()

    page = sign_out(admin, person)

    assert "Cognito has signed them out of every app" in page
    assert pool.refresh_tokens[elsewhere["refresh_token"]].sign_in.revoked
    event = Event.objects.get(kind=Event.Kind.SIGNED_OUT_EVERYWHERE)
    assert (event.user_id, event.actor_id, event.detail) == (person, admin.row.user_id, "left the company")
    assert event.request_id


@pytest.mark.usefixtures("admin_api")
@pytest.mark.parametrize(
    ("failure", "said", "state"),
    [
        (Failure.UNAVAILABLE, "Cognito could not be told yet", Revocation.State.PENDING),
        ("UserNotFoundException", "The user pool has no such user", Revocation.State.GIVEN_UP),
    ],
)
def test_a_sign_out_that_could_not_be_done_says_so(
    admin: Browser, user: Browser, pool: FakeUserPool, failure: Failure | str, said: str, state: str
) -> None:
    person = user.row.user_id
    Session.objects.filter(user=person).delete()
    pool.fail("AdminUserGlobalSignOut", failure)

    assert said in sign_out(admin, person)

    revocation = Revocation.objects.get()
    assert revocation.state == state
    assert admin.get(f"/console/revocations/{revocation.pk}/").status_code == 200


def test_without_credentials_and_without_a_session_nothing_is_pretended(admin: Browser, user: Browser) -> None:
    person = user.row.user_id
    Session.objects.filter(user=person).delete()

    assert "Nothing was done" in sign_out(admin, person)

    assert not Event.objects.filter(kind=Event.Kind.SIGNED_OUT_EVERYWHERE).exists()
