"""The settings of processes that tests start, with a page that breaks."""

from tests.servers.settings import *  # noqa: F403

ROOT_URLCONF = "tests.config.breaking"
