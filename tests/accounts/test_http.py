from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from accounts.http import client_address, page_above, wants_json
from accounts.sign_in import safe_next


def address(peer: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.fixture
def behind_proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8", "192.0.2.1"]


@pytest.mark.parametrize("forwarded", [None, "198.51.100.7", "10.0.0.1", "nonsense"])
def test_without_trusted_proxies_it_is_the_peer(settings: Settings, forwarded: str | None) -> None:
    settings.TRUSTED_PROXIES = []

    assert address("203.0.113.9", forwarded) == "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "  198.51.100.7  ,10.0.0.2 ,  10.9.9.9", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("192.0.2.1", "2001:DB8:0:0::7", "2001:db8::7"),
    ],
)
@pytest.mark.usefixtures("behind_proxies")
def test_behind_proxies_it_is_the_last_address_that_is_none_of_theirs(peer: str, forwarded: str, expected: str) -> None:
    assert address(peer, forwarded) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.5, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "<script>, 198.51.100.7", "198.51.100.7"),
    ],
)
@pytest.mark.usefixtures("behind_proxies")
def test_what_a_stranger_wrote_into_the_header_is_not_believed(peer: str, forwarded: str, expected: str) -> None:
    assert address(peer, forwarded) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded"),
    [
        ("10.0.0.1", None),
        ("10.0.0.1", ""),
        ("10.0.0.1", "unknown"),
        ("10.0.0.1", "198.51.100.7, unknown"),
        ("10.0.0.1", "198.51.100.7, , "),
        ("10.0.0.1", "999.1.1.1"),
        ("10.0.0.9", "10.0.0.1"),
        ("10.0.0.9", "10.0.0.1, 10.0.0.2, fd00::1"),
        ("10.0.0.9", "198.51.100.7, unknown, 10.0.0.1"),
        ("10.0.0.1", "\x00"),
        ("10.0.0.1", "," * 50_000),
    ],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.usefixtures("behind_proxies")
def test_where_nothing_but_proxies_can_be_believed_it_is_the_farthest(peer: str, forwarded: str | None) -> None:
    assert address(peer, forwarded) == "10.0.0.1"


@pytest.mark.parametrize(("peer", "forwarded"), [("", "198.51.100.7"), ("unix:", None)])
@pytest.mark.usefixtures("behind_proxies")
def test_a_peer_without_an_address_has_none_and_tells_none(peer: str, forwarded: str | None) -> None:
    assert address(peer, forwarded) is None


@pytest.mark.usefixtures("behind_proxies")
def test_a_proxy_seen_through_a_dual_stack_socket_is_recognised() -> None:
    assert address("::ffff:10.0.0.1", "198.51.100.7") == "198.51.100.7"


@pytest.mark.usefixtures("behind_proxies")
def test_an_address_with_a_zone_has_it_taken_off() -> None:
    assert address("fe80::1%eth0") in {"fe80::1", None}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", True),
        ("application/json, */*;q=0.1", True),
        ("application/*", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("*/*", False),
        ("image/png", False),
    ],
)
def test_the_accept_header_says_what_is_wanted(accept: str, expected: bool) -> None:
    assert wants_json(RequestFactory().get("/", headers={"accept": accept})) is expected


@pytest.mark.parametrize("url", ["http://testserver/sessions/", "https://testserver/sessions/"])
def test_over_https_next_is_no_weaker(url: str) -> None:
    request = RequestFactory().get("/", secure=True)

    assert safe_next(request, url) == (url if url.startswith("https") else "/")


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/sessions/revoke-others/", "/sessions/"),
        ("/nowhere/at/all/", "/"),
        ("/", "/"),
        ("//evil.example/sessions/", "/"),
        ("/sessions/" + "a/" * 2000, "/sessions/"),
        ("/" + "a/" * 2000, "/"),
    ],
)
def test_the_page_above_is_the_nearest_one_however_deep_the_address(path: str, page: str) -> None:
    assert page_above(path) == page
