"""The session engine: Django's session interface on the `accounts.Session` row.

Use it by SESSION_ENGINE = "accounts.sessions".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import EndReason, Session
from accounts.models.authorization import digest
from accounts.models.one_read import session_of


class SessionStore(SessionBase):
    """Reads session and user with one query, and keeps the row at hand for the middleware.

    Most pages need the row and not what Django keeps in the session: that is decoded when somebody looks at it.
    After reading, `row` is the live row (of a person or of nobody), `lapsed_row` one whose time was over, and
    `dead_key_digest` the digest of a key that has no row.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Session | None = None
        self._is_read = False
        self.lapsed_row: Session | None = None
        self.dead_key_digest = ""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    @property
    def row(self) -> Session | None:
        """Return the session's row, or None for a browser without one."""
        self.accessed = True
        self._read()
        return self._row

    @row.setter
    def row(self, row: Session | None) -> None:
        """Keep a newer copy of the row."""
        self._row, self._is_read = row, True

    @property
    def key_digest(self) -> str:
        return digest(cast(str, self.session_key))

    def forget(self) -> None:
        """Leave the session behind without a trace in the browser; its row has ended or is somebody else's matter."""
        self._session_key = None
        self._session_cache: dict[str, Any] = {}
        self.row = None
        self.modified = True

    def load(self) -> dict[str, Any]:
        self._read()
        return self.decode(self._row.session_data) if self._row else {}

    def _read(self) -> None:
        """Read the row, once; without one the browser's key is worth nothing."""
        if self._is_read or self.session_key is None:
            return
        self._is_read = True
        row = session_of(self.key_digest)
        if row is None:
            self.dead_key_digest = self.key_digest
        elif row.expire_date <= timezone.now():
            self.lapsed_row = row
        else:
            self._row = row
            return
        self._session_key = None

    def exists(self, session_key: str) -> bool:
        return bool(Session.objects.filter(pk=digest(session_key)).exists())

    def _get_new_session_key(self) -> str:
        """Return a random key. That it is free shows when it is stored: Django would ask beforehand."""
        return get_random_string(32, VALID_KEY_CHARS)

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Write the session's own data; never tokens, time limits or the person.

        Raise UpdateError if the session ended meanwhile: saving cannot bring it back.
        """
        if self.session_key is None:
            self.create()
            return
        data = self.encode(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        if must_create:
            self._insert(data)
        elif not Session.objects.filter(pk=self.key_digest).update(session_data=data):
            raise UpdateError

    def _insert(self, data: str) -> None:
        expire_date = timezone.now() + timedelta(seconds=self.get_session_cookie_age())
        try:
            with transaction.atomic():
                self.row = Session.objects.create(
                    key_digest=self.key_digest, session_data=data, expire_date=expire_date
                )
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        """End the session of this key. `django.contrib.auth.logout` comes this way, so it too revokes the tokens."""
        from accounts.ending import end_sessions

        key = session_key or self.session_key
        if key is not None:
            end_sessions(Session.objects.filter(pk=digest(key)), EndReason.SIGNED_OUT, now=timezone.now())
        if key == self.session_key:
            self.row = None

    def cycle_key(self) -> None:
        """Give the session a new key. A signed-in session stays the same row, with its tokens."""
        row = self.row
        if row is None or row.user_id is None:
            super().cycle_key()
            return
        key = self._get_new_session_key()
        if not Session.objects.filter(pk=row.key_digest).update(key_digest=digest(key)):
            raise UpdateError
        self._session_key, row.key_digest = key, digest(key)
        self.modified = True

    async def acycle_key(self) -> None:
        """Do as `cycle_key`; Django's own would make a new row and end this one."""
        await sync_to_async(self.cycle_key)()

    @classmethod
    def clear_expired(cls) -> None:
        """End every session whose time is over; `manage.py clearsessions` calls this."""
        from accounts.ending import end_lapsed

        while end_lapsed(timezone.now(), most=500):
            pass
