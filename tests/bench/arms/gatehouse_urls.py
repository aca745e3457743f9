"""This project's addresses, the page that all arms serve, and one that calls Cognito."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.cognito.errors import ProviderUnavailableError
from accounts.conf import user_pool
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as own
from tests.bench.arms.page import urlpatterns as bench

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def call_cognito(request: HttpRequest) -> HttpResponse:
    """Call an operation; nobody is there to answer, but from then on the process holds the SDK."""
    with suppress(ProviderUnavailableError):
        user_pool().get_user("nobody's token")
    return HttpResponse()


urlpatterns = [*bench, path("bench/cognito/", call_cognito), *own]
