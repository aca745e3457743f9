"""Who somebody is, and what they may do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from time_machine import TimeMachineFixture

from accounts.models import Session, User
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db
DUE = timedelta(minutes=46)


def group_names(browser: Browser) -> set[str]:
    return set(browser.row.person.groups.values_list("name", flat=True))


def refresh(browser: Browser, time_machine: TimeMachineFixture) -> None:
    Session.objects.update(expire_date=utc_now() + timedelta(hours=2))
    time_machine.move_to(utc_now() + DUE)
    browser.get("/")


def test_a_person_is_known_by_issuer_and_subject(user: Browser, pool: FakeUserPool) -> None:
    person = user.row.person

    assert (person.issuer, person.subject) == (pool.issuer, user.person.sub)


def test_two_people_with_one_address_are_two_people(user: Browser, pool: FakeUserPool) -> None:
    namesake = pool.add_person("user@example.com", provider="Google")
    user.person.email = "elsewhere@example.com"  # the pool's own login page finds one person by address
    second = Browser(pool, namesake)

    second.sign_in()

    assert second.row.person.pk != user.row.person.pk
    assert second.row.person.email == user.row.person.email
    assert User.objects.filter(email="user@example.com").count() == 2


def test_a_change_of_address_changes_nobody(user: Browser) -> None:
    before = user.row.person.pk
    user.cookies.clear()
    Session.objects.all().delete()
    user.person.email = "new@example.com"

    user.sign_in()

    assert user.row.person.pk == before
    assert user.row.person.email == "new@example.com"


def test_the_same_subject_of_another_issuer_is_somebody_else(user: Browser) -> None:
    User.objects.update(issuer="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other")
    user.cookies.clear()

    user.sign_in()

    assert User.objects.filter(subject=user.person.sub).count() == 2


def test_nobody_is_made_a_superuser(admin: Browser) -> None:
    assert not admin.row.person.is_superuser


def test_nobody_has_a_password(user: Browser) -> None:
    assert authenticate(username=str(user.row.person.pk), password="") is None
    assert authenticate(username="user@example.com", password="Correct-horse-7") is None


@pytest.mark.parametrize("verified", [True, False, "true", 1, None])
def test_only_the_literal_true_verifies_an_address(visitor: Browser, pool: FakeUserPool, verified: object) -> None:
    pool.tamper("id_token", lambda claims: claims | {"email_verified": verified})

    visitor.sign_in()

    assert visitor.row.person.email_verified is (verified is True)


@pytest.mark.parametrize(
    "value", ["", "x" * 5000, "<script>", "ü😀\u202e", 7, None, ["a"]], ids=lambda value: repr(value)[:10]
)
def test_strange_attributes_keep_nobody_out(visitor: Browser, pool: FakeUserPool, value: object) -> None:
    pool.tamper("id_token", lambda claims: claims | {"email": value, "name": value})

    response = visitor.sign_in()

    assert response.status_code == 302
    assert "<script>" not in visitor.get("/").content.decode()


def test_a_name_that_no_database_can_store_keeps_nobody_out(visitor: Browser, pool: FakeUserPool) -> None:
    pool.tamper("id_token", lambda claims: claims | {"name": "Vera\ud800"})

    assert visitor.sign_in().status_code == 302


# --- Groups


def test_groups_and_rights_come_from_the_token(admin: Browser, user: Browser) -> None:
    assert group_names(admin) == {"admins"}
    assert admin.row.person.is_staff
    assert group_names(user) == set()
    assert not user.row.person.is_staff


def test_a_groups_permissions_are_the_persons(admin: Browser) -> None:
    Group.objects.get(name="admins").permissions.add(
        Permission.objects.get(codename="view_session", content_type__app_label="accounts")
    )

    assert admin.row.person.has_perm("accounts.view_session")


def test_groups_follow_the_token_at_sign_in(admin: Browser, pool: FakeUserPool) -> None:
    pool.set_groups(admin.person, ["readers"])
    admin.cookies.clear()
    Session.objects.all().delete()

    admin.sign_in()

    assert group_names(admin) == {"readers"}
    assert not admin.row.person.is_staff


def test_groups_follow_the_token_at_refresh(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.set_groups(user.person, ["admins", "readers"])

    refresh(user, time_machine)

    assert group_names(user) == {"admins", "readers"}
    assert user.row.person.is_staff


def test_no_groups_in_the_token_are_no_groups(
    admin: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.set_groups(admin.person, [])

    refresh(admin, time_machine)

    assert group_names(admin) == set()
    assert not admin.row.person.is_staff


def test_rights_given_by_hand_do_not_outlive_the_token(user: Browser, time_machine: TimeMachineFixture) -> None:
    person = user.row.person
    person.groups.add(Group.objects.create(name="by hand"))
    person.is_staff = True
    person.save()

    refresh(user, time_machine)

    assert group_names(user) == set()
    assert not user.row.person.is_staff


def test_the_request_in_which_rights_are_lost_has_lost_them(
    admin: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.set_groups(admin.person, [])
    Session.objects.update(expire_date=utc_now() + timedelta(hours=2))
    time_machine.move_to(utc_now() + DUE)

    response = admin.get("/api/session/")

    assert response.json()["groups"] == []
