"""What each list may be narrowed to."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, Revocation, Session, TokenHealth, User
from accounts.models.revocation import RevocationQuerySet
from accounts.models.session import SessionQuerySet
from dashboard.console.filter_form import FilterForm, search_field, state_field
from dashboard.console.search import MOST_PEOPLE, Found, people_matching, people_meant, sessions_matching
from dashboard.paging import Keyset

BROWSERS = ("Chrome", "Edge", "Firefox", "Mobile Safari", "Opera", "Safari", "Samsung Internet")
# As the badges say it: a state's own label is a sentence.
REVOCATION_STATES = (
    (Revocation.State.PENDING, _("Pending")),
    (Revocation.State.DONE, _("Done")),
    (Revocation.State.EXPIRED, _("Expired")),
    (Revocation.State.GIVEN_UP, _("Given up")),
)
EVENT_KINDS = [("", _("Anything")), *((kind, capfirst(label)) for kind, label in Event.Kind.choices)]
AGES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}


class SessionFilter(FilterForm):
    q = search_field(_("The beginning of an e-mail address, or a whole subject, session id or IP address."))
    state = state_field()
    health = forms.ChoiceField(
        label=_("Tokens"),
        required=False,
        choices=[("", _("Any")), *((health.value, health.label) for health in TokenHealth.of_live())],
    )
    group = forms.ChoiceField(label=_("Group"), required=False)
    browser = forms.ChoiceField(
        label=_("Browser"), required=False, choices=[("", _("Any")), *((name, name) for name in BROWSERS)]
    )
    age = forms.ChoiceField(
        label=_("Signed in"),
        required=False,
        choices=[
            ("", _("Any time")),
            ("-1h", _("in the last hour")),
            ("-1d", _("in the last 24 hours")),
            ("1h", _("more than an hour ago")),
            ("1d", _("more than 24 hours ago")),
            ("7d", _("more than 7 days ago")),
        ],
    )
    sort = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[("", _("Last active first")), ("started", _("Newest sign-in first"))],
    )

    def __init__(self, query: QueryDict, groups: list[str]) -> None:
        super().__init__(query)
        self.fields["group"].choices = [("", _("Any")), *((name, name) for name in groups)]  # type: ignore[attr-defined]

    @property
    def keyset(self) -> Keyset:
        # An address can be that of a whole company; its index has the sessions used last first.
        by_start = self.value("sort") and not self.is_by_address
        return Keyset("started_at" if by_start else "last_seen_at", "public_id")

    most_people = MOST_PEOPLE

    @property
    def is_by_address(self) -> bool:
        return self.found is not None and not self.found.is_few

    @cached_property
    def found(self) -> Found | None:
        """What the search means; None without one."""
        return sessions_matching(self.value("q")) if self.value("q") else None

    @cached_property
    def members(self) -> list[UUID] | None:
        """The group's people, if they are few; None without a group, and if it has too many."""
        if not self.value("group") or (self.found and self.found.is_few):
            return None
        ids = list(
            User.objects.filter(groups__name=self.value("group")).values_list("pk", flat=True)[: MOST_PEOPLE + 1]
        )
        return ids if len(ids) <= MOST_PEOPLE else None

    def among(self) -> QuerySet[Session] | None:
        """Return the rows that an index finds in order, to look through; None if what is asked for is few anyway."""
        if not self.is_valid() or self.members is not None or (self.found and self.found.is_few):
            return None
        rows: QuerySet[Session] = Session.objects.all()
        if self.found:
            return rows.filter(self.found.condition)
        is_failing = self.value("health") == TokenHealth.REFRESH_FAILING and self.keyset.column == "last_seen_at"
        return rows.filter(refresh_failures__gt=0) if is_failing else rows

    def narrow(self, rows: SessionQuerySet, now: datetime) -> SessionQuerySet:
        """Keep the sessions that the filters name."""
        if not self.is_valid():
            return rows.none()
        if self.found:
            rows = rows.filter(self.found.condition)
        if self.value("health"):
            rows = rows.in_health(TokenHealth(self.value("health")), now)
        if self.members is not None:
            rows = rows.filter(user_id__in=self.members)
        elif self.value("group"):
            rows = rows.filter(user__groups__name=self.value("group"))
        if self.value("browser"):
            rows = rows.filter(browser__startswith=self.value("browser"))
        if self.value("age"):
            is_younger, age = self.value("age").startswith("-"), AGES[self.value("age").removeprefix("-")]
            rows = rows.filter(Q(started_at__gt=now - age) if is_younger else Q(started_at__lte=now - age))
        return rows


