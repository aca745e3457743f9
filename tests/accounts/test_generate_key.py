from __future__ import annotations

from io import StringIO

from django.core.management import call_command

from accounts.encryption import parse_key


def generated() -> str:
    out = StringIO()
    call_command("generate_key", stdout=out)
    return out.getvalue()


def test_a_generated_key_is_a_key() -> None:
    key = generated()

    assert key.endswith("\n")
    assert parse_key(key.strip()).thumbprint()


def test_two_generated_keys_differ() -> None:
    assert generated() != generated()


def test_a_generated_key_needs_no_quotes_in_an_environment_file() -> None:
    assert all(character.isalnum() or character in "-_" for character in generated().strip())
