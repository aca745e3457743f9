"""How often one address, and one person, may do what costs something."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts import rate_limits
from accounts.models import AuthorizationRequest, Session, User
from accounts.rate_limits import (
    FAILED_CALLBACK,
    OPERATOR,
    SESSION_API,
    SIGN_IN,
    SIGN_OUT,
    WINDOW_SECONDS,
    RateLimit,
    spend,
    wait,
)
from tests.accounts.support import problem_name
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool
from tests.outages.support import BROKEN_CACHE

LIMIT = RateLimit("test", per_address=3, per_person=2)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
JSON = {"accept": "application/json"}


def request_from(address: str, person: Any = None, **headers: str) -> Any:
    request: Any = RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)
    request.user = person or AnonymousUser()
    return request


def allowed(requests: list[Any], now: datetime = NOON) -> list[bool]:
    return [spend(request, LIMIT, now) == 0 for request in requests]


@pytest.fixture
def squeezed(settings: Settings) -> Callable[[RateLimit, int], None]:
    """Multiply all limits so that of this one so many requests are left to an address."""

    def squeeze(limit: RateLimit, left: int) -> None:
        settings.RATE_LIMIT_FACTOR = (left or 0.1) / limit.per_address

    return squeeze


# --- The counting


def test_one_too_many_waits_for_the_next_window() -> None:
    request = request_from("203.0.113.9")

    waits = [spend(request, LIMIT, NOON + timedelta(seconds=100)) for _ in range(5)]

    assert waits == [0, 0, 0, 200, 200]
    assert spend(request, LIMIT, NOON + timedelta(seconds=299)) == 1
    assert spend(request, LIMIT, NOON + timedelta(seconds=300)) == 0


def test_after_what_retry_after_says_it_works_again() -> None:
    request = request_from("203.0.113.9")
    seconds = [spend(request, LIMIT, NOON) for _ in range(4)][-1]

    assert spend(request, LIMIT, NOON + timedelta(seconds=seconds)) == 0


def test_each_address_has_requests_of_its_own() -> None:
    first, second = request_from("203.0.113.9"), request_from("203.0.113.10")

    assert allowed([first] * 4 + [second]) == [True, True, True, False, True]


def test_addresses_of_one_ipv6_network_are_one() -> None:
    neighbours = [request_from(f"2001:db8:1:2:{number:x}::1") for number in range(4)]
    other = request_from("2001:db8:1:3::1")

    assert allowed([*neighbours, other]) == [True, True, True, False, True]


def test_an_ipv4_address_seen_through_a_dual_stack_socket_is_the_same() -> None:
    assert allowed([request_from("203.0.113.9"), request_from("::ffff:203.0.113.9")] * 2)[-1] is False


def test_each_person_has_requests_of_their_own_wherever_they_are() -> None:
    ann, bob = User(pk="1" * 32), User(pk="2" * 32)
    requests = [request_from(f"203.0.113.{number}", ann) for number in range(3)]

    assert allowed([*requests, request_from("203.0.113.1", bob)]) == [True, True, False, True]


def test_each_limit_counts_for_itself() -> None:
    request = request_from("203.0.113.9")
    allowed([request] * 4)

    assert spend(request, RateLimit("other", per_address=1), NOON) == 0


def test_looking_does_not_count() -> None:
    request = request_from("203.0.113.9")

    assert [wait(request, LIMIT, NOON) for _ in range(9)] == [0] * 9
    allowed([request] * 3)
    assert wait(request, LIMIT, NOON) == WINDOW_SECONDS


def test_without_an_address_to_believe_nobody_pays_for_all() -> None:
    assert allowed([request_from("unix:")] * 9) == [True] * 9


@pytest.mark.parametrize("forwarded", ["198.51.100.{}", "10.0.0.1, 198.51.100.{}", "198.51.100.{}, 203.0.113.9"])
def test_no_header_makes_a_stranger_somebody_else(forwarded: str) -> None:
    requests = [request_from("203.0.113.9", **{"X-Forwarded-For": forwarded.format(n)}) for n in range(4)]

    assert allowed(requests) == [True, True, True, False]


def test_behind_a_trusted_proxy_each_browser_counts_for_itself(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    requests = [request_from("10.0.0.1", **{"X-Forwarded-For": f"1.2.3.4, 198.51.100.{n}"}) for n in range(4)]
    spoofing = [request_from("10.0.0.1", **{"X-Forwarded-For": f"198.51.100.{n}, 192.0.2.1"}) for n in range(4)]

    assert allowed(requests) == [True] * 4
    assert allowed(spoofing) == [True, True, True, False]


@pytest.mark.parametrize(("factor", "most"), [(0.34, 1), (1.0, 3), (2.0, 6)])
def test_one_setting_makes_all_limits_wider_or_narrower(settings: Settings, factor: float, most: int) -> None:
    settings.RATE_LIMIT_FACTOR = factor

    assert allowed([request_from("203.0.113.9")] * 9).count(True) == most


def test_zero_switches_them_off_and_asks_no_cache(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.RATE_LIMIT_FACTOR = 0
    settings.CACHES = BROKEN_CACHE

    assert allowed([request_from("203.0.113.9")] * 9) == [True] * 9
    assert not caplog.records


def test_a_cache_that_is_down_lets_everybody_through(settings: Settings) -> None:
    settings.CACHES = BROKEN_CACHE

    assert allowed([request_from("203.0.113.9")] * 5) == [True] * 5


def test_reaching_a_limit_is_told_once_with_the_address(caplog: pytest.LogCaptureFixture) -> None:
    allowed([request_from("203.0.113.9")] * 9)

    [record] = [record for record in caplog.records if record.name == rate_limits.__name__]
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "Rate limit test: more than 3 requests in 300 s by 203.0.113.9"


# --- Where it is


def test_beginning_sign_ins_is_limited(client: Client, pool: FakeUserPool, db: None, squeezed: Any) -> None:
    squeezed(SIGN_IN, 3)

    responses = [client.get("/login/") for _ in range(5)]

    assert [response.status_code for response in responses] == [302, 302, 302, 429, 429]
    assert problem_name(responses[-1]) == "too_many_requests"
    assert 1 <= int(responses[-1]["Retry-After"]) <= WINDOW_SECONDS
    assert AuthorizationRequest.objects.count() == 3


def test_proving_anew_who_one_is_is_limited_as_signing_in_is(user: Browser, squeezed: Any) -> None:
    squeezed(SIGN_IN, 2)

    responses = [user.post("/reauthenticate/", {"next": "/"}) for _ in range(3)]

    assert [response.status_code for response in responses] == [302, 429, 429]


def test_the_page_says_how_long_to_wait_and_leads_back(
    client: Client, pool: FakeUserPool, db: None, squeezed: Any
) -> None:
    squeezed(SIGN_IN, 0)

    response = client.get("/login/?next=/sessions/")

    page = response.content.decode()
    assert "Too many requests" in page
    assert f"Wait at least {response['Retry-After']} second" in page
    assert 'href="/login/?next=/sessions/"' in page
    assert response["X-Request-ID"] in page


def test_a_json_client_is_told_in_json(client: Client, pool: FakeUserPool, db: None, squeezed: Any) -> None:
    squeezed(SESSION_API, 0)

    response = client.get("/api/session/", headers=JSON)

    assert response.status_code == 429
    assert response["Retry-After"]
    assert response.json() == {"error": "too_many_requests", "request_id": response["X-Request-ID"]}


def test_sign_ins_that_fail_are_limited(visitor: Browser, squeezed: Any) -> None:
    squeezed(FAILED_CALLBACK, 3)
    visitor.get("/login/")

    statuses = [visitor.get("/callback/?code=made-up&state=made-up").status_code for _ in range(5)]

    assert statuses == [302, 400, 400, 429, 429]


def test_codes_that_are_no_good_are_limited(visitor: Browser, pool: FakeUserPool, squeezed: Any) -> None:
    squeezed(FAILED_CALLBACK, 2)
    pool.fail("token", "invalid_grant")

    statuses = [visitor.sign_in().status_code for _ in range(3)]

    assert statuses == [400, 400, 429]


def test_an_outage_uses_nothing_up(visitor: Browser, pool: FakeUserPool, squeezed: Any) -> None:
    squeezed(FAILED_CALLBACK, 2)
    pool.fail("token", Failure.UNAVAILABLE)

    statuses = [visitor.sign_in().status_code for _ in range(4)]

    pool.recover()
    assert statuses == [503] * 4
    assert visitor.sign_in().status_code == 302


def test_sign_ins_that_succeed_use_nothing_up(visitor: Browser, squeezed: Any) -> None:
    squeezed(FAILED_CALLBACK, 1)

    for _ in range(3):
        visitor.cookies.clear()
        assert visitor.sign_in()["Location"] == "/"


@pytest.mark.parametrize("path", ["/logout/", "/logout/everywhere/", "/sessions/revoke-others/"])
def test_signing_out_is_limited_and_then_nothing_has_happened(user: Browser, squeezed: Any, path: str) -> None:
    squeezed(SIGN_OUT, 0)

    response = user.post(path)

    assert response.status_code == 429
    assert "Nothing was changed" in response.content.decode()
    assert Session.objects.filter(pk=user.row.pk).exists()


def test_looking_at_the_ways_to_sign_out_is_not_limited(user: Browser, squeezed: Any) -> None:
    squeezed(SIGN_OUT, 0)

    assert user.get("/logout/").status_code == 200


def test_what_operators_do_is_limited_and_looking_is_not(admin: Browser, user: Browser, squeezed: Any) -> None:
    squeezed(OPERATOR, 0)
    path = f"/console/sessions/{user.row.public_id}/revoke/"

    assert admin.post(path, {"reason": "raid"}).status_code == 429
    assert admin.get("/console/sessions/").status_code == 200
    assert Session.objects.filter(pk=user.row.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_asking_cognito_about_people_is_limited(
    admin: Browser, user: Browser, pool: FakeUserPool, settings: Settings, aws_credentials: None
) -> None:
    settings.COGNITO_ADMIN_API = True
    settings.RATE_LIMIT_FACTOR = 2 / (OPERATOR.per_person or 1)
    person = f"/console/people/{user.row.user_id}/"

    statuses = [admin.get(f"{person}?ask=cognito").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert pool.calls.count("AdminGetUser") == 2
    assert admin.get(person).status_code == 200


def test_an_outsider_is_refused_before_anything_is_counted(outsider: Browser, user: Browser, squeezed: Any) -> None:
    squeezed(OPERATOR, 0)

    assert outsider.post(f"/console/sessions/{user.row.public_id}/revoke/", {"reason": "raid"}).status_code == 403


def test_one_person_who_asks_too_often_holds_nobody_else_up(
    user: Browser, outsider: Browser, settings: Settings
) -> None:
    settings.RATE_LIMIT_FACTOR = 2 / (SESSION_API.per_person or 1)

    assert [user.get("/api/session/").status_code for _ in range(3)] == [200, 200, 429]
    assert outsider.get("/api/session/").status_code == 200


def test_an_authenticated_page_asks_the_cache_nothing(
    user: Browser, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = BROKEN_CACHE

    for path in ("/", "/sessions/", "/logout/"):
        assert user.get(path).status_code == 200

    assert "The cache is of no use now" not in caplog.text


def test_an_office_behind_one_address_signs_in_within_a_quarter_of_an_hour() -> None:
    assert SIGN_IN.per_address * 3 >= 3000


@pytest.mark.parametrize("limit", [SESSION_API, SIGN_OUT, OPERATOR])
def test_an_address_has_room_for_many_persons(limit: RateLimit) -> None:
    assert limit.per_person
    assert limit.per_address >= 10 * limit.per_person
