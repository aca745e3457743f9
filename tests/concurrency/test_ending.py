"""Sessions that end while other things happen to them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests

from tests.concurrency.support import REFRESH, Site
from tests.servers import HttpBrowser, at_once


def test_a_refresh_that_cognito_refuses_after_a_sign_out_brings_nothing_back(site: Site) -> None:
    user = site.user()
    before = user.twin()
    site.make_refresh_due(user.person)

    with ThreadPoolExecutor(1) as executor:
        with site.pool.held(REFRESH):
            refreshing = executor.submit(before.get, "/api/session/")
            site.pool.calls.wait_for(REFRESH)
            signed_out = user.post("/logout/")
        late = refreshing.result(timeout=10)

    assert signed_out.status_code == 302
    assert late.status_code == 401
    assert not site.sessions(user.person).exists()
    assert before.get("/api/session/").status_code == 401
    assert site.ended_sessions(user.person).get().reason == "signed_out"


def test_tokens_that_arrive_after_a_sign_out_are_revoked(site: Site) -> None:
    user = site.user()
    before = user.twin()
    site.make_refresh_due(user.person)

    with ThreadPoolExecutor(1) as executor:
        with site.pool.answers_held(REFRESH) as rotated:
            refreshing = executor.submit(before.get, "/api/session/")
            assert rotated.wait(10)
            user.post("/logout/")
        late = refreshing.result(timeout=10)

    assert late.status_code == 401
    assert not site.sessions(user.person).exists()
    assert before.get("/api/session/").status_code == 401
    revoked = [call.parameters["Token"] for call in site.pool.calls.of("RevokeToken")]
    assert site.pool.newest_refresh_token() in revoked


def test_signing_out_everywhere_twice_while_one_refreshes_and_one_signs_in_leaves_nothing_half_done(
    site: Site,
) -> None:
    person = site.pool.add_person("everywhere@example.com")
    for _ in range(5):
        site.pool.calls.clear()
        first, second, third = (site.user(person) for _ in range(3))
        site.make_refresh_due(person)
        back_again = site.visitor(person)

        leaving = [partial(browser.twin().post, "/logout/everywhere/") for browser in (first, second)]
        refreshing = [partial(third.twin().get, "/api/session/") for _ in range(3)]
        answers: list[requests.Response] = at_once([*leaving, *refreshing, back_again.sign_in])

        assert max(answer.status_code for answer in answers) < 500
        assert [browser.get("/api/session/").status_code for browser in (first, second, third)] == [401] * 3
        live = site.sessions(person).count()
        assert live == (back_again.get("/api/session/").status_code == 200)
        _assert_what_ended_is_revoked(site, back_again)


def _assert_what_ended_is_revoked(site: Site, back_again: HttpBrowser) -> None:
    """Only the newest sign-in, if it came after all, has tokens that still work."""
    kept = {row.token_set().refresh_token for row in site.sessions(back_again.person)}
    mine = [token for token in site.pool.refresh_tokens.items() if token[1].sign_in.person is back_again.person]
    families = {found.sign_in.event_id for text, found in mine if text in kept}
    assert all(found.sign_in.revoked for _, found in mine if found.sign_in.event_id not in families)


def test_two_hundred_mixed_requests_meet_no_locked_database(site: Site) -> None:
    couple = site.pool.add_person("couple@example.com")
    browsers = [site.user(couple), site.user(couple), site.user(), site.user()]
    site.make_refresh_due(couple)
    site.expire_access_tokens(*(browser.person for browser in browsers[2:]))
    pages = ("/", "/sessions/", "/api/session/", "/tokens/", "/logout/", "/profile/", "/login/?next=/sessions/")
    loads = [partial(browser.get, page) for browser in browsers for page in pages]
    arrivals = [site.visitor(couple).sign_in for _ in range(10)]
    departures = [partial(browser.twin().post, "/logout/") for browser in (site.user(couple) for _ in range(10))]
    many = (arrivals + departures) * 2 + loads * 6
    start = len(site.server.output())

    answers: list[requests.Response] = at_once(many[:200])

    assert max(answer.status_code for answer in answers) < 500
    assert "locked" not in site.server.output(since=start)
