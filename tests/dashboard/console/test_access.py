"""Who gets in, what nobody sees, and what no page costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.ending import end_session
from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from tests.conftest import Browser
from tests.dashboard.console.support import SECRET_TOKEN, flag, make_revocation, make_session, make_sessions
from tests.fake_user_pool import FakeUserPool

MOST_QUERIES = 6
PAGES = [
    "console",
    "console_sessions",
    "console_sessions_csv",
    "console_session",
    "console_people",
    "console_person",
    "console_events",
    "console_events_csv",
    "console_events_jsonl",
    "console_revocations",
    "console_revocation",
    "console_health",
]
ACTIONS = [
    "console_end_sessions",
    "console_end_session",
    "console_end_person",
    "console_sign_out_everywhere",
    "console_retry_revocation",
    "console_give_up_revocation",
    "console_settle_flag",
]

REASONS = ("reason", "here-reason", "everywhere-reason", "retry-reason", "give_up-reason")


@pytest.fixture
def address(user: Browser, now: datetime) -> Callable[[str], str]:
    """Return the address of a page of the console, about the user where it is about somebody."""
    row = user.row
    revocation = make_revocation(row, now)
    flagged = flag(make_session(row.person, now), now)
    arguments: dict[str, list[Any]] = {
        "console_session": [row.public_id],
        "console_end_session": [row.public_id],
        "console_person": [row.user_id],
        "console_end_person": [row.user_id],
        "console_sign_out_everywhere": [row.user_id],
        "console_revocation": [revocation.pk],
        "console_retry_revocation": [revocation.pk],
        "console_give_up_revocation": [revocation.pk],
        "console_settle_flag": [flagged.pk],
    }
    return lambda name: reverse(name, args=arguments.get(name, []))


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode())


@pytest.mark.parametrize("name", [*PAGES, *ACTIONS])
def test_an_outsider_is_refused(outsider: Browser, address: Callable[[str], str], name: str) -> None:
    for response in (outsider.get(address(name)), outsider.post(address(name), {"reason": "because"})):
        assert response.status_code == 403

    assert "This page is not for you" in response.content.decode()


@pytest.mark.parametrize("name", [*PAGES, *ACTIONS])
def test_nobody_is_sent_to_sign_in(address: Callable[[str], str], name: str) -> None:
    response = Client().get(address(name))

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("name", PAGES)
def test_a_viewer_may_look_but_sees_no_way_to_act(viewer: Browser, address: Callable[[str], str], name: str) -> None:
    response = viewer.get(address(name))

    assert response.status_code == 200
    text = text_of(response)
    # The one form is that of the page's language; exports have none.
    assert text.count('method="post"') == text.count('action="/language/"') <= 1
    assert 'type="checkbox"' not in text


@pytest.mark.parametrize("name", ACTIONS)
def test_a_viewer_is_refused_every_action(viewer: Browser, address: Callable[[str], str], name: str) -> None:
    sessions, states = Session.objects.count(), list(Revocation.objects.values_list("state", flat=True))

    response = viewer.post(address(name), dict.fromkeys(REASONS, "because"))

    assert response.status_code == 403
    assert Session.objects.count() == sessions
    assert list(Revocation.objects.values_list("state", flat=True)) == states


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_without_a_csrf_token_is_refused(
    admin: Browser, address: Callable[[str], str], settings: Settings, name: str
) -> None:
    admin.handler.enforce_csrf_checks = True

    response = admin.post(address(name), {"reason": "because"})

    assert response.status_code == 403
    assert "This form could not be accepted" in response.content.decode()


@pytest.mark.parametrize("name", [*PAGES, *ACTIONS])
def test_looking_changes_nothing(admin: Browser, address: Callable[[str], str], name: str) -> None:
    url = address(name)

    def everything() -> list[list[Any]]:
        return [list(model.objects.order_by("pk").values()) for model in (Session, EndedSession, Event, Revocation)]

    before = everything()

    text_of(admin.get(url))

    assert everything() == before


@pytest.mark.parametrize("name", PAGES)
def test_no_page_and_no_export_holds_a_secret(
    admin: Browser, user: Browser, now: datetime, address: Callable[[str], str], settings: Settings, name: str
) -> None:
    theirs = user.row
    row = make_session(theirs.person, now)
    pending = make_revocation(row, now)
    tokens = theirs.token_set()
    secrets = [
        *(SECRET_TOKEN, tokens.access_token, tokens.refresh_token, tokens.id_token),
        *(row.key_digest, row.token_set_sealed, pending.sealed),
        *(theirs.key_digest, theirs.token_set_sealed, user.cookies["session"].value),
        *(settings.SECRET_KEY, *settings.TOKEN_ENCRYPTION_KEYS, *settings.COGNITO_CLIENT_SECRET),
    ]

    text = text_of(admin.get(address(name)))

    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_much_on_it_costs_few_queries(
    admin: Browser, user: Browser, now: datetime, address: Callable[[str], str], name: str
) -> None:
    person = user.row.person
    for row in make_sessions(5, now):
        make_revocation(row, now)
        make_session(person, now)
        end_session(make_session(person, now), EndReason.OPERATOR, now=now, note="x")
        Event.objects.record(Event.Kind.REFRESHED, row, now=now)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        text_of(admin.get(address(name)))

    assert len(queries) <= MOST_QUERIES, [query["sql"] for query in queries]


@pytest.mark.parametrize(
    "query",
    [
        "?q=user",
        "?q=203.0.113.7",
        "?q=53a18499-9b10-445f-aa8e-57994de69996",
        "?group=admins&browser=Firefox&age=1d&health=fresh",
        "?state=flagged",
        "?state=flagged&q=user",
    ],
)
def test_a_search_costs_few_queries(admin: Browser, now: datetime, query: str) -> None:
    make_sessions(5, now)

    with CaptureQueriesContext(connection) as queries:
        admin.get(f"/console/sessions/{query}")

    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize("name", ["console_session", "console_person", "console_revocation"])
def test_what_does_not_exist_is_not_found(admin: Browser, name: str) -> None:
    assert admin.get(reverse(name, args=[uuid4()])).status_code == 404


def test_only_those_who_may_look_are_shown_the_way_in(user: Browser, viewer: Browser) -> None:
    assert 'href="/console/"' in viewer.get("/").content.decode()
    assert 'href="/console/"' not in user.get("/").content.decode()


def test_the_console_needs_nothing_of_cognito(
    admin: Browser, pool: FakeUserPool, address: Callable[[str], str]
) -> None:
    with pool.down():
        statuses = {admin.get(address(name)).status_code for name in PAGES}

    assert statuses == {200}
