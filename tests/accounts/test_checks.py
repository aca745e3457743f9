from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

ADDRESS = "https://login.example.com"
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "no key": ("accounts.E001", {"TOKEN_ENCRYPTION_KEYS": []}),
    "short key": ("accounts.E002", {"TOKEN_ENCRYPTION_KEYS": ["short"]}),
    "one key of two": ("accounts.E002", {"TOKEN_ENCRYPTION_KEYS": ["b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZjA", ""]}),
    "no pool": ("accounts.E003", {"COGNITO_USER_POOL_ID": ""}),
    "no region": ("accounts.E003", {"COGNITO_USER_POOL_ID": "AbC123"}),
    "no client": ("accounts.E004", {"COGNITO_CLIENT_ID": ""}),
    "no domain": ("accounts.E004", {"COGNITO_DOMAIN": ""}),
    "no openid": ("accounts.E005", {"COGNITO_SCOPES": ["email", "aws.cognito.signin.user.admin"]}),
    "no admin scope": ("accounts.W005", {"COGNITO_SCOPES": ["openid"]}),
    "another engine": ("accounts.E006", {"SESSION_ENGINE": "django.contrib.sessions.backends.db"}),
    "strict cookie": ("accounts.E007", {"SESSION_COOKIE_SAMESITE": "Strict"}),
    "cookie for every site": ("accounts.E007", {"SESSION_COOKIE_SAMESITE": "None"}),
    "slash after the site": ("accounts.E008", {"SITE_URL": "https://app.example.com/"}),
    "no scheme": ("accounts.E008", {"SITE_URL": "app.example.com"}),
    "site with a path": ("accounts.E008", {"SITE_URL": "https://example.com/app"}),
    "nobody may sign in": ("accounts.E009", {"SESSION_MAX_PER_PERSON": 0}),
    "idle limit below the clock of last seen": ("accounts.E010", {"SESSION_IDLE_SECONDS": 30}),
    "no idle limit": ("accounts.E010", {"SESSION_IDLE_SECONDS": 0}),
    "no time for a session": ("accounts.E010", {"SESSION_ABSOLUTE_SECONDS": 0}),
    "over before it began": ("accounts.E010", {"SESSION_ABSOLUTE_SECONDS": -5}),
    "no life for a refresh token": ("accounts.E010", {"COGNITO_REFRESH_TOKEN_SECONDS": 0}),
    "issuer without scheme": ("accounts.E011", {"COGNITO_ISSUER": "cognito-idp.example.com/pool"}),
    "key set without scheme": ("accounts.E011", {"COGNITO_JWKS_URL": "file:///jwks.json"}),
    "API without scheme": ("accounts.E011", {"COGNITO_ENDPOINT_URL": "localhost:4566"}),
    "no probe at all": ("accounts.E028", {"COGNITO_PROBE_RATE": 0}),
    "a probe in months": ("accounts.E029", {"COGNITO_PROBE_SECONDS": 10**7}),
    "a probe at any time": ("accounts.E029", {"COGNITO_PROBE_SECONDS": 0}),
    "a group without a name": ("accounts.E030", {"COGNITO_STAFF_GROUPS": ["admins", ""]}),
    "a group after a space": ("accounts.E030", {"COGNITO_VIEWER_GROUPS": ["support", " helpers"]}),
    "domain without scheme": ("accounts.E011", {"COGNITO_DOMAIN": "login.example.com"}),
    "proxies no network": ("accounts.E012", {"TRUSTED_PROXIES": ["proxy.internal"]}),
    "proxies with host bits": ("accounts.E012", {"TRUSTED_PROXIES": ["10.0.0.1/8"]}),
    "another backend": ("accounts.E013", {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}),
    "no call at all": ("accounts.E015", {"COGNITO_CALLS_AT_ONCE": 0}),
    "nobody signs in so fast": ("accounts.E020", {"COGNITO_REAUTHENTICATE_SECONDS": 20}),
    "no middleware": ("accounts.E014", {"MIDDLEWARE": []}),
}


@pytest.fixture(autouse=True)
def on_a_laptop(settings: Settings) -> None:
    """Stand where http will do."""
    settings.SITE_URL = "http://localhost"


def ids() -> set[str]:
    return {message.id or "" for message in run_checks() if (message.id or "").startswith("accounts.")}


def test_a_complete_configuration_passes() -> None:
    assert ids() == set()


@pytest.mark.parametrize(("check_id", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_at_start_up(settings: Settings, check_id: str, fault: dict[str, Any]) -> None:
    for name, value in fault.items():
        setattr(settings, name, value)

    assert check_id in ids()


@pytest.mark.parametrize(("check_id", "fault"), FAULTS.values(), ids=FAULTS)
def test_every_fault_comes_with_a_hint(settings: Settings, check_id: str, fault: dict[str, Any]) -> None:
    for name, value in fault.items():
        setattr(settings, name, value)

    [hint, *_] = [message.hint for message in run_checks() if message.id == check_id]

    assert hint
    assert hint.endswith(".")


def test_no_message_shows_a_key(settings: Settings) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = ["almost-a-key-and-surely-a-secret"]

    assert "surely" not in " ".join(map(str, run_checks()))
