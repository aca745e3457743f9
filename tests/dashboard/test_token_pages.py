from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.cognito.errors import InvalidTokenError, ProviderUnavailableError
from accounts.cognito.tokens import Claims, TokenSet
from accounts.cognito.verifier import Inspection, Rule
from accounts.conf import token_verifier
from accounts.encryption import seal
from accounts.models import Session
from dashboard.token_page import ClaimRow, TokenReport, token_reports
from tests.conftest import Browser
from tests.dashboard.support import row_of, words
from tests.fake_user_pool import Failure, FakeUserPool

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN_SET = TokenSet(access_token="a", id_token="i", refresh_token="r")


class InspectedAs:
    """A verifier that has made up its mind."""

    def __init__(self, found: Inspection | Exception) -> None:
        self.found = found

    def inspect(self, token: str, *, use: str, now: datetime) -> Inspection:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def report_on(found: Inspection | Exception) -> TokenReport:
    return token_reports(InspectedAs(found), TOKEN_SET, NOW)[0]  # type: ignore[arg-type]


def claim_row(name: str, value: object) -> ClaimRow:
    payload = {"iss": "i", "sub": "s", "iat": NOW.timestamp(), "exp": NOW.timestamp() + 60} | {name: value}
    report = report_on(Inspection(claims=Claims.parse(payload), rules=()))
    return next(row for row in report.claims if row.name == name)


def test_a_nonce_is_explained_and_not_shown() -> None:
    row = claim_row("nonce", "of-this-sign-in")

    assert (row.label, row.values) == ("Nonce", ("Not shown: it has served its purpose.",))


def test_both_tokens_are_explained_and_every_check_holds(user: Browser) -> None:
    page = words(user.get("/tokens/"))

    assert page.count("Every check holds") == 2
    assert "Holds Signed with a key of this user pool signature" in page
    assert "Holds Made for this app alone aud" in page
    assert "Holds Made for this app client_id" in page
    assert "Fails" not in page
    assert page.count("Expires in 60 minutes") == 2
    assert "aws.cognito.signin.user.admin" in page


def test_every_claim_the_pool_makes_has_words_of_its_own(user: Browser) -> None:
    assert "no words for" not in words(user.get("/tokens/"))


def test_an_outsider_sees_the_claims_of_their_own_tokens(user: Browser, outsider: Browser) -> None:
    page = words(outsider.get("/tokens/"))

    assert outsider.person.sub in page
    assert user.person.sub not in page


