"""What an operator may type to find somebody: what it looks like decides where it is looked up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import UUID

from django.db.models import Q

from accounts.models import User

# Whose sessions are shown together. Ten thousand people whose addresses begin with an "e" help nobody.
MOST_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Found:
    """The condition for the sessions that a text means, which an index answers.

    `is_few` tells that there are no more than can be sorted at once, `has_more_people` that the text means more
    people than these.
    """

    condition: Q
    is_few: bool = True
    has_more_people: bool = False


def people_matching(text: str) -> Q:
    """Return the condition for people: by subject or id, and if it is nobody's, by the beginning of an e-mail."""
    exact = _exactly(text)
    # Looked up first: an OR of both could not use the order of either index.
    return Q(pk__in=exact) if exact else Q(email_folded__startswith=text.lower())


def sessions_matching(text: str) -> Found:
    """Return what the text means: a session by its id, those of an address, or those of the people it means."""
    with suppress(ValueError):
        # Without its zone, as it is stored: PostgreSQL refuses fe80::1%eth0.
        return Found(Q(ip_address=str(ip_address(text.partition("%")[0]))), is_few=False)
    with suppress(ValueError):
        return Found(Q(public_id=UUID(text)) | Q(user_id__in=_exactly(text)))
    people = User.objects.filter(people_matching(text)).order_by("email_folded", "pk")
    ids = list(people.values_list("pk", flat=True)[: MOST_PEOPLE + 1])
    return Found(Q(user_id__in=ids[:MOST_PEOPLE]), has_more_people=len(ids) > MOST_PEOPLE)


def people_meant(text: str) -> list[UUID]:
    """Return the ids of whoever has this id or this e-mail address."""
    with suppress(ValueError):
        return [UUID(text)]
    return list(User.objects.filter(email_folded=text.lower()).values_list("pk", flat=True)[:MOST_PEOPLE])


def _exactly(text: str) -> list[UUID]:
    """Return the ids of the people with this subject or id; a subject may be another person's id."""
    means = Q(subject=text)
    with suppress(ValueError):
        means |= Q(pk=UUID(text))
    return list(User.objects.filter(means).values_list("pk", flat=True)[:MOST_PEOPLE])
