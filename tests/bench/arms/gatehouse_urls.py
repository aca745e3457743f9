"""This project's addresses, the page that all arms serve, and one that calls Cognito."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.cognito.errors import ProviderUnavailableError
from accounts.cognito.oidc import client_is_refused
from accounts.conf import token_verifier, user_pool, user_pool_config
from accounts.encryption import seal
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as own
from tests.bench.arms.page import urlpatterns as bench

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def call_cognito(request: HttpRequest) -> HttpResponse:
    """Call both of Cognito's doors; nobody is there to answer, but from then on the process holds what calls them."""
    with suppress(ProviderUnavailableError):
        user_pool().get_user("nobody's token")
    with suppress(ProviderUnavailableError):
        client_is_refused(user_pool_config())
    token_verifier()
    seal(b"", bound_to="")
    return HttpResponse()


urlpatterns = [*bench, path("bench/cognito/", call_cognito), *own]
