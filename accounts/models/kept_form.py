from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.forms.utils import pretty_name
from django.utils.translation import gettext

from accounts.cognito.redacted import Redacted
from accounts.encryption import SealedDataError, seal, unseal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class FormContent(Redacted):
    """Where a form was sent to, and its fields in order; a name may stand there more than once."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def as_bytes(self) -> bytes:
        return json.dumps(dataclasses.astuple(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> FormContent:
        path, fields = json.loads(data)
        return cls(path, tuple((name, value) for name, value in fields))

    def readable(self) -> dict[str, list[str]]:
        """Return by label what a person would recognise: no empty fields, and no ids, which nobody typed."""
        shown: dict[str, list[str]] = {}
        for name, value in self.fields:
            label = pretty_name(name)
            if label and value.strip() and not _is_id(value):
                # A form's own label is the name made pretty too, unless it says otherwise: often it is translated.
                shown.setdefault(gettext(label), []).append(value)
        return shown


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


class KeptFormQuerySet(models.QuerySet["KeptForm"]):
    def offered(self, now: datetime) -> KeptFormQuerySet:
        """Leave out those whose time is over."""
        return self.filter(expires_at__gt=now)

    def keep(self, content: FormContent, *, session_id: UUID, user_id: UUID, now: datetime) -> KeptForm | None:
        """Keep the form for the owner of the session it was sent in, encrypted; None if that cannot be.

        It cannot if the form is too long, or if the session has left another one behind.
        """
        plaintext = content.as_bytes()
        if len(plaintext) > self.model.MOST_BYTES:
            return None
        self.filter(session_id=session_id, expires_at__lte=now).delete()
        # The first one stays: with a stolen key, nobody can replace what its owner is about to send.
        row, _ = self.get_or_create(
            session_id=session_id,
            defaults={
                "user_id": user_id,
                "sealed": seal(plaintext, bound_to=str(session_id)),
                "kept_at": now,
                "expires_at": now + self.model.LIFETIME,
            },
        )
        # A second click sends the same form again.
        return row if row.content() == content else None


class KeptForm(models.Model):
    """A form that was sent too late: kept for its owner to send again after signing in.

    There is at most one for each session, and it is found by its owner only.
    """

    # Long enough to sign in, with a second factor to be found first; see docs/operations.md on rotating keys.
    LIFETIME: ClassVar[timedelta] = timedelta(minutes=30)
    MOST_BYTES: ClassVar[int] = 16 * 1024

    session_id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kept_forms", editable=False
    )
    sealed = models.TextField(editable=False)
    kept_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = KeptFormQuerySet.as_manager()

    def __str__(self) -> str:
        return f"form kept for session {self.session_id}"

    def content(self) -> FormContent | None:
        """Return what was kept; None if it is damaged. Raise UnknownKeyError if its key is not at hand."""
        try:
            return FormContent.from_bytes(unseal(self.sealed, bound_to=str(self.session_id)))
        except SealedDataError:
            logger.error("The form kept for session %s is damaged", self.session_id)
            return None
