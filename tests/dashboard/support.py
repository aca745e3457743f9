from __future__ import annotations

import re
from html import unescape
from typing import Any

TAG = re.compile(r"<[^>]+>")


def words(response: Any) -> str:
    """Return what a page says, without markup and with single spaces."""
    return " ".join(unescape(TAG.sub(" ", response.content.decode())).split())
