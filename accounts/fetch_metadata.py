"""Which requests a browser may send, by what it says of where they come from.

https://www.w3.org/TR/fetch-metadata/, https://web.dev/articles/fetch-metadata
"""

from __future__ import annotations

LOOKING = ("GET", "HEAD")


def is_welcome(method: str, *, site: str, mode: str, dest: str) -> bool:
    """Tell whether a request belongs to this origin, or is somebody who comes to a page by a link.

    A sibling subdomain ("same-site") is as foreign as any other site: `SameSite` cookies do not keep it out. What
    says nothing of itself is no current browser, or one on plain http; that is left to the CSRF token.
    """
    if site in ("", "same-origin", "none"):
        return True
    return method in LOOKING and mode == "navigate" and dest in ("", "document")
