"""What a session is recognised by comes from a header that anybody writes as they like."""

from __future__ import annotations

import pytest

from accounts.user_agent import MAX_LENGTH, describe


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", ("Firefox 132", "Ubuntu")),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Mobile/15E148",
            ("Mobile Safari UI/WKWebView", "iOS 17"),
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) SznProhlizec/4.3.0-251281", ("Seznam prohlížeč 4", "Linux")),
        ("curl/8.5.0", ("curl 8", "")),
        ("", ("", "")),
    ],
)
def test_browsers_go_by_their_names(user_agent: str, expected: tuple[str, str]) -> None:
    assert describe(user_agent) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x;=cmd|' /C calc'!A0;", "xcmd /C calcA0 1"),
        ("=1+1", "11 1"),
        ("-1", "1 1"),
        ("<b>@me</b>\t\u202e", "bme/b 1"),
    ],
)
def test_a_made_up_name_is_left_with_harmless_characters(name: str, expected: str) -> None:
    assert describe(f"{name}/1 CFNetwork/1")[0] == expected


def test_a_made_up_name_is_cut() -> None:
    browser, _ = describe(f"{'Call this number now ' * 9}/1 CFNetwork/1")

    assert len(browser) <= MAX_LENGTH
