"""A share of the account's Cognito quotas, spent by all processes together.

The count of each second stands in Django's cache: shared by the fleet if the cache is, else per process. A cache that
is out of reach leaves the limit to Cognito, which throttles: then calls come later, and none is lost.
https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts import soft_cache
from accounts.cognito.errors import ThrottledError


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls per second this application allows itself of one quota category."""

    name: str
    per_second: int


# UserToken has 120 requests a second, UserUpdate 25 that cannot be raised; other applications share them.
REVOKE = Budget("revoke", 100)
GLOBAL_SIGN_OUT = Budget("global_sign_out", 20)
# Of UserRead, and not the probes' share of it: what operators ask must not make an ended session live on.
ADMIN_GET_USER = Budget("admin_get_user", 5)


def probe_budget() -> Budget:
    """Return the share of UserRead (120 requests a second) that probes may use."""
    return Budget("probe", settings.COGNITO_PROBE_RATE)


def can_spend(budget: Budget, now: datetime) -> bool:
    """Take one call out of this second's budget; False if it is used up."""
    return soft_cache.count(f"budget:{budget.name}:{int(now.timestamp())}", seconds=5) <= budget.per_second


def spend(budget: Budget, now: datetime) -> None:
    """Take one call out of this second's budget. Raise ThrottledError if it is used up."""
    if not can_spend(budget, now):
        raise ThrottledError(f"own budget of {budget.per_second} {budget.name} calls a second", retry_after=1)
