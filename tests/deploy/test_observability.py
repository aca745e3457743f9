"""The dashboard and the alerts ask for what /metrics tells, and each alert says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric

from accounts import measuring, metrics, problems
from accounts.cognito.observing import OUTCOMES
from accounts.problems import Problem
from config.metrics import registry
from tests.docs.support import DOCS, PROJECT
from tests.docs.test_pages import HEADING, anchor

FOLDER = PROJECT / "deploy" / "observability"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
SELECTOR = re.compile(r"(gatehouse_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!=|=)\s*"([^"]*)"')
PAGE = (DOCS / "operations.md").read_text()
# Of those that have no series before there is something to tell.
LABELS = {"gatehouse_http_request_seconds": {"view", "status"}}
# What the scrape adds to each series.
ADDED = {"instance", "job"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> dict[str, Metric]:
    """What /metrics tells, by name."""
    return {metric.name: metric for metric in registry().collect()}


def labels_of(metric: Metric) -> set[str]:
    """Return a metric's labels: a histogram has its series from the start, or none before the first request."""
    return LABELS.get(metric.name, set()) | {name for sample in metric.samples for name in sample.labels}


def selectors() -> Iterator[tuple[str, dict[str, str]]]:
    for expression in EXPRESSIONS:
        for name, matchers in SELECTOR.findall(expression):
            yield name, dict(MATCHER.findall(matchers))


def test_every_metric_asked_for_is_told(told: dict[str, Metric]) -> None:
    suffix = re.compile(r"_(bucket|count|sum)$")
    asked = {suffix.sub("", name) for name, _ in selectors()}

    assert asked - told.keys() == set()
    assert len(asked) > 10


def test_every_label_asked_for_is_there(told: dict[str, Metric]) -> None:
    suffix = re.compile(r"_(bucket|count|sum)$")

    wrong = [
        (name, label)
        for name, matchers in selectors()
        for label in matchers
        if label not in labels_of(told[suffix.sub("", name)]) | ADDED
    ]

    assert wrong == []


def test_every_outcome_asked_for_can_come_out() -> None:
    pages = {page.name for page in vars(problems).values() if isinstance(page, Problem)}
    known = {
        "gatehouse_sign_in_seconds_count": {"ok", "error"} | pages,
        "gatehouse_refresh_seconds_count": {"ok", "postponed", "ended", "error"},
        "gatehouse_cognito_call_seconds_count": set(OUTCOMES),
        "gatehouse_cognito_call_seconds_bucket": set(OUTCOMES),
    }

    asked = [(name, word) for name, each in selectors() for word in each.get("outcome", "").split("|") if word]

    assert [(name, word) for name, word in asked if word not in known[name]] == []
    assert asked


def test_every_metric_told_is_explained_and_no_other(told: dict[str, Metric]) -> None:
    explained = set(re.findall(r"^\| `(gatehouse_\w+)` \|", PAGE, re.MULTILINE))

    assert explained == told.keys()


def test_every_step_is_measured() -> None:
    assert set(metrics.STEPS) == set(measuring.STEPS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    path, _, fragment = rule["annotations"]["runbook"].partition("#")

    assert path == "docs/operations.md"
    assert fragment in map(anchor, HEADING.findall(PAGE))
    assert rule["alert"] in PAGE


def test_panels_do_not_overlap() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert len(set(places)) == len(places) == len({panel["id"] for panel in DASHBOARD["panels"]})
