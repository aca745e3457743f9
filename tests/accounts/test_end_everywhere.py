"""Signing somebody out of every app by AWS credentials: with or without a session here, and never lost."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import tasks
from accounts.ending import end_everywhere
from accounts.models import Event, Revocation, Session, User
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("admin_api")]


@pytest.fixture
def admin_api(settings: Settings, aws_credentials: None) -> None:
    settings.COGNITO_ADMIN_API = True


@pytest.fixture
def absent(user: Browser) -> User:
    """Somebody whose session here is over, and whose tokens of other apps live on."""
    person = user.row.person
    Session.objects.all().delete()
    return person


def due_now() -> None:
    Revocation.objects.update(due_at=timezone.now())
    tasks.deliver_revocations.call()


def test_the_pool_is_told_with_aws_credentials_and_all_is_settled(user: Browser, pool: FakeUserPool) -> None:
    elsewhere = pool.sign_in(user.person)

    ended = end_everywhere(user.row.person, now=utc_now(), note="left")

    assert ended is not None
    assert len(ended) == 1
    assert pool.calls.count("AdminUserGlobalSignOut") == 1
    assert pool.calls.count("GlobalSignOut") == pool.calls.count("RevokeToken") == 0
    assert pool.refresh_tokens[elsewhere["refresh_token"]].sign_in.revoked
    assert set(Revocation.objects.values_list("kind", "state")) == {("admin_global", "done"), ("refresh_token", "done")}


def test_it_needs_no_session_here(absent: User, user: Browser, pool: FakeUserPool) -> None:
    elsewhere = pool.sign_in(user.person)

    assert end_everywhere(absent, now=utc_now(), note="left") == []

    assert pool.refresh_tokens[elsewhere["refresh_token"]].sign_in.revoked
    assert Event.objects.get(kind=Event.Kind.SIGNED_OUT_EVERYWHERE).detail == "left"


def test_a_federated_person_is_named_as_the_pool_names_them(pool: FakeUserPool) -> None:
    browser = Browser(pool, pool.add_person("fed@example.com", provider="Okta"))
    browser.sign_in()

    end_everywhere(browser.row.person, now=utc_now())

    assert Revocation.objects.get(kind="admin_global").state == "done"


def test_what_could_not_be_told_waits_until_it_can(absent: User, pool: FakeUserPool) -> None:
    with pool.down():
        end_everywhere(absent, now=utc_now())
    waiting = Revocation.objects.get()
    assert (waiting.is_pending, waiting.attempts) == (True, 1)

    due_now()

    assert Revocation.objects.get().state == Revocation.State.DONE
    assert pool.calls.count("AdminUserGlobalSignOut") == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException"])
def test_a_refusal_of_our_rights_or_our_pace_is_tried_again(absent: User, pool: FakeUserPool, code: str) -> None:
    pool.fail("AdminUserGlobalSignOut", code, times=1)

    end_everywhere(absent, now=utc_now())
    assert code in Revocation.objects.get().last_error
    due_now()

    assert Revocation.objects.get().state == Revocation.State.DONE


def test_it_waits_while_the_setting_is_off(absent: User, pool: FakeUserPool, settings: Settings) -> None:
    pool.fail("AdminUserGlobalSignOut", Failure.UNAVAILABLE, times=1)
    end_everywhere(absent, now=utc_now())

    settings.COGNITO_ADMIN_API = False
    due_now()
    assert "COGNITO_ADMIN_API is off" in Revocation.objects.get().last_error
    settings.COGNITO_ADMIN_API = True
    due_now()

    assert Revocation.objects.get().state == Revocation.State.DONE


def test_the_other_sessions_are_told_of_even_if_it_has_to_wait(user: Browser, pool: FakeUserPool) -> None:
    pool.fail("AdminUserGlobalSignOut", "AccessDeniedException")
    end_everywhere(user.row.person, now=utc_now())

    tasks.deliver_revocations.call()

    assert Revocation.objects.get(kind="refresh_token").state == "done"
    assert Revocation.objects.get(kind="admin_global").is_pending


def test_somebody_whom_the_pool_does_not_know_is_given_up_with_the_reason(absent: User, pool: FakeUserPool) -> None:
    User.objects.update(username="Okta_gone")
    absent.refresh_from_db()

    end_everywhere(absent, now=utc_now())

    revocation = Revocation.objects.get()
    assert (revocation.state, revocation.last_error) == ("given_up", "the pool has no user Okta_gone")


def test_it_does_not_expire_with_our_own_refresh_tokens(absent: User, settings: Settings) -> None:
    settings.COGNITO_REFRESH_TOKEN_SECONDS = 3600

    end_everywhere(absent, now=utc_now())

    assert Revocation.objects.get().expires_at > utc_now() + timedelta(days=3649)


def test_the_command_works_without_a_session_here(absent: User, pool: FakeUserPool) -> None:
    out, err = StringIO(), StringIO()

    call_command("sessions", "revoke-user", str(absent.pk), "--reason", "left", stdout=out, stderr=err)

    assert (out.getvalue(), err.getvalue()) == ("0 sessions ended.\n", "")
    assert pool.calls.count("AdminUserGlobalSignOut") == 1


def test_without_credentials_and_without_a_session_nothing_can_be_done(absent: User, settings: Settings) -> None:
    settings.COGNITO_ADMIN_API = False

    assert end_everywhere(absent, now=utc_now()) is None

    assert not Event.objects.filter(kind=Event.Kind.SIGNED_OUT_EVERYWHERE).exists()
