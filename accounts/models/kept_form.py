from __future__ import annotations

from django.conf import settings
from django.db import models


class KeptForm(models.Model):
    """A form that was sent after its session had ended: kept for its owner to send again after signing in.

    There is at most one for each ended session, and it is found by its owner only.
    """

    session_id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kept_forms", editable=False
    )
    sealed = models.TextField(editable=False)
    kept_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return f"form kept for session {self.session_id}"
