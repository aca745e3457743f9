from __future__ import annotations

import getpass
import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.management.arguments import positive, reason
from accounts.models import Revocation
from accounts.revocation import give_up, retry


class Command(BaseCommand):
    help = "Look at what Cognito must still be told of ended sessions, tell it now, or give up telling it."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="revocations, those that wait longest first")
        retrying = actions.add_parser("retry", help="tell Cognito now rather than when the next try is due")
        giving_up = actions.add_parser("give-up", help="stop trying; the refresh token lives until it expires")
        listing.add_argument("--state", choices=Revocation.State.values, help="only those in this state")
        listing.add_argument("--limit", type=positive, default=100, help="print at most so many (default: 100)")
        listing.add_argument("--json", action="store_true", help="print JSON")
        for command in (retrying, giving_up):
            command.add_argument("revocation", type=UUID, help="the revocation's id")
            command.add_argument("--reason", type=reason, required=True, help="why; it goes into the audit trail")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, f"_{action.replace('-', '_')}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        rows = Revocation.objects.select_related("user").defer("sealed").order_by("created_at")
        if options["state"]:
            rows = rows.filter(state=options["state"])
        for row in rows[: options["limit"]]:
            record = _summary(row)
            pairs = (f"{name}={value}" for name, value in record.items() if value not in ("", None))
            self.stdout.write(json.dumps(record, cls=DjangoJSONEncoder) if options["json"] else "  ".join(pairs))

    def _retry(self, options: dict[str, Any]) -> None:
        revocation = _pending(options["revocation"])
        retry(revocation, _note(options), timezone.now())
        revocation.refresh_from_db()
        self.stdout.write(f"It is {revocation.get_state_display()}. {revocation.last_error}".rstrip())

    def _give_up(self, options: dict[str, Any]) -> None:
        if not give_up(_pending(options["revocation"]), _note(options), timezone.now()):
            raise CommandError("It has been settled meanwhile.")
        self.stdout.write("Given up. Cognito will not be told.")


def _pending(pk: UUID) -> Revocation:
    revocation = Revocation.objects.pending().filter(pk=pk).first()
    if revocation is None:
        raise CommandError(f"There is no pending revocation {pk}.")
    return revocation


def _note(options: dict[str, Any]) -> str:
    return f"manage.py by {getpass.getuser()}: {options['reason']}"


def _summary(row: Revocation) -> dict[str, Any]:
    return {
        "revocation": row.pk,
        "person": str(row.user),
        "kind": row.kind,
        "state": row.state,
        "since": row.created_at,
        "due": row.due_at if row.is_pending else None,
        "settled": row.settled_at,
        "attempts": row.attempts,
        "error": row.last_error,
    }
