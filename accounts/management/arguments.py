"""Argument types that more than one command takes."""

from __future__ import annotations

from argparse import ArgumentTypeError

from django.core.exceptions import ValidationError

from accounts.validators import one_line


def positive(text: str) -> int:
    """Read a whole number above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def reason(text: str) -> str:
    """Read why something is done, as the console does."""
    try:
        one_line(text)
    except ValidationError as error:
        raise ArgumentTypeError(str(error.message)) from error
    return text
