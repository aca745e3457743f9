from __future__ import annotations

import logging
import signal
import threading
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from accounts import tasks
from accounts.models import Chore, Revocation

logger = logging.getLogger(__name__)

# How long a started task may stay unfinished before it counts as lost; queue time included.
LOST_AFTER = timedelta(seconds=60)


class Command(BaseCommand):
    help = (
        "Start the background tasks that are due: telling Cognito what has ended, and pruning. Run it beside the "
        "workers, on one host or on all: the hosts agree among themselves. With --once, from a scheduler."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, default=5.0, help="seconds between two looks (default: 5)")
        parser.add_argument("--once", action="store_true", help="look once and exit")

    def handle(self, *args: Any, every: float, once: bool, **options: Any) -> None:
        stop = threading.Event()
        if not once:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            self._look(once)
            if once:
                return
            stop.wait(every)

    def _look(self, once: bool) -> None:
        close_old_connections()
        try:
            sweep(timezone.now())
        except Exception as error:  # a database or a broker that is away now will be back
            if once:
                raise
            logger.warning("Could not look for work, trying again: %s: %s", type(error).__name__, error)


def sweep(now: datetime) -> None:
    """Enqueue the tasks that have something to do and are not under way."""
    if Revocation.objects.due(now).exists() and Chore.objects.claim(tasks.DELIVER, now, now + LOST_AFTER):
        tasks.deliver_revocations.enqueue()
    if Chore.objects.claim(tasks.PRUNE, now, now + LOST_AFTER):
        tasks.prune.enqueue()
