from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Browser


def test_a_visitor_signs_in_and_arrives_where_they_wanted_to_go(visitor: Browser) -> None:
    response = visitor.sign_in("/sessions/")

    assert response.status_code == 302
    assert response["Location"] == "/sessions/"
    assert visitor.get("/sessions/").status_code == 200


def test_an_authenticated_page_costs_one_query(user: Browser) -> None:
    user.get("/tokens/")

    with CaptureQueriesContext(connection) as queries:
        response = user.get("/tokens/")

    assert response.status_code == 200
    assert len(queries) == 1
