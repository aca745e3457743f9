from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Sign-in and sessions"

    def ready(self) -> None:
        """Register the system checks."""
        from accounts import checks  # noqa: F401
