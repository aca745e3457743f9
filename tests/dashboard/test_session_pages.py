from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import EndedSession, EndReason, Revocation, Session
from tests.conftest import Browser
from tests.dashboard.support import end_many, row_of, words
from tests.fake_user_pool import Failure, FakeUserPool


@pytest.fixture
def act(user: Browser, django_capture_on_commit_callbacks: Any) -> Callable[[str], Any]:
    """Submit one of the page's forms as the user, tell Cognito as after a commit, and return the page after it."""

    def act(path: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            response = user.post(path)
        return user.get(response["Location"])

    return act


def test_a_single_session_is_this_one_and_has_no_others(user: Browser) -> None:
    page = words(user.get("/sessions/"))

    assert "This one" in page
    assert "You have no other sessions" in page
    assert "Sign out all others" not in page
    assert "Sign out this session" not in page
    assert "I don't recognise this" not in page
    assert "No session of yours has ended in the last 30 days." in page


def test_every_session_is_shown_with_its_browser_and_this_one_first(user: Browser, phone: Browser) -> None:
    page = words(user.get("/sessions/"))

    assert "Firefox 132 on Linux" in page
    assert page.index("This one") < page.index("Firefox 132 on Linux")
    assert page.count("This one") == 1
    assert page.count("Sign out this session") == 1


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"refresh_due_at": -1}, "Refresh due"),
        ({"access_expires_at": -1}, "Asleep Expired 1 minute ago"),
        ({"refresh_failures": 1, "refresh_due_at": 1}, "Refresh failing Next try with the first request after"),
        ({"refresh_failures": 1, "refresh_due_at": -1}, "Refresh failing Next try with the next request"),
        ({"refresh_claimed_until": 1}, "Refreshing"),
    ],
)
def test_a_session_shows_the_health_of_its_tokens(
    user: Browser, phone: Browser, columns: dict[str, int], word: str
) -> None:
    now = timezone.now()
    values: dict[str, Any] = {
        name: now + timedelta(minutes=value) if name.endswith(("_at", "_until")) else value
        for name, value in columns.items()
    }
    Session.objects.filter(pk=row_of(phone).pk).update(**values)

    assert word in words(user.get("/sessions/"))


def test_the_page_costs_three_queries_however_many_sessions_there_are(
    user: Browser, phone: Browser, django_assert_max_num_queries: Any
) -> None:
    user.post(f"/sessions/{row_of(phone).public_id}/revoke/")
    for _ in range(3):
        Browser(user.pool, user.person).sign_in()

    with django_assert_max_num_queries(3):
        user.get("/sessions/")


def test_a_person_ends_another_session_and_sees_why_it_ended(
    user: Browser, phone: Browser, act: Callable[[str], Any]
) -> None:
    response = act(f"/sessions/{row_of(phone).public_id}/revoke/")

    page = words(response)
    assert "Signed out: Firefox 132 on Linux." in page
    assert "Signed out from another browser Revoked Cognito was told" in page
    assert phone.get("/profile/").status_code == 401


def test_what_cognito_does_not_know_yet_is_shown_without_a_raw_error(
    phone: Browser, pool: FakeUserPool, act: Callable[[str], Any]
) -> None:
    pool.fail("RevokeToken", Failure.INTERNAL_ERROR)

    page = words(act("/sessions/revoke-others/"))

    assert "Ended Cognito could not be told yet. Next try in" in page
    assert "Error" not in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Revocation.State.EXPIRED, "Ended No need to tell Cognito: the refresh token has expired."),
        (Revocation.State.GIVEN_UP, "Ended Given up"),
    ],
)
def test_a_revocation_that_never_came_to_be_is_not_called_done(
    user: Browser, phone: Browser, state: str, said: str
) -> None:
    user.post("/sessions/revoke-others/")
    Revocation.objects.update(state=state)

    assert said in words(user.get("/sessions/"))


def test_what_cognito_was_told_is_not_made_up_once_it_is_off_the_record(user: Browser, phone: Browser) -> None:
    user.post("/sessions/revoke-others/")
    EndedSession.objects.update(revocation=None)

    assert "Ended What Cognito was told is no longer on record." in words(user.get("/sessions/"))


def test_signing_out_all_others_names_them(user: Browser, phone: Browser, act: Callable[[str], Any]) -> None:
    for _ in range(4):
        Browser(user.pool, user.person).sign_in()

    page = words(act("/sessions/revoke-others/"))

    said = page[page.index("Signed out 5 other sessions: ") :].partition(". ")[0]
    assert "An unknown browser" in said
    assert said.endswith(", 2 more")


