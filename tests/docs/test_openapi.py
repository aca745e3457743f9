"""docs/openapi.yaml says what the app answers: no field more, none less, whatever it is asked."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import TokenHealth
from accounts.rate_limits import SESSION_API
from tests.conftest import Browser
from tests.docs.support import DOCS
from tests.fuzz.support import FUZZ

pytestmark = pytest.mark.django_db(transaction=True)

FILE = DOCS / "openapi.yaml"
DESCRIPTION: dict[str, Any] = yaml.safe_load(FILE.read_text())
# The only host that Schemathesis sets cookies for.
SITE = "http://localhost"
SCHEMAS = DESCRIPTION["components"]["schemas"]


@pytest.fixture(scope="module")
def schema() -> Any:
    schema = schemathesis.openapi.from_path(FILE)
    schema.app = get_wsgi_application()
    return schema


def cookie_of(browser: Browser) -> dict[str, str]:
    return {settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value}


@given(data=st.data())
@pytest.mark.parametrize("path", DESCRIPTION["paths"])
@FUZZ
def test_what_a_visitor_gets_is_as_described(visitor: Browser, schema: Any, path: str, data: Any) -> None:
    cache.clear()
    case = data.draw(schema[path]["GET"].as_strategy())

    response = case.call_and_validate(base_url=SITE, headers={"Accept": "application/json"})

    assert response.status_code == (401 if path == "/api/session/" else 200)


@given(data=st.data())
@FUZZ
def test_what_somebody_gets_who_is_signed_in_is_as_described(user: Browser, schema: Any, data: Any) -> None:
    cache.clear()
    case = data.draw(schema["/api/session/"]["GET"].as_strategy())

    response = case.call_and_validate(base_url=SITE, cookies=cookie_of(user))

    assert response.status_code == 200


def test_every_field_that_is_sent_is_described_and_the_other_way_round(admin: Browser) -> None:
    answer = admin.get("/api/session/").json()

    assert set(answer) == set(SCHEMAS["Session"]["properties"]) == set(SCHEMAS["Session"]["required"])
    assert set(answer["user"]) == set(SCHEMAS["Session"]["properties"]["user"]["properties"])
    assert SCHEMAS["Session"]["properties"]["health"]["enum"] == [health.value for health in TokenHealth.of_live()]


def test_a_refusal_is_as_described(visitor: Browser) -> None:
    answer = visitor.get("/api/session/").json()

    assert set(answer) == set(SCHEMAS["LoginRequired"]["properties"])


def test_the_description_is_valid(schema: Any) -> None:
    schema.validate()


def test_too_many_questions_are_answered_as_described(user: Browser, schema: Any) -> None:
    for _ in range(SESSION_API.per_person or 0):
        user.get("/api/session/")

    case = schema["/api/session/"]["GET"].Case()
    response = case.call_and_validate(base_url=SITE, cookies=cookie_of(user), headers={"Accept": "application/json"})

    assert response.status_code == 429
