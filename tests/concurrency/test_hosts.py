"""Two hosts, each with a master and workers of its own, and one database between them."""

from __future__ import annotations

from functools import partial

from tests.concurrency.support import REFRESH, Site
from tests.servers import AppServer, at_once


def test_a_stampede_over_two_hosts_makes_one_refresh_call(site: Site, other_host: AppServer) -> None:
    user = site.user()
    there = user.twin(other_host.url)
    site.expire_access_tokens(user.person)
    site.pool.slow(REFRESH, 1.0)

    # A page that asks Cognito: each request waits for live tokens.
    answers = at_once([partial(browser.get, "/profile/") for browser in (user, there) for _ in range(25)])

    assert {answer.status_code for answer in answers} == {200}
    assert user.get("/api/session/").json()["health"] == "fresh"
    assert len(site.refreshes()) == 1


def test_a_session_ended_on_one_host_is_refused_by_the_other_at_once(site: Site, other_host: AppServer) -> None:
    user = site.user()
    there = user.twin(other_host.url)
    assert there.get("/api/session/").status_code == 200

    user.post("/logout/")

    assert there.get("/api/session/").status_code == 401


def test_signing_out_everywhere_on_one_host_ends_sessions_on_the_other_at_once(
    site: Site, other_host: AppServer
) -> None:
    user = site.user()
    second = site.user(user.person).twin(other_host.url)
    assert second.get("/sessions/").status_code == 200

    user.post("/logout/everywhere/")

    assert second.get("/sessions/").status_code == 401
