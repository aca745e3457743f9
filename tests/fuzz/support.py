"""What goes in: JSON and bytes of every shape, and how many of each are tried."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.fake_user_pool.web import Response

# The same inputs each time, so that a change is what makes a run fail; asked for more, new ones.
FUZZ = settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "100")),
    deadline=None,
    print_blob=True,
    database=None,
    derandomize="PROPERTY_EXAMPLES" not in os.environ,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

# Halves of surrogate pairs too: JSON can spell them.
TEXT = st.text(max_size=40) | st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=5)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**63, 1e308, -0.0])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return JSON of that many levels."""
    return (opening * depth + "0" + closing * depth).encode()


# Depths around Python's recursion limit, and far beyond.
DEEP = st.builds(nested, st.integers(200, 1200) | st.just(10_000)) | st.builds(
    lambda depth: nested(depth, '{"a":', "}"), st.integers(200, 1200)
)


def json_bytes(documents: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Return documents as JSON with NaN and infinities, cut short now and then, or anything that is no JSON at all."""
    whole = documents.map(lambda document: json.dumps(document).encode())
    cut = st.builds(lambda text, end: text[: end % (len(text) + 1)], whole, st.integers(0, 200))
    odd = st.sampled_from([b"", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{" * 500, b"1" * 5000, b'{"a":1e999}', b"\x00"])
    # JSON takes its encoding from its first bytes.
    recoded = st.builds(lambda text, name: text.decode().encode(name), whole, st.sampled_from(["utf-16", "utf-32"]))
    return whole | whole | whole | cut | odd | recoded | DEEP | st.binary(max_size=60)


MEDIA_TYPES = st.sampled_from(
    [
        *("application/json", "application/x-amz-json-1.1", "application/json; charset=utf-16", "text/html", ""),
        *("application/json; charset=no-such-encoding", "application/json; charset=\x80", "x-amz-json;;;=", "\t"),
    ]
)
# Neither 1xx nor what must have no body: those are HTTP's to break.
STATUSES = st.sampled_from([200, 200, 200, 200, 201, 206, 301, 307, 400, 400, 401, 403, 404, 418, 429, 500, 503, 599])


def answers(
    documents: st.SearchStrategy[Any], media_types: st.SearchStrategy[str] = MEDIA_TYPES
) -> st.SearchStrategy[Response]:
    """Return answers of a server with these documents, and with anything else."""
    return st.builds(
        lambda status, body, media_type: Response(status, body, {"Content-Type": media_type}),
        STATUSES,
        json_bytes(documents),
        media_types,
    )
