"""A person's attributes, grouped and labelled for the profile page."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.cognito.user_pool import UserProfile


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: `verified` is None where verification does not apply."""

    name: str
    label: str
    value: str
    verified: bool | None


@dataclass(frozen=True, slots=True)
class AttributeGroup:
    title: str
    attributes: tuple[Attribute, ...]


def attribute_groups(profile: UserProfile | None) -> list[AttributeGroup]:
    """Return the attributes of a profile in groups, none of them empty."""
    if profile is None:
        return []
    attributes = tuple(Attribute(name, name, value, None) for name, value in sorted(profile.attributes.items()))
    return [AttributeGroup("All", attributes)]
