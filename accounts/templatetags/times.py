"""Times in pages: readable as they are, and live and in the reader's own zone where `static/js/times.js` runs."""

from __future__ import annotations

from datetime import UTC, datetime
from math import floor

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy, pgettext

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400
# Up to how many, in units of how many seconds, and in which words; the script has the same steps.
STEPS = (
    (
        60,
        1,
        ngettext_lazy("in %(count)d second", "in %(count)d seconds", "count"),
        ngettext_lazy("%(count)d second ago", "%(count)d seconds ago", "count"),
    ),
    (
        120,
        MINUTE,
        ngettext_lazy("in %(count)d minute", "in %(count)d minutes", "count"),
        ngettext_lazy("%(count)d minute ago", "%(count)d minutes ago", "count"),
    ),
    (
        48,
        HOUR,
        ngettext_lazy("in %(count)d hour", "in %(count)d hours", "count"),
        ngettext_lazy("%(count)d hour ago", "%(count)d hours ago", "count"),
    ),
    (
        float("inf"),
        DAY,
        ngettext_lazy("in %(count)d day", "in %(count)d days", "count"),
        ngettext_lazy("%(count)d day ago", "%(count)d days ago", "count"),
    ),
)


@register.simple_tag(takes_context=True)
def relative_time(context: Context, at: datetime | None) -> str:
    """Return "in 12 minutes" or "3 hours ago" as a `<time>`, counted from the page's `now`."""
    return _element(at, "relative", in_words(at, _now(context))) if at else ""


@register.simple_tag(takes_context=True)
def clock_time(context: Context, at: datetime | None) -> str:
    """Return "14:32 UTC" as a `<time>`, with the date in front unless it is the day of the page's `now`."""
    if at is None:
        return ""
    is_today = at.astimezone(UTC).date() == _now(context).astimezone(UTC).date()
    return _element(at, "clock", _clock(at, "H:i" if is_today else pgettext("date format", "j M Y, H:i")))


@register.simple_tag(takes_context=True)
def lifetime(context: Context, start: datetime, end: datetime, label: str) -> str:
    """Return a `<meter>` of what is left, at the page's `now`, of the time between two moments."""
    left = max(0, round((end - _now(context)).total_seconds()))
    return format_html(
        '<meter min="0" max="{}" value="{}" data-until="{}" aria-label="{}">{}</meter>',
        max(1, round((end - start).total_seconds())),
        left,
        _iso(end),
        label,
        in_words(end, _now(context)),
    )


def in_words(at: datetime, now: datetime) -> str:
    """Say how far `at` is from `now`, in one unit."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return _("now")
    # What would be rounded up to the limit is said in the next unit.
    count, ahead, ago = next(
        (count, ahead, ago) for limit, size, ahead, ago in STEPS if (count := floor(abs(seconds) / size + 0.5)) < limit
    )
    return str((ahead if seconds > 0 else ago) % {"count": count})


def _element(at: datetime, kind: str, text: str) -> SafeString:
    title = _clock(at, pgettext("date format", "j M Y, H:i:s"))
    return format_html('<time datetime="{}" title="{}" data-time="{}">{}</time>', _iso(at), title, kind, text)


def _clock(at: datetime, form: str) -> str:
    return f"{date_format(at.astimezone(UTC), form)} UTC"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _now(context: Context) -> datetime:
    now = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()
