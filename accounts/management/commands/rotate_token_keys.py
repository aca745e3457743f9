from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Model

from accounts.encryption import SealedDataError, UnknownKeyError, is_sealed_with_newest_key, seal, unseal
from accounts.management.progress import Progress
from accounts.models import Revocation, Session

BATCH = 200


class Command(BaseCommand):
    help = (
        "Encrypt stored tokens anew with the first of TOKEN_ENCRYPTION_KEYS, so that older keys can be taken away. "
        "Nobody is signed out. It may be stopped and started again at any time: what is done stays done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what would be encrypted anew, change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        jobs = (
            (Session, "token_set_sealed", "public_id"),
            (Revocation, "sealed", "session_id"),
        )
        for model, column, bound_by in jobs:
            self._rotate(model, column, bound_by, dry_run)

    def _rotate(self, model: type[Model], column: str, bound_by: str, dry_run: bool) -> None:
        rows = model._default_manager.exclude(**{column: ""})
        progress = Progress(rows.count(), str(model._meta.verbose_name_plural))
        changed = unreadable = 0
        for pk, bound_to, sealed in _walk(rows, column, bound_by):
            progress.step()
            if is_sealed_with_newest_key(sealed):
                continue
            try:
                anew = seal(unseal(sealed, bound_to=str(bound_to)), bound_to=str(bound_to))
            except (SealedDataError, UnknownKeyError):
                unreadable += 1
                continue
            # Whoever stored a newer value meanwhile used the newest key.
            still = model._default_manager.filter(**{"pk": pk, column: sealed})
            changed += still.count() if dry_run else still.update(**{column: anew})
        progress.finish()
        verb = "would be encrypted anew" if dry_run else "encrypted anew"
        self.stdout.write(f"{model._meta.verbose_name_plural}: {changed} {verb}, {unreadable} unreadable with any key")


def _walk(rows: Any, column: str, bound_by: str) -> Iterator[tuple[Any, Any, str]]:
    """Yield key, owner and ciphertext of every row in order of the key, in batches, without a transaction held open."""
    last = None
    while True:
        page = rows.filter(pk__gt=last) if last is not None else rows
        batch = list(page.order_by("pk").values_list("pk", bound_by, column)[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1][0]
