"""What browsers report of the content security policy."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts import csp_reports
from accounts.csp_reports import MAX_BYTES, MAX_REPORTS, read_reports
from accounts.rate_limits import RateLimit
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

SECRET = "eyJhbGciOi.secret-of-somebody"
PAGE = f"https://app.example.com/callback/?code={SECRET}#{SECRET}"
OLD = {
    "csp-report": {
        "document-uri": PAGE,
        "referrer": f"https://hosted-ui.example.com/?{SECRET}",
        "violated-directive": "script-src-elem 'self'",
        "effective-directive": "script-src-elem",
        "original-policy": f"default-src 'none'; report-uri /{SECRET}",
        "blocked-uri": f"https://user:{SECRET}@evil.example.com:8443/{SECRET}?{SECRET}",
        "source-file": f"https://app.example.com/{SECRET}",
        "script-sample": SECRET,
    }
}
NEW = [
    {
        "type": "csp-violation",
        "age": 10,
        "url": PAGE,
        "user_agent": SECRET,
        "body": {
            "documentURL": PAGE,
            "referrer": SECRET,
            "blockedURL": "inline",
            "effectiveDirective": "script-src-attr",
            "originalPolicy": SECRET,
            "sample": SECRET,
            "sourceFile": SECRET,
        },
    }
]


def report(client: Client, body: Any, media_type: str = "application/csp-report", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return client.post("/csp-report/", content, content_type=media_type, headers=headers)


@pytest.mark.parametrize(
    ("body", "media_type", "line"),
    [
        (OLD, "application/csp-report", "script-src-elem stopped https://evil.example.com:8443 on '/callback/'"),
        (NEW, "application/reports+json", "script-src-attr stopped inline on '/callback/'"),
    ],
)
def test_a_violation_is_one_line_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, body: Any, media_type: str, line: str
) -> None:
    response = report(client, body, media_type)

    assert response.status_code == 204
    assert response.content == b""
    assert [record.getMessage() for record in caplog.records if record.name == csp_reports.__name__] == [
        f"Content security policy: {line}"
    ]


@pytest.mark.parametrize("body", [OLD, NEW])
def test_nothing_of_queries_samples_and_user_names_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    report(client, body, "application/json")

    assert "secret" not in caplog.text


def test_it_needs_neither_a_login_nor_a_token_nor_the_database(client: Client) -> None:
    client.handler.enforce_csrf_checks = True

    assert report(client, OLD).status_code == 204


def test_who_is_signed_in_or_an_outsider_may_report_as_well(user: Browser, outsider: Browser) -> None:
    assert report(user, OLD).status_code == report(outsider, OLD).status_code == 204


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin"])
def test_a_report_is_taken_on_behalf_of_any_page(client: Client, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "report"}

    assert report(client, OLD, **headers).status_code == 204


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_it_is_for_posting_only(client: Client, method: str) -> None:
    assert getattr(client, method)("/csp-report/").status_code == 405


def test_a_long_report_is_not_read(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    longest = json.dumps(OLD).encode().ljust(MAX_BYTES)

    assert report(client, longest).status_code == 204
    caplog.clear()
    assert report(client, longest + b" ").status_code == 413
    assert "Content security policy" not in caplog.text


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data; boundary=x", "text/html", ""])
def test_another_kind_of_body_is_refused(client: Client, media_type: str) -> None:
    assert report(client, json.dumps(OLD).encode(), media_type).status_code == 415


@pytest.mark.parametrize(
    "body", [b"nonsense", b"\xff", b"1", b"null", b"{}", b"[1]", b'{"csp-report": 1}', b"[" * 8000, b'"' * 9]
)
def test_what_is_no_report_is_refused(client: Client, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    assert report(client, body).status_code == 400
    assert "Content security policy" not in caplog.text


def test_of_many_reports_in_one_body_some_are_logged() -> None:
    assert len(list(read_reports(json.dumps(NEW * 50).encode()))) == MAX_REPORTS


@pytest.mark.parametrize(
    ("blocked", "shown"),
    [
        ("https://evil.example.com/a?b", "https://evil.example.com"),
        ("HTTPS://EVIL.example.com", "https://evil.example.com"),
        ("wss://[2001:db8::1]:9/", "wss://[2001:db8::1]:9"),
        ("eval", "eval"),
        ("data", "data"),
        ("", "?"),
        ("javascript:alert(1)", "?"),
        ("https://a b/", "?"),
        ("https://a\nINFO forged/", "?"),
        ("https://ö.example/", "?"),
        ("https://" + "a" * 300, "?"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_of_what_was_blocked_only_the_origin_is_told(blocked: str, shown: str) -> None:
    body = {"csp-report": {"document-uri": "https://a/b", "effective-directive": "img-src", "blocked-uri": blocked}}

    assert list(read_reports(json.dumps(body).encode())) == [f"img-src stopped {shown} on '/b'"]


@given(st.text(), st.text(), st.text())
def test_no_report_makes_a_second_line(directive: str, blocked: str, page: str) -> None:
    body = {"effectiveDirective": directive, "blockedURL": blocked, "documentURL": page}

    [line] = read_reports(json.dumps([{"body": body}]).encode())

    assert line.isprintable()
    assert line.isascii()
    assert len(line) < 2500


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_body_is_more_than_an_error(body: Any) -> None:
    with contextlib.suppress(ValueError):
        list(read_reports(json.dumps(body).encode()))


def test_many_reports_from_one_address_are_too_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.rate_limits.CSP_REPORT", RateLimit("csp-report", per_address=2))

    statuses = [report(client, OLD).status_code for _ in range(4)]

    assert statuses == [204, 204, 429, 429]


@pytest.mark.django_db
def test_pages_name_the_endpoint(client: Client, pool: FakeUserPool) -> None:
    response = client.get("/signed-out/")

    assert "report-uri /csp-report/" in response["Content-Security-Policy"]
    assert response["Reporting-Endpoints"] == 'csp="/csp-report/"'
