from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def user_pool(request: HttpRequest) -> dict[str, object]:
    """Tell templates where home is, and whether the user pool is a local one, whose limits are not Cognito's."""
    return {"user_pool_is_local": bool(settings.COGNITO_ENDPOINT_URL), "home_url": settings.LOGIN_REDIRECT_URL}
