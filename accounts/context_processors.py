from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from accounts.http import this_page

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def user_pool(request: HttpRequest) -> dict[str, object]:
    """Tell templates where home is, which page this is, and whether the user pool is a local one.

    The limits of a local one are not Cognito's. Templates call what can be called: what a page does not show costs it
    nothing.
    """
    return {
        "user_pool_is_local": _is_local,
        "home_url": settings.LOGIN_REDIRECT_URL,
        "this_page": partial(this_page, request),
    }


def _is_local() -> bool:
    return urlsplit(settings.COGNITO_ENDPOINT_URL).hostname in LOOPBACK
