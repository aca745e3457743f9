"""`next` never leads a browser to another site, however it is spelt; Chromium agrees with the model of browsers."""

from __future__ import annotations

import pytest
from django.http import HttpResponseRedirect
from django.test import RequestFactory
from hypothesis import example, given
from hypothesis import strategies as st
from playwright.sync_api import Browser as Chromium

from accounts.error_pages import login_url
from accounts.sign_in import NEXT_MAX_LENGTH, safe_next
from tests.browser.conftest import chromium
from tests.fuzz.browsers import origin_of
from tests.fuzz.support import FUZZ

__all__ = ["chromium"]  # a fixture

EVIL = "evil.example"
HERE = "https://testserver"
SPELLINGS = [
    *(
        "/",
        "/sessions/",
        "/sessions/?a=b#c",
        "",
        "nowhere",
        "?a",
        "#a",
        ".",
        "..",
        "/..//evil.example",
        "/.//evil.example",
    ),
    *(f"//{EVIL}", f"///{EVIL}", f"////{EVIL}", f"/\\{EVIL}", f"\\/{EVIL}", f"\\\\{EVIL}", f"/\\/{EVIL}", f"\\{EVIL}"),
    *(f"/\t/{EVIL}", f"/\n/{EVIL}", f"/\r\n/{EVIL}", f"\t//{EVIL}", f" //{EVIL}", f"\x00//{EVIL}", f"\x1f//{EVIL}"),
    *(f"http://{EVIL}", f"https://{EVIL}", f"https:{EVIL}", f"https:/{EVIL}", f"https:///{EVIL}", f"https:\\\\{EVIL}"),
    *(f"ht\ntps://{EVIL}", f"HTTPS://{EVIL}", f"ftp://{EVIL}", f"ws://{EVIL}", "http:evil", "http:/sessions/"),
    *(
        f"https://testserver@{EVIL}",
        f"https://testserver:x@{EVIL}",
        f"https://{EVIL}\\@testserver",
        f"//testserver@{EVIL}",
    ),
    *(
        f"https://testserver.{EVIL}",
        "https://testserver:444/",
        "https://testserver:443/",
        "https://testserver./",
        "https://",
    ),
    *("https://testserver%2eevil.example", f"https://testserver%00.{EVIL}", "https://testserver。evil.example"),
    *(
        f"//{EVIL}。com",
        "//%65vil.example",
        "///testserver",
        "https://TESTSERVER/a",
        "//testserver/a",
        "//[::1]/",
        "//[x",
    ),
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:x",
    ),
    *(
        f"/%09/{EVIL}",
        f"/%5c{EVIL}",
        f"%2f%2f{EVIL}",
        f"/%2f{EVIL}",
        f"/ /{EVIL}",
        f"/\u2028/{EVIL}",
        f"/\uff0f{EVIL}",
        f"\uff0f\uff0f{EVIL}",
    ),
    *(
        f"/\xa0/{EVIL}",
        f"\u200b//{EVIL}",
        f"\ufeff//{EVIL}",
        "/é/",
        "/\U0001f600/",
        f"a://{EVIL}",
        f"foo://bar?://{EVIL}",
    ),
    *(f"nowhere?://{EVIL}", f"?://{EVIL}", f"#://{EVIL}", f"./://{EVIL}", f"x:y://{EVIL}", "://", f"://{EVIL}", ":"),
]
PIECES = [
    "/",
    "\\",
    "//",
    ":",
    "@",
    "?",
    "#",
    ".",
    "..",
    "%2f",
    "%5c",
    "%09",
    "\t",
    "\n",
    "\r",
    " ",
    "\x00",
    "\x0b",
    "。",
]
PIECES += [
    "http",
    "https",
    "https:",
    "javascript:",
    EVIL,
    "testserver",
    "testserver:443",
    "é",
    "\uff0f",
    "\uff3c",
    "\u2028",
    "[",
    "]",
]
ANYTHING = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=8).map("".join)


def sent_to(wanted: str) -> str:
    """Return the Location header of a sign-in that was to lead to `wanted`."""
    request = RequestFactory().get("/callback/", secure=True)
    return HttpResponseRedirect(safe_next(request, wanted))["Location"]


@given(wanted=ANYTHING)
@FUZZ
def test_next_stays_on_this_site(wanted: str) -> None:
    assert origin_of(sent_to(wanted), f"{HERE}/callback/") == HERE


@pytest.mark.parametrize("wanted", SPELLINGS, ids=ascii)
def test_no_spelling_of_next_leads_away(wanted: str) -> None:
    assert origin_of(sent_to(wanted), f"{HERE}/callback/") == HERE


@given(wanted=st.text(st.characters(exclude_categories=["Cs"]), max_size=NEXT_MAX_LENGTH).map(lambda text: f"/{text}"))
@example(wanted="/" + "\U0001f600" * (NEXT_MAX_LENGTH - 1))
@FUZZ
def test_no_length_of_next_is_too_long_for_the_redirects_it_stands_in(wanted: str) -> None:
    request = RequestFactory().get("/callback/", secure=True)

    page = safe_next(request, wanted)

    assert HttpResponseRedirect(page)["Location"]
    assert HttpResponseRedirect(login_url(page))["Location"]


@pytest.mark.browser
def test_chromium_goes_where_the_model_of_browsers_says(chromium: Chromium) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<p>here</p>", content_type="text/html"))
    page.goto(f"{HERE}/callback/")
    resolve = """texts => texts.map(text => {
        try { const url = new URL(text, document.baseURI); return url.origin === 'null' ? 'opaque' : url.origin }
        catch { return 'nowhere' }
    })"""

    resolved = dict(zip(SPELLINGS, page.evaluate(resolve, SPELLINGS), strict=True))
    sent = page.evaluate(resolve, [sent_to(wanted) for wanted in SPELLINGS])
    context.close()

    # Raw, as the model was given them: where Chromium finds another site, so does the model.
    mistaken = {text: found for text, found in resolved.items() if found != HERE and origin_of(text, HERE) == HERE}
    assert mistaken == {}
    assert set(sent) == {HERE}
