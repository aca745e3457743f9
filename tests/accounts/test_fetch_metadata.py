"""What another site may make a browser send: a link to a page, and nothing else."""

from __future__ import annotations

import pytest

from accounts.fetch_metadata import is_welcome
from accounts.models import Session
from tests.accounts.support import problem_name
from tests.conftest import Browser
from tests.fake_user_pool import FakeUserPool

FOREIGN = ["cross-site", "same-site", "something-new"]
VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FORM = VISIT | {"Origin": "https://evil.example.com"}
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("site", "mode", "dest"),
    [
        ("", "", ""),
        ("same-origin", "navigate", "document"),
        ("same-origin", "cors", "empty"),
        ("same-origin", "no-cors", "image"),
        ("none", "navigate", "document"),
    ],
    ids=lambda value: value or "-",
)
def test_this_origin_and_browsers_that_say_nothing_may_do_anything(
    method: str, site: str, mode: str, dest: str
) -> None:
    assert is_welcome(method, site=site, mode=mode, dest=dest)


@pytest.mark.parametrize("site", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("dest", ["document", ""])
def test_a_link_on_another_site_leads_here(site: str, method: str, dest: str) -> None:
    assert is_welcome(method, site=site, mode="navigate", dest=dest)


@pytest.mark.parametrize("site", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"])
@pytest.mark.parametrize("mode", ["navigate", "cors", "no-cors", ""])
def test_another_site_and_a_sibling_change_nothing(site: str, method: str, mode: str) -> None:
    assert not is_welcome(method, site=site, mode=mode, dest="document")


@pytest.mark.parametrize("site", FOREIGN)
@pytest.mark.parametrize(
    ("mode", "dest"),
    [
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("no-cors", "style"),
        ("cors", "empty"),
        ("cors", "font"),
        ("same-origin", "empty"),
        ("websocket", "empty"),
        ("navigate", "iframe"),
        ("navigate", "frame"),
        ("navigate", "object"),
        ("navigate", "embed"),
        ("nested-navigate", "document"),
        ("", "document"),
        ("", ""),
    ],
)
def test_another_site_embeds_and_reads_nothing(site: str, mode: str, dest: str) -> None:
    assert not is_welcome("GET", site=site, mode=mode, dest=dest)


# --- In the app


def test_a_form_of_another_site_is_refused_even_with_the_right_token(user: Browser) -> None:
    response = user.post("/logout/", headers=FORM)

    assert response.status_code == 403
    assert problem_name(response) == "cross_site"
    assert Session.objects.filter(pk=user.row.pk).exists()


def test_the_page_leads_home_and_says_that_nothing_was_done(user: Browser) -> None:
    page = user.post("/logout/", headers=FORM).content.decode()

    assert "This request came from another site" in page
    assert "nothing was done" in page
    assert 'href="/"' in page
    assert "Sign out" in page  # the person is signed in as before


@pytest.mark.parametrize("path", ["/", "/sessions/", "/api/session/", "/tokens/", "/there-is-no-such-page/"])
def test_another_site_embeds_no_page(user: Browser, path: str) -> None:
    assert user.get(path, headers=IMAGE).status_code == 403


def test_an_outsider_is_refused_alike(outsider: Browser, visitor: Browser) -> None:
    assert outsider.post("/sessions/revoke-others/", headers=FORM).status_code == 403
    assert visitor.post("/sessions/revoke-others/", headers=FORM).status_code == 403


def test_a_json_client_is_told_in_json(user: Browser) -> None:
    response = user.get("/api/session/", headers=IMAGE | {"Accept": "application/json"})

    assert response.status_code == 403
    assert response.json() == {"error": "cross_site", "request_id": response["X-Request-ID"]}


def test_a_refused_request_does_nothing_for_the_session(user: Browser, pool: FakeUserPool) -> None:
    Session.objects.update(refresh_due_at="2000-01-01T00:00Z", probe_due_at="2000-01-01T00:00Z")
    before, calls = Session.objects.values().get(), pool.calls.count("*")

    user.get("/profile/", headers=IMAGE)

    assert Session.objects.values().get() == before
    assert pool.calls.count("*") == calls


def test_the_hosted_ui_leads_back(visitor: Browser, pool: FakeUserPool) -> None:
    address = pool.authorize(visitor.start_sign_in("/sessions/"), visitor.person)

    response = visitor.get(address, headers=VISIT)

    assert response.status_code == 302
    assert response["Location"] == "/sessions/"


def test_static_files_are_refused_by_their_own_header(user: Browser) -> None:
    response = user.get("/static/css/gatehouse.css", headers=IMAGE)

    response.close()
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
