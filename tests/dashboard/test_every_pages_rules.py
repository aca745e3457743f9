"""What holds for every page, whatever it shows."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.models import KeptForm, Session
from accounts.models.kept_form import FormContent
from config.settings import SESSION_COOKIE_NAME
from dashboard import views
from tests.conftest import Browser
from tests.dashboard.support import row_of, words

MAIN = ["/", "/profile/", "/sessions/", "/tokens/", "/logout/"]
OWN_SESSIONS = [
    *("/sessions/ended/", "/sessions/{this}/", "/sessions/{this}/not-recognised/"),
    *("/sessions/{other}/", "/sessions/{other}/tokens/", "/sessions/{other}/not-recognised/"),
    *("/sessions/{ended}/", "/sessions/{ended}/not-recognised/"),
]
KEPT_FORMS = ["/kept-form/{kept}/", "/kept-form/{gone}/"]
SIGNED_IN = [*MAIN, *OWN_SESSIONS, *KEPT_FORMS, "/signed-out/", "/there-is-no-such-page/"]
SIGNED_OUT = ["/", "/signed-out/", "/callback/?error=access_denied", "/there-is-no-such-page/"]
INLINE = re.compile(r"""\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)|javascript:""")
TITLE = re.compile(r"<title>\w.+ \u2013 Gatehouse</title>")


@pytest.fixture
def ids(user: Browser) -> dict[str, UUID]:
    """The user's three sessions, and the form of one, by the names that paths have for them."""
    browsers = {"this": user, "other": Browser(user.pool, user.person), "ended": Browser(user.pool, user.person)}
    browsers["other"].sign_in()
    browsers["ended"].sign_in()
    found: dict[str, UUID] = {name: row_of(browser).public_id for name, browser in browsers.items()}
    browsers["ended"].post("/logout/")
    return found | {"kept": _leave_form_behind(user, row_of(user), found["ended"]), "gone": uuid4()}


def _leave_form_behind(browser: Browser, row: Session, session_id: UUID) -> UUID:
    content = FormContent("/sessions/", (("note", "Lost on the train"), ("id", str(row.public_id))))
    value = "b" * 43
    ids = {"session_id": session_id, "user_id": row.person.pk}
    kept = KeptForm.objects.keep(content, browser=value, now=timezone.now(), **ids)
    assert kept is not None
    browser.cookies["gatehouse_kept_form"] = value
    return kept.pk


@pytest.mark.parametrize("path", SIGNED_IN)
def test_no_page_holds_a_token_or_the_session_key(user: Browser, ids: dict[str, UUID], path: str) -> None:
    token_sets = [row.token_set() for row in Session.objects.all()]
    secrets = [token for each in token_sets for token in (each.access_token, each.id_token, each.refresh_token)]
    secrets += [secret.rpartition(".")[2] for secret in secrets] + [user.cookies[SESSION_COOKIE_NAME].value]

    page = user.get(path.format(**ids)).content.decode()

    assert [secret for secret in secrets if secret in page] == []


@pytest.mark.parametrize("path", SIGNED_IN)
def test_no_page_needs_an_inline_style_or_script(user: Browser, ids: dict[str, UUID], path: str) -> None:
    page = user.get(path.format(**ids)).content.decode()

    assert INLINE.findall(page) == []


@pytest.mark.parametrize("path", SIGNED_IN)
def test_every_page_says_in_its_title_what_it_is(user: Browser, ids: dict[str, UUID], path: str) -> None:
    page = user.get(path.format(**ids)).content.decode()

    assert TITLE.search(page)
    assert page.count("<h1") == 1
    assert '<html lang="en">' in page


@pytest.mark.parametrize(
    "path",
    ["/profile/", "/sessions/", "/sessions/ended/", "/sessions/6f1b1b0e-3f0c-4a5e-9d5e-0f1f6a1c2d3e/", "/tokens/"],
)
def test_a_visitor_is_sent_to_sign_in_first(visitor: Browser, path: str) -> None:
    response = visitor.get(path)

    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_pages_for_everyone_offer_to_sign_in_and_nothing_else(visitor: Browser, path: str) -> None:
    page = visitor.get(path).content.decode()

    assert 'href="/login/' in page
    assert 'href="/sessions/"' not in page


@pytest.mark.parametrize("path", MAIN)
def test_the_navigation_marks_the_page_one_is_on(user: Browser, path: str) -> None:
    page = user.get(path).content.decode()

    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == [path]


def test_a_local_user_pool_is_marked_as_no_cognito(user: Browser) -> None:
    assert "not to Amazon Cognito" in words(user.get("/"))


def test_amazon_cognito_gets_no_mark(user: Browser, settings: Settings) -> None:
    settings.COGNITO_ENDPOINT_URL = ""

    assert "Local user pool" not in words(user.get("/"))


def test_only_error_pages_show_the_request_id(user: Browser) -> None:
    good, bad = user.get("/sessions/"), user.get("/there-is-no-such-page/")

    assert "Request id" not in words(good)
    assert bad["X-Request-ID"] in words(bad)


def test_a_form_without_its_token_gets_a_page_in_plain_words(user: Browser) -> None:
    user.handler.enforce_csrf_checks = True

    response = user.post("/logout/")

    assert response.status_code == 403
    assert "This form could not be accepted" in words(response)
    assert Session.objects.filter(pk=user.row.pk).exists()


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_error_pages_need_neither_a_request_nor_the_database(template: str) -> None:
    assert "Go to the home page" in render_to_string(template)


def test_the_page_of_a_crash_asks_nobody_who_is_signed_in() -> None:
    request = RequestFactory().get("/", headers={"accept": "text/html"})
    request.id = "request-id-1"  # type: ignore[attr-defined]

    response = views.server_error(request)

    assert response.status_code == 500
    assert "request-id-1" in words(response)
