from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Sign-in and sessions"

    def ready(self) -> None:
        """Register the system checks, and keep the operators' groups in step with the settings."""
        from accounts import checks, edge_checks  # noqa: F401
        from accounts.permissions import grant_to_groups

        post_migrate.connect(grant_to_groups, sender=self)
