"""What happens to the fleet, one thing after the other, and which requests each may cost."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import requests
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import Session
from tests.fleet.crowd import Crowd, Someone
from tests.fleet.fleet import Fleet
from tests.fleet.parts import Command
from tests.fleet.pool import REFRESH, REVOKE
from tests.fleet.visits import Outcome, Visit
from tests.servers import AppServer

# How long a refresh that was cut short is nobody else's business.
LEASE_SECONDS = Session.REFRESH_LEASE.total_seconds()
# A worker finds a revocation after its back-off, the sweep's next look, and its own; all of it slow on a slow machine.
PATIENCE_SECONDS = 90.0
# Between the end of one disaster and the next.
CALM_SECONDS = 4.0
# How long after its master's end a killed host's last worker may be seen to live.
DYING_SECONDS = 2.0
# Between Cognito's answer to a revocation and the moment in which the database knows it, on a slow machine.
NOTING_SECONDS = 5.0
UNLUCKY = 3

logger = logging.getLogger(__name__)


@dataclass
class Disaster:
    """Something that happened between two moments (`time.monotonic()`), and what it may cost."""

    what: str
    began: float = field(default_factory=time.monotonic)
    over: float = 0.0
    cut_short: int = 0
    """How many refreshes or deliveries died with it."""
    breaks: Callable[[Visit], bool] = lambda visit: False
    """Which requests may fail while it lasts."""
    delays: bool = False
    """Whether pages that need Cognito may be put off until the leases of refreshes it cut short run out."""

    def excuses(self, visit: Visit) -> bool:
        """Tell whether it explains that this request failed or was put off."""
        if visit.outcome is Outcome.PUT_OFF and self.delays:
            return visit.ended >= self.began and visit.started <= self.over + LEASE_SECONDS
        is_then = visit.ended >= self.began and visit.started <= self.over
        return is_then and self.breaks(visit)

    def may_forget(self, told_at: float) -> bool:
        """Tell whether it may have kept a revocation that succeeded at this time from being noted as done."""
        return self.delays and self.began - NOTING_SECONDS <= told_at <= self.over


@dataclass
class Fate:
    """Strikes, and waits until the fleet has got over it."""

    fleet: Fleet
    crowd: Crowd
    alias: str
    disasters: list[Disaster] = field(default_factory=list)
    restarts: int = 0
    """How often a worker or a sweep had to be started again."""

    def round(self) -> None:
        """Let everything happen once."""
        for strike in (
            self.kill_a_worker_that_tells_cognito,
            self.kill_a_host_that_refreshes,
            self.restart_postgres,
            self.stop_redis,
            self.roll_out,
        ):
            time.sleep(CALM_SECONDS)
            strike()
        time.sleep(CALM_SECONDS)

    def kill_a_worker_that_tells_cognito(self) -> None:
        """Kill a worker while it waits for Cognito's answer to a revocation."""
        pool, people = self.fleet.pool, self._people_with_second_browsers()
        persons = [someone.person for someone in people]
        disaster = self._begins("kill -9 a worker while it tells Cognito of an end")
        with alone(people):
            with pool.refusing(REVOKE, persons):
                for someone in people:
                    if someone.second and someone.second.is_signed_in:
                        someone.second.sign_out()
            with pool.silent(REVOKE, persons, is_done_first=False) as silence:
                silence.wait_for(1, PATIENCE_SECONDS)
                while (worker := self._worker_at_work()) is None:
                    silence.wait_for(1, PATIENCE_SECONDS)
                worker.kill()
        disaster.cut_short = 1
        self._is_over(disaster)

    def kill_a_host_that_refreshes(self) -> None:
        """Kill gunicorn's master and workers after Cognito has replaced refresh tokens, before they hear of it."""
        pool, victim = self.fleet.pool, random.choice(self.fleet.release.hosts)
        unlucky = random.sample([someone for someone in self.crowd.people if someone.second is None], UNLUCKY)
        disaster = self._begins("kill -9 a host (master and workers) in the middle of refreshes")
        disaster.breaks, disaster.delays = is_lost_with_its_host, True
        persons = [someone.person for someone in unlucky]
        with alone(unlucky), pool.silent(REFRESH, persons, is_done_first=True) as silence:
            self._sessions.filter(user__subject__in=[person.sub for person in persons]).update(
                refresh_due_at=timezone.now() - timedelta(seconds=1)
            )
            with ThreadPoolExecutor(UNLUCKY) as executor:
                for someone in unlucky:
                    executor.submit(self._ask_directly, victim, someone)
                silence.wait_for(UNLUCKY, PATIENCE_SECONDS)
                victim.kill()
        killed_at = time.monotonic()
        disaster.cut_short = self._take_over()
        victim.start()
        self._is_over(disaster, at=killed_at + DYING_SECONDS)

    def restart_postgres(self) -> None:
        """Stop PostgreSQL, which breaks every connection, and start it again."""
        disaster = self._begins("restart PostgreSQL")
        disaster.breaks, disaster.delays = (lambda visit: True), True
        connections[self.alias].close()
        self.fleet.restart_postgres()
        up_at = time.monotonic()
        disaster.cut_short = self._take_over()
        self._is_over(disaster, at=up_at)

    def stop_redis(self) -> None:
        """Do without Redis for a while."""
        disaster = self._begins("stop Redis for five seconds")
        self.fleet.redis.stop()
        time.sleep(5)
        self.fleet.redis.start()
        self._is_over(disaster)

    def roll_out(self) -> None:
        """Let the next release take over, with its migration while the old one serves."""
        disaster = self._begins("roll out the next release, with a migration")
        self.fleet.roll_out()
        self._is_over(disaster)

    def _begins(self, what: str) -> Disaster:
        logger.info("%s", what)
        disaster = Disaster(what)
        self.disasters.append(disaster)
        return disaster

    def _is_over(self, disaster: Disaster, at: float | None = None) -> None:
        disaster.over = time.monotonic() if at is None else at
        self.restarts += self.fleet.revive()
        logger.info("... is over")

    def _take_over(self) -> int:
        """Have people whose refresh was cut short go on working until it has been done; return how many there were.

        They are asked to here since it must be within the grace, however slow the machine: who comes back later is
        asked to sign in again, which is not what this is about.
        """
        moment = timezone.now()
        time.sleep(1)  # for those that are only slow
        cut_short = self._sessions.filter(refresh_claimed_until__lte=moment + Session.REFRESH_LEASE)
        stuck = list(cut_short.values_list("public_id", "user__email"))
        mine = cut_short.filter(public_id__in=[public_id for public_id, _ in stuck])

        def one_more_try() -> bool:
            emails = list(mine.values_list("user__email", flat=True))
            logger.info("%d refreshes wait to be taken over: %s", len(emails), emails[:UNLUCKY])
            with ThreadPoolExecutor(UNLUCKY) as executor:
                list(executor.map(Someone.reload, self.crowd.of(emails)))
            return not emails

        self._until(one_more_try, "nobody takes over a refresh that was cut short", every=0.5)
        return len(stuck)

    def _people_with_second_browsers(self) -> list[Someone]:
        """Return some people who are signed in in their second browsers, once there are any."""

        def candidates() -> list[Someone]:
            return [each for each in self.crowd.people if each.second and each.second.is_signed_in]

        self._until(lambda: len(candidates()) >= UNLUCKY, "nobody signs in in a second browser")
        return random.sample(candidates(), UNLUCKY)

    def _ask_directly(self, host: AppServer, someone: Someone) -> None:
        """Ask one host for a page, as the proxy would."""
        headers = {"Cookie": someone.first.browser.cookie_header, "X-Forwarded-Proto": "https"}
        with contextlib.suppress(requests.ConnectionError):
            requests.get(f"{host.url}/api/session/", headers=headers, timeout=PATIENCE_SECONDS)

    def _worker_at_work(self) -> Command | None:
        """Return a worker that is delivering revocations. What one did that was killed stays noted as running."""
        running = DBTaskResult.objects.using(self.alias).running().filter(task_path__endswith="deliver_revocations")
        names = {worker_ids[-1] for worker_ids in running.values_list("worker_ids", flat=True)}
        return next((each for each in self.fleet.release.workers if names & set(each.arguments)), None)

    @property
    def _sessions(self) -> QuerySet[Session]:
        rows: QuerySet[Session] = Session.objects.using(self.alias)
        return rows

    def _until(self, is_so: Callable[[], bool], otherwise: str, every: float = 0.2) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError(otherwise)
            time.sleep(every)


def is_lost_with_its_host(visit: Visit) -> bool:
    """Tell whether a request may fail whose host dies: what no other may repeat, and a sign-in whose code was used."""
    return visit.outcome is Outcome.ONCE_MORE or not visit.may_be_repeated


@contextlib.contextmanager
def alone(people: list[Someone]) -> Iterator[None]:
    """Keep these people from doing anything else inside the block."""
    with contextlib.ExitStack() as stack:
        for someone in people:
            stack.enter_context(someone.lock)
        yield
