"""Whether the session behind a request may go on, and in what state."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from accounts.ending import SessionEndedError, end_session, lapse_reason
from accounts.models import EndedSession, EndReason, Session
from accounts.probe import probe
from accounts.refresh import keep_fresh
from accounts.sessions import SessionStore
from accounts.writing import if_writable


def admit(store: SessionStore, now: datetime, *, is_in_background: bool = False) -> Session | None:
    """Return the live row of a signed-in request, its tokens fresh; None for anybody else.

    Raise SessionEndedError if there was a session but it has ended: elsewhere, by a time limit, by a disabled
    account, or because Cognito refuses it. A request in the background is no sign of the person: it moves no idle
    limit. All else is done for it, since a request must not escape the probe by what it says of itself.
    """
    row = store.row
    if row is None:
        _explain_absence(store, now)
        return None
    if row.user_id is None:
        return None
    if not row.person.is_active:
        raise SessionEndedError(end_session(row, EndReason.DISABLED, now=now))
    if not is_in_background:
        if_writable(partial(row.touch, now))
    return probe(keep_fresh(row, now), now)


def _explain_absence(store: SessionStore, now: datetime) -> None:
    """Raise SessionEndedError if the browser's key is that of a session that has just lapsed, or has ended before."""
    if store.lapsed_row is not None:
        ended = end_session(store.lapsed_row, lapse_reason(store.lapsed_row, now), now=now)
        if ended is not None:
            raise SessionEndedError(ended)
    if store.dead_key_digest:
        ended = EndedSession.objects.recent(now).filter(key_digest=store.dead_key_digest).first()
        if ended is not None and ended.reason != EndReason.SIGNED_OUT:
            raise SessionEndedError(ended)
