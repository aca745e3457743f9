from __future__ import annotations

import getpass
import json
from argparse import ArgumentTypeError
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.ending import end_everywhere, end_lapsed, end_session
from accounts.flagging import settle_flag
from accounts.management.arguments import positive, reason
from accounts.management.progress import Progress
from accounts.models import EndedSession, EndReason, Event, Session, User

BATCH = 500


def moment(text: str) -> datetime:
    """Read an ISO 8601 date and time; without an offset it is UTC."""
    try:
        value = parse_datetime(text)
    except ValueError:
        value = None
    if value is None:
        raise ArgumentTypeError(f"{text!r} is no date and time; write it as 2026-01-31T18:00 (UTC)")
    return value if timezone.is_aware(value) else timezone.make_aware(value)


class Command(BaseCommand):
    help = "Look at sessions and end them, from the command line. Ending takes effect on the next request, everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="live sessions")
        showing = actions.add_parser("show", help="one session, live or ended, and its events")
        one = actions.add_parser("revoke", help="end one session")
        person = actions.add_parser(
            "revoke-user", help="end every session of one person, and sign them out of the pool"
        )
        many = actions.add_parser("revoke-all", help="end all sessions, or those that the filters name, at once")
        pruning = actions.add_parser("prune", help="end the sessions whose time is over")
        flagged = actions.add_parser("flagged", help="ended sessions that their owners did not recognise")
        settling = actions.add_parser("settle", help="say that a flagged session has been looked into")
        for command in (showing, one, settling):
            command.add_argument("session", type=UUID, help="the session's public id")
        person.add_argument("person", help="e-mail address, subject or id")
        for command in (listing, many):
            self._add_filters(command)
        for command in (one, person, many, settling):
            command.add_argument("--reason", type=reason, required=True, help="why; it goes into the audit trail")
        for command in (one, person, many, pruning):
            command.add_argument("--dry-run", action="store_true", help="say what would end, end nothing")
        for command in (listing, showing, one, person, many, pruning, flagged):
            command.add_argument("--json", action="store_true", help="print JSON")
        for command in (listing, flagged):
            command.add_argument("--limit", type=positive, default=100, help="print at most so many (default: 100)")

    def _add_filters(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="e-mail address, subject or id of a person")
        parser.add_argument("--group", help="members of this group")
        parser.add_argument("--ip", type=ip_address, help="opened from this address")
        parser.add_argument("--signed-in-before", type=moment, help="opened before this moment, e.g. 2026-01-31T18:00")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, f"_{action.replace('-', '_')}")(timezone.now(), options)

    def _list(self, now: datetime, options: dict[str, Any]) -> None:
        rows = _filtered(now, options).select_related("user").order_by("-last_seen_at")[: options["limit"]]
        self._print(options, [_summary(row, now) for row in rows])

    def _show(self, now: datetime, options: dict[str, Any]) -> None:
        public_id = options["session"]
        row = Session.objects.select_related("user").filter(public_id=public_id).first()
        ended = EndedSession.objects.select_related("revocation").filter(pk=public_id).first()
        if row is None and ended is None:
            raise CommandError(f"There is no session {public_id}.")
        events = Event.objects.filter(session_id=public_id).order_by("at").values("at", "kind", "reason", "detail")
        summary = _summary(row, now) if row else _ended_summary(ended)
        self._print(options, [summary, *map(dict, events)])

    def _revoke(self, now: datetime, options: dict[str, Any]) -> None:
        row = Session.objects.live(now).filter(public_id=options["session"]).first()
        if row is None:
            raise CommandError(f"There is no live session {options['session']}.")
        if not options["dry_run"]:
            end_session(row, EndReason.OPERATOR, now=now, note=_note(options))
        self._report(options, 1)

    def _revoke_user(self, now: datetime, options: dict[str, Any]) -> None:
        people = list(_people(options["person"]))
        if len(people) > 1:
            ids = ", ".join(str(person.pk) for person in people)
            raise CommandError(f"{options['person']!r} means several people; name one by id: {ids}.")
        mine = Session.objects.live(now).filter(user=people[0])
        count = mine.count()
        if not options["dry_run"]:
            end_everywhere(people[0], now=now, note=_note(options))
        self._report(options, count)
        if not (count or settings.COGNITO_ADMIN_API):
            self.stderr.write("Without a session here there is no token to sign them out of other apps with.")

    def _revoke_all(self, now: datetime, options: dict[str, Any]) -> None:
        matching = _filtered(now, options)
        count = matching.count() if options["dry_run"] else matching.end_at_once(EndReason.OPERATOR, now)
        if not options["dry_run"]:
            Event.objects.record(
                Event.Kind.REVOKED_MANY,
                None,
                now=now,
                detail=f"{count} sessions{_filters(options)}: {_note(options)}"[:200],
            )
        self._report(options, count)
        if count and not options["dry_run"]:
            self.stderr.write("They are signed out. The worker tidies up and tells Cognito.")

    def _flagged(self, now: datetime, options: dict[str, Any]) -> None:
        rows = EndedSession.objects.flagged().select_related("user", "revocation").order_by("flagged_at")
        self._print(options, [_flagged_summary(row) for row in rows[: options["limit"]]])

    def _settle(self, now: datetime, options: dict[str, Any]) -> None:
        ended = EndedSession.objects.filter(pk=options["session"], flagged_at__isnull=False).first()
        if ended is None:
            raise CommandError(f"There is no flagged session {options['session']}.")
        is_settled = settle_flag(ended, _note(options), now)
        self.stdout.write("Settled." if is_settled else "It was settled before.")

    def _prune(self, now: datetime, options: dict[str, Any]) -> None:
        count = Session.objects.lapsed(now).count()
        progress = Progress(count, "sessions")
        while not options["dry_run"] and (ended := end_lapsed(timezone.now(), most=BATCH)):
            progress.step(ended)
        progress.finish()
        self._report(options, count)

    def _report(self, options: dict[str, Any], count: int) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"ended": 0 if options["dry_run"] else count, "matching": count}))
        else:
            verb = "would end" if options["dry_run"] else "ended"
            self.stdout.write(f"{count} session{'' if count == 1 else 's'} {verb}.")

    def _print(self, options: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            if options["json"]:
                self.stdout.write(json.dumps(record, cls=DjangoJSONEncoder))
            else:
                self.stdout.write(
                    "  ".join(f"{name}={value}" for name, value in record.items() if value not in ("", None))
                )


def _people(text: str) -> QuerySet[User]:
    """Return whom an e-mail address, a subject or an id means. Raise CommandError if that is nobody."""
    meant = Q(email__iexact=text) | Q(subject=text)
    with suppress(ValueError):
        meant |= Q(pk=UUID(text))
    people = User.objects.filter(meant)
    if not people.exists():
        raise CommandError(f"Nobody here has the e-mail address, subject or id {text!r}.")
    return people


def _filtered(now: datetime, options: dict[str, Any]) -> Any:
    rows = Session.objects.live(now)
    if options["user"]:
        rows = rows.filter(user__in=_people(options["user"]))
    if options["group"]:
        rows = rows.filter(user__in=User.objects.filter(groups__name=options["group"]))
    if options["ip"]:
        # Without its zone, as it is stored.
        rows = rows.filter(ip_address=str(options["ip"]).partition("%")[0])
    if options["signed_in_before"]:
        rows = rows.filter(started_at__lt=options["signed_in_before"])
    return rows


def _filters(options: dict[str, Any]) -> str:
    """Say which sessions were meant."""
    given = {name: options[name] for name in ("user", "group", "ip", "signed_in_before") if options[name]}
    return "".join(f", {name} {value}" for name, value in given.items())


def _note(options: dict[str, Any]) -> str:
    return f"manage.py by {getpass.getuser()}: {options['reason']}"


def _summary(row: Session, now: datetime) -> dict[str, Any]:
    return {
        "session": row.public_id,
        "person": str(row.person),
        "health": row.health(now).value,
        "started": row.started_at,
        "last_seen": row.last_seen_at,
        "ends": row.ends_at,
        "ip": row.ip_address,
        "browser": row.browser,
        "system": row.system,
        "refresh_failures": row.refresh_failures,
        "refresh_error": row.refresh_error,
    }


def _flagged_summary(ended: EndedSession) -> dict[str, Any]:
    return {"person": str(ended.user), "flagged": ended.flagged_at} | _ended_summary(ended)


def _ended_summary(ended: EndedSession | None) -> dict[str, Any]:
    if ended is None:
        return {}
    return {
        "session": ended.public_id,
        "ended": ended.ended_at,
        "reason": ended.reason,
        "started": ended.started_at,
        "ip": ended.ip_address,
        "browser": ended.browser,
        "system": ended.system,
        "cognito": ended.revocation.state if ended.revocation else None,
    }
