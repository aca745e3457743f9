"""Django's admin: for whom the console is for, to look at, and never a secret in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max

from accounts.ending import end_session
from accounts.models import Chore, EndReason, Event, Session, User
from dashboard.read_only_admin import BoundedPaginator
from tests.conftest import Browser
from tests.dashboard.console.support import SECRET_TOKEN, make_revocation, make_session, make_sessions
from tests.dashboard.test_every_pages_rules import INLINE
from tests.fake_user_pool import FakeUserPool

MOST_QUERIES = 5
HASH = "feedc0de" * 8
TABLES = [
    *("auth/group", "accounts/user", "accounts/session", "accounts/endedsession"),
    *("accounts/revocation", "accounts/event", "accounts/chore", "django_tasks_database/dbtaskresult"),
]
PAGES = ["", "accounts/", *(f"{table}/" for table in TABLES)]


@pytest.fixture
def viewer(pool: FakeUserPool, db: None) -> Browser:
    browser = Browser(pool, pool.add_person("viewer@example.com", name="Viola Viewer", groups=["support"]))
    browser.sign_in()
    return browser


@pytest.fixture
def details(user: Browser) -> list[str]:
    """Fill each table, with what nobody may see where there are secrets; return the addresses of the rows."""
    now = timezone.now()
    person = user.row.person
    Session.objects.filter(pk=user.row.pk).update(session_data=SECRET_TOKEN)
    row = make_session(person, now, key_digest=HASH)
    revocation = make_revocation(row, now)
    ended = end_session(make_session(person, now), EndReason.OPERATOR, now=now)
    assert ended is not None
    event = Event.objects.record(Event.Kind.SIGNED_IN, row, now=now)
    chore = Chore.objects.create(name="prune")
    task = DBTaskResult.objects.create(
        args_kwargs={"args": [SECRET_TOKEN], "kwargs": {}},
        return_value=SECRET_TOKEN,
        traceback=SECRET_TOKEN,
        task_path="accounts.tasks.prune",
        run_after=get_date_max(),
        backend_name="default",
        exception_class_path="",
    )
    group = person.groups.create(name="readers")
    keys = [group.pk, person.pk, row.public_id, ended.pk, revocation.pk, event.pk, chore.pk, task.pk]
    return [f"/admin/{table}/{key}/change/" for table, key in zip(TABLES, keys, strict=True)]


def pages(details: list[str]) -> list[str]:
    return [*(f"/admin/{page}" for page in PAGES), *details]


def test_operators_and_viewers_see_every_page(admin: Browser, viewer: Browser, details: list[str]) -> None:
    found = {(page, browser.get(page).status_code) for page in pages(details) for browser in (admin, viewer)}

    assert found == {(page, 200) for page in pages(details)}


def test_an_outsider_is_refused_every_page(outsider: Browser, details: list[str]) -> None:
    for page in [*pages(details), "/admin/login/"]:
        response = outsider.get(page)

        assert response.status_code == 403, page
        assert "This page is not for you" in response.content.decode()


def test_a_stranger_signs_in_as_everywhere(details: list[str]) -> None:
    for page in pages(details):
        response = Client().get(page)
        if response["Location"].startswith("/admin/login/"):
            response = Client().get(response["Location"])

        assert unquote(response["Location"]) == f"/login/?next={page}"


def test_who_is_signed_in_has_no_password_to_change_and_leaves_by_our_page(admin: Browser) -> None:
    assert admin.get("/admin/password_change/").status_code == 404
    assert admin.get("/admin/logout/")["Location"] == "/logout/"
    page = admin.get("/admin/").content.decode()
    assert 'href="/logout/"' in page
    assert "password" not in page


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_is_written_whatever_the_permissions(admin: Browser, details: list[str], method: str) -> None:
    person = User.objects.get(subject=admin.person.sub)
    person.groups.get().permissions.add(*Permission.objects.all())
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    addresses = [*pages(details), *(page.replace("change", "delete") for page in details), "/admin/accounts/user/add/"]

    before = [list(model.objects.order_by("pk").values()) for model in (User, Session, Event, Chore)]
    statuses = {
        getattr(admin, method)(address, {"post": "yes", "action": "delete_selected"}).status_code
        for address in addresses
    }

    assert statuses == {405}
    assert [list(model.objects.order_by("pk").values()) for model in (User, Session, Event, Chore)] == before


@pytest.mark.parametrize("form", ["/admin/accounts/user/add/", "{}delete/"])
def test_no_form_to_write_is_shown_to_a_superuser(admin: Browser, details: list[str], form: str) -> None:
    User.objects.filter(subject=admin.person.sub).update(is_superuser=True)

    assert admin.get(form.format(details[1].removesuffix("change/"))).status_code == 403
    page = admin.get(details[1]).content.decode()
    assert 'type="text"' not in page
    assert 'type="submit"' not in page


def test_no_page_holds_a_secret(admin: Browser, user: Browser, details: list[str]) -> None:
    theirs = Session.objects.get(session_data=SECRET_TOKEN)
    tokens = theirs.token_set()
    revoked = make_revocation(make_session(theirs.person, timezone.now()), timezone.now())
    secrets = [
        *(SECRET_TOKEN, HASH, theirs.key_digest, theirs.token_set_sealed, revoked.sealed, admin.row.key_digest),
        *(tokens.access_token, tokens.id_token, tokens.refresh_token, user.cookies["session"].value),
    ]

    for page in pages(details):
        text = admin.get(page).content.decode()
        assert [secret for secret in secrets if secret in text] == [], page


def test_no_secret_column_is_read(admin: Browser, details: list[str]) -> None:
    for page in pages(details):
        with CaptureQueriesContext(connection) as queries:
            admin.get(page)
        # The reader's own session is read first, as on every page.
        text = " ".join(query["sql"] for query in queries.captured_queries[1:])
        for column in ("token_set_sealed", "session_data", '"sealed"', "args_kwargs", "return_value", "traceback"):
            assert column not in text, page


def test_no_table_is_counted_and_no_list_costs_more_with_more_rows(admin: Browser, details: list[str]) -> None:
    now = timezone.now()
    for row in make_sessions(60, now):
        make_revocation(row, now)
        Event.objects.record(Event.Kind.REFRESHED, row, now=now)

    for page in pages(details):
        with CaptureQueriesContext(connection) as queries:
            admin.get(page)
        text = [query["sql"] for query in queries.captured_queries]
        assert [sql for sql in text if "COUNT(" in sql or "DISTINCT" in sql] == [], page
        assert len(text) <= MOST_QUERIES, (page, text)


def test_a_list_goes_so_deep_and_says_so(admin: Browser, details: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedPaginator, "most_rows", 100)
    make_sessions(120, timezone.now())

    last = admin.get("/admin/accounts/session/?p=2")
    beyond = admin.get("/admin/accounts/session/?p=3")

    assert "there may be more" in last.content.decode()
    assert len(last.context["cl"].result_list) == 50
    assert beyond.status_code == 302  # as Django answers a page that is not there


def rows_read(browser: Browser, address: str) -> list[str]:
    """Return the queries for a page that read rows in an order."""
    with CaptureQueriesContext(connection) as queries:
        response = browser.get(address)
    assert response.status_code == 200
    return [sql for query in queries.captured_queries if "ORDER BY" in (sql := query["sql"])]


@pytest.mark.parametrize(
    "everything",
    [
        *("all=", "o=3", "o=-6.5.4", "o=1&o=2", "e=1", "_to_field=key_digest", "_facets=True", "_popup=1"),
        *("user__email__startswith=u", "session_data__contains=a", "is_active__exact=1"),
    ],
)
@pytest.mark.parametrize("table", ["user", "session", "endedsession", "revocation", "event"])
def test_no_query_string_asks_for_more(admin: Browser, details: list[str], table: str, everything: str) -> None:
    expected = rows_read(admin, f"/admin/accounts/{table}/?q=user@example.com")

    assert rows_read(admin, f"/admin/accounts/{table}/?q=user@example.com&{everything}") == expected


def test_a_pop_up_shows_no_more_than_the_page(admin: Browser, details: list[str]) -> None:
    for table in TABLES:
        text = admin.get(f"/admin/{table}/?_popup=1").content.decode()
        assert "data-popup-opener" not in text
        assert HASH not in text


def test_from_a_row_one_gets_back_to_what_was_searched_for(admin: Browser, details: list[str]) -> None:
    listed = admin.get("/admin/accounts/user/?q=user@&o=2").content.decode()
    opened = admin.get(f"{details[1]}?_changelist_filters=q%3Duser%2540").content.decode()

    assert f"{details[1]}?_changelist_filters=q%3Duser%2540" in listed
    assert 'href="/admin/accounts/user/?q=user%40"' in opened


@pytest.mark.parametrize(
    ("table", "text", "found"),
    [
        ("accounts/user", "user@", 1),
        ("accounts/user", "nobody@", 0),
        ("auth/group", "readers", 1),
        ("accounts/session", "203.0.113.7", 1),
        ("accounts/session", "203.0.113.7%eth0", 1),
        ("accounts/session", "user@example.com", 2),
        ("accounts/endedsession", "user@example.com", 1),
        ("accounts/revocation", "user@example.com", 2),
        ("accounts/event", "user@example.com", 3),
        ("accounts/event", "00000000-0000-4000-8000-000000000000", 0),
    ],
)
def test_a_search_finds_by_what_an_index_knows(
    admin: Browser, details: list[str], table: str, text: str, found: int
) -> None:
    response: Any = admin.get(f"/admin/{table}/", {"q": text})

    assert response.context["cl"].result_count == found


@pytest.mark.parametrize("table", TABLES[-2:])
def test_a_table_without_a_search_looks_at_none(admin: Browser, details: list[str], table: str) -> None:
    response: Any = admin.get(f"/admin/{table}/", {"q": "nobody"})

    assert response.context["cl"].result_count == 1


@pytest.mark.parametrize("what", ["", "nonsense", HASH, "00000000-0000-4000-8000-000000000000"])
def test_a_session_is_found_by_its_public_id_alone(admin: Browser, details: list[str], what: str) -> None:
    response = admin.get(f"/admin/accounts/session/{what or admin.row.key_digest}/change/")

    assert response.status_code == 404


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_not_there_leaves_no_message(admin: Browser, table: str) -> None:
    response = admin.get(f"/admin/{table}/CALL +49 800 1 NOW/change/")

    assert response.status_code == 404
    assert "CALL" not in admin.get("/console/").content.decode()


def test_there_is_no_history(admin: Browser, details: list[str]) -> None:
    assert admin.get(details[1].replace("change", "history")).status_code == 404


def test_no_page_needs_an_inline_style_or_script(admin: Browser, details: list[str]) -> None:
    assert {page: INLINE.findall(admin.get(page).content.decode()) for page in pages(details)} == {
        page: [] for page in pages(details)
    }


def test_the_console_leads_there(viewer: Browser) -> None:
    assert 'href="/admin/"' in viewer.get("/console/health/").content.decode()
