"""What Cognito itself says of a person, asked when an operator wants to know, and in words when it cannot be told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import budget
from accounts.cognito.admin_api import AccessDeniedError, UserNotFoundError, UserStatus
from accounts.cognito.errors import CognitoError, ProviderUnavailableError, ThrottledError
from accounts.conf import admin_client
from accounts.models import User

logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserType.html
STATUSES: dict[str, str | Promise] = {
    "CONFIRMED": _("confirmed"),
    "UNCONFIRMED": _("signed up, but not confirmed"),
    "EXTERNAL_PROVIDER": _("comes from another identity provider; no password here"),
    "RESET_REQUIRED": _("must reset the password before the next sign-in"),
    "FORCE_CHANGE_PASSWORD": _("has a temporary password, to be changed at the next sign-in"),
    "ARCHIVED": _("no longer active"),
    "COMPROMISED": _("disabled because of a threat"),
    "UNKNOWN": _("unknown to Cognito itself"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Cognito said of a person at a moment, or why there is nothing to show."""

    asked_at: datetime
    status: UserStatus | None = None
    problem: str | Promise = ""

    @property
    def status_in_words(self) -> str | Promise:
        return STATUSES.get(self.status.status, "") if self.status else ""


def ask(person: User, now: datetime) -> Answer:
    """Call AdminGetUser within the budget. Nothing is raised: whatever is wrong is said on the page."""
    try:
        budget.spend(budget.ADMIN_GET_USER, now)
        return Answer(now, admin_client().get_user(person.pool_username))
    except CognitoError as error:
        logger.warning("Cognito says nothing of person %s: %s: %s", person.pk, type(error).__name__, error)
        return Answer(now, problem=_problem(error))


def _problem(error: CognitoError) -> str | Promise:
    if isinstance(error, UserNotFoundError):
        return _("The user pool has no such user: deleted, or known there by another name until the next sign-in here.")
    if isinstance(error, AccessDeniedError):
        return _("AWS refuses this host: its credentials must allow %(action)s on the user pool.") % {
            "action": error.action
        }
    if isinstance(error, ThrottledError):
        return _("Too many calls for Cognito's quota or our share of it. Ask again in a moment.")
    if isinstance(error, ProviderUnavailableError):
        return _("Cognito did not answer in time, or answered nonsense. Ask again in a moment.")
    return _("Cognito refuses the call itself. Is it the right user pool? `manage.py check --deploy` looks.")
