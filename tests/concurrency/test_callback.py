"""One authorization response, delivered more than once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

from tests.concurrency.support import Site


def test_of_parallel_callbacks_with_one_state_only_one_exchanges_the_code(site: Site) -> None:
    visitor = site.visitor()
    response = visitor.authorize("/sessions/")

    with ThreadPoolExecutor(10) as executor:
        with site.pool.held("token"):
            arriving = [executor.submit(visitor.twin().get, response) for _ in range(10)]
            losers = [each.result() for each in islice(as_completed(arriving, timeout=10), 9)]
            unanswered = [each for each in arriving if not each.done()]
        winner = unanswered[0].result(timeout=10)

    assert site.pool.calls.count("token") == 1
    assert winner.headers["Location"] == "/sessions/"
    assert {loser.headers["Location"] for loser in losers} == {"/login/?next=%2Fsessions%2F"}
    assert site.sessions(visitor.person).count() == 1
