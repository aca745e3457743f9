"""The issuer's signing keys, cached per process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from accounts.cognito.errors import InvalidTokenError, ProviderUnavailableError
from accounts.cognito.observing import Observer, observe_nothing, observed

# Imported at first use: `accounts.conf.prepare` says why.
if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = (2.0, 3.0)  # connect, read
COOLDOWN = timedelta(seconds=10)
MAX_AGE = timedelta(hours=1)
# RFC 7518 section 3.3 demands the least; past the most, one signature takes too long to check. Cognito's have 2048.
KEY_BITS = range(2048, 8192 + 1)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One finished attempt to read the key set, and the newest good keys as of then."""

    tried_at: datetime
    failed: bool
    fetched_at: datetime | None = None
    keys: Mapping[str, RSAKey] = field(default_factory=dict)


class KeySet:
    """Signing keys by `kid`; safe to share between threads.

    The set is read when first needed, again after an hour, and once more when an unknown `kid` turns up, but at
    most every ten seconds however many unknown `kid`s there are. The last good set outlives an outage.
    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
    """

    def __init__(self, url: str, observe: Observer = observe_nothing) -> None:
        self.url = url
        self._observe = observe
        self._last: _Fetch | None = None
        self._lock = threading.Lock()

    @property
    def fetched_at(self) -> datetime | None:
        """When the keys in use were read, or None before the first success."""
        return self._last.fetched_at if self._last else None

    def is_old(self, now: datetime) -> bool:
        """Tell whether the keys in use should have been read again by now: the issuer is out of reach."""
        return self.fetched_at is not None and now - self.fetched_at > MAX_AGE

    def key(self, kid: str, now: datetime) -> RSAKey:
        """Return the key named `kid`.

        Raise InvalidTokenError if the issuer has no such key, and ProviderUnavailableError if that cannot be told
        now: the key set is out of reach, or was read less than ten seconds ago.
        """
        last = self._last
        if last is None or kid not in last.keys or now - (last.fetched_at or last.tried_at) > MAX_AGE:
            known = last is not None and kid in last.keys
            last = self._refetch(seen=last, now=now, wait=not known)
        if kid in last.keys:
            return last.keys[kid]
        if last.failed or last.tried_at < now:
            raise ProviderUnavailableError("signing key not known yet", retry_after=int(COOLDOWN.total_seconds()))
        raise InvalidTokenError("kid", expected=sorted(last.keys), actual=kid)

    def _refetch(self, *, seen: _Fetch | None, now: datetime, wait: bool) -> _Fetch:
        """Read the set again unless another thread just did; with a usable key in hand, never queue for it."""
        if not self._lock.acquire(blocking=wait) and seen is not None:
            return seen
        try:
            last = self._last
            if last is not None and (last is not seen or timedelta(0) <= now - last.tried_at < COOLDOWN):
                return last
            self._last = self._attempt(last, now)
            return self._last
        finally:
            self._lock.release()

    def _attempt(self, last: _Fetch | None, now: datetime) -> _Fetch:
        try:
            return _Fetch(tried_at=now, failed=False, fetched_at=now, keys=self._read())
        except ProviderUnavailableError as error:
            logger.warning("The signing keys at %s could not be read: %s", self.url, error)
            if last is None:
                return _Fetch(tried_at=now, failed=True)
            return _Fetch(tried_at=now, failed=True, fetched_at=last.fetched_at, keys=last.keys)

    def _read(self) -> dict[str, RSAKey]:
        import requests

        with observed("jwks", self._observe):
            try:
                return _fetch_keys(self.url)
            except (requests.RequestException, ValueError, RecursionError) as error:
                raise ProviderUnavailableError(type(error).__name__) from error


def _fetch_keys(url: str) -> dict[str, RSAKey]:
    import requests

    response = requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    response.raise_for_status()
    document: Any = response.json()
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = dict(filter(None, map(_signing_key, entries if isinstance(entries, list) else [])))
    if not keys:
        raise ValueError("no usable signing key in the key set")
    return keys


def _signing_key(entry: Any) -> tuple[str, RSAKey] | None:
    """Return `kid` and key of an RS256 signing key, or None: one strange entry does not spoil the others."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from joserfc.jwk import RSAKey
    from joserfc.util import base64_to_int

    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    # A private key that anybody can read is nobody's.
    if "d" in entry:
        return None
    kid = entry.get("kid")
    if not isinstance(kid, str) or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = RSAPublicNumbers(e=base64_to_int(entry["e"]), n=base64_to_int(entry["n"])).public_key()
    except (KeyError, ValueError, TypeError):
        return None
    return (kid, RSAKey.import_key(key)) if key.key_size in KEY_BITS else None
