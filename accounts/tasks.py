"""Background work, as tasks of Django's tasks API.

A task may be lost with its worker, run twice, or never run: that changes when the work is done, not whether. What there
is to do stands in rows, and `manage.py sweep` starts the tasks that find it.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import django
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from accounts import hygiene
from accounts.models import Chore, EventCount, Revocation
from accounts.revocation import deliver

if TYPE_CHECKING or django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task

DELIVER = "deliver revocations"
PRUNE = "prune"
# A task goes on for so long and then leaves the rest to the next one.
TASK_SECONDS = 20.0
PRUNE_EVERY = timedelta(minutes=1)


@task
def deliver_revocations() -> int:
    """Deliver the revocations that are due, oldest first, and return how many were settled."""
    settled, end = 0, time.monotonic() + TASK_SECONDS
    while time.monotonic() < end:
        now = timezone.now()
        revocation = Revocation.objects.due(now).first()
        if revocation is None:
            break
        if revocation.claim(now):
            settled += deliver(revocation, now)
    Chore.objects.release(DELIVER, timezone.now())
    return settled


@task
def prune() -> int:
    """Count what has happened, end lapsed sessions, delete what is older than it is kept; return how many rows."""
    EventCount.objects.catch_up(timezone.now())
    done, end = 0, time.monotonic() + TASK_SECONDS
    while time.monotonic() < end:
        batch = hygiene.prune_batch(timezone.now())
        done += batch
        if not batch:
            break
    if apps.is_installed("django_tasks_db"):
        call_command("prune_db_task_results", verbosity=0)
    Chore.objects.release(PRUNE, timezone.now(), pause=PRUNE_EVERY)
    return done