def test_the_page_costs_one_query(user: Browser, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(1):
        user.get("/tokens/")


def test_the_tokens_of_another_session_of_ones_own_are_explained_too(user: Browser, phone: Browser) -> None:
    page = words(user.get(f"/sessions/{row_of(phone).public_id}/tokens/"))

    assert "Tokens of another session" in page
    assert "Firefox 132 on Linux" in page
    assert page.count("Every check holds") == 2


def test_expired_tokens_of_another_session_are_shown_with_the_check_that_fails(user: Browser, phone: Browser) -> None:
    row, later = row_of(phone), timezone.now() + timedelta(minutes=62)
    Session.objects.update(expire_date=later + timedelta(minutes=1))

    with time_machine.travel(later, tick=True):
        page = words(user.get(f"/sessions/{row.public_id}/tokens/"))

    assert page.count("Fails Expired exp") == 2
    assert user.person.sub in page
    assert row_of(phone).refreshed_at is None


@pytest.mark.parametrize("sealed", ["damaged", "another key"])
def test_tokens_that_cannot_be_read_break_neither_the_page_nor_this_session(
    user: Browser, phone: Browser, settings: Settings, sealed: str
) -> None:
    row = row_of(phone)
    Session.objects.filter(pk=row.pk).update(token_set_sealed=_unreadable(row, settings, sealed))

    response = user.get(f"/sessions/{row.public_id}/tokens/")

    assert response.status_code == 200
    assert "The stored tokens of this session cannot be read." in words(response)
    assert Session.objects.count() == 2


def test_the_tokens_of_this_session_have_one_address(user: Browser) -> None:
    assert user.get(f"/sessions/{user.row.public_id}/tokens/")["Location"] == "/tokens/"


def test_an_ended_session_has_no_tokens_to_show(user: Browser, phone: Browser) -> None:
    row = row_of(phone)
    user.post(f"/sessions/{row.public_id}/revoke/")

    assert user.get(f"/sessions/{row.public_id}/tokens/")["Location"] == f"/sessions/{row.public_id}/"


def test_the_tokens_of_another_session_cost_two_queries(
    user: Browser, phone: Browser, django_assert_max_num_queries: Any
) -> None:
    path = f"/sessions/{row_of(phone).public_id}/tokens/"

    with django_assert_max_num_queries(2):
        user.get(path)


def _unreadable(row: Session, settings: Settings, how: str) -> str:
    """Return a ciphertext for this row that the app cannot open."""
    if how == "damaged":
        return row.token_set_sealed[:-9] + "damaged.."
    keys = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [urlsafe_b64encode(bytes(32)).decode()]
    sealed = seal(row.token_set_sealed.encode(), bound_to=str(row.public_id))
    settings.TOKEN_ENCRYPTION_KEYS = keys
    return sealed


def test_without_signing_keys_no_claim_is_shown(user: Browser, pool: FakeUserPool) -> None:
    token_verifier.cache_clear()  # as in a process that has just started
    pool.fail("jwks", Failure.UNAVAILABLE)

    page = words(user.get("/tokens/"))

    assert page.count("signing keys cannot be reached") == 2
    assert user.person.sub not in page


def test_a_token_of_a_key_the_pool_no_longer_has_shows_no_claim(user: Browser, pool: FakeUserPool) -> None:
    token_verifier.cache_clear()
    pool.rotate_keys(keep_old=False)

    page = words(user.get("/tokens/"))

    assert "Fails Signed with a key this user pool does not have kid" in page
    assert user.person.sub not in page


@pytest.mark.parametrize(
    ("claim", "text"),
    [("signature", "Not signed by this user pool"), ("format", "Not in the form in which Cognito makes tokens")],
)
def test_a_token_that_does_not_pass_says_which_check_fails(claim: str, text: str) -> None:
    report = report_on(InvalidTokenError(claim, expected="x", actual="y"))

    assert [(rule.text, rule.holds) for rule in report.rules] == [(text, False)]
    assert report.claims == ()
    assert not report.all_hold


def test_keys_out_of_reach_are_no_verdict() -> None:
    report = report_on(ProviderUnavailableError("no answer"))

    assert report.keys_unreachable
    assert report.rules == ()


@pytest.mark.parametrize(
    ("claim", "text"),
    [("exp", "Expired"), ("iss", "Issued by somebody else"), ("token_use", "Of the wrong kind")],
)
def test_a_broken_rule_is_said_in_words(claim: str, text: str) -> None:
    claims = Claims.parse({"iss": "i", "sub": "s", "iat": 1, "exp": 2})

    report = report_on(Inspection(claims=claims, rules=(Rule(claim, "x", "y", holds=False),)))

    assert (report.rules[-1].text, report.rules[-1].holds) == (text, False)
    assert not report.all_hold


def test_no_leeway_makes_a_token_hold_that_the_page_calls_expired() -> None:
    claims = Claims.parse({"iss": "i", "sub": "s", "iat": 1, "exp": NOW.timestamp() - 1})

    report = report_on(Inspection(claims=claims, rules=(Rule("exp", "x", "y", holds=True),)))

    assert (report.rules[-1].text, report.rules[-1].holds) == ("Expired", False)


@pytest.mark.parametrize("name", ["name", "given_name", "picture"])
def test_an_attribute_of_the_person_says_where_it_comes_from(name: str) -> None:
    assert claim_row(name, "Uma").explanation == "From your profile at Cognito."


def test_the_page_looks_again_by_itself_and_says_when_tokens_were_refreshed(user: Browser) -> None:
    page = user.get("/tokens/")

    assert 'hx-get="/tokens/" hx-trigger="every 15s, refresh"' in page.content.decode()
    assert "Tokens refreshed Not since the sign-in Next refresh With the first request after" in words(page)


def test_what_a_page_left_open_says_of_an_expired_token_is_ready_and_hidden(user: Browser) -> None:
    html = user.get("/tokens/").content.decode()

    assert len(re.findall(r'<li data-before="[^"]+">', html)) == 2
    assert len(re.findall(r'<li data-after="[^"]+" hidden>', html)) == 2
    assert len(re.findall(r'<span class="badge bad" data-after="[^"]+" hidden>', html)) == 2


@pytest.mark.parametrize(
    ("name", "value", "values"),
    [
        ("cognito:groups", ["a", "b"], ("a", "b")),
        ("cognito:roles", ["arn:1", "arn:2"], ("arn:1", "arn:2")),
        ("cognito:roles", "arn:1,arn:2", ("arn:1", "arn:2")),
        ("scope", "openid email", ("openid", "email")),
        ("email_verified", False, ("No",)),
        ("version", 2, ("2",)),
        ("identities", [{"userId": "7", "providerName": "Okta"}], ("Okta, account 7",)),
        ("something_new", {"a": [1]}, ('{"a": [1]}',)),
        ("nbf", 10.0**20, ("1e+20",)),
    ],
)
def test_claims_of_every_type_are_shown(name: str, value: object, values: tuple[str, ...]) -> None:
    assert claim_row(name, value).values == values


def test_times_are_shown_as_times() -> None:
    assert claim_row("auth_time", NOW.timestamp()).at == NOW
