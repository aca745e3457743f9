from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.ending import end_session
from accounts.models import EndedSession, EndReason, Event, Session
from tests.conftest import Browser
from tests.dashboard.support import row_of, words
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


def test_the_first_sign_in_has_none_before_it(user: Browser) -> None:
    assert "Last sign-in before this one None on record" in words(user.get("/"))


@pytest.mark.parametrize("is_over", [False, True])
def test_the_home_page_names_the_sign_in_before_this_one(user: Browser, phone: Browser, is_over: bool) -> None:
    earlier = row_of(user)
    earlier_id = earlier.public_id
    Event.objects.filter(session_id=earlier_id).update(at=timezone.now() - timedelta(hours=5))
    if is_over:
        end_session(earlier, EndReason.IDLE, now=timezone.now())

    response = phone.get("/")

    assert "Last sign-in before this one 5 hours ago" in words(response)
    assert f'href="/sessions/{earlier_id}/"' in response.content.decode()
    assert "127.0.0.1" in words(response)


def test_a_sign_in_whose_session_is_forgotten_is_named_without_a_link(user: Browser, phone: Browser) -> None:
    earlier = row_of(user)
    end_session(earlier, EndReason.IDLE, now=timezone.now())
    EndedSession.objects.all().delete()

    response = phone.get("/")

    assert "Last sign-in before this one" in words(response)
    assert "None on record" not in words(response)
    assert str(earlier.public_id) not in response.content.decode()


def test_the_sign_ins_of_others_are_none_of_ones_own(user: Browser, outsider: Browser) -> None:
    assert "None on record" in words(outsider.get("/"))


def test_the_home_page_costs_two_queries(user: Browser, phone: Browser, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2):
        phone.get("/")


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
