"""What a User-Agent header says, in words a person recognises their browser by."""

from __future__ import annotations

import re

# The longest name in ua-parser's tables has 32 characters; a version follows.
MAX_LENGTH = 40
# Some of its rules pass on what the header says as it stands: to pages, messages and spreadsheets.
STRANGE = re.compile(r"[^\w .()/-]+")


def describe(user_agent: str) -> tuple[str, str]:
    """Return browser and system, such as ("Firefox 132", "Ubuntu"); empty where the header does not tell.

    The header is the browser's own claim: good enough to recognise a session by, never to decide anything.
    """
    # Its tables cost memory and time; only the process that signs somebody in needs them.
    from ua_parser import parse

    found = parse(user_agent[:512])
    browser, system = found.user_agent, found.os
    return (
        _name(browser.family, browser.major) if browser else "",
        _name(system.family, system.major) if system else "",
    )


def _name(*parts: str | None) -> str:
    """Return a name and its version, with nothing in them but letters, digits and what stands in real names."""
    return STRANGE.sub("", " ".join(filter(None, parts))).lstrip(" -")[:MAX_LENGTH].rstrip()
