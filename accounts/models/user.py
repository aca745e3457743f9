from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.cognito.tokens import Claims


class FoldedEmailField(models.EmailField):  # type: ignore[type-arg]
    """Sorted byte by byte, so that one index serves the order of people and the beginning of an address."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        return parameters | ({"collation": "C"} if connection.vendor == "postgresql" else {})


class UserManager(BaseUserManager["User"]):
    def from_claims(self, claims: Claims) -> User:
        """Find or make the person an ID token is about, by (`iss`, `sub`), and follow the attributes it carries."""
        attributes = {
            "email": claims.text("email")[:254],
            "email_verified": claims.raw.get("email_verified") is True,
            "name": (claims.text("name") or claims.text("cognito:username"))[:200],
            "username": claims.text("cognito:username")[:128],
        }
        user, created = self.get_or_create(issuer=claims.issuer, subject=claims.subject, defaults=attributes)
        if not created and any(getattr(user, name) != value for name, value in attributes.items()):
            for name, value in attributes.items():
                setattr(user, name, value)
            user.save(update_fields=list(attributes))
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(pk=username or "")


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by (`issuer`, `subject`) and nothing else; e-mail addresses change hands, subjects do not.

    Nobody has a password here, and nobody is made a superuser by signing in: rights come from the token's groups.
    """

    password = None  # type: ignore[assignment]
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    issuer = models.CharField(_("issuer"), max_length=255)
    subject = models.CharField(_("subject"), max_length=255)
    email = models.EmailField(_("e-mail address"), blank=True)
    # As people search for it.
    email_folded = models.GeneratedField(expression=Lower("email"), output_field=FoldedEmailField(), db_persist=True)
    email_verified = models.BooleanField(_("e-mail address verified"), default=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    # As the user pool has it, for operations that AWS credentials authorise. People never see or type it.
    username = models.CharField(_("user name"), max_length=128, blank=True, editable=False)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear this to refuse a person whom Cognito would let in.")
    )
    is_staff = models.BooleanField(_("operator"), default=False, editable=False)
    date_joined = models.DateTimeField(_("first signed in"), default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["issuer", "subject"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="accounts_user_identity"),
        ]
        indexes = [
            models.Index(fields=["subject"], name="accounts_user_subject"),
            models.Index(fields=["email_folded", "id"], name="accounts_user_email"),
        ]

    def __str__(self) -> str:
        return self.email or self.name or self.subject

    @property
    def pool_username(self) -> str:
        """Return what the pool calls this person: of a local one unknown until the next sign-in the subject serves."""
        return self.username or self.subject

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return str(self)

    def follow_groups(self, names: Iterable[str]) -> None:
        """Make the person's groups, and so their rights, those of the newest token; no claim means no groups."""
        wanted = set(names)
        if wanted != set(self.groups.values_list("name", flat=True)):
            with transaction.atomic():
                self.groups.set([Group.objects.get_or_create(name=name)[0] for name in sorted(wanted)])
        is_staff = not wanted.isdisjoint([*settings.COGNITO_STAFF_GROUPS, *settings.COGNITO_VIEWER_GROUPS])
        if is_staff != self.is_staff:
            self.is_staff = is_staff
            self.save(update_fields=["is_staff"])
