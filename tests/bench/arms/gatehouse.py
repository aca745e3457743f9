"""This project: its settings and middleware, and the page beside its own."""

from __future__ import annotations

import os
from typing import Any

import django

from tests.bench.arms.page import LOADERS

LOGIN = "/login/"


def configure(database_url: str) -> None:
    os.environ["TEST_DATABASE_URL"] = database_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.ROOT_URLCONF = "tests.bench.arms.gatehouse_urls"
    settings.ALLOWED_HOSTS.append("127.0.0.1")
    # The pool is gone once somebody has signed in.
    settings.COGNITO_PROBE_SECONDS = 3600
    engine: dict[str, Any] = settings.TEMPLATES[0]
    engine["OPTIONS"]["loaders"] = [
        (
            "django.template.loaders.cached.Loader",
            [*LOADERS, "django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
        )
    ]
    engine["APP_DIRS"] = False
    django.setup()


def use_pool(environment: dict[str, str]) -> None:
    """Sign people in at this user pool from now on."""
    from django.conf import settings

    from accounts import conf
    from tests.conftest import LIST_SETTINGS

    # The same person again and again from the same address: neither limit is what is measured.
    settings.SESSION_MAX_PER_PERSON = 1_000_000
    settings.RATE_LIMIT_FACTOR = 1000.0
    for name, value in environment.items():
        separator = LIST_SETTINGS.get(name)
        setattr(settings, name, value.split(separator) if separator else value)
    conf.user_pool_config.cache_clear()
    conf.token_verifier.cache_clear()


def cookie() -> str:
    """Sign somebody in at the fake user pool, which is gone afterwards: fresh tokens need nobody."""
    from django.conf import settings

    from tests.conftest import Browser
    from tests.fake_user_pool import FakeUserPool

    with FakeUserPool(site_url=settings.SITE_URL) as pool:
        use_pool(pool.environment())
        browser = Browser(pool, pool.add_person("user@example.com", name="Uma User"))
        browser.sign_in()
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
