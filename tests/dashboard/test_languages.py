"""The language of pages: the browser's, or the one chosen at their foot."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client, RequestFactory
from django.utils import translation
from pytest_django import Settings

from accounts.models import Session
from dashboard import views
from tests.conftest import Browser
from tests.dashboard.support import words
from tests.fake_user_pool import FakeUserPool

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}


@pytest.fixture(autouse=True)
def language_of_the_thread() -> Iterator[None]:
    """Leave the thread as it was: a request leaves its language behind in it."""
    with translation.override("en"):
        yield


def language_of(response: Any) -> str:
    match = re.search(r'<html lang="([^"]+)">', response.content.decode())
    assert match
    return match.group(1)


def form_of(response: Any) -> dict[str, str]:
    """Return the hidden fields of the form at a page's foot."""
    [form] = re.findall(r'<form class="languages".*?</form>', response.content.decode(), re.DOTALL)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in fields}


def switch(browser: Client, page: Any, language: str) -> Any:
    """Press one of the buttons at a page's foot."""
    return browser.post("/language/", {**form_of(page), "language": language})


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de", "de"), ("de-AT,de;q=0.9,en;q=0.8", "de"), ("en-US", "en"), ("fr", "en"), ("", "en"), ("*;q=\x7f", "en")],
)
def test_a_page_speaks_the_language_of_the_browser(client: Client, accepted: str, language: str) -> None:
    response = client.get("/", headers={"Accept-Language": accepted})

    assert language_of(response) == response["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))


@pytest.mark.parametrize("path", ["/", "/signed-out/", "/there-is-no-such-page/"])
def test_a_visitor_chooses_a_language_and_stays_where_they_are(client: Client, path: str) -> None:
    client.handler.enforce_csrf_checks = True
    address = f"{path}?a=1&b=%C3%A4"

    response = switch(client, client.get(address), "de")

    assert (response.status_code, response["Location"]) == (302, address)
    assert language_of(client.get(path)) == "de"
    assert not Session.objects.exists()


def test_who_is_signed_in_chooses_too(user: Browser) -> None:
    response = switch(user, user.get("/sessions/"), "de")

    assert response["Location"] == "/sessions/"
    page = user.get("/sessions/")
    assert language_of(page) == page["Content-Language"] == "de"
    assert "no-store" in page["Cache-Control"]


def test_the_choice_goes_before_the_language_of_the_browser(client: Client) -> None:
    switch(client, client.get("/", headers=GERMAN), "en")

    assert language_of(client.get("/", headers=GERMAN)) == "en"


def test_each_language_is_named_in_its_own_tongue(client: Client) -> None:
    page = client.get("/", headers=GERMAN).content.decode()

    assert re.findall(r'<button name="language" value="\w+" lang="(\w+)"([^>]*)>(\w+)<', page) == [
        ("en", "", "English"),
        ("de", ' aria-current="true"', "Deutsch"),
    ]


def test_the_choice_is_out_of_reach_for_scripts_and_other_sites(client: Client) -> None:
    cookie = switch(client, client.get("/"), "de").cookies["language"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]


def test_a_choice_without_the_token_of_the_form_changes_nothing(client: Client) -> None:
    client.handler.enforce_csrf_checks = True

    response = client.post("/language/", {"language": "de"})

    assert response.status_code == 403
    assert "language" not in client.cookies


@pytest.mark.parametrize("language", ["xx", "", "../de", "de\x00", "x" * 1000])
def test_a_language_that_there_is_not_changes_nothing(client: Client, language: str) -> None:
    response = client.post("/language/", {"next": "/", "language": language})

    assert response.status_code == 302
    assert language_of(client.get("/")) == "en"


@pytest.mark.parametrize("next_url", ["//evil.example.com/", "https://evil.example.com/", "/\\evil.example.com"])
def test_choosing_a_language_leads_to_no_other_site(client: Client, next_url: str) -> None:
    response = client.post("/language/", {"next": next_url, "language": "de"})

    assert response["Location"] == "/"


def test_the_code_of_an_authorization_response_is_on_no_page(client: Client, pool: FakeUserPool) -> None:
    page = client.get("/callback/?error=server_error&code=a-code&state=a-state")

    assert form_of(page)["next"] == "/"
    assert "a-code" not in page.content.decode()


def test_a_page_that_answers_a_form_leads_back_to_the_page_the_form_is_on(admin: Browser) -> None:
    page = admin.post(f"/console/sessions/{admin.row.public_id}/revoke/")

    assert page.status_code == 422
    assert form_of(page)["next"] == f"/console/sessions/{admin.row.public_id}/"


@pytest.mark.parametrize(("header", "lang"), [(GERMAN, "de"), ({}, "en")])
def test_the_hosted_ui_speaks_the_language_of_the_page(
    client: Client, pool: FakeUserPool, header: dict[str, str], lang: str
) -> None:
    query = parse_qs(urlsplit(client.get("/login/", headers=header)["Location"]).query)

    assert query["lang"] == [lang]


def test_the_hint_of_a_link_goes_before_the_language_of_the_page(client: Client, pool: FakeUserPool) -> None:
    query = parse_qs(urlsplit(client.get("/login/?lang=ja", headers=GERMAN)["Location"]).query)

    assert query["lang"] == ["ja"]


def test_the_page_of_a_crash_is_in_the_visitors_language_and_not_in_the_last_ones() -> None:
    german, english = (
        views.server_error(RequestFactory().get("/", headers={"accept": "text/html"} | header))
        for header in (GERMAN, {})
    )

    assert (language_of(german), language_of(english)) == ("de", "en")
    assert "English" not in words(german)


def test_a_wrong_host_is_refused_in_the_visitors_language(client: Client, settings: Settings) -> None:
    # SecurityMiddleware asks for the host before anybody has asked for the language.
    settings.SECURE_SSL_REDIRECT, settings.SECURE_SSL_HOST = True, None

    page = client.get("/", headers=GERMAN | {"Host": "elsewhere.example.com"})

    assert (page.status_code, language_of(page)) == (400, "de")


def test_a_chart_is_drawn_with_points_not_commas(admin: Browser) -> None:
    drawn = re.findall(r'<rect class="bar"[^>]*>', admin.get("/console/", headers=GERMAN).content.decode())

    assert drawn
    assert [bar for bar in drawn if "," in bar] == []
