from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from accounts.templatetags.times import in_words

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def rendered(tag: str, **values: object) -> str:
    return Template("{% load times %}" + tag).render(Context({"now": NOW, **values}))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "in 1 second"),
        (-12, "12 seconds ago"),
        (59.4, "in 59 seconds"),
        (-59.6, "1 minute ago"),
        (60, "in 1 minute"),
        (-90, "2 minutes ago"),
        (150, "in 3 minutes"),
        (3600, "in 60 minutes"),
        (7169, "in 119 minutes"),
        (7170, "in 2 hours"),
        (7200, "in 2 hours"),
        (-86400, "24 hours ago"),
        (-86400 * 2 + 1801, "47 hours ago"),
        (-86400 * 2 + 1800, "2 days ago"),
        (30 * 86400, "in 30 days"),
    ],
)
def test_a_distance_is_said_in_one_unit(seconds: float, words: str) -> None:
    assert in_words(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_relative_time_carries_the_exact_one() -> None:
    html = rendered("{% relative_time at %}", at=NOW + timedelta(minutes=12))

    assert html == (
        '<time datetime="2026-11-22T12:12:00Z" title="22 Nov 2026, 12:12:00 UTC" data-time="relative">'
        "in 12 minutes</time>"
    )


@pytest.mark.parametrize(
    ("days", "text"), [(0, ">12:00 UTC<"), (-1, ">21 Nov 2026, 12:00 UTC<"), (1, ">23 Nov 2026, 12:00 UTC<")]
)
def test_a_clock_time_has_a_date_unless_it_is_today(days: int, text: str) -> None:
    assert text in rendered("{% clock_time at %}", at=NOW + timedelta(days=days))


@pytest.mark.parametrize("tag", ["{% relative_time at %}", "{% clock_time at %}"])
def test_no_time_is_nothing(tag: str) -> None:
    assert rendered(tag, at=None) == ""


@pytest.mark.parametrize(("left", "value"), [(600, 600), (-5, 0)])
def test_a_lifetime_is_a_meter_of_what_is_left(left: int, value: int) -> None:
    end = NOW + timedelta(seconds=left)

    html = rendered("{% lifetime start end label %}", start=end - timedelta(hours=1), end=end, label="Left")

    assert f'<meter min="0" max="3600" value="{value}"' in html
    assert 'aria-label="Left"' in html
