"""The claims of a session's tokens and the verdicts of their verification, explained for the tokens page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.cognito.errors import InvalidTokenError, ProviderUnavailableError
from accounts.cognito.tokens import Claims, TokenSet
from accounts.cognito.verifier import Inspection, Rule, TokenVerifier
from dashboard.profile_page import CUSTOM_PREFIXES, KNOWN, MACHINE_READABLE, linked_accounts, moment, plain_label

TITLES: Mapping[str, tuple[Promise, Promise]] = {
    "id": (
        gettext_lazy("ID token"),
        gettext_lazy("Tells this site who you are. It is meant for this site alone and opens nothing elsewhere."),
    ),
    "access": (
        gettext_lazy("Access token"),
        gettext_lazy("Shown to Cognito and to services on your behalf. It says what may be done, not who you are."),
    ),
}

# In the order in which they are shown, a person's other attributes in between. Cognito adds claims over time: those
# nobody wrote words for are shown as they are.
# https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
ABOUT_THE_PERSON: Mapping[str, tuple[Promise, Promise]] = {
    "sub": (gettext_lazy("User id"), gettext_lazy("Who you are in this user pool. It never changes.")),
    "cognito:username": (gettext_lazy("User name"), gettext_lazy("Your name at Cognito; unique, but not for reading.")),
    "username": (gettext_lazy("User name"), gettext_lazy("Your name at Cognito; unique, but not for reading.")),
    "email": (gettext_lazy("E-mail address"), gettext_lazy("For reaching you. It never decides who you are.")),
    "email_verified": (
        gettext_lazy("E-mail address verified"),
        gettext_lazy("Whether Cognito, or the provider you came through, has seen that the address is yours."),
    ),
    "phone_number": (gettext_lazy("Phone number"), gettext_lazy("For reaching you.")),
    "phone_number_verified": (
        gettext_lazy("Phone number verified"),
        gettext_lazy("Whether Cognito has seen that the number is yours."),
    ),
    "identities": (
        gettext_lazy("Linked accounts"),
        gettext_lazy("Accounts at other identity providers that lead to you here."),
    ),
    "cognito:groups": (
        gettext_lazy("Groups"),
        gettext_lazy("Your groups when the token was made. Rights on this site follow them."),
    ),
    "cognito:roles": (gettext_lazy("AWS roles"), gettext_lazy("Roles that your groups let you take on in AWS.")),
    "cognito:preferred_role": (
        gettext_lazy("Preferred AWS role"),
        gettext_lazy("The role of your group with the best precedence."),
    ),
}
ABOUT_THE_TOKEN: Mapping[str, tuple[Promise, Promise]] = {
    "scope": (gettext_lazy("Scopes"), gettext_lazy("What may be done with this token.")),
    "iss": (gettext_lazy("Issuer"), gettext_lazy("The user pool that made and signed the token.")),
    "aud": (gettext_lazy("Audience"), gettext_lazy("Whom the token is for: the id of this app's client.")),
    "client_id": (gettext_lazy("App client"), gettext_lazy("The app that asked for the token.")),
    "token_use": (gettext_lazy("Token use"), gettext_lazy("The kind of token, so that none passes for another.")),
    "auth_time": (
        gettext_lazy("Authenticated"),
        gettext_lazy("When you last proved to Cognito who you are. Refreshing does not move it."),
    ),
    "iat": (gettext_lazy("Issued"), gettext_lazy("When the token was made.")),
    "exp": (gettext_lazy("Expires"), gettext_lazy("Nobody who checks it takes the token after this.")),
    "nbf": (gettext_lazy("Not before"), gettext_lazy("Nobody who checks it takes the token before this.")),
    "acr": (gettext_lazy("Authentication level"), gettext_lazy("How strong the sign-in was, by the pool's scale.")),
    "amr": (
        gettext_lazy("Authentication methods"),
        gettext_lazy(
            "How you signed in: pwd a password, otp an authenticator app, sms or email_otp a code sent to you, "
            "swk or hwk a passkey, mfa more than one of them, fed another identity provider."
        ),
    ),
    "nonce": (
        gettext_lazy("Nonce"),
        gettext_lazy("The random value of this sign-in, so that the token of another cannot be slipped in. Used once."),
    ),
    "at_hash": (gettext_lazy("Access token hash"), gettext_lazy("Ties the ID token to the access token it came with.")),
    "origin_jti": (
        gettext_lazy("Sign-in id"),
        gettext_lazy("The same on all tokens of one sign-in. Once it is revoked, Cognito refuses them all."),
    ),
    "jti": (gettext_lazy("Token id"), gettext_lazy("The id of this very token.")),
    "event_id": (gettext_lazy("Event id"), gettext_lazy("The sign-in's id in Cognito's own logs.")),
    "device_key": (gettext_lazy("Device"), gettext_lazy("The remembered device you signed in on.")),
    "act": (gettext_lazy("Acting party"), gettext_lazy("Who acts for you, on a token that was exchanged for another.")),
    "version": (gettext_lazy("Version"), gettext_lazy("The token format's version; Cognito does not say more.")),
}
EXPLAINED = {**ABOUT_THE_PERSON, **ABOUT_THE_TOKEN}
TIMES = frozenset({"auth_time", "iat", "exp", "nbf", "updated_at"})
# What is for people to read; everything else is set in the type of machines.
WORDS = (KNOWN.keys() - MACHINE_READABLE) | {"email_verified", "phone_number_verified", "cognito:groups", "nonce"}

# A rule of the verifier in words: as it holds, and as it is broken.
RULES: Mapping[str, tuple[Promise, Promise]] = {
    "signature": (gettext_lazy("Signed with a key of this user pool"), gettext_lazy("Not signed by this user pool")),
    "alg": (gettext_lazy("Signed with RS256, the only algorithm taken here"), gettext_lazy("Signed in another way")),
    "kid": (gettext_lazy("Signed with a known key"), gettext_lazy("Signed with a key this user pool does not have")),
    "iss": (gettext_lazy("Issued by this user pool"), gettext_lazy("Issued by somebody else")),
    "token_use": (gettext_lazy("Of the right kind"), gettext_lazy("Of the wrong kind")),
    "aud": (gettext_lazy("Made for this app alone"), gettext_lazy("Made for another app")),
    "client_id": (gettext_lazy("Made for this app"), gettext_lazy("Made for another app")),
    "exp": (gettext_lazy("Not expired"), gettext_lazy("Expired")),
    "iat": (gettext_lazy("Not issued in the future"), gettext_lazy("Issued in the future: the clocks disagree")),
    "nbf": (gettext_lazy("Valid already"), gettext_lazy("Not valid yet: the clocks disagree")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim in plain language; `at` instead of `values` if it is a time."""

    name: str
    label: str
    explanation: str
    values: tuple[str, ...] = ()
    at: datetime | None = None
    is_code: bool = True


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One verification rule in words, with its verdict; at `lapses_at` it turns into `lapsed`."""

    claim: str
    text: str
    holds: bool
    lapses_at: datetime | None = None
    lapsed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReport:
    """What is known of one token: claims and verdicts, or why there are none. Never the token."""

    use: str
    title: str
    purpose: str
    claims: tuple[ClaimRow, ...] = ()
    rules: tuple[RuleRow, ...] = ()
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    keys_unreachable: bool = False

    @property
    def all_hold(self) -> bool:
        return all(rule.holds for rule in self.rules)


def token_reports(verifier: TokenVerifier, token_set: TokenSet, now: datetime) -> list[TokenReport]:
    """Return a report on the ID token and one on the access token."""
    return [
        _report(verifier, token, use, now)
        for use, token in (("id", token_set.id_token), ("access", token_set.access_token))
    ]


def _report(verifier: TokenVerifier, token: str, use: str, now: datetime) -> TokenReport:
    title, purpose = map(str, TITLES[use])
    try:
        inspection = verifier.inspect(token, use=use, now=now)
    except ProviderUnavailableError:
        return TokenReport(use=use, title=title, purpose=purpose, keys_unreachable=True)
    except InvalidTokenError as error:
        return TokenReport(use=use, title=title, purpose=purpose, rules=(_broken(error),))
    return TokenReport(
        use=use,
        title=title,
        purpose=purpose,
        claims=tuple(_claim_rows(inspection.claims)),
        rules=tuple(_rule_rows(inspection, now)),
        issued_at=inspection.claims.issued_at,
        expires_at=inspection.claims.expires_at,
    )


def _claim_rows(claims: Claims) -> Iterator[ClaimRow]:
    order = [*ABOUT_THE_PERSON, *KNOWN, *ABOUT_THE_TOKEN]
    for name in sorted(claims.raw, key=lambda name: (order.index(name) if name in order else len(order), name)):
        yield _claim_row(name, claims.raw[name])


def _claim_row(name: str, value: Any) -> ClaimRow:
    label, explanation = _in_words(name)
    at = moment(value) if name in TIMES else None
    values = () if at else _values(name, value)
    is_code = name not in WORDS and not name.startswith(CUSTOM_PREFIXES)
    return ClaimRow(name=name, label=label, explanation=explanation, values=values, at=at, is_code=is_code)


def _in_words(name: str) -> tuple[str, str]:
    if name in EXPLAINED:
        label, explanation = EXPLAINED[name]
        return str(label), str(explanation)
    if name in KNOWN:
        return str(KNOWN[name][1]), _("From your profile at Cognito.")
    if name.startswith(CUSTOM_PREFIXES):
        return plain_label(name), _("An attribute this user pool has added.")
    return plain_label(name), _("A claim this page has no words for; it is shown as it is.")


def _values(name: str, value: Any) -> tuple[str, ...]:
    if name == "identities" and (accounts := linked_accounts(value)):
        return accounts
    if name == "nonce":  # spent by now, and of no use to anybody who reads this
        return (_("Not shown: it has served its purpose."),)
    if name == "scope" and isinstance(value, str):
        return tuple(value.split())
    if name == "cognito:roles" and isinstance(value, str):  # a list by one page of the documentation, not by another
        return tuple(value.split(","))
    if isinstance(value, list):
        return tuple(_text(item) for item in value)
    return (_text(value),)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rule_rows(inspection: Inspection, now: datetime) -> Iterator[RuleRow]:
    # `inspect` would have raised if these two did not hold.
    yield RuleRow("signature", str(RULES["signature"][0]), holds=True)
    yield RuleRow("alg", str(RULES["alg"][0]), holds=True)
    for rule in inspection.rules:
        yield _expiry(inspection, rule, now) if rule.claim == "exp" else _rule_row(rule)


def _expiry(inspection: Inspection, rule: Rule, now: datetime) -> RuleRow:
    """Return the verdict by the token's own word: beside "Expired" nobody understands the leeway for clocks."""
    expires_at = inspection.claims.expires_at
    holding, broken = map(str, RULES["exp"])
    if rule.holds and expires_at > now:
        return RuleRow("exp", holding, holds=True, lapses_at=expires_at, lapsed=broken)
    return RuleRow("exp", broken, holds=False)


def _rule_row(rule: Rule) -> RuleRow:
    if rule.claim not in RULES:
        return RuleRow(rule.claim, rule.claim, rule.holds)
    holding, broken = RULES[rule.claim]
    return RuleRow(rule.claim, str(holding if rule.holds else broken), rule.holds)


def _broken(error: InvalidTokenError) -> RuleRow:
    text = str(RULES[error.claim][1]) if error.claim in RULES else _("Not in the form in which Cognito makes tokens")
    return RuleRow(error.claim, text, holds=False)
