"""What must hold in the end, whatever has happened. Each method returns what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from accounts.models import Session
from tests.fake_user_pool.state import SignIn
from tests.fleet.disasters import Disaster
from tests.fleet.pool import ACCESS_TOKEN_SECONDS, FleetPool
from tests.fleet.visits import Outcome, Visit

# What is left of an access token when its refresh falls due.
LAST_QUARTER_SECONDS = ACCESS_TOKEN_SECONDS * (1 - Session.REFRESH_AT)


@dataclass(frozen=True)
class Ledger:
    """What was seen from all sides: by the people, by the pool, and in the database."""

    pool: FleetPool
    visits: list[Visit]
    disasters: list[Disaster]
    began: float
    live: dict[str, str]
    """The `origin_jti` of the sign-ins that have a session, and the address each came from."""
    addresses: set[str]
    """Where the people's browsers are."""
    restarts: int
    """How often a worker or a sweep had to be started again."""

    def of(self, *outcomes: Outcome) -> list[Visit]:
        return [visit for visit in self.visits if visit.outcome in outcomes]

    def unexplained(self) -> list[Visit]:
        """Return requests that failed or were put off while nothing was the matter that may cause it.

        Without those that took so long, on a machine that had better things to do, that their access token ran out
        under way: Cognito refused it, and they are told to try again with the new one.
        """
        unwell = self.of(Outcome.FAILED, Outcome.PUT_OFF, Outcome.ONCE_MORE)
        excused = [visit for visit in unwell if any(disaster.excuses(visit) for disaster in self.disasters)]
        slow = [visit for visit in self.of(Outcome.PUT_OFF) if visit.ended - visit.started > LAST_QUARTER_SECONDS]
        return [visit for visit in unwell if visit not in excused and visit not in slow]

    def never_told(self) -> list[SignIn]:
        """Return ended sign-ins whose refresh tokens are still good at the pool.

        Without those of which no host ever knew: it died, or its database did, between exchanging the code and
        writing the session. Nobody has their tokens, and the person was told to sign in again.
        """
        left = [each for each in self._sign_ins if each.origin_jti not in self.live and not each.revoked]
        broken = self.of(Outcome.FAILED, Outcome.ONCE_MORE)
        lost = Counter(visit.email for visit in broken if visit.path == "/callback/")
        known = []
        for sign_in in left:
            lost[sign_in.person.email] -= 1
            if lost[sign_in.person.email] < 0:
                known.append(sign_in)
        return known

    def told_twice(self) -> list[SignIn]:
        """Return sign-ins that were revoked again though nothing died between telling the pool and noting it."""
        first_told: dict[str, float] = {}
        twice = []
        for told in self.pool.told:
            at = first_told.setdefault(told.sign_in.event_id, told.at)
            if at != told.at and not any(disaster.may_forget(at) for disaster in self.disasters):
                twice.append(told.sign_in)
        return twice

    def revoked_alive(self) -> list[SignIn]:
        """Return revoked sign-ins whose sessions live on."""
        return [each for each in self._sign_ins if each.origin_jti in self.live and each.revoked]

    def refused_alive(self) -> list[tuple[str, str]]:
        """Return refreshes that were refused though nobody had revoked the sign-in: reuse above all."""
        return [
            (code, sign_in.person.email if sign_in else "an unknown token")
            for code, sign_in in self.pool.refused_refreshes
            if sign_in is None or not sign_in.revoked
        ]

    def refreshed_at_once(self) -> list[SignIn]:
        """Return sign-ins of which two refreshes were under way at the same time."""
        return self.pool.overlapping

    def strangers(self) -> set[str]:
        """Return addresses of sessions at which none of the people is."""
        return set(self.live.values()) - self.addresses

    @property
    def told(self) -> int:
        """How many sign-ins the pool was told to end."""
        return len({told.sign_in.event_id for told in self.pool.told})

    @property
    def _sign_ins(self) -> list[SignIn]:
        return list(self.pool.sign_ins.values())


CLAIMS: Mapping[str, Callable[[Ledger], Collection[object]]] = {
    "nobody is signed out who did not ask for it": lambda ledger: ledger.of(Outcome.SIGNED_OUT),
    "nobody sees a page of somebody else": lambda ledger: ledger.of(Outcome.NOT_THEIRS),
    "nobody gets an answer that nobody foresaw": lambda ledger: ledger.of(Outcome.ODD),
    "requests fail only where something has just died": Ledger.unexplained,
    "Cognito is told of every end": Ledger.never_told,
    "Cognito is told again only where the first time died before it was noted": Ledger.told_twice,
    "nothing is revoked that lives": Ledger.revoked_alive,
    "no refresh token is used after its grace": Ledger.refused_alive,
    "no two refreshes of one session are under way": Ledger.refreshed_at_once,
    "sessions show where the browser is, not the proxy": Ledger.strangers,
}
