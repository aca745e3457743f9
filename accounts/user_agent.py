"""What a User-Agent header says, in words a person recognises their browser by."""

from __future__ import annotations

MAX_LENGTH = 80


def describe(user_agent: str) -> tuple[str, str]:
    """Return browser and system, such as ("Firefox 132", "Ubuntu"); empty where the header does not tell.

    The header is the browser's own claim: good enough to recognise a session by, never to decide anything.
    """
    # Its tables cost memory and time; only the process that signs somebody in needs them.
    from ua_parser import parse

    found = parse(user_agent[:512])
    browser, system = found.user_agent, found.os
    name = " ".join(filter(None, [browser.family, browser.major])) if browser else ""
    return name[:MAX_LENGTH], (" ".join(filter(None, [system.family, system.major])) if system else "")[:MAX_LENGTH]
