from __future__ import annotations

from datetime import datetime

from django import template

from accounts.models import Session
from accounts.models.session import TokenHealth

register = template.Library()


@register.filter
def health(session: Session, now: datetime) -> TokenHealth:
    """Return what the tokens of a session are doing: `{% with health=session|health:now %}`."""
    return session.health(now)
