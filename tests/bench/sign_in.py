"""What a sign-in costs the app, both requests of it, beside what none can do without and beside the two libraries.

Each arm is a process of its own; the user pool and the person in front of it are in others, and cost nothing here. The
floor is done by hand: one exchange over HTTP, two signatures, and what was written, written again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from statistics import median
from typing import Any, Self
from urllib.parse import urljoin

import requests

from tests.bench.same_page import databases
from tests.fake_user_pool.__main__ import PASSWORD

ARMS = ("gatehouse", "mozilla", "allauth")
ROUNDS, KINDS = 60, 2


class SignInArm:
    """One project in a process of its own, in which people sign in."""

    def __init__(self, name: str, database_url: str, pool: dict[str, str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.arms.sign_in", name, database_url, json.dumps(pool)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """Sign somebody in for the first time, which makes them known, and once more to see that it works."""
        self.milliseconds()
        if self.name == "gatehouse":
            self.order("record")
        self.milliseconds()
        if self.order("/bench/")["status"] != "200 OK":
            raise RuntimeError(f"nobody is signed in: {self.name}")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def milliseconds(self) -> float:
        """Sign somebody in and return the CPU time that it took."""
        begun = self.order("")
        done = self.order(hosted_ui(begun["location"]))
        return float(begun["cpu"] + done["cpu"]) * 1000

    def floor(self) -> float:
        return float(self.order("floor")["cpu"]) * 1000

    def order(self, what: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


def hosted_ui(authorization_url: str) -> str:
    """Do the person's part, in a browser of its own, and return where the hosted UI sends it then."""
    with requests.Session() as browser:
        shown = browser.get(authorization_url, allow_redirects=False)
        form = {"username": "user@example.com", "password": PASSWORD}
        page = urljoin(authorization_url, shown.headers["Location"])
        return browser.post(page, data=form, allow_redirects=False).headers["Location"]


@contextmanager
def user_pool() -> Iterator[dict[str, str]]:
    """Run the fake user pool in a process of its own; give the settings of an app that uses it."""
    command = [sys.executable, "-m", "tests.fake_user_pool", "--port", "0", "--site", "http://testserver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: dict[str, str] = {}
        for line in process.stdout:
            if line.startswith("#"):
                break
            name, _, value = line.rstrip("\n").partition("=")
            said[name] = value
        try:
            yield said
        finally:
            process.terminate()


def main(rounds: int = ROUNDS, kinds: int = KINDS) -> None:
    print(f"{'database':<12}{'project':<12}{'CPU/sign-in':>14}{'to the floor':>14}{'to ours':>10}")  # noqa: T201
    for database, urls in islice(databases(), kinds):
        with ExitStack() as stack:
            pool = stack.enter_context(user_pool())
            arms = [stack.enter_context(SignInArm(name, urls(name), pool)) for name in ARMS]
            times = measure(arms, rounds)
        for name, own in times.items():
            floor, ours = (median(a / b for a, b in zip(own, times[of], strict=True)) for of in ("floor", "gatehouse"))
            print(  # noqa: T201
                f"{database:<12}{name:<12}{median(own):>11.2f} ms{floor:>14.2f}{ours:>10.2f}", flush=True
            )


def measure(arms: list[SignInArm], rounds: int) -> dict[str, list[float]]:
    """Have the arms take turns; return the CPU milliseconds of a sign-in, by arm and round, and those of the floor."""
    times: dict[str, list[float]] = {"floor": [], **{arm.name: [] for arm in arms}}
    for _ in range(rounds):
        times["floor"].append(arms[0].floor())
        for arm in arms:
            times[arm.name].append(arm.milliseconds())
    return times


if __name__ == "__main__":
    main()
