"""A person's attributes and sign-in methods, grouped and labelled for the profile page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.cognito.user_pool import UserProfile

IDENTITY, CONTACT, PROFILE, CUSTOM, OTHER = "identity", "contact", "profile", "custom", "other"
GROUP_TITLES: Mapping[str, Promise] = {
    IDENTITY: gettext_lazy("Identity"),
    CONTACT: gettext_lazy("Contact"),
    PROFILE: gettext_lazy("Profile"),
    CUSTOM: gettext_lazy("Custom"),
    OTHER: gettext_lazy("Other"),
}
# In the order in which they are shown. The standard claims of OpenID Connect Core section 5.1, and Cognito's own.
KNOWN: Mapping[str, tuple[str, Promise]] = {
    "username": (IDENTITY, gettext_lazy("User name")),
    "sub": (IDENTITY, gettext_lazy("User id")),
    "preferred_username": (IDENTITY, gettext_lazy("Preferred user name")),
    "identities": (IDENTITY, gettext_lazy("Linked accounts")),
    "email": (CONTACT, gettext_lazy("E-mail address")),
    "phone_number": (CONTACT, gettext_lazy("Phone number")),
    "address": (CONTACT, gettext_lazy("Address")),
    "name": (PROFILE, gettext_lazy("Name")),
    "given_name": (PROFILE, gettext_lazy("Given name")),
    "middle_name": (PROFILE, gettext_lazy("Middle name")),
    "family_name": (PROFILE, gettext_lazy("Family name")),
    "nickname": (PROFILE, gettext_lazy("Nickname")),
    "gender": (PROFILE, gettext_lazy("Gender")),
    "birthdate": (PROFILE, gettext_lazy("Date of birth")),
    "locale": (PROFILE, gettext_lazy("Language")),
    "zoneinfo": (PROFILE, gettext_lazy("Time zone")),
    "profile": (PROFILE, gettext_lazy("Profile page")),
    "picture": (PROFILE, gettext_lazy("Picture")),
    "website": (PROFILE, gettext_lazy("Website")),
    "updated_at": (PROFILE, gettext_lazy("Last changed")),
}
MACHINE_READABLE = frozenset({"sub", "username"})
CUSTOM_PREFIXES = ("custom:", "dev:custom:")

# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html
MFA_METHODS: Mapping[str, tuple[Promise, Promise]] = {
    "SOFTWARE_TOKEN_MFA": (
        gettext_lazy("Authenticator app"),
        gettext_lazy("A six-digit code from an app on your phone."),
    ),
    "SMS_MFA": (gettext_lazy("Text message"), gettext_lazy("A code sent to your phone number.")),
    "EMAIL_OTP": (gettext_lazy("E-mail code"), gettext_lazy("A code sent to your e-mail address.")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute; `verified` is None where verification does not apply, `at` a time if that is what it holds."""

    name: str
    label: str
    values: tuple[str, ...]
    verified: bool | None = None
    at: datetime | None = None
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class AttributeGroup:
    title: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class MfaMethod:
    label: str
    explanation: str
    preferred: bool


def attribute_groups(profile: UserProfile | None) -> list[AttributeGroup]:
    """Return the attributes of a profile in groups, none of them empty."""
    if profile is None:
        return []
    values = {"username": profile.username, **profile.attributes}
    order = list(KNOWN)
    names = sorted(values, key=lambda name: (order.index(name) if name in KNOWN else len(order), name))
    groups: dict[str, list[Attribute]] = {key: [] for key in GROUP_TITLES}
    for name in names:
        if not _is_mark(name, values):
            groups[_group_of(name)].append(_attribute(name, values))
    return [AttributeGroup(str(GROUP_TITLES[key]), tuple(found)) for key, found in groups.items() if found]


def mfa_methods(profile: UserProfile | None) -> list[MfaMethod]:
    """Return the second factors that are switched on, the preferred one first."""
    if profile is None:
        return []
    methods = sorted(profile.mfa_methods, key=lambda name: (name != profile.preferred_mfa, name))
    return [_mfa_method(name, preferred=name == profile.preferred_mfa) for name in methods]


def linked_accounts(identities: object) -> tuple[str, ...]:
    """Return a line per account at another identity provider, from the `identities` claim or attribute.

    Its members are strings all through; whatever is not a list of objects yields nothing.
    """
    if isinstance(identities, str):
        try:
            identities = json.loads(identities)
        except ValueError:
            return ()
    if not isinstance(identities, list):
        return ()
    return tuple(_linked_account(identity) for identity in identities if isinstance(identity, Mapping))


def plain_label(name: str) -> str:
    """Make a label of a name that nobody wrote one for: `custom:cost_centre` becomes "Cost centre"."""
    words = name.rpartition(":")[2].replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] if words else name


def moment(seconds: object) -> datetime | None:
    """Return the time (UTC) that is so many seconds after 1970, or None if that is not what it says."""
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _attribute(name: str, values: Mapping[str, str]) -> Attribute:
    value = values[name]
    return Attribute(
        name=name,
        label=str(KNOWN[name][1]) if name in KNOWN else plain_label(name),
        values=(linked_accounts(value) or (value,)) if name == "identities" else (value,),
        verified=_verified(values.get(f"{name}_verified")),
        at=moment(value) if name == "updated_at" else None,
        is_code=name in MACHINE_READABLE,
    )


def _is_mark(name: str, names: Iterable[str]) -> bool:
    """Tell whether an attribute only says that another one is verified."""
    return name.endswith("_verified") and name.removesuffix("_verified") in names


def _verified(mark: str | None) -> bool | None:
    # GetUser answers in strings, where the ID token has booleans.
    return None if mark is None else mark == "true"


def _group_of(name: str) -> str:
    if name in KNOWN:
        return KNOWN[name][0]
    return CUSTOM if name.startswith(CUSTOM_PREFIXES) else OTHER


def _mfa_method(name: str, *, preferred: bool) -> MfaMethod:
    label, explanation = MFA_METHODS.get(name, (name, ""))
    return MfaMethod(str(label), str(explanation), preferred)


def _linked_account(identity: Mapping[str, object]) -> str:
    provider = identity.get("providerName") or identity.get("providerType") or _("Unknown provider")
    account = _("%(provider)s, account %(id)s") % {"provider": provider, "id": identity.get("userId", "?")}
    return _("%(account)s (primary)") % {"account": account} if identity.get("primary") == "true" else account
