"""The content security policy: written by django-csp once, since it is the same for every page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse

# Django's own pages for these have styles of their own while DEBUG is on.
DEBUG_PAGES = (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)


class CSPMiddleware:
    """Sets the policy of CONTENT_SECURITY_POLICY on every response.

    django-csp's own middleware can change it by view and by nonce, and builds it twice a response for that: a tenth of
    what an authenticated page costs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not (settings.DEBUG and response.status_code in DEBUG_PAGES):
            response.headers.setdefault(HEADER, policy())
        return response


@cache
def policy() -> str:
    """Return the header's value."""
    return build_policy()


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTENT_SECURITY_POLICY":
        policy.cache_clear()


setting_changed.connect(_forget)
