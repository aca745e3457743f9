"""Every secret of a day's work is looked for wherever the app leaves a trace, and none is there."""

from __future__ import annotations

import base64
import html
import json
import logging
import secrets
import zlib
from collections.abc import Callable, Iterator
from unittest.mock import patch
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

import config.metrics
from accounts import measuring, metrics
from accounts.models import Event
from tests.canary.journeys import JOURNEYS, World
from tests.canary.scanner import PIECE, Scanner
from tests.canary.watching import Everything, Evidence, WatchedPool, run
from tests.conftest import LIST_SETTINGS

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {
    *("access token", "ID token", "refresh token", "code", "state", "nonce", "code_verifier", "client secret"),
    *(
        "session key",
        "binding of the browser",
        "binding of a kept form",
        "SECRET_KEY",
        "token encryption key",
        "token of /metrics",
    ),
    "typed into a form",
}
SECRET = "pWx7-Canary_of40characters.and.then~some"
# Below INFO the SDK prints the requests it sends; a test of its own holds that down.
HELD_DOWN = ("botocore", "urllib3")


@pytest.fixture
def evidence() -> Evidence:
    return Evidence()


@pytest.fixture
def pool(settings: Settings, evidence: Evidence) -> Iterator[WatchedPool]:
    with WatchedPool(evidence, site_url=settings.SITE_URL) as pool:
        for name, value in pool.environment().items():
            separator = LIST_SETTINGS.get(name)
            setattr(settings, name, value.split(separator) if separator else value)
        yield pool


@pytest.fixture
def world(evidence: Evidence, pool: WatchedPool, settings: Settings) -> Iterator[World]:
    """A site with secrets of its own, where nobody does anything too often."""
    key = secrets.token_bytes(32)
    settings.TOKEN_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(key).decode().rstrip("=")]
    settings.SECRET_KEY, settings.METRICS_TOKEN = secrets.token_urlsafe(50), secrets.token_urlsafe(30)
    settings.RATE_LIMIT_FACTOR = 0
    settings.SESSION_MAX_PER_PERSON = 50
    evidence.secrets["SECRET_KEY"].add(settings.SECRET_KEY)
    evidence.secrets["token encryption key"] |= {settings.TOKEN_ENCRYPTION_KEYS[0], key.decode("latin-1")}
    evidence.secrets["token of /metrics"].add(settings.METRICS_TOKEN)
    yield World(evidence, pool, settings)
    if metrics.count in measuring.sinks:
        measuring.sinks.remove(metrics.count)


@pytest.fixture
def log(evidence: Evidence) -> Iterator[logging.Handler]:
    """Everything that is logged, SQL with its parameters too."""
    names = ["", *(name for name in logging.root.manager.loggerDict if not name.startswith(HELD_DOWN))]
    loggers = [logging.getLogger(name) for name in {*names, "django.db.backends", "authlib", "accounts"}]
    before = [(logger, logger.level) for logger in loggers]
    handler = Everything(evidence)
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    connection.force_debug_cursor = True
    yield handler
    connection.force_debug_cursor = False
    for logger, level in before:
        logger.setLevel(level)
    logging.getLogger().removeHandler(handler)


def scrape(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.settings.METRICS_TOKEN}"}
    world.evidence.places["metrics"].append(Client().get("/metrics", headers=headers).content.decode())


@pytest.mark.slow
def test_no_secret_is_anywhere_after_everything_was_done(world: World, log: logging.Handler) -> None:
    for journey in JOURNEYS:
        journey(world)
    scrape(world)
    world.evidence.look_at_rest()

    # Nothing was missed for want of secrets or of places to look at.
    assert {kind for kind, known in world.evidence.secrets.items() if known} == KINDS
    assert {place for place, texts in world.evidence.places.items() if any(texts)} == set(PLANTINGS)
    assert world.evidence.leaks() == {}


@pytest.mark.parametrize("name", HELD_DOWN)
def test_what_prints_requests_stays_silent_whatever_the_root_logger_says(log: logging.Handler, name: str) -> None:
    assert logging.getLogger(f"{name}.endpoint").getEffectiveLevel() >= logging.INFO


# --- A scan that could not fail would prove nothing.


def in_the_log(world: World) -> None:
    logging.getLogger("accounts.anything").debug("Refreshed %s", {"with": SECRET})


def in_the_database(world: World) -> None:
    Event.objects.create(kind=Event.Kind.SIGNED_IN, detail=SECRET, at=timezone.now())
    world.evidence.look_at_rest()


def in_the_cache(world: World) -> None:
    cache.set("profile", {"of": [SECRET]})
    world.evidence.look_at_rest()


def on_a_page(world: World) -> None:
    world.browser(world.user, is_signed_in=False).get(f"/profile/?{SECRET}")


def in_a_cookie(world: World) -> None:
    world.settings.LANGUAGE_COOKIE_PATH = SECRET
    world.browser(world.user, is_signed_in=False).post("/language/", {"language": "de"})


def in_what_goes_to_the_hosted_ui(world: World) -> None:
    world.browser(world.user, is_signed_in=False).get(f"/login/?login_hint={SECRET}")


def in_the_output_of_a_command(world: World) -> None:
    world.settings.LANGUAGE_COOKIE_PATH = SECRET
    run(world.evidence, "diffsettings", "--all")


def in_the_metrics(world: World) -> None:
    with patch.object(config.metrics, "generate_latest", return_value=f"people {SECRET}".encode()):
        scrape(world)


PLANTINGS: dict[str, Callable[[World], None]] = {
    "log": in_the_log,
    "database": in_the_database,
    "cache": in_the_cache,
    "pages": on_a_page,
    "cookies": in_a_cookie,
    "redirects to the hosted UI": in_what_goes_to_the_hosted_ui,
    "output of commands": in_the_output_of_a_command,
    "metrics": in_the_metrics,
}


@pytest.mark.parametrize("place", PLANTINGS)
def test_a_secret_that_was_planted_is_found(world: World, log: logging.Handler, place: str) -> None:
    world.evidence.secrets["planted"].add(SECRET)

    PLANTINGS[place](world)

    assert ("planted", place) in world.evidence.leaks()


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "quoted for an address": lambda text: quote(text, safe="").replace("-", "%2D"),
    "in HTML": lambda text: html.escape(f"<{text}>").replace("_", "&#95;"),
    "in JSON": lambda text: json.dumps({"a": text}).replace("-", "\\u002d"),
    "in base64": lambda text: base64.b64encode(f"with a prefix {text}".encode()).decode(),
    "in base64 for addresses": lambda text: base64.urlsafe_b64encode(f"xy{text}".encode()).decode().rstrip("="),
    "in hexadecimal": lambda text: text.encode().hex(),
    "compressed": lambda text: base64.urlsafe_b64encode(zlib.compress(text.encode() * 3)).decode(),
    "its beginning": lambda text: text[:PIECE],
    "its end": lambda text: text[-PIECE:],
    "a piece of it": lambda text: text[7 : 7 + PIECE],
}


@pytest.mark.parametrize("writing", WRITTEN)
def test_a_secret_is_found_however_it_is_written(writing: str) -> None:
    scanner = Scanner({"planted": {SECRET}})

    found = scanner.kinds_in(f"before {WRITTEN[writing](SECRET)} after")

    assert found == {"planted"}
    assert scanner.kinds_in(WRITTEN[writing]("an-entirely-different-text.of-forty-letters")) == set()
