"""How far this host's clock and Cognito's are apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How far this host's clock was ahead of Cognito's at a moment (UTC); behind, if that is negative."""

    ahead: timedelta
    read_at: datetime


class Clock:
    """Remembers the newest answer's word on the time: the Date header (RFC 9110 section 6.6.1), in whole seconds."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.reading: ClockReading | None = None

    def compare(self, date: str) -> None:
        """Compare this host's clock with the Date header of an answer that has just come; nonsense says nothing."""
        try:
            theirs = parsedate_to_datetime(date).replace(tzinfo=UTC)
        except ValueError:
            return
        now = self._now()
        self.reading = ClockReading(ahead=now - theirs, read_at=now)
