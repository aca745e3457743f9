"""The app of `tests.servers`, with less patience for an outage: a test need not wait as long as people do."""

from tests.servers.settings import *  # noqa: F403

INSTALLED_APPS = ["tests.outages.impatient", *INSTALLED_APPS]  # noqa: F405
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["OPTIONS"]["timeout"] = 1.0  # noqa: F405
