"""The environment of processes that tests start: complete, and nothing of the shell's but the search path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
# Tests open what these processes sealed, and the other way round.
SHARED = ("PATH", "SECRET_KEY", "TOKEN_ENCRYPTION_KEYS")
# For commands that ask no user pool; the app refuses to start without one.
NO_USER_POOL = {
    "COGNITO_USER_POOL_ID": "us-east-1_Test12345",
    "COGNITO_CLIENT_ID": "test-client",
    "COGNITO_DOMAIN": "http://localhost:9",
}


def environment(**variables: str) -> dict[str, str]:
    """Return a complete environment for the app, with `variables` in it."""
    shared = {name: os.environ[name] for name in SHARED}
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.servers.settings",
        "ENV_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
        "SITE_URL": "http://localhost",
    }
    return shared | own | NO_USER_POOL | variables


def manage(*arguments: str, variables: Mapping[str, str], seconds: float = 60) -> None:
    """Run a command of manage.py to its end; if it fails, raise with what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}")
