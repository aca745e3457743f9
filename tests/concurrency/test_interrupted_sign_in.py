"""A session that ends in the moment in which it is opened."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from pytest_django import Settings

from accounts.ending import end_sessions
from accounts.models import EndReason, Session
from tests.conftest import Browser

SESSION_MIDDLEWARE = "accounts.middleware.SessionMiddleware"


def sign_out_everywhere_meanwhile(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Do as another browser of the person might after the view and before the response leaves."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        end_sessions(Session.objects.all(), EndReason.EVERYWHERE, now=timezone.now())
        return response

    return middleware


def test_a_sign_in_overtaken_by_a_sign_out_everywhere_is_no_bad_request(visitor: Browser, settings: Settings) -> None:
    after_session = settings.MIDDLEWARE.index(SESSION_MIDDLEWARE) + 1
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE[:after_session],
        f"{__name__}.{sign_out_everywhere_meanwhile.__name__}",
        *settings.MIDDLEWARE[after_session:],
    ]

    response = visitor.sign_in()

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.EVERYWHERE
    assert response.context["action_url"] == "/login/?next=%2F"
