from __future__ import annotations

from datetime import datetime

import pytest

from accounts.cognito.errors import ProviderUnavailableError
from accounts.conf import api_breaker
from accounts.models import Chore
from tests.conftest import Browser
from tests.dashboard.console.support import make_revocation


def page(browser: Browser) -> str:
    return str(browser.get("/console/health/").content.decode())


def fail_calls(count: int) -> None:
    for _ in range(count):
        with pytest.raises(ProviderUnavailableError), api_breaker().guard("GetUser"):
            raise ProviderUnavailableError("down")


def test_it_says_how_cognito_answers(admin: Browser) -> None:
    fine = page(admin)
    fail_calls(2)
    failing = page(admin)
    fail_calls(3)
    refused = page(admin)

    assert "Answering" in fine
    assert "2 calls in a row went unanswered" in failing
    assert "Not asked" in refused


def test_it_says_how_old_the_signing_keys_are(admin: Browser) -> None:
    assert "Read" in page(admin)


def test_it_shows_the_oldest_due_revocation_and_the_chores(admin: Browser, now: datetime) -> None:
    revocation = make_revocation(admin.row, now)
    Chore.objects.create(name="prune", claimed_until=now)

    text = page(admin)

    assert f"/console/revocations/{revocation.pk}/" in text
    assert "Prune" in text


def test_it_says_of_secrets_only_how_many_there_are(admin: Browser) -> None:
    assert "1 value, never shown" in page(admin)
