from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import FakeUserPool


def test_the_start_page_tells_a_visitor_what_this_is(visitor: Browser) -> None:
    response = visitor.get("/")

    assert "keeps your tokens on the server" in words(response)
    assert response.content.decode().count(">Sign in</a>") == 1


def test_the_start_page_says_why_a_session_ended(user: Browser) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    response = user.get("/")

    assert "Your session has ended. It was not used for too long." in words(response)


def test_the_home_page_says_who_is_signed_in_and_how_the_session_is(user: Browser) -> None:
    page = words(user.get("/"))

    assert "Signed in as Uma User" in page
    assert "user@example.com" in page
    assert "Fresh" in page
    assert "Access token expires in 60 minutes" in page
    assert "Ends if unused in 30 minutes" in page
    assert "Ends in any case in 12 hours" in page


def test_the_home_page_asks_cognito_nothing(user: Browser, pool: FakeUserPool) -> None:
    pool.calls.clear()

    user.get("/")

    assert pool.calls.count("*") == 0


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"refresh_claimed_until": timedelta(minutes=1)}, "Refreshing New tokens are on their way"),
        ({"refresh_failures": 2}, "Refresh failing Cognito did not give us new tokens"),
    ],
)
def test_the_home_page_has_a_word_for_every_health(user: Browser, columns: dict[str, object], said: str) -> None:
    now = timezone.now()
    Session.objects.update(
        **{name: now + value if isinstance(value, timedelta) else value for name, value in columns.items()}
    )

    assert said in words(user.get("/"))


def test_an_outsider_sees_themselves_and_nobody_else(user: Browser, outsider: Browser) -> None:
    page = words(outsider.get("/"))

    assert "Otto Outsider" in page
    assert "Uma User" not in page


def test_a_name_is_shown_as_text_whatever_it_contains(pool: FakeUserPool, db: None) -> None:
    browser = Browser(pool, pool.add_person("m@example.com", name="<script>alert(1)</script>"))
    browser.sign_in()

    page = browser.get("/").content.decode()

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
