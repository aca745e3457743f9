from __future__ import annotations

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from accounts.permissions import END, VIEW
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool


def person_of(browser: Browser) -> User:
    return User.objects.get(subject=browser.person.sub)


def test_a_member_of_the_staff_group_may_look_and_end(admin: Browser) -> None:
    person = person_of(admin)

    assert person.is_staff
    assert person.has_perms([VIEW, END])


def test_a_member_of_the_viewers_group_may_only_look(visitor: Browser, pool: FakeUserPool) -> None:
    pool.set_groups(visitor.person, ["support"])

    visitor.sign_in()

    person = person_of(visitor)
    assert person.is_staff
    assert person.has_perm(VIEW)
    assert not person.has_perm(END)


def test_nobody_else_may_do_either(user: Browser) -> None:
    person = person_of(user)

    assert not person.is_staff
    assert not person.has_perm(VIEW)
    assert not person.has_perm(END)


@pytest.mark.django_db
def test_migrating_again_changes_nothing(admin: Browser) -> None:
    call_command("migrate", verbosity=0)

    assert person_of(admin).has_perms([VIEW, END])


@pytest.mark.django_db
def test_a_group_the_settings_no_longer_name_loses_its_permissions(admin: Browser, settings: Settings) -> None:
    settings.COGNITO_STAFF_GROUPS, settings.COGNITO_VIEWER_GROUPS = ["ops"], ["admins"]

    call_command("migrate", verbosity=0)

    person = person_of(admin)
    assert person.has_perm(VIEW)
    assert not person.has_perm(END)
