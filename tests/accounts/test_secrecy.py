"""No secret in any log record, however much is logged, nor in any page or address."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts.models import Session
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool, Signing

pytestmark = pytest.mark.django_db(transaction=True)


class Everything(logging.Handler):
    """Keeps every record as text, with its arguments and traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))
        self.lines.append(repr(record.args))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def log() -> Iterator[Everything]:
    """Everything that is logged, SQL with its parameters too, with the root logger at DEBUG."""
    handler, root = Everything(), logging.getLogger()
    level, sql = root.level, logging.getLogger("django.db.backends")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    sql.setLevel(logging.DEBUG)
    connection.force_debug_cursor = True
    yield handler
    connection.force_debug_cursor = False
    sql.setLevel(logging.NOTSET)
    root.setLevel(level)
    root.removeHandler(handler)


def parts(token: str) -> set[str]:
    """Return a token whole, and each of its parts that is long enough to mean something."""
    return {token} | {part for part in token.split(".")[1:] if len(part) > 20}


def secrets_of(browser: Browser) -> set[str]:
    tokens = browser.row.token_set()
    found = {str(cookie.value) for cookie in browser.cookies.values() if cookie.value}
    for token in (tokens.access_token, tokens.id_token, tokens.refresh_token):
        found |= parts(token)
    return found


def codes_and_verifiers(pool: FakeUserPool) -> set[str]:
    sent = [call.parameters for call in pool.calls.of("token")]
    return {str(each[name]) for each in sent for name in ("code", "code_verifier") if name in each}


def test_no_secret_is_logged_in_the_life_of_a_session(
    visitor: Browser, pool: FakeUserPool, log: Everything, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    settings.SESSION_IDLE_SECONDS = settings.SESSION_ABSOLUTE_SECONDS = 10**6
    pool.rotation = True
    request = visitor.start_sign_in("/sessions/")
    query = parse_qs(urlsplit(request).query)
    visitor.get(pool.authorize(request, visitor.person))
    secrets = secrets_of(visitor) | {query["state"][0], query["nonce"][0], *pool.client_secrets}
    for path in ("/", "/profile/", "/sessions/", "/tokens/", "/api/session/"):
        visitor.get(path)
    time_machine.move_to(utc_now() + timedelta(minutes=46))
    visitor.get("/")
    secrets |= secrets_of(visitor)
    visitor.post("/logout/everywhere/")
    visitor.get("/signed-out/")
    secrets |= codes_and_verifiers(pool)

    assert pool.calls.count("GetTokensFromRefreshToken") == pool.calls.count("GlobalSignOut") == 1
    assert len(secrets) > 15
    assert "SELECT" in log.text
    assert not {secret for secret in secrets if secret in log.text}


@pytest.mark.parametrize("failure", [Failure.UNAVAILABLE, Failure.HTML, Failure.LOST_ANSWER, "NotAuthorizedException"])
def test_no_secret_is_logged_when_things_go_wrong(
    user: Browser,
    pool: FakeUserPool,
    log: Everything,
    time_machine: TimeMachineFixture,
    settings: Settings,
    failure: Failure | str,
) -> None:
    settings.SESSION_IDLE_SECONDS = settings.SESSION_ABSOLUTE_SECONDS = 10**6
    secrets = secrets_of(user) | set(pool.client_secrets)
    key = user.cookies["session"].value
    pool.fail("*", failure)

    time_machine.move_to(utc_now() + timedelta(minutes=46))
    for path in ("/", "/profile/", "/logout/"):
        user.get(path)
    user.cookies["session"] = key
    user.post("/logout/everywhere/")

    assert not {secret for secret in secrets if secret in log.text}


@pytest.mark.parametrize("signing", [each for each in Signing if each is not Signing.RIGHT])
def test_no_secret_is_logged_when_tokens_are_refused(
    visitor: Browser, pool: FakeUserPool, log: Everything, signing: Signing
) -> None:
    pool.tamper("access_token", signing=signing)

    response = visitor.sign_in()

    assert response.status_code == 400
    secrets = codes_and_verifiers(pool) | set(pool.refresh_tokens)
    assert not {secret for secret in secrets if secret in log.text}


def test_no_secret_stands_in_a_page_or_an_address(user: Browser, pool: FakeUserPool) -> None:
    secrets = secrets_of(user) | codes_and_verifiers(pool) | set(pool.client_secrets)

    for path in ("/", "/profile/", "/sessions/", "/tokens/", "/logout/", "/api/session/", "/nowhere/"):
        page = user.get(path).content.decode()
        assert not {secret for secret in secrets if secret in page}
    location = user.post("/logout/")["Location"]
    page = user.get("/signed-out/").content.decode()

    assert not {secret for secret in secrets if secret in location + page}
    assert not Session.objects.exists()


def test_cookies_hold_nothing_of_the_tokens(user: Browser) -> None:
    tokens = user.row.token_set()

    kept = " ".join(str(cookie.value) for cookie in user.cookies.values())

    assert not {part for token in (tokens.access_token, tokens.id_token) for part in parts(token) if part in kept}
    assert len(kept) < 200
