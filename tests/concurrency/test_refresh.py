"""Many requests, one refresh."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from itertools import cycle, islice

import pytest
import requests

from tests.concurrency.support import REFRESH, Site
from tests.servers import HttpBrowser, at_once

# The start page, JSON for a front end, a page that decrypts the tokens, and one that shows them to Cognito; the first
# two wait for nobody.
PAGES = ("/", "/api/session/", "/tokens/", "/profile/")


def page_loads(browser: HttpBrowser, count: int) -> list[Callable[[], requests.Response]]:
    return [partial(browser.get, page) for page in islice(cycle(PAGES), count)]


@pytest.mark.parametrize(
    ("count", "provider_seconds"), [(50, 1.0), pytest.param(200, 5.0, marks=pytest.mark.slow)], ids=["50", "200"]
)
def test_a_stampede_on_an_expired_token_makes_one_refresh_call(
    site: Site, count: int, provider_seconds: float, record_property: Callable[[str, object], None]
) -> None:
    user = site.user()
    site.expire_access_tokens(user.person)
    site.pool.slow(REFRESH, provider_seconds)
    start = len(site.server.output())

    answers = at_once(page_loads(user, count))

    # For the record (--junit-xml): how long it takes depends on what else the machine has to do.
    worst = max(answer.elapsed.total_seconds() for answer in answers)
    record_property("worst_seconds_beyond_the_provider's", round(worst - provider_seconds, 2))
    assert {answer.status_code for answer in answers} == {200}
    assert len(site.refreshes()) == 1
    assert site.session(user).token_set().refresh_token == site.pool.newest_refresh_token()
    assert len(site.server.workers_that_answered(since=start)) > 1


def test_a_session_survives_one_stampede_after_the_other(site: Site) -> None:
    user = site.user()

    for refreshes in range(1, 4):
        site.expire_access_tokens(user.person)
        answers = at_once(page_loads(user, 20))

        assert {answer.status_code for answer in answers} == {200}
        assert len(site.refreshes()) == refreshes
    assert site.pool.calls.most_at_once(REFRESH) == 1


def test_while_the_old_token_lives_a_slow_refresh_delays_one_request(site: Site) -> None:
    user = site.user()
    site.make_refresh_due(user.person)

    with ThreadPoolExecutor(20) as executor:
        with site.pool.held(REFRESH):
            waiting = [executor.submit(load) for load in page_loads(user, 20)]
            others = [each.result() for each in islice(as_completed(waiting, timeout=10), 19)]
            still_waiting = [each for each in waiting if not each.done()]
        last = still_waiting[0].result(timeout=10)

    assert {answer.status_code for answer in others} == {200}
    assert last.status_code == 200
    assert len(site.refreshes()) == 1


def test_a_stampede_on_one_session_holds_nobody_up_on_pages_that_need_no_token(site: Site) -> None:
    busy, other = site.user(), site.user()
    site.expire_access_tokens(busy.person)

    with ThreadPoolExecutor(40) as executor:
        with site.pool.held(REFRESH):
            stuck = executor.submit(busy.get, "/")
            site.pool.calls.wait_for(REFRESH)
            rest = list(executor.map(busy.get, ["/", "/api/session/", "/sessions/"] * 10, timeout=10))
            elsewhere = other.get("/")
            was_waiting = not stuck.done()
        last = stuck.result(timeout=10)

    assert {answer.status_code for answer in [*rest, elsewhere, last]} == {200}
    assert was_waiting
    assert len(site.refreshes()) == 1
