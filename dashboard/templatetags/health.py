from __future__ import annotations

from datetime import datetime

from django import template

from accounts.models import EndedSession, Session, TokenHealth
from dashboard.session_page import device

register = template.Library()
register.filter(device)


@register.filter
def health(session: Session | EndedSession, now: datetime) -> TokenHealth:
    """Return what the tokens of a session, live or ended, are doing: `{% with health=session|health:now %}`."""
    return session.health(now)
