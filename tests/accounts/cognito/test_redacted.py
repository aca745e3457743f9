"""What holds secrets shows them to nobody by accident: every such class of the project, found by its fields."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import json
import logging
import pickle
import pkgutil
import re
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

import accounts
import config
import dashboard
from accounts.cognito.redacted import Redacted

SECRET = "s3cr3t-t3xt"
SECRET_FIELD = re.compile(r"token|secret|verifier|nonce|password|^(code|state|key)$")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not re.search(r"migrations|gunicorn|settings|wsgi", found.name):
            yield importlib.import_module(found.name)


def dataclasses_of_the_project() -> list[type]:
    found = {
        value
        for package in (accounts, dashboard, config)
        for module in modules(package)
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def holds_secrets(kind: Any) -> bool:
    return any(SECRET_FIELD.search(field.name) for field in dataclasses.fields(kind))


HOLDERS: list[Any] = [kind for kind in dataclasses_of_the_project() if holds_secrets(kind)]


def made(kind: Any) -> Any:
    """Return a value of this class with the secret in every field."""
    return kind(**{field.name: SECRET for field in dataclasses.fields(kind)})


def test_the_classes_that_hold_secrets_are_found() -> None:
    names = {kind.__name__ for kind in HOLDERS}

    assert names >= {"TokenSet", "TokenResponse", "VerifiedTokens", "AuthorizationRequest", "PendingSignIn"}
    assert "UserPoolConfig" in names


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_class_with_a_secret_in_its_fields_is_redacted_and_has_slots(kind: Any) -> None:
    assert issubclass(kind, Redacted)
    assert kind.__repr__ is Redacted.__repr__
    assert not hasattr(made(kind), "__dict__")


def logged(holder: object) -> str:
    record = logging.LogRecord("name", logging.INFO, "path", 1, "%s %r", (holder, [holder]), None)
    return logging.Formatter().format(record)


def traceback_of(holder: object) -> str:
    """Return a traceback with what every variable held, as error reports print it."""
    try:
        raise ValueError(holder)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def debug_page_of(holder: object) -> str:
    try:
        raise ValueError(holder)
    except ValueError as error:
        reporter = ExceptionReporter(RequestFactory().get("/"), type(error), error, error.__traceback__)
        return reporter.get_traceback_html() + reporter.get_traceback_text()


PRINTERS: dict[str, Callable[[Any], str]] = {
    "str": str,
    "repr": repr,
    "format": lambda holder: f"{holder} {holder!s} {holder!r} {holder!a}",
    "percent": lambda holder: "%s %r" % (holder, {"a": (holder,)}),  # noqa: UP031 - logging's own way
    "json": lambda holder: json.dumps({"a": holder}, default=str),
    "log": logged,
    "exception": lambda holder: repr(ValueError(holder)) + str(KeyError(holder)),
    "traceback": traceback_of,
    "debug page": debug_page_of,
}


@pytest.mark.parametrize("printer", PRINTERS.values(), ids=PRINTERS)
@pytest.mark.parametrize("kind", HOLDERS)
def test_what_holds_secrets_is_printed_without_them(kind: Any, printer: Callable[[Any], str]) -> None:
    printed = printer(made(kind))

    assert f"<{kind.__name__}: redacted>" in printed.replace("&lt;", "<").replace("&gt;", ">")
    # The debug page quotes this module's source, too.
    assert SECRET not in printed.replace(f'SECRET = "{SECRET}"', "")


TAKERS: dict[str, Callable[[Any], object]] = {
    **{f"pickle {each}": lambda holder, each=each: pickle.dumps(holder, each) for each in range(6)},  # type: ignore[misc]
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of a list": lambda holder: copy.deepcopy([holder]),
    "vars": vars,
    "json": json.dumps,
    "dict": dict,
    "iter": list,
}


@pytest.mark.parametrize("taker", TAKERS.values(), ids=TAKERS)
@pytest.mark.parametrize("kind", HOLDERS)
def test_what_holds_secrets_cannot_be_taken_apart(kind: Any, taker: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        taker(made(kind))
