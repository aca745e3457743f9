from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Event, Revocation
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("revocations", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def pending(user: Browser, pool: FakeUserPool) -> Revocation:
    """A revocation that Cognito could not be told of."""
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    user.post("/logout/")
    pool.recover()
    revocation: Revocation = Revocation.objects.get()
    return revocation


def test_list_prints_what_waits_and_why_but_no_token(pending: Revocation) -> None:
    text = run("list", "--state", "pending", "--json")

    record = json.loads(text)
    assert record["revocation"] == str(pending.pk)
    assert record["attempts"] == 1
    assert pending.token_set().refresh_token not in text


def test_retry_tells_cognito_at_once_and_records_who_and_why(pending: Revocation, pool: FakeUserPool) -> None:
    said = run("retry", str(pending.pk), "--reason", "the outage is over")

    assert "done" in said
    assert pool.calls.count("RevokeToken") == 2
    assert "the outage is over" in Event.objects.get(kind=Event.Kind.REVOCATION_RETRIED).detail


def test_a_retry_that_fails_leaves_it_to_the_worker(pending: Revocation, pool: FakeUserPool) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)

    said = run("retry", str(pending.pk), "--reason", "impatience")

    assert "pending" in said
    assert Revocation.objects.get().attempts == 2


def test_giving_up_erases_the_tokens_and_records_who_and_why(pending: Revocation) -> None:
    run("give-up", str(pending.pk), "--reason", "the pool is gone")

    pending.refresh_from_db()
    assert pending.state == Revocation.State.GIVEN_UP
    assert pending.sealed == ""
    assert "the pool is gone" in Event.objects.get(kind=Event.Kind.REVOCATION_GIVEN_UP).detail


@pytest.mark.parametrize("action", ["retry", "give-up"])
def test_a_reason_is_one_line(pending: Revocation, action: str) -> None:
    with pytest.raises(CommandError, match="one line"):
        run(action, str(pending.pk), "--reason", "over\x1b[2J")

    assert Revocation.objects.get().attempts == 1


def test_what_is_settled_can_neither_be_retried_nor_given_up(pending: Revocation) -> None:
    run("retry", str(pending.pk), "--reason", "now")

    for action in ("retry", "give-up"):
        with pytest.raises(CommandError, match="no pending revocation"):
            run(action, str(pending.pk), "--reason", "again")


@pytest.mark.parametrize("command", ["sessions", "revocations"])
@pytest.mark.parametrize("limit", ["-1", "0", "many"])
def test_a_limit_that_is_no_number_above_zero_is_refused(command: str, limit: str) -> None:
    with pytest.raises(CommandError, match="above zero"):
        call_command(command, "list", f"--limit={limit}")
