"""Django's admin for operators: plain tables behind the console's own gate, to look at and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from accounts.models import Chore, EndedSession, Event, Revocation, Session, User
from dashboard.console.search import people_matching, people_meant, sessions_matching
from dashboard.read_only_admin import ReadOnlyAdmin, Site

# What a person is called by.
NAMES = ("email", "name", "subject")


class PublicIdChangeList(ChangeList):
    """Leads to a session by the only id of it that is ever shown."""

    def url_for_result(self, result: Any) -> str:
        return reverse("admin:accounts_session_change", args=[result.public_id])


class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "is_active", "is_staff", "date_joined")
    ordering = ("email_folded", "id")
    fields = (
        "id",
        "email",
        "email_verified",
        "name",
        "is_active",
        "is_staff",
        "groups",
        "issuer",
        "subject",
        "date_joined",
    )
    search_help_text = _("An id, a subject, or the beginning of an e-mail address")

    def matching(self, text: str) -> Q:
        return people_matching(text)


class GroupAdmin(ReadOnlyAdmin):
    list_display = fields = ("name",)
    ordering = ("name",)
    search_help_text = _("A name")

    def matching(self, text: str) -> Q:
        return Q(name=text)


class SessionAdmin(ReadOnlyAdmin):
    list_display = ("last_seen_at", "user", "started_at", "ip_address", "browser", "system")
    list_select_related = ("user",)
    ordering = ("-last_seen_at", "-public_id")
    fields = (
        *("public_id", "user", "started_at", "last_seen_at", "expire_date", "ends_at", "end_reason"),
        *("ip_address", "browser", "system", "scopes", "origin_jti", "auth_time", "token_version"),
        *("access_issued_at", "access_expires_at", "probe_due_at", "probed_at", "refresh_due_at"),
        *("refresh_claimed_until", "refreshed_at", "refresh_failures", "refresh_error"),
    )
    search_help_text = _("A session's id, an address, or whatever finds a person")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(user__isnull=False)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PublicIdChangeList

    def find(self, request: HttpRequest, object_id: str) -> Any:
        with suppress(ValueError):
            return self.get_queryset(request).filter(public_id=UUID(object_id)).first()
        return None

    def matching(self, text: str) -> Q:
        return sessions_matching(text).condition


class EndedSessionAdmin(ReadOnlyAdmin):
    list_display = ("ended_at", "user", "reason", "ip_address", "browser", "system")
    list_select_related = ("user",)
    ordering = ("-ended_at",)
    fields = (
        *("public_id", "user", "reason", "started_at", "last_seen_at", "ended_at", "ip_address", "browser", "system"),
        *("access_expires_at", "revocation", "flagged_at", "flag_settled_at"),
    )
    search_help_text = _("A session's or a person's id, or an e-mail address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read of the revocation what names it."""
        rows = super().get_queryset(request).select_related("user", "revocation")
        return rows.only(*self.fields, *(f"user__{name}" for name in NAMES), "revocation__kind", "revocation__state")

    def matching(self, text: str) -> Q:
        return _about(text, "public_id")


class RevocationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "kind", "state", "attempts")
    list_select_related = ("user",)
    ordering = ("-created_at", "-id")
    fields = (
        *("id", "user", "session_id", "kind", "state", "created_at", "due_at", "claimed_until", "attempts"),
        *("last_error", "settled_at", "access_expires_at", "expires_at"),
    )
    search_help_text = _("A revocation's or a person's id, or an e-mail address")

    def matching(self, text: str) -> Q:
        return _about(text, "id")


class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "user", "actor", "reason", "detail")
    list_select_related = ("user", "actor")
    ordering = ("-at",)
    fields = ("at", "kind", "session_id", "user", "actor", "reason", "detail", "ip_address", "request_id")
    search_help_text = _("A session's or a person's id, or an e-mail address")

    def matching(self, text: str) -> Q:
        return _about(text, "session_id")


class ChoreAdmin(ReadOnlyAdmin):
    list_display = fields = ("name", "claimed_until")
    ordering = ("name",)
    search_fields = ()


class TaskAdmin(ReadOnlyAdmin):
    """The worker's tasks, without what they were given, returned or wrote when they failed."""

    list_display = ("enqueued_at", "task_path", "status", "started_at", "finished_at")
    ordering = ("-enqueued_at",)
    fields = (*list_display, "queue_name", "priority", "run_after", "exception_class_path")
    search_fields = ()


def _about(text: str, column: str) -> Q:
    """Return the condition for rows with this id in `column`, or about the people that the text means."""
    condition = Q(user_id__in=people_meant(text))
    with suppress(ValueError):
        condition |= Q(**{column: UUID(text)})
    return condition


site = Site()
_ADMINS: Iterable[tuple[type[Model], type[ReadOnlyAdmin]]] = (
    (User, UserAdmin),
    (Group, GroupAdmin),
    (Session, SessionAdmin),
    (EndedSession, EndedSessionAdmin),
    (Revocation, RevocationAdmin),
    (Event, EventAdmin),
    (Chore, ChoreAdmin),
    (DBTaskResult, TaskAdmin),
)
for _model, _admin in _ADMINS:
    site.register(_model, _admin)
