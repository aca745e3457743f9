"""A page that breaks with secrets all around it, for processes that send errors and traces elsewhere."""

import logging

import requests
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401

logger = logging.getLogger("accounts.breaking")


@login_not_required
def breaks(request: HttpRequest) -> HttpResponse:
    """Log an error and raise another one, with the query at hand."""
    secret = request.GET["code"]
    logger.error("Nothing came of %s", request.get_full_path(), extra={"secret": secret})
    with requests.Session() as http:
        http.get(f"http://localhost:9/callback/?code={secret}", timeout=1)
    return HttpResponse(secret)


urlpatterns = [*urlpatterns, path("breaks/", breaks)]
