"""What browsers report of the content security policy: one line in the log each, of what is safe to write down.

Anybody can send such a report, and its addresses and samples may hold what belongs into no log. So only the directive,
the blocked origin and the path of the page are taken from it, each in a narrow form.
https://www.w3.org/TR/CSP3/#reporting
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import rate_limits

logger = logging.getLogger(__name__)

MEDIA_TYPES = ("application/csp-report", "application/reports+json", "application/json")
MAX_BYTES = 8 * 1024
MAX_REPORTS = 10
MAX_PATH = 200
DIRECTIVE = re.compile(r"[a-z-]{1,40}")
# Scheme, perhaps a user name, host and port.
ORIGIN = re.compile(r"([a-z][a-z0-9+.-]{0,20}://)(?:[^/?#]*@)?([0-9a-z.:\[\]-]{1,200})(?=[/?#]|\Z)")
PATH = re.compile(r"[a-z]+://[^/?#]*([^?#]*)")
# What a browser says in place of an address: https://www.w3.org/TR/CSP3/#violation-resource
KEYWORDS = ("inline", "eval", "wasm-eval", "self", "data", "blob", "trusted-types-policy", "trusted-types-sink")


@login_not_required
@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Log what a browser reports; browsers send no CSRF token with it and read nothing of the answer."""
    wait = rate_limits.spend(request, rate_limits.CSP_REPORT, timezone.now())
    if wait:
        return HttpResponse(status=429, headers={"Retry-After": str(wait)})
    if request.content_type not in MEDIA_TYPES:
        return HttpResponse(status=415)
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return HttpResponse(status=413)
    try:
        lines = list(read_reports(body))
    except ValueError:
        return HttpResponse(status=400)
    for line in lines:
        logger.warning("Content security policy: %s", line)
    return HttpResponse(status=204)


def read_reports(body: bytes) -> Iterator[str]:
    """Yield a sentence for each violation in a body of either format. Raise ValueError if it is neither."""
    try:
        content = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    reports = content if isinstance(content, list) else [content]
    for report in reports[:MAX_REPORTS]:
        fields = _fields(report)
        # The first name is that of the Reporting API, the others those of report-uri.
        directive = _first(fields, "effectiveDirective", "effective-directive", "violated-directive").partition(" ")[0]
        blocked = _first(fields, "blockedURL", "blocked-uri")
        page = _first(fields, "documentURL", "document-uri")
        yield f"{_directive(directive)} stopped {_origin(blocked)} on {_path(page)}"


def _fields(report: Any) -> dict[str, Any]:
    fields = report.get("body", report.get("csp-report")) if isinstance(report, dict) else None
    if not isinstance(fields, dict):
        raise ValueError("no report of a violation")
    return fields


def _first(fields: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str)), "")


def _directive(name: str) -> str:
    return name if DIRECTIVE.fullmatch(name) else "?"


def _origin(address: str) -> str:
    """Return scheme, host and port of what was blocked, or the word that stands for it."""
    if address in KEYWORDS:
        return address
    match = ORIGIN.match(address.lower())
    return match[1] + match[2] if match else "?"


def _path(address: str) -> str:
    """Return the path of the page, without the query, where an authorization response has its code."""
    match = PATH.match(address)
    return ascii(match[1][:MAX_PATH]) if match else "?"
