"""What the relying party keeps: people, pending authorization requests, sessions, and what became of them."""

from accounts.models.authorization import AuthorizationRequest
from accounts.models.chore import Chore
from accounts.models.ended import EndedSession, EndReason
from accounts.models.event import Event
from accounts.models.event_count import EventCount
from accounts.models.health import TokenHealth
from accounts.models.kept_form import KeptForm
from accounts.models.revocation import Revocation
from accounts.models.session import Session
from accounts.models.user import User

__all__ = [
    "AuthorizationRequest",
    "Chore",
    "EndReason",
    "EndedSession",
    "Event",
    "EventCount",
    "KeptForm",
    "Revocation",
    "Session",
    "TokenHealth",
    "User",
]
