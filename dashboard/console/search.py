"""What an operator may type to find somebody: what it looks like decides where it is looked up."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import User


def people_matching(text: str) -> Q:
    """Return the condition for people: id or subject if it has the form of one, else the beginning of an e-mail."""
    with suppress(ValueError):
        return Q(pk=UUID(text)) | Q(subject=text)
    return Q(email_folded__startswith=text.lower()) | Q(subject=text)


def sessions_matching(text: str) -> Q:
    """Return the condition for sessions: by their id or their address, or by whose they are."""
    with suppress(ValueError):
        return Q(ip_address=str(ip_address(text)))
    with suppress(ValueError):
        # Looked up first: an OR that spans two tables can use the index of neither.
        theirs = User.objects.filter(people_matching(text)).values_list("pk", flat=True)
        return Q(public_id=UUID(text)) | Q(user_id__in=list(theirs[:2]))
    return Q(user__email_folded__startswith=text.lower()) | Q(user__subject=text)


def event_person(column: str, text: str) -> dict[str, Any]:
    """Return the condition for events about, or by, the person with this id or this e-mail address."""
    with suppress(ValueError):
        return {column: UUID(text)}
    return {f"{column}__email_folded": text.lower()}
