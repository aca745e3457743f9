"""The kept statement reads what a query set would."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Session, one_read
from accounts.models.authorization import digest
from accounts.models.one_read import session_of
from accounts.sessions import SessionStore
from tests.conftest import Browser


def columns(instance: object) -> dict[str, object]:
    return {field.attname: getattr(instance, field.attname) for field in type(instance)._meta.concrete_fields}  # type: ignore[attr-defined]


def test_it_reads_a_session_and_its_person_as_a_query_set_does(user: Browser) -> None:
    expected = Session.objects.select_related("user").get(pk=user.row.pk)

    found = session_of(user.row.pk)

    assert found is not None
    assert columns(found) == columns(expected)
    assert columns(found.person) == columns(expected.person)


def test_it_asks_the_database_once(user: Browser) -> None:
    pk = user.row.pk

    with CaptureQueriesContext(connection) as queries:
        found = session_of(pk)
        email = found.person.email if found else ""

    assert email == "user@example.com"
    assert len(queries) == 1


def test_a_kept_connection_needs_no_other_health_check(user: Browser) -> None:
    pk = user.row.pk
    connection.health_check_done = False  # type: ignore[attr-defined]

    session_of(pk)

    assert connection.health_check_done  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_what_a_good_connection_refuses_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_read, "statement", lambda _alias: one_read.Statement("SELECT 1 FROM nowhere WHERE %s", []))
    connection.health_check_done = False  # type: ignore[attr-defined]

    with CaptureQueriesContext(connection) as queries, pytest.raises(OperationalError, match="nowhere"):
        session_of(digest("anything"))

    assert len(queries) == 1


@pytest.mark.django_db
def test_a_session_of_nobody_has_no_person() -> None:
    store = SessionStore()
    store["note"] = "for later"
    store.save()

    found = session_of(digest(str(store.session_key)))

    assert found is not None
    assert found.user is None
    assert found.user_id is None


@pytest.mark.django_db
def test_a_key_that_is_nobodys_finds_nothing() -> None:
    assert session_of(digest("made up")) is None


def test_what_was_read_can_be_saved_and_changed_as_any_row(user: Browser) -> None:
    found = session_of(user.row.pk)
    assert found is not None

    found.person.name = "Uma Renamed"
    found.person.save()

    assert found._state.adding is False
    assert user.row.person.name == "Uma Renamed"


def test_the_sessions_own_data_is_decoded_only_when_somebody_looks(user: Browser) -> None:
    store = SessionStore(user.cookies["session"].value)

    row = store.row

    assert row is not None
    assert not hasattr(store, "_session_cache")
    assert store.accessed
    assert store["_auth_user_id"] == str(row.user_id)
