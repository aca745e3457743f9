from __future__ import annotations

from django.apps import AppConfig

READ_SECONDS = 1.5
OPEN_SECONDS = 2.0


class ImpatientConfig(AppConfig):
    name = "tests.outages.impatient"

    def ready(self) -> None:
        """Wait a second and a half for Cognito instead of eight or three, and look again after two instead of ten."""
        from accounts import conf
        from accounts.cognito import breaker

        conf.user_pool().api.read_timeout = conf.brisk_user_pool().api.read_timeout = READ_SECONDS
        breaker.OPEN_SECONDS = OPEN_SECONDS
