"""System checks of what faces the internet."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import ERROR, run_checks
from pytest_django import Settings

from tests.outages.support import BROKEN_CACHE

KEY = "b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZjA"
LOCAL_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LAPTOP = {
    "SITE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": ["localhost"],
    "SESSION_COOKIE_SECURE": False,
    "CSRF_COOKIE_SECURE": False,
    "SECURE_PROXY_SSL_HEADER": None,
    "TRUSTED_PROXIES": [],
    "CACHES": LOCAL_MEMORY,
}
HTTP = LAPTOP | {"SITE_URL": "http://app.example.com", "ALLOWED_HOSTS": ["app.example.com"], "WEB_CONCURRENCY": 1}
# Each is a site as in production, but for what it names.
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "short key": ("accounts.E016", {"SECRET_KEY": "x7Q-" * 7}),
    "monotonous key": ("accounts.E016", {"SECRET_KEY": "secret" * 20}),
    "key of the documentation": ("accounts.E016", {"SECRET_KEY": "change-me-0123456789abcdefghijklmnopqrstuvwxyz"}),
    "key of startproject": ("accounts.E016", {"SECRET_KEY": "django-insecure-0123456789abcdefghijklmnopqrstuvw"}),
    "fallback left as it was": ("accounts.E016", {"SECRET_KEY_FALLBACKS": ["changeme"]}),
    "short fallback": ("accounts.E016", {"SECRET_KEY_FALLBACKS": ["x7Q-" * 7]}),
    "one fallback of two": ("accounts.E016", {"SECRET_KEY_FALLBACKS": [KEY[::-1], ""]}),
    "client secret made up": ("accounts.E017", {"COGNITO_CLIENT_SECRET": ["secret"]}),
    "client secret left as it was": ("accounts.E017", {"COGNITO_CLIENT_SECRET": ["changeme" * 6]}),
    "second client secret made up": ("accounts.E017", {"COGNITO_CLIENT_SECRET": ["1a2b3c4d" * 6, "changeme"]}),
    "token key twice": ("accounts.E018", {"TOKEN_ENCRYPTION_KEYS": [KEY, KEY]}),
    "token key twice, written differently": ("accounts.E018", {"TOKEN_ENCRYPTION_KEYS": [KEY, f"{KEY}="]}),
    "token key of zeros": ("accounts.E018", {"TOKEN_ENCRYPTION_KEYS": ["A" * 43]}),
    "token key of two characters": ("accounts.E018", {"TOKEN_ENCRYPTION_KEYS": [KEY, "AB" * 21 + "A"]}),
    "token key that signs cookies": ("accounts.E018", {"SECRET_KEY": KEY, "TOKEN_ENCRYPTION_KEYS": [KEY]}),
    "token key that signed cookies": ("accounts.E018", {"SECRET_KEY_FALLBACKS": [KEY]}),
    "short token of metrics": ("accounts.E026", {"METRICS_TOKEN": "prometheus"}),
    "token of metrics left as it was": ("accounts.E026", {"METRICS_TOKEN": "change-me-0123456789abcdefgh"}),
    "hosted UI without TLS": ("accounts.E027", {"COGNITO_DOMAIN": "http://login.example.com"}),
    "issuer without TLS": ("accounts.E027", {"COGNITO_ISSUER": "http://cognito-idp.example.com/pool"}),
    "key set without TLS": ("accounts.E027", {"COGNITO_JWKS_URL": "http://10.0.0.7/jwks.json"}),
    "API without TLS": ("accounts.E027", {"COGNITO_ENDPOINT_URL": "HTTP://localhost.example.com:4566"}),
    "no TLS": ("accounts.E019", HTTP),
    "debug in public": ("accounts.E021", {"DEBUG": True}),
    "debug in public without TLS": ("accounts.E021", HTTP | {"DEBUG": True}),
    "every host": ("accounts.E022", {"ALLOWED_HOSTS": ["*"]}),
    "every host besides": ("accounts.E022", {"ALLOWED_HOSTS": ["app.example.com", "*"]}),
    "another host": ("accounts.E023", {"ALLOWED_HOSTS": ["www.example.com"]}),
    "session cookie over http": ("accounts.E024", {"SESSION_COOKIE_SECURE": False}),
    "csrf cookie over http": ("accounts.E024", {"CSRF_COOKIE_SECURE": False}),
    "cookies that do not come back": ("accounts.E024", LAPTOP | {"SESSION_COOKIE_SECURE": True}),
    "limits below none": ("accounts.E025", {"RATE_LIMIT_FACTOR": -1.0}),
    "no word of a proxy": ("accounts.W001", {"SECURE_PROXY_SSL_HEADER": None}),
    "proxy without an address": ("accounts.W002", {"TRUSTED_PROXIES": []}),
    "everybody is a proxy": ("accounts.W003", {"TRUSTED_PROXIES": ["10.0.0.0/8", "0.0.0.0/0"]}),
    "everybody is a proxy, IPv6": ("accounts.W003", {"TRUSTED_PROXIES": ["::/0"]}),
    "everybody is a proxy, in halves": ("accounts.W003", {"TRUSTED_PROXIES": ["0.0.0.0/1", "128.0.0.0/1"]}),
    "everybody is a proxy, in parts": (
        "accounts.W003",
        {"TRUSTED_PROXIES": ["192.0.0.0/2", "::/1", "0.0.0.0/1", "128.0.0.0/2"]},
    ),
    "everybody is a proxy, IPv6 in halves": ("accounts.W003", {"TRUSTED_PROXIES": ["::/1", "8000::/1"]}),
    "a cache per process": ("accounts.W004", {"CACHES": LOCAL_MEMORY}),
    "no cache": ("accounts.W004", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}}),
}
FINE: dict[str, dict[str, Any]] = {
    "production": {},
    "laptop": LAPTOP,
    "laptop by address": LAPTOP | {"SITE_URL": "http://127.0.0.1:8000", "ALLOWED_HOSTS": ["127.0.0.1"]},
    "laptop by IPv6 address": LAPTOP | {"SITE_URL": "http://[::1]:8000", "ALLOWED_HOSTS": ["::1"]},
    "laptop by a name of its own": LAPTOP | {"SITE_URL": "http://app.localhost", "ALLOWED_HOSTS": [".localhost"]},
    "laptop in debug mode": LAPTOP | {"DEBUG": True, "ALLOWED_HOSTS": [], "SECRET_KEY": "short"},
    "public client": {"COGNITO_CLIENT_SECRET": []},
    "client secrets being rotated": {"COGNITO_CLIENT_SECRET": ["1a2b3c4d" * 6, "n+w" * 10]},
    "a pattern of hosts": {"ALLOWED_HOSTS": [".example.com"]},
    "one process": {"CACHES": LOCAL_MEMORY, "WEB_CONCURRENCY": 1},
    "no limits": {"RATE_LIMIT_FACTOR": 0.0},
    "a key being replaced": {"SECRET_KEY_FALLBACKS": [KEY[::-1]]},
    "measured": {"METRICS_TOKEN": "only-prometheus-knows"},
    "a user pool on AWS": {
        "COGNITO_DOMAIN": "https://login.example.com",
        "COGNITO_JWKS_URL": "",
        "COGNITO_ENDPOINT_URL": "",
    },
    "a user pool on this machine": {
        "COGNITO_DOMAIN": "http://localhost:4566",
        "COGNITO_ENDPOINT_URL": "http://[::1]:4566",
    },
    "many proxies": {"TRUSTED_PROXIES": ["10.0.0.0/8", "172.16.0.0/12", "128.0.0.0/1", "fd00::/8"]},
}


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    """A site as the example of the environment describes it."""
    settings.SITE_URL = "https://app.example.com"
    settings.ALLOWED_HOSTS = ["app.example.com"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    settings.COGNITO_CLIENT_SECRET = ["1a2b3c4d" * 6]
    settings.CACHES = BROKEN_CACHE
    settings.WEB_CONCURRENCY = 4


def found(settings: Settings, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the messages of our checks by id, once `changes` are made."""
    for name, value in changes.items():
        setattr(settings, name, value)
    return {message.id: message for message in run_checks() if message.id and message.id.startswith("accounts.")}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_what_is_fine_passes(settings: Settings, changes: dict[str, Any]) -> None:
    assert found(settings, changes) == {}


@pytest.mark.parametrize(("check_id", "changes"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_and_nothing_else(settings: Settings, check_id: str, changes: dict[str, Any]) -> None:
    assert set(found(settings, changes)) == {check_id}


@pytest.mark.parametrize(("check_id", "changes"), FAULTS.values(), ids=FAULTS)
def test_every_fault_comes_with_the_sentence_that_fixes_it(
    settings: Settings, check_id: str, changes: dict[str, Any]
) -> None:
    message = found(settings, changes)[check_id]

    assert message.hint
    assert message.hint.endswith(".")
    assert (message.level >= ERROR) is ("E" in check_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"SECRET_KEY": "changeme-surely-a-secret"},
        {"SECRET_KEY_FALLBACKS": ["changeme-surely-a-secret"]},
        {"METRICS_TOKEN": "surely"},
        {"COGNITO_CLIENT_SECRET": ["surely-a-secret"]},
        {"TOKEN_ENCRYPTION_KEYS": ["surely-a-secret-" * 2 + "0123456789a"] * 2},
    ],
)
def test_no_message_shows_a_secret(settings: Settings, changes: dict[str, Any]) -> None:
    messages = found(settings, changes)

    assert messages
    assert "surely" not in " ".join(map(str, messages.values()))
