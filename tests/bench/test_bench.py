"""bin/bench still works: its parts with tiny sizes, where that takes a moment. What they measure is not looked at."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bench import __main__ as bench
from tests.bench import load, primitives, same_page, sign_in, stampede
from tests.bench.served import Served
from tests.conftest import Browser


def test_help_lists_every_part_with_what_it_measures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["bin/bench", "--help"])

    with pytest.raises(SystemExit) as done:
        bench.main()

    listed = capsys.readouterr().out
    assert done.value.code == 0
    for name, module in bench.PARTS.items():
        __import__(module)
        line = next(line for line in listed.splitlines() if line.strip().startswith(f"{name} "))
        assert sys.modules[module].__doc__.splitlines()[0] in line  # type: ignore[union-attr]


def test_primitives_are_compared_for_whoever_is_signed_in(user: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    primitives.compare(rounds=1)

    assert len(capsys.readouterr().out.splitlines()) == 3
    assert user.row.token_set_sealed


def test_what_is_done_by_hand_gives_what_the_app_reads(user: Browser) -> None:
    tokens = user.row.token_set()

    claims = primitives.bare_verification(tokens.access_token)()
    opened = primitives.bare_opening(user.row.token_set_sealed)()

    assert claims["sub"] == user.person.sub
    assert opened["access"] == tokens.access_token


def test_arms_take_turns() -> None:
    arms = [SimpleNamespace(name=name, milliseconds=float) for name in same_page.ARMS]

    times = same_page.measure(arms, rounds=2, requests=3)  # type: ignore[arg-type]

    assert times == {name: [3.0, 3.0] for name in same_page.ARMS}


def test_the_slowest_of_a_hundred_is_found() -> None:
    assert load.p99([*[0.1] * 98, 5.0, 5.0]) > 4


def test_a_rush_tells_how_many_were_not_answered() -> None:
    answers = iter([200, 503])
    browser = SimpleNamespace(get=lambda address: SimpleNamespace(status_code=next(answers)))

    seconds, failed = stampede.rush(browser, 2)  # type: ignore[arg-type]

    assert (len(seconds), failed) == (2, 1)


def test_a_page_is_served_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SECONDS", 0.2)

    with Served("gatehouse", f"sqlite:///{tmp_path}/site.sqlite3", threads=load.CLIENTS) as served:
        assert len(served.workers()) == 1
        assert load.press(served)


def test_somebody_signs_in_and_the_floor_is_found(tmp_path: Path) -> None:
    with (
        sign_in.user_pool() as pool,
        sign_in.SignInArm("gatehouse", f"sqlite:///{tmp_path}/site.sqlite3", pool) as arm,
    ):
        assert arm.milliseconds() > 0
        assert arm.floor() > 0
