"""What the relying party keeps: people, pending authorization requests, sessions, and what became of them."""

from accounts.models.authorization import AuthorizationRequest
from accounts.models.ended import EndedSession, EndReason, Revocation
from accounts.models.session import Session, TokenHealth
from accounts.models.user import User

__all__ = [
    "AuthorizationRequest",
    "EndReason",
    "EndedSession",
    "Revocation",
    "Session",
    "TokenHealth",
    "User",
]
