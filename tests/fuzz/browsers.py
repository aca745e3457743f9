"""Where a browser goes with a Location header: the part of the URL standard that redirects are about.

https://url.spec.whatwg.org/#concept-basic-url-parser
"""

from __future__ import annotations

import re

SPECIAL = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
# C0 controls and spaces at the ends go, tabs and line ends go anywhere.
ENDS = "".join(map(chr, range(0x21)))
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def origin_of(location: str, base: str) -> str:
    """Return the origin that a browser at `base` asks for `location`; "opaque" if it is none of the web's."""
    base_scheme, _, base_host = base.partition("://")
    base_host = base_host.partition("/")[0]
    location = re.sub(r"[\t\n\r]", "", location.strip(ENDS))
    scheme, rest = base_scheme, location
    if match := SCHEME.match(location):
        scheme, rest = match[1].lower(), location[match.end() :]
        if scheme not in SPECIAL:
            return "opaque"
        # "http:path" is relative where the scheme is the base's own, and names a host where it is not.
        if scheme != base_scheme:
            return f"{scheme}://{_host(rest.lstrip('/' + chr(92)), scheme)}"
    slashes = re.match(r"[/\\]*", rest)
    assert slashes
    if len(slashes[0]) < 2:
        return f"{base_scheme}://{_host(base_host, base_scheme)}"
    return f"{scheme}://{_host(rest[slashes.end() :], scheme)}"


def _host(rest: str, scheme: str) -> str:
    """Return host and port of what stands behind the slashes, as far as it matters for telling our host from others."""
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    return host.removesuffix(f":{SPECIAL[scheme]}").lower()
