"""How Cognito answers and what of its quotas is used, as numbers that a page can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import budget, measuring
from accounts.measuring import Tally

MINUTES = 15
NAMES: dict[str, str | Promise] = {
    "exchange": gettext_lazy("Exchange of a code"),
    "check": gettext_lazy("Check of the client secret"),
    "jwks": gettext_lazy("Signing keys"),
    "get_user": "GetUser",
    "refresh": "GetTokensFromRefreshToken",
    "revoke": "RevokeToken",
    "global_sign_out": "GlobalSignOut",
    "admin_get_user": "AdminGetUser",
    "admin_user_global_sign_out": "AdminUserGlobalSignOut",
}
SECONDS_IN_A_MINUTE = 60
# Past this share of a quota, a busier hour would be throttled.
SCARCE = 80.0


@dataclass(frozen=True, slots=True)
class Calls:
    """How the calls of one operation fared."""

    tally: Tally

    @property
    def name(self) -> str | Promise:
        return NAMES[self.tally.operation]

    @property
    def half(self) -> str:
        return in_words(self.tally.percentile(0.5))

    @property
    def most(self) -> str:
        return in_words(self.tally.percentile(0.95))


@dataclass(frozen=True, slots=True)
class Quota:
    """One category of Cognito's quotas; figures are calls a second."""

    category: str
    per_second: int
    budget: int | None
    used: float

    @property
    def share(self) -> float:
        return 100 * self.used / self.per_second

    @property
    def is_scarce(self) -> bool:
        return self.share >= SCARCE


def calls(minutes: int = MINUTES, operations: tuple[str, ...] = measuring.OPERATIONS) -> list[Calls] | None:
    """Return how each operation fared in the last minutes; None if the cache is out of reach."""
    tallies = measuring.read(minutes, operations)
    return None if tallies is None else [Calls(tally) for tally in tallies]


def refresh_latencies() -> list[Calls] | None:
    """Return how refreshes fared in the last 15 minutes and in the last hour; None if the cache is out of reach."""
    spans = [calls(minutes, ("refresh",)) for minutes in (MINUTES, 60)]
    return None if None in spans else [call for span in spans if span for call in span]


def quotas() -> list[Quota] | None:
    """Return the use of each category in the last whole minute; None if the cache is out of reach."""
    tallies = measuring.read(1, until=1)
    return None if tallies is None else list(_quotas({tally.operation: tally.calls for tally in tallies}))


def in_words(seconds: float | None) -> str:
    """Return the upper end of a range of seconds as text; none if there is none."""
    if seconds is None:
        return ""
    longest = measuring.BOUNDS[-1]
    if seconds > longest:
        return _("over %(number)s s") % {"number": _number(longest)}
    if seconds < 1:
        return _("%(number)s ms") % {"number": _number(1000 * seconds)}
    return _("%(number)s s") % {"number": _number(seconds)}


def _number(number: float) -> str:
    """Write a number as the page's language does, without needless digits."""
    return number_format(Decimal(f"{number:g}"))


def _quotas(counted: dict[str, int]) -> Iterator[Quota]:
    """Yield the categories with Cognito's default quotas.

    https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
    """
    for category, per_second, budgets, operations in (
        ("UserAuthentication", 120, (), ("exchange", "check", "refresh")),
        ("UserRead", 120, (budget.probe_budget(), budget.ADMIN_GET_USER), ("get_user", "admin_get_user")),
        ("UserToken", 120, (budget.REVOKE,), ("revoke",)),
        ("UserUpdate", 25, (budget.GLOBAL_SIGN_OUT,), ("global_sign_out", "admin_user_global_sign_out")),
    ):
        used = sum(counted[operation] for operation in operations) / SECONDS_IN_A_MINUTE
        yield Quota(category, per_second, sum(each.per_second for each in budgets) or None, used)
