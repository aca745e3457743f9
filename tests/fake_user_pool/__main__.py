"""Run a fake user pool by hand: `python -m tests.fake_user_pool --port 9000 --site http://localhost:8000`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading

from tests.fake_user_pool.pool import FakeUserPool

PASSWORD = "Correct-horse-7"


def main() -> None:
    """Print the app's environment and who can sign in, then serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_user_pool", description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--site", default="http://localhost:8000", help="base URL of the app")
    parser.add_argument("--rotation", action="store_true", help="replace the refresh token at each refresh")
    parser.add_argument("--access-token-seconds", type=float, default=3600.0)
    options = parser.parse_args()
    pool = FakeUserPool(port=options.port, site_url=options.site)
    pool.rotation, pool.grace_seconds = options.rotation, 10.0
    pool.access_token_seconds = options.access_token_seconds
    pool.add_person("user@example.com", password=PASSWORD, name="Uma User")
    pool.add_person("admin@example.com", password=PASSWORD, name="Ada Admin", groups=["admins"])
    with pool, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.writelines(f"{name}={value}\n" for name, value in pool.environment().items())
        sys.stdout.write(f"# user@example.com and admin@example.com sign in with {PASSWORD}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
