"""The headers of every response, as they leave gunicorn with the settings of an https site."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from django.test import Client

from accounts.security_headers import POWERFUL_FEATURES
from tests.config.https_site import HOST, SITE_URL, Visitor
from tests.config.observatory import Visit, grade, policy
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool
from tests.servers import AppServer, SqliteFiles

PRIVATE = ["/", "/profile/", "/sessions/", "/tokens/", "/logout/", "/api/session/", "/console/"]
FILES = ["/console/sessions.csv", "/console/events.csv", "/console/events.jsonl"]
PUBLIC = ["/", "/login/", "/callback/?error=access_denied", "/callback/?code=x&state=y", "/sessions/", "/signed-out/"]
TOKEN = "for-prometheus-" + "0123456789abcdef" * 2
PROBES = ["/healthz", "/readyz", "/metrics"]
ODD = ["/there-is-no-such-page/", "/static/missing.css", "/static/css/gatehouse.css", "/sessions", *PROBES]
Answers = dict[str, requests.Response]


@pytest.fixture(scope="module")
def pool() -> Iterator[FakeUserPool]:
    with FakeUserPool(site_url=SITE_URL) as pool:
        yield pool


@pytest.fixture(scope="module")
def server(pool: FakeUserPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    directory = tmp_path_factory.mktemp("https")
    variables = pool.environment() | {
        "DATABASE_URL": SqliteFiles(directory).create(),
        "COGNITO_DOMAIN": pool.base_url,
        "SECURE_PROXY_SSL_HEADER": "X-Forwarded-Proto",
        "TRUSTED_PROXIES": "127.0.0.1",
        "METRICS_TOKEN": TOKEN,
    }
    with AppServer(variables, log=directory / "gunicorn.log", workers=1, site_url=SITE_URL) as server:
        yield server


@pytest.fixture(scope="module")
def admin(server: AppServer, pool: FakeUserPool) -> Visitor:
    """An operator who is signed in, and so may see every page; replaces the one of the test client."""
    visitor = Visitor(server)
    visitor.sign_in(pool, pool.add_person("admin@example.com", name="Ada Admin", groups=["admins"]))
    return visitor


@pytest.fixture(scope="module")
def answers(server: AppServer, admin: Visitor) -> Answers:
    """One response of every kind there is."""
    stranger = Visitor(server)
    found = {f"{path} as nobody": stranger.get(path) for path in (*PUBLIC, *ODD, *FILES)}
    found |= {f"{path} signed in": admin.get(path) for path in (*PRIVATE, *FILES, *ODD)}
    found |= {
        "JSON for nobody": stranger.get("/api/session/", Accept="application/json"),
        "a form without its token": admin.send("POST", "/logout/"),
        "the wrong method": admin.get("/logout/everywhere/"),
        "another site's form": admin.send("POST", "/logout/", headers={"Sec-Fetch-Site": "cross-site"}),
        "another site's image": admin.get("/", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
        "a foreign host": stranger.get("/", Host="evil.example.com"),
        "a form": admin.send("POST", "/sessions/revoke-others/", headers=_token_of(admin)),
        "a report": stranger.send("POST", "/csp-report/", headers={"Content-Type": "application/csp-report"}),
    }
    return found


def _token_of(visitor: Visitor) -> dict[str, str]:
    """Return what makes a form one of this site."""
    return {"X-CSRFToken": visitor.cookies["__Host-csrf"], "Referer": f"{SITE_URL}/sessions/"}


def visit(visitor: Visitor, path: str) -> Visit:
    """Look at a page as the Observatory does: first over http."""
    first, page = visitor.send("GET", path, scheme="http"), visitor.get(path)
    # The fake pool speaks http, Cognito's hosted UI https.
    policy_text = page.headers["Content-Security-Policy"].replace("http://127.0.0.1", "https://127.0.0.1")
    page.headers["Content-Security-Policy"] = policy_text
    return Visit(first, page, visitor.set_cookies)


def test_there_is_a_response_of_every_kind(answers: Answers) -> None:
    assert {answer.status_code for answer in answers.values()} >= {200, 301, 302, 400, 401, 403, 404, 405}
    assert [name for name, answer in answers.items() if answer.status_code >= 500] == []
    assert [path for path in FILES if answers[f"{path} signed in"].status_code != 200] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
        ("Reporting-Endpoints", 'csp="/csp-report/"'),
    ],
)
def test_every_response_has_the_header(answers: Answers, name: str, value: str) -> None:
    assert {kind: answer.headers.get(name) for kind, answer in answers.items()} == dict.fromkeys(answers, value)


def test_no_page_gives_away_its_address_and_that_of_the_callback_not_even_to_its_own_site(answers: Answers) -> None:
    policies = {kind: answer.headers.get("Referrer-Policy") for kind, answer in answers.items()}

    at_callback = {kind for kind in answers if kind.startswith("/callback/")}
    assert at_callback
    assert policies == {kind: "strict-origin" if kind in at_callback else "same-origin" for kind in answers}


def test_every_response_has_a_content_security_policy_that_begins_with_nothing(
    answers: Answers, pool: FakeUserPool
) -> None:
    [text] = {answer.headers.get("Content-Security-Policy") for answer in answers.values()}

    directives = policy(answers["/ as nobody"])
    assert text
    assert "unsafe" not in text
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == {"'none'"}
    assert directives["script-src"] == directives["style-src"] == {"'self'"}
    assert directives["form-action"] == {"'self'", pool.base_url}
    assert directives["report-uri"] == {"/csp-report/"}
    assert directives["report-to"] == {"csp"}


@pytest.mark.parametrize("feature", ["camera", "microphone", "geolocation", "payment", "usb", "display-capture"])
def test_no_response_lets_a_page_use_what_is_powerful(answers: Answers, feature: str) -> None:
    [text] = {answer.headers.get("Permissions-Policy", "") for answer in answers.values()}

    assert f"{feature}=()" in text.split(", ")
    assert len(POWERFUL_FEATURES) == len(set(POWERFUL_FEATURES)) == text.count("=()")


def test_only_static_files_may_be_kept_by_caches(answers: Answers) -> None:
    kept = {kind for kind, answer in answers.items() if "no-store" not in answer.headers["Cache-Control"]}

    assert kept == {"/static/css/gatehouse.css as nobody", "/static/css/gatehouse.css signed in"}


def test_no_response_is_shared_with_other_origins(answers: Answers) -> None:
    assert [kind for kind, answer in answers.items() if "Access-Control-Allow-Origin" in answer.headers] == []


def test_every_cookie_is_pinned_to_the_host_and_out_of_reach_for_scripts(answers: Answers, admin: Visitor) -> None:
    names = {line.partition("=")[0] for line in admin.set_cookies}

    assert names >= {"__Host-session", "__Host-csrf", "__Host-gatehouse_browser", "__Host-messages"}
    assert [name for name in names if not name.startswith("__Host-")] == []
    for line in (line for line in admin.set_cookies if "Max-Age=0" not in line):
        _name, *flags = (part.strip().lower() for part in line.split(";"))
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= set(flags)


@pytest.mark.parametrize("host", [HOST, "evil.example.com", "10.0.0.5:8000"])
def test_http_leads_to_https_on_this_site_whatever_the_host_header_says(server: AppServer, host: str) -> None:
    response = Visitor(server).send("GET", "/sessions/?q=1", scheme="http", headers={"Host": host})

    assert response.status_code == 301
    assert response.headers["Location"] == f"{SITE_URL}/sessions/?q=1"
    assert "Strict-Transport-Security" not in response.headers
    assert policy(response)["default-src"] == {"'none'"}


@pytest.mark.parametrize("path", PROBES)
def test_load_balancers_and_prometheus_ask_over_http_by_address(server: AppServer, path: str) -> None:
    headers = {"Host": "10.0.0.5:8000", "Authorization": f"Bearer {TOKEN}"}

    response = Visitor(server).send("GET", path, scheme="http", headers=headers)

    assert response.status_code == 200
    assert policy(response)["default-src"] == {"'none'"}


@pytest.mark.parametrize("path", [path for path in (*PUBLIC, *ODD) if path not in PROBES])
def test_the_observatory_gives_visitors_pages_an_a_plus(server: AppServer, path: str) -> None:
    assert grade(visit(Visitor(server), path)) == "A+"


@pytest.mark.parametrize("path", [*PRIVATE, *FILES])
def test_the_observatory_would_give_private_pages_an_a_plus(admin: Visitor, path: str) -> None:
    assert grade(visit(admin, path)) == "A+"


@pytest.mark.django_db
def test_a_crash_has_the_headers_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.middleware.admit", lambda *_: 1 / 0)

    response = client.get("/")

    assert response.status_code == 500
    for name in ("Content-Security-Policy", "Cross-Origin-Resource-Policy", "X-Content-Type-Options"):
        assert response[name]
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("name", "expected"), [("Content-Security-Policy", "B"), ("Strict-Transport-Security", "B+")])
def test_the_grade_is_worse_without_a_header(server: AppServer, name: str, expected: str) -> None:
    seen = visit(Visitor(server), "/")

    del seen.page.headers[name]

    assert grade(seen) == expected


def test_an_http_site_on_a_laptop_promises_nothing_about_https(user: Browser) -> None:
    assert "Strict-Transport-Security" not in user.get("/")
