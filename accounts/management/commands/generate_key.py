from __future__ import annotations

import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand

from accounts.encryption import KEY_BYTES


class Command(BaseCommand):
    help = "Print a new key for TOKEN_ENCRYPTION_KEYS. Put it first to encrypt with it; keep older ones to decrypt."
    # A key is wanted before there is a configuration to check.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("="))
