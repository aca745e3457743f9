"""The authentication backend: who a verified token set is about."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.cognito.tokens import VerifiedTokens
from accounts.models import User


class CognitoBackend(ModelBackend):
    """Authenticates with verified tokens, by (`iss`, `sub`); permissions come from groups as in Django."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, tokens: VerifiedTokens | None = None, **credentials: Any
    ) -> User | None:
        """Find or make the person, give them the groups of their token, and return them if they are active."""
        if tokens is None:
            return None
        user = User.objects.from_claims(tokens.id_claims)
        if not self.user_can_authenticate(user):
            return None
        user.follow_groups(tokens.id_claims.groups)
        return user

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return none and ask nothing: permissions come from groups."""
        return set()
