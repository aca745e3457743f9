from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest

from accounts.models import Event
from dashboard.console.export import safe_cell
from tests.conftest import Browser
from tests.dashboard.console.support import make_person, make_session, make_sessions
from tests.fake_user_pool import FakeUserPool


def lines(browser: Browser, path: str) -> str:
    response: Any = browser.get(f"/console/{path}")
    assert response.streaming
    return b"".join(response.streaming_content).decode()


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])  # noqa: RUF001
def test_a_cell_is_never_a_formula(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("separator", [";", ",", "|", "\t", "; ", ';"', '; " "'])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])  # noqa: RUF001
def test_no_part_of_a_cell_becomes_a_formula(separator: str, start: str) -> None:
    assert safe_cell(f"x{separator}{start}1+1") == f"x{separator[0]}'{separator[1:]}{start}1+1"


@pytest.mark.parametrize(
    "value", ["ana@example.com", "a=b", "", "Firefox 132", 'quo"te', "left; laptop-1, phone | x = y", "a - b"]
)
def test_an_ordinary_cell_stays_as_it_is(value: str) -> None:
    assert safe_cell(value) == value


def test_what_people_chose_cannot_run_in_a_spreadsheet(admin: Browser, now: datetime) -> None:
    person = make_person("x", email='=HYPERLINK("http://evil.example","x")@example.com')
    make_session(person, now, browser="@SUM(1+1)", system="+cmd|' /C calc'!A0")

    cells = [cell for record in records(lines(admin, "sessions.csv")) for cell in record.values()]

    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'@SUM(1+1)" in cells


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_whatever_a_spreadsheet_splits_by_no_piece_is_a_formula(
    admin: Browser, now: datetime, pool: FakeUserPool, separator: str
) -> None:
    command = "=cmd|' /C calc'!A0"
    person = make_person("x", email=f'x;{command};"{command},"{command}@example.com')
    make_session(person, now, browser=f"x\t{command}", system=f'x";"{command}')
    mallory = Browser(pool, pool.add_person("m@example.com"), headers={"User-Agent": f"x;{command};/1 CFNetwork/1"})
    mallory.sign_in()

    text = lines(admin, "sessions.csv")
    pieces = [piece for row in csv.reader(io.StringIO(text), delimiter=separator) for piece in row]

    assert text.count("cmd") > 5
    assert not [piece for piece in pieces if piece.lstrip(' "').startswith(("=", "+", "-", "@"))]


def test_sessions_are_exported_as_they_are_filtered(admin: Browser, now: datetime) -> None:
    rows = make_sessions(60, now)

    found = records(lines(admin, "sessions.csv?browser=Firefox"))

    newest_first = sorted(rows, key=lambda row: (row.started_at, row.public_id), reverse=True)
    assert [record["session"] for record in found] == [str(row.public_id) for row in newest_first]
    assert found[0]["email"] == newest_first[0].person.email
    assert found[0]["tokens"] == "fresh"


def test_an_empty_export_still_has_its_columns(admin: Browser) -> None:
    assert lines(admin, "sessions.csv?q=nobody").startswith('"session","person","email"')


@pytest.mark.parametrize(
    "path",
    [
        *("sessions.csv?group=nope", "sessions.csv?state=flagged&q=a%00"),
        *("events.csv?session=abc", "events.jsonl?kind=nope"),
    ],
)
def test_a_filter_that_makes_no_sense_exports_nothing(admin: Browser, path: str) -> None:
    response = admin.get(f"/console/{path}")

    assert response.status_code == 400
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content == b"One of the filters makes no sense, so there is nothing to export.\n"


def test_events_are_exported_as_json_lines_with_who_and_why(admin: Browser, now: datetime) -> None:
    row = admin.row
    Event.objects.record(Event.Kind.ENDED, row, now=now, actor=row.user, reason="operator", detail="=why\nnot")

    found = [json.loads(line) for line in lines(admin, "events.jsonl?kind=ended").splitlines()]

    assert len(found) == 1
    assert found[0]["actor_email"] == "admin@example.com"
    assert found[0]["session"] == str(row.public_id)
    assert found[0]["detail"] == "=why\nnot"


def test_events_are_exported_as_csv(admin: Browser, now: datetime) -> None:
    Event.objects.record(Event.Kind.ENDED, admin.row, now=now, detail="=why")

    found = records(lines(admin, "events.csv?kind=ended"))

    assert [record["detail"] for record in found] == ["'=why"]
