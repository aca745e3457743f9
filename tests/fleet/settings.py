"""The next release: the app of `tests.servers` with one migration more."""

from tests.servers.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.fleet.next_release"]  # noqa: F405
