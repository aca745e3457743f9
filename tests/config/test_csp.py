"""The content security policy is the same for every response."""

from __future__ import annotations

import pytest
from csp.utils import build_policy
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from config.csp import CSPMiddleware

HEADER = "Content-Security-Policy"


def answered(status: int) -> HttpResponse:
    middleware = CSPMiddleware(lambda _request: HttpResponse(status=status))
    return middleware(RequestFactory().get("/"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/no-such-page/", "/healthz", "/api/session/"])
def test_every_response_has_the_policy_that_django_csp_writes(client: Client, path: str) -> None:
    response = client.get(path)

    assert response[HEADER] == build_policy()


def test_a_policy_that_changes_is_written_anew(settings: Settings) -> None:
    assert "example.org" not in answered(200)[HEADER]

    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"img-src": ["https://example.org"]}}

    assert "img-src https://example.org" in answered(200)[HEADER]


@pytest.mark.parametrize(("status", "has_policy"), [(200, True), (403, True), (404, False), (500, False)])
def test_djangos_own_debug_pages_keep_their_styles(settings: Settings, status: int, has_policy: bool) -> None:
    settings.DEBUG = True

    assert (HEADER in answered(status)) is has_policy
