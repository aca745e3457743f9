from __future__ import annotations

import dataclasses
import json
import logging
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.forms.utils import pretty_name
from django.utils.translation import gettext

from accounts.cognito.redacted import Redacted
from accounts.encryption import SealedDataError, seal, unseal
from accounts.models.authorization import digest

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

    def ids(self) -> list[str]:
        """Return what the form names by its id: the page it stood on filled these in."""
        return [value for _name, value in self.fields if _is_id(value)]


def _is_id(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


class KeptFormQuerySet(models.QuerySet["KeptForm"]):
    def offered(self, now: datetime) -> KeptFormQuerySet:
        """Leave out those whose time is over."""
        return self.filter(expires_at__gt=now)

    def keep(
        self, content: FormContent, *, browser: str, session_id: uuid.UUID, user_id: uuid.UUID, now: datetime
    ) -> KeptForm | None:
        """Keep the form for the owner of the session it was sent in, encrypted; None if that cannot be.

        It cannot if the form is too long, or if the session has left many behind. `browser` is the random value of the
        cookie that binds the form to its browser.
        """
        plaintext = content.as_bytes()
        if len(plaintext) > self.model.MOST_BYTES:
            return None
        # None of them makes room: whoever has the session's key too cannot push out what its owner is about to send.
        rows = list(self.offered(now).filter(session_id=session_id))
        # A second click sends the same form again.
        row = next((row for row in rows if row.is_of(browser) and row.content() == content), None)
        if row is None and len(rows) < self.model.MOST_PER_SESSION:
            row = self.model(session_id=session_id, user_id=user_id, browser_digest=digest(browser))
            row.sealed = seal(plaintext, bound_to=str(row.pk))
            row.kept_at, row.expires_at = now, now + self.model.LIFETIME
            row.save(force_insert=True)
        return row


class KeptForm(models.Model):
    """A form that was sent too late: kept for its owner to send again after signing in.

    It is offered to that person, and only in the browser that sent it: the digest of a cookie says which that is. The
    session's key is not enough, nor is any id: whoever stole one can neither read what its owner typed, nor discard
    it, nor lay another form in its place.
    """

    # Long enough to sign in, with a second factor to be found first; see docs/operations.md on rotating keys.
    LIFETIME: ClassVar[timedelta] = timedelta(minutes=30)
    MOST_BYTES: ClassVar[int] = 16 * 1024
    # Some tabs, or many impatient clicks: those of a browser that has no cookie yet are kept one by one.
    MOST_PER_SESSION: ClassVar[int] = 10

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_id = models.UUIDField(db_index=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kept_forms", editable=False
    )
    browser_digest = models.CharField(max_length=64, db_index=True, editable=False)
    sealed = models.TextField(editable=False)
    kept_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = KeptFormQuerySet.as_manager()

    def __str__(self) -> str:
        return f"form kept for session {self.session_id}"

    def is_of(self, browser: str) -> bool:
        """Tell whether this is the browser that sent it, by the random value of its cookie."""
        return secrets.compare_digest(self.browser_digest, digest(browser))

    def content(self) -> FormContent | None:
        """Return what was kept; None if it is damaged. Raise UnknownKeyError if its key is not at hand."""
        try:
            return FormContent.from_bytes(unseal(self.sealed, bound_to=str(self.pk)))
        except SealedDataError:
            logger.error("The form kept for session %s is damaged", self.session_id)
            return None
