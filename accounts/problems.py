"""The problems a person may be told of: for each a plain cause and the next step, and which error leads to which."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.cognito.errors import (
    AuthorizationResponseError,
    InvalidGrantError,
    InvalidTokenError,
    ProviderUnavailableError,
    StateMismatchError,
    ThrottledError,
    TokenClockError,
    TokenEndpointError,
    UserPoolError,
)
from accounts.encryption import UnknownKeyError
from accounts.sign_in import AccountDisabledError


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of page; `name` is stable, for logs and JSON. `ours` marks what an operator must mend."""

    name: str
    status: int
    title: str | Promise
    cause: str | Promise
    advice: str | Promise
    ours: bool = False


CANCELLED = Problem(
    "cancelled",
    200,
    _("Sign-in was cancelled"),
    _("You left the sign-in page before finishing, so nobody was signed in."),
    _("Start again whenever you like."),
)
EXPIRED_LINK = Problem(
    "expired_link",
    400,
    _("This sign-in link is no longer good"),
    _("A sign-in link works once and for fifteen minutes. This one was used before, or is too old."),
    _("Sign in again. It takes a new link by itself."),
)
OTHER_BROWSER = Problem(
    "other_browser",
    400,
    _("This sign-in was started somewhere else"),
    _("It began in another browser, or this browser did not keep the cookie that ties the two ends together."),
    _("Allow cookies for this site, then sign in again here."),
)
PROVIDER_REFUSED = Problem(
    "provider_refused",
    400,
    _("The sign-in page could not sign you in"),
    _("It reported a problem with this sign-in, perhaps with the company account you chose."),
    _("Try again, or choose another way to sign in. If it keeps happening, pass on the request id below."),
)
MISCONFIGURED = Problem(
    "misconfigured",
    500,
    _("Sign-in is not set up correctly"),
    _("This site and its sign-in service disagree about their settings. You did nothing wrong."),
    _("Trying again will not help. Tell the people who run this site, with the request id below."),
    ours=True,
)
CLOCK = Problem(
    "clock",
    500,
    _("The clocks disagree"),
    _("This server's clock differs from the sign-in service's, so it cannot tell whether your sign-in is current."),
    _("Try again in a minute. If it keeps happening, pass on the request id below."),
    ours=True,
)
TOKEN_REFUSED = Problem(
    "token_refused",
    400,
    _("This sign-in could not be verified"),
    _("What came back from the sign-in service did not pass our checks, so nobody was signed in."),
    _("Sign in again. If it keeps happening, pass on the request id below."),
    ours=True,
)
DISABLED = Problem(
    "disabled",
    403,
    _("Your account is disabled"),
    _("The sign-in service knows you, but your account on this site has been switched off."),
    _("Ask the people who run this site to switch it on again."),
)
BUSY = Problem(
    "busy",
    503,
    _("The sign-in service is busy"),
    _("Too many people are using it at the same time, and it asked us to wait."),
    _("Try again in a few seconds. You are not signed out."),
)
UNAVAILABLE = Problem(
    "unavailable",
    503,
    _("The sign-in service cannot be reached"),
    _("It did not answer in time. This usually passes quickly."),
    _("Try again in a few seconds. Nothing is lost."),
)

KEY_MISSING = Problem(
    "key_missing",
    503,
    _("This server cannot read your session"),
    _("It lacks a key that it needs for that. You are not signed out."),
    _("Try again in a moment. If it keeps happening, pass on the request id below."),
    ours=True,
)
CROSS_SITE = Problem(
    "cross_site",
    403,
    _("This request came from another site"),
    _("Another site asked for this in your name. No site may act here for you, so nothing was done."),
    _("If it was you who wanted it, go to the home page and do it from there."),
)
METHOD_NOT_ALLOWED = Problem(
    "method_not_allowed",
    405,
    _("This address cannot be opened like that"),
    _("It is there for a form or a button of another page, or for looking only. Nothing was done."),
    _("Go on from the page it belongs to."),
)
TOO_MANY_REQUESTS = Problem(
    "too_many_requests",
    429,
    _("Too many requests"),
    _("Very many requests came from your network or your account within a few minutes. This one was not carried out."),
    _("Nothing was changed. Try again in a few minutes."),
)

# The first type that fits decides.
_BY_TYPE: tuple[tuple[type[Exception], Problem], ...] = (
    (InvalidGrantError, EXPIRED_LINK),
    (TokenEndpointError, MISCONFIGURED),
    (TokenClockError, CLOCK),
    (InvalidTokenError, TOKEN_REFUSED),
    (ThrottledError, BUSY),
    (ProviderUnavailableError, UNAVAILABLE),
    (UserPoolError, MISCONFIGURED),
    (AccountDisabledError, DISABLED),
    (UnknownKeyError, KEY_MISSING),
)
# OAuth error codes of the authorization response: RFC 6749 section 4.1.2.1.
_BY_CODE = {
    "access_denied": CANCELLED,
    "invalid_scope": MISCONFIGURED,
    "unauthorized_client": MISCONFIGURED,
    "unsupported_response_type": MISCONFIGURED,
    "server_error": UNAVAILABLE,
    "temporarily_unavailable": UNAVAILABLE,
}


def problem_of(error: Exception) -> Problem:
    """Return the page for an error: by OAuth code for authorization responses, by type for all else."""
    if isinstance(error, StateMismatchError):
        return EXPIRED_LINK if error.error == "unknown_state" else OTHER_BROWSER
    if isinstance(error, AuthorizationResponseError):
        return _BY_CODE.get(error.error, PROVIDER_REFUSED)
    return next(problem for kind, problem in _BY_TYPE if isinstance(error, kind))


def problem_name(error: BaseException) -> str:
    """Return the name of an error's page, "error" for one that has none: the word for it in metrics."""
    kinds: tuple[type[Exception], ...] = (AuthorizationResponseError, *(kind for kind, _page in _BY_TYPE))
    return problem_of(error).name if isinstance(error, kinds) else "error"
