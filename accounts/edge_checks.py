"""System checks of what faces the internet: secrets, addresses, cookies and proxies that do not fit each other."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it
from django.utils.http import is_same_domain

from accounts.checks import ADDRESSES
from accounts.encryption import key_bytes

PLACEHOLDER = re.compile(r"change.?me|replace.?me|placeholder|example|insecure|your.?secret", re.IGNORECASE)
SECRET_KEY_LENGTH = 32
# Cognito makes longer ones, and takes none that is shorter.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
CLIENT_SECRET_LENGTH = 24
METRICS_TOKEN_LENGTH = 16
# Of 32 random bytes hardly ever fewer than 27 are different.
KEY_VARIETY = 16
PER_PROCESS_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")


@register(Tags.security)
def check_secrets(**_: Any) -> list[CheckMessage]:
    """Check that secrets are secret: none made up, too short, or used twice."""
    messages: list[CheckMessage] = []
    for name, keys in (("SECRET_KEY", [settings.SECRET_KEY]), ("SECRET_KEY_FALLBACKS", settings.SECRET_KEY_FALLBACKS)):
        if not settings.DEBUG and any(_is_weak(key) for key in keys):
            hint = "Print one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'."
            messages.append(Error(f"{name} is short, or a placeholder.", hint=hint, id="accounts.E016"))
    for secret in settings.COGNITO_CLIENT_SECRET:
        if len(secret) < CLIENT_SECRET_LENGTH or PLACEHOLDER.search(secret):
            hint = "Copy the app client's secret from Cognito; leave the line out for a client that has none."
            messages.append(Error("COGNITO_CLIENT_SECRET is none of Cognito's.", hint=hint, id="accounts.E017"))
    # The token is of config; a project that took over accounts may have no such setting.
    token = getattr(settings, "METRICS_TOKEN", "")
    if token and (len(token) < METRICS_TOKEN_LENGTH or PLACEHOLDER.search(token)):
        hint = "Print one with: python -c 'import secrets; print(secrets.token_urlsafe(32))', or leave it out."
        messages.append(Error("METRICS_TOKEN is short, or a placeholder.", hint=hint, id="accounts.E026"))
    return messages + _check_token_keys()


def _is_weak(key: str) -> bool:
    return len(key) < SECRET_KEY_LENGTH or len(set(key)) < 10 or PLACEHOLDER.search(key) is not None


def _check_token_keys() -> list[CheckMessage]:
    try:
        keys = [key_bytes(key) for key in settings.TOKEN_ENCRYPTION_KEYS]
    except ValueError:
        return []  # accounts.E002 says it
    used_elsewhere = {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS} & set(settings.TOKEN_ENCRYPTION_KEYS)
    if len(set(keys)) == len(keys) and not used_elsewhere and all(len(set(key)) >= KEY_VARIETY for key in keys):
        return []
    hint = "Make each of them with `manage.py generate_key`, and list each once."
    what = "TOKEN_ENCRYPTION_KEYS has a key twice, one that is SECRET_KEY, or one that is not random."
    return [Error(what, hint=hint, id="accounts.E018")]


@register(Tags.security)
def check_addresses(**_: Any) -> list[CheckMessage]:
    """Check that codes, tokens and signing keys come and go over TLS."""
    messages: list[CheckMessage] = []
    for name in ADDRESSES:
        address = urlsplit(getattr(settings, name))
        if address.scheme == "http" and not (_is_loopback(address.hostname or "") or settings.DEBUG):
            hint = "Write it with https; http is for a local user pool on this very machine."
            messages.append(Error(f"{name} is {address.geturl()!r}: without TLS.", hint=hint, id="accounts.E027"))
    return messages


@register(Tags.security)
def check_site(**_: Any) -> list[CheckMessage]:
    """Check that the site's address fits the cookies, the hosts and the mode the app runs in."""
    site = urlsplit(settings.SITE_URL)
    if not site.hostname:
        return []  # accounts.E008 says it
    messages: list[CheckMessage] = []
    is_https, is_local = site.scheme == "https", _is_loopback(site.hostname)
    if not (is_https or is_local or settings.DEBUG):
        hint = "Set SITE_URL to the https address people use; http is for localhost."
        messages.append(Error(f"SITE_URL is {settings.SITE_URL!r}: without TLS.", hint=hint, id="accounts.E019"))
    if settings.DEBUG and not is_local:
        hint = "Set DEBUG=false: tracebacks show settings and data to whoever causes them."
        messages.append(Error(f"DEBUG is on at {site.hostname}.", hint=hint, id="accounts.E021"))
    if "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        hint = "List the host names of the site; without the setting it is the host of SITE_URL."
        messages.append(Error("ALLOWED_HOSTS allows every host.", hint=hint, id="accounts.E022"))
    elif settings.ALLOWED_HOSTS and not any(is_same_domain(site.hostname, host) for host in settings.ALLOWED_HOSTS):
        hint = f"Add {site.hostname!r}: the authorization response comes back there."
        messages.append(Error("ALLOWED_HOSTS lacks the host of SITE_URL.", hint=hint, id="accounts.E023"))
    if not is_https == settings.SESSION_COOKIE_SECURE == settings.CSRF_COOKIE_SECURE:
        hint = "Set both to True for an https site, and to False for http: a Secure cookie does not come back over it."
        what = f"SESSION_COOKIE_SECURE or CSRF_COOKIE_SECURE does not fit {settings.SITE_URL}."
        messages.append(Error(what, hint=hint, id="accounts.E024"))
    return messages


