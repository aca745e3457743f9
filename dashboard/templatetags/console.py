"""Words and tones of the operators' console."""

from __future__ import annotations

import re
from datetime import datetime

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.models import EndReason, Event, Session

register = template.Library()

TONES: dict[str, tuple[str, str]] = {
    Event.Kind.SIGNED_IN: ("ok", "check"),
    Event.Kind.REFRESHED: ("info", "arrows"),
    Event.Kind.REFRESH_FAILED: ("warn", "warning"),
    Event.Kind.REFRESH_REUSED: ("bad", "warning"),
    Event.Kind.ENDED: ("idle", "stop"),
    Event.Kind.NOT_RECOGNISED: ("bad", "warning"),
    Event.Kind.FLAG_SETTLED: ("info", "check"),
    Event.Kind.SIGNED_OUT_EVERYWHERE: ("bad", "stop"),
    Event.Kind.REVOKED_MANY: ("bad", "stop"),
    Event.Kind.REVOCATION_RETRIED: ("info", "arrows"),
    Event.Kind.REVOCATION_GIVEN_UP: ("bad", "stop"),
}
# A command's: what may be left out stays together. A session's id has 36 characters.
WORDS = re.compile(r"\[[^]]*\]|\S+")
MOST_UNBROKEN = 24
# By the type of the error, which stands first in what is stored of it.
ERRORS: dict[str, str | Promise] = {
    "ProviderUnavailableError": _("Cognito did not answer, or answered nonsense. This passes."),
    "ThrottledError": _("Too many calls for Cognito's quota or our share of it. This passes."),
    "AccessDeniedError": _("AWS refuses this host: its credentials must allow the action on the user pool."),
    "UserPoolError": _("Cognito refuses the call itself: look at the app client's settings."),
    "TokenClockError": _("This host's clock and Cognito's disagree."),
    "InvalidTokenError": _("What Cognito sent failed verification."),
}


@register.filter
def tone(kind: str) -> str:
    """Return the colour of an event's badge."""
    return TONES.get(kind, ("idle", "info"))[0]


@register.filter
def icon(kind: str) -> str:
    """Return the icon of an event's badge."""
    return TONES.get(kind, ("idle", "info"))[1]


@register.filter
def breakable(person: object) -> str:
    """Return the person's name, with a place in an address where a line may end rather than anywhere in it."""
    mailbox, at, host = str(person).rpartition("@")
    return format_html("{}@<wbr>{}", mailbox, host) if at else host


@register.filter
def unbroken(command: str) -> str:
    """Return the command in words in which no line ends at a hyphen, but for those too long for a phone."""
    words = (
        word if len(word) > MOST_UNBROKEN else format_html("<span>{}</span>", word) for word in WORDS.findall(command)
    )
    return format_html_join(" ", "{}", ((word,) for word in words))


@register.filter
def why_ended(reason: str) -> str:
    """Return the words for why a session ended."""
    return str(EndReason(reason).label) if reason in EndReason.values else reason


@register.filter
def must_confirm(session: Session, now: datetime) -> bool:
    """Tell whether an operator signed in too long ago to act: then a page asks for that before it asks for words."""
    return not session.has_recent_sign_in(now)


@register.filter
def error_in_words(error: str) -> str | Promise:
    """Say what a stored error means for an operator; empty if nothing is known of its type."""
    return ERRORS.get(error.partition(":")[0], "")
