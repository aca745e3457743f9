from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def user_pool(request: HttpRequest) -> dict[str, object]:
    """Tell templates where home is, and whether the user pool is a local one, whose limits are not Cognito's."""
    return {
        "user_pool_is_local": urlsplit(settings.COGNITO_ENDPOINT_URL).hostname in LOOPBACK,
        "home_url": settings.LOGIN_REDIRECT_URL,
    }