class PeopleFilter(FilterForm):
    q = search_field(_("The beginning of an e-mail address, or a whole subject or id."))
    keyset = Keyset("email_folded", "id", parse=str, descending=False)

    def narrow(self, rows: QuerySet[User]) -> QuerySet[User]:
        """Keep the people that are searched for."""
        if not self.is_valid():
            return rows.none()
        return rows.filter(people_matching(self.value("q"))) if self.value("q") else rows


class EventFilter(FilterForm):
    kind = forms.ChoiceField(label=_("What"), required=False, choices=EVENT_KINDS)
    person = forms.CharField(label=_("Person"), required=False, max_length=254, help_text=_("E-mail address or id."))
    session = forms.UUIDField(label=_("Session"), required=False, help_text=_("Its id."))
    actor = forms.CharField(label=_("Operator"), required=False, max_length=254, help_text=_("E-mail address or id."))
    since = forms.ChoiceField(
        label=_("When"),
        required=False,
        choices=[
            ("", _("Any time")),
            ("1h", _("in the last hour")),
            ("1d", _("in the last 24 hours")),
            ("7d", _("in the last 7 days")),
        ],
    )

    keyset = Keyset("at", "id", parse_unique=int)

    def narrow(self, rows: QuerySet[Event], now: datetime) -> QuerySet[Event]:
        """Keep the events that the filters name."""
        if not self.is_valid():
            return rows.none()
        for condition in self._conditions:
            rows = rows.filter(condition)
        return self._recent(rows, now)

    def among(self, now: datetime) -> QuerySet[Event] | None:
        """Return the events that an index finds in order, to look through; None if those are all that is asked for."""
        if not self.is_valid() or len(self._conditions) < 2:
            return None
        return self._recent(Event.objects.filter(self._conditions[0]), now)

    @cached_property
    def _conditions(self) -> list[Q]:
        """The conditions that there is an index for, the one that leaves fewest events first."""
        found = []
        if self.value("session"):
            found.append(Q(session_id=self.value("session")))
        for name, column in (("person", "user"), ("actor", "actor")):
            if self.value(name):
                found.append(Q(**{f"{column}__in": people_meant(self.value(name))}))
        if self.value("kind"):
            found.append(Q(kind=self.value("kind")))
        return found

    def _recent(self, rows: QuerySet[Event], now: datetime) -> QuerySet[Event]:
        return rows.filter(at__gt=now - AGES[self.value("since")]) if self.value("since") else rows


class RevocationFilter(FilterForm):
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any")), *REVOCATION_STATES])
    when = forms.ChoiceField(
        label=_("When"),
        required=False,
        choices=[
            ("", _("Any time")),
            ("failing", _("waiting, and tried in vain")),
            ("late", _("waiting for more than 10 minutes")),
            ("day", _("settled in the last 24 hours")),
        ],
    )

    @property
    def keyset(self) -> Keyset:
        """Return the order: what is still pending oldest first, everything else newest first."""
        is_pending = self.value("state") == Revocation.State.PENDING or self.value("when") in ("failing", "late")
        return Keyset("settled_at" if self.value("when") == "day" else "created_at", "id", descending=not is_pending)

    def narrow(self, rows: RevocationQuerySet, now: datetime) -> RevocationQuerySet:
        """Keep the revocations that the filters name."""
        if not self.is_valid():
            return rows.none()
        if self.value("state"):
            rows = rows.filter(state=self.value("state"))
        if self.value("when") == "failing":
            rows = rows.pending().filter(attempts__gt=0)
        if self.value("when") == "late":
            rows = rows.late(now)
        if self.value("when") == "day":
            rows = rows.filter(settled_at__gt=now - AGES["1d"])
        return rows
