"""Refresh and probe traffic of a fleet under Cognito's quotas: `python -m tests.bench.simulate`.

A discrete-event simulation with the app's own constants: when a refresh is due and how far it is spread, how a failed
one backs off, how often a probe is due and how many a second are allowed. Nothing happens by itself: a session acts
with the first request of its person after something is due. Times are seconds; each row takes a second or a few.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import quantiles

from accounts.back_off import back_off

HOUR = 3600.0
# Cognito's default of the categories UserAuthentication (refresh) and UserRead (GetUser).
# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
QUOTA = 120
# The app's defaults; tests/bench/test_simulate.py compares them with the settings and `Session`.
REFRESH_AT, REFRESH_SPREAD = 0.75, 0.05
BACK_OFF_FIRST, BACK_OFF_MOST = timedelta(seconds=2), timedelta(seconds=60)
PROBE_SECONDS, PROBE_RATE = 60.0, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Who is signed in, and what Cognito allows."""

    sessions: int
    # All sign in within so many seconds from the start, evenly.
    arrive_within: float
    seconds: float
    token_life: float = HOUR
    spread: float = REFRESH_SPREAD
    # Mean time between two requests of one person who is working.
    think: float = 30.0
    quota: int = QUOTA
    # Cognito does not answer from the first of these moments to the second.
    outage: tuple[float, float] = (0.0, 0.0)


@dataclass(slots=True)
class Traffic:
    """What came of it; per second where it is a Counter."""

    refreshed: Counter[int] = field(default_factory=Counter)
    throttled: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    # Requests that found their access token expired and no new one to be had.
    without_token: int = 0
    last_late: float = 0.0

    @property
    def peak(self) -> int:
        """The most refreshes asked for within one second."""
        asked = self.refreshed + self.throttled
        return max(asked.values(), default=0)

    @property
    def throttled_share(self) -> float:
        asked = self.refreshed.total() + self.throttled.total()
        return self.throttled.total() / asked if asked else 0.0


def refresh_traffic(fleet: Fleet, dice: random.Random) -> Traffic:
    """Run a fleet's refreshes against the quota of UserAuthentication."""
    traffic = Traffic()
    # When it acts, how often it failed since, and when its access token expires.
    queue: list[tuple[float, int, float]] = []
    for number in range(fleet.sessions):
        start = fleet.arrive_within * number / fleet.sessions
        heapq.heappush(queue, (_next_refresh(fleet, start, dice), 0, start + fleet.token_life))
    while queue and queue[0][0] < fleet.seconds:
        now, failures, expires = heapq.heappop(queue)
        second = int(now)
        if fleet.outage[0] <= now < fleet.outage[1]:
            traffic.unanswered += 1
        elif traffic.refreshed[second] < fleet.quota:
            traffic.refreshed[second] += 1
            if now > expires:
                traffic.last_late = now
            heapq.heappush(queue, (_next_refresh(fleet, now, dice), 0, now + fleet.token_life))
            continue
        else:
            traffic.throttled[second] += 1
        traffic.without_token += now > expires
        wait = back_off(failures, first=BACK_OFF_FIRST, most=BACK_OFF_MOST).total_seconds()
        heapq.heappush(queue, (now + wait + dice.expovariate(1 / fleet.think), failures + 1, expires))
    return traffic


def _next_refresh(fleet: Fleet, issued: float, dice: random.Random) -> float:
    due = issued + fleet.token_life * (REFRESH_AT - dice.uniform(0, fleet.spread))
    return due + dice.expovariate(1 / fleet.think)


def probe_intervals(
    sessions: int, seconds: float, dice: random.Random, *, rate: int = PROBE_RATE, think: float = 30.0
) -> list[float]:
    """Return the times between two probes of one session, under a budget of `rate` a second for all."""
    queue = [(dice.uniform(0, PROBE_SECONDS), 0.0) for _ in range(sessions)]
    heapq.heapify(queue)
    spent: Counter[int] = Counter()
    intervals = []
    while queue[0][0] < seconds:
        now, probed = heapq.heappop(queue)
        due = now
        if spent[int(now)] < rate:
            spent[int(now)] += 1
            # What happened before everybody was probed once says nothing.
            if probed:
                intervals.append(now - probed)
            probed, due = now, now + PROBE_SECONDS
        heapq.heappush(queue, (due + dice.expovariate(1 / think), probed))
    return intervals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    dice = random.Random(parser.parse_args().seed)
    random.seed(dice.random())
    for line in report(dice):
        print(line, flush=True)  # noqa: T201


def report(dice: random.Random) -> Iterator[str]:
    """Yield the lines of the tables of docs/scale.md."""
    yield f"Tokens live an hour, Cognito takes {QUOTA} refreshes a second, a person works every 30 s"
    yield f"{'sessions':>9} {'signed in within':>17} {HEADINGS}"
    for sessions, within in ((200_000, HOUR), (300_000, HOUR), (100_000, 900.0), (200_000, 900.0)):
        for spread in (0.0, REFRESH_SPREAD, 0.25):
            fleet = Fleet(sessions=sessions, arrive_within=within, seconds=2 * HOUR, spread=spread)
            yield f"{sessions:>9,} {within / 60:>13.0f} min {_figures(fleet, refresh_traffic(fleet, dice))}"
    yield ""
    yield "Signed in within 15 minutes, and Cognito is silent for 20, from when the first refreshes are due"
    yield f"{'sessions':>9} {HEADINGS} {'all well again after':>21}"
    for sessions in (20_000, 50_000, 100_000):
        fleet = Fleet(sessions=sessions, arrive_within=900, seconds=2 * HOUR, outage=(2400.0, 3600.0))
        traffic = refresh_traffic(fleet, dice)
        after = max(0.0, traffic.last_late - fleet.outage[1])
        yield f"{sessions:>9,} {_figures(fleet, traffic)} {after:>19.0f} s"
    yield ""
    yield f"Probes: due every {PROBE_SECONDS:.0f} s per session in use, {PROBE_RATE} a second for all"
    yield f"{'in use':>9} {'half within':>12} {'95 % within':>12} {'longest':>9}"
    for sessions in (500, 1_800, 3_600, 10_000):
        intervals = probe_intervals(sessions, max(1200.0, sessions / PROBE_RATE * 4), dice)
        cuts = quantiles(intervals, n=20)
        yield f"{sessions:>9,} {cuts[9]:>10.0f} s {cuts[18]:>10.0f} s {max(intervals):>7.0f} s"


HEADINGS = f"{'spread':>7} {'peak/s':>7} {'throttled':>10} {'requests without token':>23}"


def _figures(fleet: Fleet, traffic: Traffic) -> str:
    return f"{fleet.spread:>7.0%} {traffic.peak:>7,} {traffic.throttled_share:>10.1%} {traffic.without_token:>23,}"


if __name__ == "__main__":
    main()