@register(Tags.security)
def check_surroundings(**_: Any) -> list[CheckMessage]:
    """Check what the app is told of proxies and of other processes."""
    messages: list[CheckMessage] = []
    site, scheme_header = urlsplit(settings.SITE_URL), _scheme_header()
    if site.scheme == "https" and not scheme_header:
        hint = "Name the header in which the proxy says https, such as X-Forwarded-Proto; else the redirect never ends."
        messages.append(Warning("SITE_URL is https, and no proxy says so.", hint=hint, id="accounts.W001"))
    if scheme_header and not settings.TRUSTED_PROXIES:
        hint = "List the proxy's networks in TRUSTED_PROXIES: without them all people share its address and its limits."
        messages.append(Warning("There is a proxy, and TRUSTED_PROXIES is empty.", hint=hint, id="accounts.W002"))
    if _are_everybody(settings.TRUSTED_PROXIES):
        hint = "List the proxies' own networks: whoever is trusted can pass for any address."
        messages.append(Warning("TRUSTED_PROXIES trusts every address.", hint=hint, id="accounts.W003"))
    is_alone = settings.WEB_CONCURRENCY == 1 or _is_loopback(site.hostname or "")
    if settings.CACHES["default"]["BACKEND"].endswith(PER_PROCESS_CACHES) and not is_alone:
        hint = "Set CACHE_URL to Redis or Valkey, or WEB_CONCURRENCY=1: rate limits and budgets hold per process now."
        messages.append(Warning("Each process has a cache of its own.", hint=hint, id="accounts.W004"))
    if settings.RATE_LIMIT_FACTOR < 0:
        hint = "Set it to 1, to more for wider limits, or to 0 for none."
        messages.append(Error("RATE_LIMIT_FACTOR is below 0.", hint=hint, id="accounts.E025"))
    return messages


def _scheme_header() -> tuple[str, str] | None:
    return settings.SECURE_PROXY_SSL_HEADER


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _are_everybody(networks: list[str]) -> bool:
    """Tell whether networks are all addresses there are, one of them or some together, such as two halves."""
    try:
        known = [ip_network(network) for network in networks]
    except ValueError:
        return False  # accounts.E012 says it
    fours = collapse_addresses(network for network in known if isinstance(network, IPv4Network))
    sixes = collapse_addresses(network for network in known if isinstance(network, IPv6Network))
    return any(network.prefixlen == 0 for network in fours) or any(network.prefixlen == 0 for network in sixes)
