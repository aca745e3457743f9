"""A user pool that behaves, and the three roles every test is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.cognito.api import sdk_session
from accounts.models import Session
from tests.fake_user_pool import FakeUserPool, Person

LIST_SETTINGS = {"COGNITO_CLIENT_SECRET": ",", "COGNITO_SCOPES": " "}


class Browser(Client):
    """A browser with its own cookies, and a person in front of it; not signed in until `sign_in`."""

    def __init__(self, pool: FakeUserPool, person: Person, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.pool = pool
        self.person = person

    def start_sign_in(self, next_url: str = "/") -> str:
        """Open the sign-in page and return the authorization request's address."""
        return str(self.get("/login/", {"next": next_url})["Location"])

    def sign_in(self, next_url: str = "/") -> Any:
        """Sign in through the hosted UI and return the response to the authorization response."""
        return self.get(self.pool.authorize(self.start_sign_in(next_url), self.person))

    @property
    def row(self) -> Session:
        """The live session of this browser's only sign-in."""
        row: Session = Session.objects.select_related("user").get(user__subject=self.person.sub)
        return row


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


@pytest.fixture
def pool(settings: Settings) -> Iterator[FakeUserPool]:
    """A user pool on loopback, and the app's settings pointing at it."""
    with FakeUserPool(site_url=settings.SITE_URL) as pool:
        for name, value in pool.environment().items():
            separator = LIST_SETTINGS.get(name)
            setattr(settings, name, value.split(separator) if separator else value)
        yield pool


@pytest.fixture
def user(pool: FakeUserPool, db: None) -> Browser:
    """Somebody who is signed in and belongs to no group."""
    return _signed_in(pool, pool.add_person("user@example.com", name="Uma User"))


@pytest.fixture
def admin(pool: FakeUserPool, db: None) -> Browser:
    """Somebody who is signed in and belongs to the operators' group."""
    return _signed_in(pool, pool.add_person("admin@example.com", name="Ada Admin", groups=["admins"]))


@pytest.fixture
def outsider(pool: FakeUserPool, db: None) -> Browser:
    """Somebody else who is signed in and must not get at what is the user's."""
    return _signed_in(pool, pool.add_person("outsider@example.com", name="Otto Outsider"))


@pytest.fixture
def visitor(pool: FakeUserPool, db: None) -> Browser:
    """Somebody who has not signed in yet, but could."""
    return Browser(pool, pool.add_person("visitor@example.com", name="Vera Visitor"))


@pytest.fixture
def no_aws_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host on which the SDK finds no AWS credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    sdk_session.cache_clear()
    yield
    sdk_session.cache_clear()


@pytest.fixture
def aws_credentials(no_aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with AWS credentials; the fake user pool takes any that sign."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def _signed_in(pool: FakeUserPool, person: Person) -> Browser:
    browser = Browser(pool, person)
    browser.sign_in()
    return browser