def test_signing_out_no_others_claims_nothing(act: Callable[[str], Any]) -> None:
    page = words(act("/sessions/revoke-others/"))

    assert "You had no other sessions." in page
    assert "Signed out" not in page


@pytest.mark.parametrize("is_tidied_up", [True, False])
def test_a_session_that_is_over_already_is_not_ended_again(
    user: Browser, phone: Browser, act: Callable[[str], Any], is_tidied_up: bool
) -> None:
    public_id = row_of(phone).public_id
    Session.objects.filter(public_id=public_id).update(expire_date=timezone.now() - timedelta(seconds=1))
    if is_tidied_up:
        phone.get("/")

    page = words(act(f"/sessions/{public_id}/revoke/"))

    assert "That session had ended already." in page
    assert EndedSession.objects.get().reason == EndReason.IDLE


def test_the_session_in_use_is_signed_out_by_way_of_the_sign_out_page(user: Browser) -> None:
    response = user.post(f"/sessions/{user.row.public_id}/revoke/")

    assert response["Location"] == "/logout/"
    assert Session.objects.filter(pk=user.row.pk).exists()


def test_only_the_last_ten_ends_are_listed_and_the_rest_is_a_link_away(user: Browser) -> None:
    traces = end_many(user.row.person, 12)

    first = user.get("/sessions/")
    older = user.get("/sessions/ended/", {"after": first.context["ended"].next_cursor})

    assert [row.pk for row in first.context["ended"].rows] == [trace.pk for trace in traces[:10]]
    assert [row.pk for row in older.context["page"].rows] == [trace.pk for trace in traces[10:]]
    assert 'href="/sessions/ended/?after=' in first.content.decode()
    assert f'href="/sessions/{traces[11].pk}/"' in older.content.decode()


def test_all_ends_of_the_last_30_days_are_listed_a_page_at_a_time(user: Browser) -> None:
    traces = end_many(user.row.person, 60)
    long_gone = traces[-1]
    EndedSession.objects.filter(pk=long_gone.pk).update(ended_at=timezone.now() - timedelta(days=31))

    first = user.get("/sessions/ended/")
    second = user.get("/sessions/ended/", {"after": first.context["page"].next_cursor})

    found = [row.pk for response in (first, second) for row in response.context["page"].rows]
    assert found == [trace.pk for trace in traces[:-1]]
    assert "There is nothing older." in words(second)


@pytest.mark.parametrize("cursor", ["", "nonsense", "\x00~1"])
def test_a_made_up_place_in_the_list_leads_to_its_top(user: Browser, cursor: str) -> None:
    end_many(user.row.person, 1)

    assert len(user.get("/sessions/ended/", {"after": cursor}).context["page"].rows) == 1


def test_the_list_of_ended_sessions_says_when_it_is_empty(user: Browser) -> None:
    assert "No session of yours has ended in the last 30 days." in words(user.get("/sessions/ended/"))


def test_the_list_of_ended_sessions_costs_two_queries(user: Browser, django_assert_max_num_queries: Any) -> None:
    end_many(user.row.person, 20)

    with django_assert_max_num_queries(2):
        user.get("/sessions/ended/")


def test_an_outsider_sees_no_ended_session_of_the_user(user: Browser, outsider: Browser) -> None:
    trace = end_many(user.row.person, 1)[0]

    assert str(trace.pk) not in outsider.get("/sessions/ended/").content.decode()


def test_an_outsider_neither_sees_nor_ends_the_sessions_of_the_user(user: Browser, outsider: Browser) -> None:
    public_id = user.row.public_id

    page = outsider.get("/sessions/").content.decode()
    response = outsider.post(f"/sessions/{public_id}/revoke/")

    assert str(public_id) not in page
    assert response.status_code == 404
    assert Session.objects.filter(public_id=public_id).exists()
    assert not EndedSession.objects.exists()


def test_an_outsider_who_ends_all_their_others_leaves_the_user_alone(user: Browser, outsider: Browser) -> None:
    outsider.post("/sessions/revoke-others/")

    assert user.get("/sessions/").status_code == 200


def test_the_name_of_a_browser_is_linked_without_a_space_around_it(user: Browser) -> None:
    page = user.get("/sessions/").content.decode()

    assert re.search(rf'<a href="/sessions/{user.row.public_id}/">\S[^<]*\S</a>', page)
