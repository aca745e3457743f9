"""The page of one's own session: what it says of a live and of an ended one, and to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.ending import end_session
from accounts.models import EndedSession, EndReason, Event, Revocation, Session
from accounts.revocation import give_up
from dashboard.session_page import sign_in_methods
from dashboard.token_page import ClaimRow, TokenReport
from tests.conftest import Browser
from tests.dashboard.support import end_many, row_of, words
from tests.fake_user_pool import FakeUserPool


def page_of(browser: Browser, row: Session) -> str:
    return words(browser.get(f"/sessions/{row.public_id}/"))


def ended(row: Session, reason: EndReason = EndReason.ELSEWHERE, **columns: Any) -> Session:
    end_session(row, reason, now=timezone.now(), **columns)
    return row


# --- Live


def test_the_page_of_the_session_in_use_says_all_there_is_to_know(user: Browser) -> None:
    Session.objects.update(probed_at=timezone.now() - timedelta(minutes=3))

    page = page_of(user, user.row)

    assert "127.0.0.1 · signed in" in page
    assert "State Fresh The access token is valid." in page
    assert "Ends if unused in 30 minutes" in page
    assert "Ends in any case in 12 hours" in page
    assert "Cognito last asked 3 minutes ago" in page
    assert "Scopes openid" in page
    assert "Sign out this session" not in page


def test_the_page_of_another_session_leads_to_its_tokens_and_its_end(user: Browser, phone: Browser) -> None:
    response = user.get(f"/sessions/{row_of(phone).public_id}/")

    assert "Firefox 132 on Linux" in words(response)
    assert "This one" not in words(response)
    for name in ("tokens", "revoke", "not-recognised"):
        assert f'/sessions/{row_of(phone).public_id}/{name}/"' in response.content.decode()


def test_the_page_of_a_failing_session_says_when_the_next_try_is(user: Browser, phone: Browser) -> None:
    due = timezone.now() + timedelta(seconds=40)
    Session.objects.filter(pk=row_of(phone).pk).update(refresh_failures=2, refresh_due_at=due)

    page = page_of(user, row_of(phone))

    assert "Refresh failing" in page
    assert "we ask again. Next try with the first request after" in page


def test_every_health_of_a_live_session_is_explained(user: Browser, phone: Browser) -> None:
    Session.objects.filter(pk=row_of(phone).pk).update(access_expires_at=timezone.now() - timedelta(minutes=5))

    page = page_of(user, row_of(phone))

    assert "Asleep The access token has expired while nobody was here." in page
    assert "Access token expired 5 minutes ago" in page


def test_who_came_through_another_provider_is_told_so(pool: FakeUserPool, db: None) -> None:
    browser = Browser(pool, pool.add_person("fred@example.com", provider="Okta"))
    browser.sign_in()

    assert "Signed in with Okta, account" in page_of(browser, browser.row)


def test_the_ways_to_sign_in_are_in_words_and_said_once() -> None:
    claim = ClaimRow(name="amr", label="", explanation="", values=("pwd", "otp", "mfa", "swk", "hwk", "new"))

    methods = sign_in_methods([TokenReport(use="id", title="", purpose="", claims=(claim,))])

    assert methods == ["Password", "Authenticator app", "Passkey"]


def test_damaged_tokens_do_not_break_the_page_nor_end_this_session(user: Browser, phone: Browser) -> None:
    Session.objects.filter(pk=row_of(phone).pk).update(token_set_sealed="damaged")

    assert user.get(f"/sessions/{row_of(phone).public_id}/").status_code == 200
    assert Session.objects.filter(pk=row_of(user).pk).exists()


# --- Ended


def test_the_page_of_an_ended_session_says_why_and_what_cognito_knows(user: Browser, phone: Browser) -> None:
    row = ended(row_of(phone))
    Revocation.objects.update(state=Revocation.State.DONE, settled_at=timezone.now())

    page = page_of(user, row)

    assert "Revoked The session is over on this site, and Cognito has revoked its tokens." in page
    assert "Why Signed out from another browser" in page
    assert "Its refresh token Cognito was told" in page
    assert "A service that only checks its signature accepts it until" in page
    assert "Sign out this session" not in page


def test_while_cognito_has_not_been_told_the_session_is_ended_but_not_revoked(user: Browser, phone: Browser) -> None:
    row = ended(row_of(phone))

    page = page_of(user, row)

    assert "State Ended The session is over on this site. Cognito has not revoked its tokens." in page
    assert "Cognito has not been told yet." in page


def test_the_owner_reads_an_operators_reason_but_not_the_name(user: Browser, phone: Browser, admin: Browser) -> None:
    row = ended(row_of(phone), EndReason.OPERATOR, actor=admin.row.person, note="Laptop reported stolen")

    page = page_of(user, row)

    assert "Why Ended by an operator The reason they gave Laptop reported stolen" in page
    assert "Ended by an operator. The reason given: Laptop reported stolen" in page
    assert "admin@example.com" not in page
    assert "Ada" not in page


def test_a_revocation_given_up_says_why(user: Browser, phone: Browser, admin: Browser) -> None:
    row = ended(row_of(phone))
    give_up(Revocation.objects.get(), "The pool was deleted", timezone.now(), actor=admin.row.person)

    page = page_of(user, row)

    assert "Given up: we have stopped trying to tell Cognito" in page
    assert "Why it was given up The pool was deleted" in page
    assert "admin@example.com" not in page


def test_who_works_at_a_shell_is_not_named_either(
    user: Browser, phone: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada-at-the-shell")
    row = row_of(phone)
    call_command("sessions", "revoke", str(row.public_id), reason="Laptop reported stolen")
    call_command("revocations", "give-up", str(Revocation.objects.get().pk), reason="The pool was deleted")

    page = page_of(user, row)

    assert "The reason they gave Laptop reported stolen" in page
    assert "Why it was given up The pool was deleted" in page
    assert "ada-at-the-shell" not in page
    assert "manage.py" not in page


def test_an_error_of_a_pending_revocation_is_not_shown_raw(user: Browser, phone: Browser) -> None:
    row = ended(row_of(phone))
    Revocation.objects.update(last_error="UserPoolError: InternalErrorException", attempts=1)

    page = page_of(user, row)

    assert "Cognito could not be told yet." in page
    assert "InternalError" not in page


def test_a_session_whose_time_is_over_is_shown_as_ended_at_once(user: Browser, phone: Browser) -> None:
    row = row_of(phone)
    Session.objects.filter(pk=row.pk).update(expire_date=timezone.now() - timedelta(seconds=1))

    assert "Why Not used for too long" in page_of(user, row)


def test_a_session_that_ended_long_ago_is_no_longer_shown(user: Browser) -> None:
    trace = end_many(user.row.person, 1)[0]
    EndedSession.objects.update(ended_at=timezone.now() - timedelta(days=31))

    assert user.get(f"/sessions/{trace.pk}/").status_code == 404


# --- What happened


def test_the_timeline_tells_in_plain_words_what_happened(user: Browser, phone: Browser) -> None:
    row, now = row_of(phone), timezone.now()
    details = {
        Event.Kind.REFRESHED: "",
        Event.Kind.REFRESH_FAILED: "ProviderUnavailableError: no answer in time",
        Event.Kind.REFRESH_REUSED: "RefreshTokenReuseException",
    }
    for kind, detail in details.items():
        Event.objects.record(kind, row, now=now, detail=detail)
    ended(row, EndReason.REFRESH_REFUSED)

    page = page_of(user, row)

    assert "Tokens refreshed" in page
    assert "Refresh failed Cognito could not be reached." in page
    assert "An old refresh token turned up Somebody may have copied it." in page
    assert "Ended Cognito refused new tokens." in page
    assert "Error" not in page
    assert "Exception" not in page


def test_every_kind_of_event_has_words_on_the_timeline(user: Browser) -> None:
    for kind in Event.Kind:
        Event.objects.record(kind, user.row, now=timezone.now(), detail="SECRET-DETAIL")

    response = user.get(f"/sessions/{user.row.public_id}/")

    assert len(response.context["steps"]) == len(Event.Kind) + 1
    assert all(step.title for step in response.context["steps"])
    assert "SECRET-DETAIL" not in words(response)


def test_the_last_probe_and_the_answer_to_a_revocation_are_on_the_timeline(user: Browser, phone: Browser) -> None:
    row, now = row_of(phone), timezone.now()
    Session.objects.update(probed_at=now + timedelta(seconds=1))

    live = user.get(f"/sessions/{row.public_id}/").context["steps"]
    ended(row)
    Revocation.objects.update(state=Revocation.State.DONE, settled_at=now + timedelta(seconds=9))
    over = user.get(f"/sessions/{row.public_id}/").context["steps"]

    assert [step.title for step in live] == ["Cognito asked", "Signed in"]
    assert [step.title for step in over] == ["Cognito told", "Ended", "Signed in"]


def test_a_long_timeline_is_read_a_page_at_a_time(user: Browser) -> None:
    row, now = user.row, timezone.now()
    Session.objects.update(probed_at=now - timedelta(hours=3))
    Event.objects.bulk_create(
        Event(
            at=now - timedelta(minutes=number + 1),
            kind=Event.Kind.REFRESHED,
            session_id=row.public_id,
            user=row.person,
        )
        for number in range(60)
    )

    first = user.get(f"/sessions/{row.public_id}/")
    second = user.get(f"/sessions/{row.public_id}/", {"after": first.context["page"].next_cursor})

    assert (len(first.context["steps"]), len(second.context["steps"])) == (50, 11)
    assert 'rel="next">Older</a>' in first.content.decode()
    assert "There is nothing older." in words(second)
    assert "Ends if unused" not in words(second)


# --- For whom, and at what cost


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("path", ["", "tokens/", "not-recognised/"])
def test_an_outsider_learns_nothing_of_the_users_session(
    user: Browser, outsider: Browser, path: str, is_over: bool
) -> None:
    row = user.row
    if is_over:
        ended(row)

    there = outsider.get(f"/sessions/{row.public_id}/{path}")
    nowhere = outsider.get(f"/sessions/{uuid4()}/{path}")

    assert there.status_code == nowhere.status_code == 404
    assert "There is no such page" in words(there)
    assert words(there).replace(there["X-Request-ID"], "") == words(nowhere).replace(nowhere["X-Request-ID"], "")


def test_an_operator_has_no_page_of_somebody_elses_session_here(user: Browser, admin: Browser) -> None:
    assert admin.get(f"/sessions/{user.row.public_id}/").status_code == 404


@pytest.mark.parametrize("whose", ["current", "other", "ended"])
def test_the_page_costs_at_most_three_queries(
    user: Browser, phone: Browser, whose: str, django_assert_max_num_queries: Any
) -> None:
    row = row_of(user if whose == "current" else phone)
    if whose == "ended":
        ended(row)

    with django_assert_max_num_queries(3):
        response = user.get(f"/sessions/{row.public_id}/")

    assert response.status_code == 200
