"""Django as `startproject` leaves it: contrib.auth, sessions in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django
from django.conf import settings

if TYPE_CHECKING:
    from django.test import Client

CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def configure(database_url: str, **more: Any) -> None:
    import environ

    from tests.bench.arms.page import LOADERS

    settings.configure(
        **{
            "SECRET_KEY": "only-for-a-benchmark-" * 3,
            "ALLOWED_HOSTS": ["testserver", "127.0.0.1"],
            "ROOT_URLCONF": "tests.bench.arms.page",
            "INSTALLED_APPS": APPS,
            "MIDDLEWARE": MIDDLEWARE,
            "DATABASES": {"default": environ.Env.db_url_config(database_url) | {"CONN_MAX_AGE": 60}},
            "TEMPLATES": [
                {
                    "BACKEND": "django.template.backends.django.DjangoTemplates",
                    "OPTIONS": {
                        "context_processors": CONTEXT_PROCESSORS,
                        "loaders": [("django.template.loaders.cached.Loader", LOADERS)],
                    },
                }
            ],
            "USE_TZ": True,
            **more,
        }
    )
    django.setup()


def cookie() -> str:
    return cookie_of(signed_in())


def signed_in() -> Client:
    """Return a browser in which somebody is signed in."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    person: Any = User.objects.create_user("uma", "user@example.com")
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def cookie_of(client: Client) -> str:
    """Return the Cookie header of a browser."""
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
