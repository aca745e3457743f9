"""A person's own pages, and signing out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.cache.backends.filebased import FileBasedCache
from django.utils import timezone

from tests.browser.people import IPHONE, MACINTOSH, WINDOWS, make_bare, make_uma
from tests.fake_user_pool import Failure, Person
from tests.fake_user_pool.web import Response, json_response

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from accounts.models.session import Session
    from tests.browser.studio import Studio


def welcome(studio: Studio) -> None:
    with studio.visitor() as page:
        page.goto("/")
        studio.take(page, "welcome")


def home(studio: Studio) -> None:
    uma = make_uma(studio)
    now = timezone.now()
    with studio.person(uma, IPHONE):
        pass
    with studio.person(uma) as page:
        studio.take(page, "home-fresh")
        studio.sessions_of(uma).update(refreshed_at=now - timedelta(minutes=9))
        studio.sessions_of(uma).update(refresh_claimed_until=now + timedelta(minutes=1))
        page.goto("/")
        studio.take(page, "home-refreshing")
        studio.pool.fail("GetTokensFromRefreshToken", Failure.UNAVAILABLE)
        studio.sessions_of(uma).update(refresh_claimed_until=None, refresh_due_at=now, refresh_failures=2)
        page.goto("/")
        studio.take(page, "home-refresh-failing")


def profile(studio: Studio) -> None:
    uma = make_uma(studio)
    with studio.person(uma) as page, studio.person(make_bare(studio)) as other:
        studio.pool.fail("GetUser", _everything_about(uma))
        page.goto("/profile/")
        studio.pool.recover()
        studio.take(page, "profile")
        other.goto("/profile/")
        studio.take(other, "profile-bare")

        studio.pool.fail("GetUser", "InvalidParameterException")
        with studio.person(make_bare(studio)) as third:
            third.goto("/profile/")
            studio.take(third, "profile-misconfigured")
        studio.pool.recover()
        studio.pool.fail("GetUser", Failure.THROTTLED)
        with studio.person(make_bare(studio)) as third:
            third.goto("/profile/")
            studio.take(third, "profile-throttled")
        _let_profile_age(studio, studio.sessions_of(uma).get())
        studio.pool.recover()
        studio.pool.fail("GetUser", Failure.CLOSED)
        page.goto("/profile/")
        studio.take(page, "profile-unreachable-last-known")
        with studio.person(make_bare(studio)) as third:
            third.goto("/profile/")
            studio.take(third, "profile-unreachable")
        studio.sessions_of(uma).update(scopes="openid email")
        page.goto("/profile/")
        studio.take(page, "profile-missing-scope")


def sessions(studio: Studio) -> None:
    uma = make_uma(studio)
    with studio.person(uma, WINDOWS) as page:
        page.goto("/sessions/")
        studio.take(page, "sessions-alone")
        page.goto("/sessions/ended/")
        studio.take(page, "sessions-ended-none")
        page.goto("/sessions/")
        for agent in (MACINTOSH, IPHONE, None, WINDOWS, IPHONE):
            with studio.person(uma, agent):
                pass
        _spread(studio, uma)
        page.reload()
        studio.take(page, "sessions")
        studio.press(page, "Sign out this session")
        studio.take(page, "sessions-one-ended")
        studio.pool.fail("RevokeToken", Failure.UNAVAILABLE)
        studio.press(page, "Sign out all others")
        studio.take(page, "sessions-others-pending")


def own_session(studio: Studio) -> None:
    uma = make_uma(studio)
    with studio.person(uma, WINDOWS) as page:
        for agent in (MACINTOSH, IPHONE, None):
            with studio.person(uma, agent):
                pass
        _spread(studio, uma)
        this, other, ended, pending = studio.sessions_of(uma).order_by("started_at").reverse()
        _much_has_happened(studio, this)
        page.goto(f"/sessions/{this.public_id}/")
        studio.take(page, "session-this")
        page.get_by_role("link", name="Older").click()
        studio.take(page, "session-this-older")
        page.goto(f"/sessions/{this.public_id}/not-recognised/")
        studio.take(page, "session-this-not-recognised")
        for row, name in ((other, "other"), (pending, "refresh-failing")):
            studio.sessions_of(uma).filter(pk=pending.pk).update(refresh_failures=3)
            page.goto(f"/sessions/{row.public_id}/")
            studio.take(page, f"session-{name}")
        page.goto(f"/sessions/{other.public_id}/tokens/")
        studio.take(page, "session-tokens")
        studio.sessions_of(uma).filter(pk=other.pk).update(token_set_sealed="damaged")
        page.reload()
        studio.take(page, "session-tokens-unreadable")
        _end_and_flag(studio, page, ended.public_id, pending.public_id)


def _end_and_flag(studio: Studio, page: Page, first: UUID, second: UUID) -> None:
    """Sign out one session, and say of another, while Cognito is silent, that it is a stranger's."""
    page.goto(f"/sessions/{first}/")
    studio.press(page, "Sign out this session")
    page.goto(f"/sessions/{first}/")
    studio.take(page, "session-ended-revoked")
    page.goto(f"/sessions/{second}/")
    page.get_by_role("link", name="I don't recognise this").click()
    studio.take(page, "session-not-recognised")
    studio.pool.fail("RevokeToken", Failure.UNAVAILABLE)
    studio.press(page, "It wasn't me")
    studio.take(page, "session-flagged-pending")
    page.goto("/sessions/")
    studio.take(page, "sessions-flagged")
    page.goto("/sessions/ended/")
    studio.take(page, "sessions-ended")


def in_german(studio: Studio) -> None:
    """Show the main pages in longer words."""
    uma = make_uma(studio)
    with studio.visitor(locale="de-DE") as page:
        page.goto("/")
        studio.take(page, "german-welcome")
    with studio.person(uma, WINDOWS), studio.person(uma, IPHONE, "de-DE") as page:
        for path in ("/", "/profile/", "/sessions/", "/tokens/", "/logout/"):
            page.goto(path)
            studio.take(page, f"german-{path.strip('/') or 'home'}")


def tokens(studio: Studio) -> None:
    with studio.person(make_uma(studio)) as page:
        page.goto("/tokens/")
        studio.take(page, "tokens")
        # A process that starts anew has no keys yet.
        studio.pool.fail("jwks", Failure.UNAVAILABLE)
        studio.restart()
        page.goto("/tokens/")
        studio.take(page, "tokens-keys-unreachable")
        studio.pool.recover()
        studio.pool.rotate_keys(keep_old=False)
        studio.restart()
        page.goto("/tokens/")
        studio.take(page, "tokens-refused")


def signing_out(studio: Studio) -> None:
    uma = make_uma(studio)
    with studio.person(uma) as page, studio.visitor() as stranger:
        page.goto("/signed-out/")
        studio.take(page, "signed-out-but-signed-in")
        page.goto("/logout/")
        studio.take(page, "logout-alone")
        studio.press(page, "Sign out here")
        studio.take(page, "signed-out")
        stranger.goto("/signed-out/")
        studio.take(stranger, "signed-out-neutral")
    with studio.person(uma) as page, studio.person(uma, IPHONE), studio.person(uma, WINDOWS):
        page.goto("/logout/")
        studio.take(page, "logout")
        studio.press(page, "Sign out everywhere")
        studio.take(page, "signed-out-everywhere")
    for button, name in (("Sign out here", "pending"), ("Sign out everywhere", "everywhere-pending")):
        with studio.person(uma) as page:
            page.goto("/logout/")
            studio.pool.fail("*", Failure.UNAVAILABLE, times=1)
            studio.press(page, button)
            studio.take(page, f"signed-out-{name}")


def _everything_about(person: Person) -> Response:
    """Return what GetUser answers for somebody with second factors and a linked account; the fake knows neither."""
    identity = {"providerName": "Google", "userId": "109238471092384710923", "primary": "false", "dateCreated": "1"}
    attributes = person.user_attributes | {"identities": json.dumps([identity])}
    return json_response(
        {
            "Username": person.username,
            "UserAttributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
            "UserMFASettingList": ["SMS_MFA", "SOFTWARE_TOKEN_MFA"],
            "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
        },
        media_type="application/x-amz-json-1.1",
    )


def _spread(studio: Studio, person: Person) -> None:
    """Give a person's other sessions an age, an address and a health each."""
    now = timezone.now()
    changes: list[dict[str, Any]] = [
        {"refresh_due_at": now - timedelta(minutes=2), "ip_address": "203.0.113.24"},
        {"access_expires_at": now - timedelta(minutes=9), "ip_address": "2001:db8:4c1a:9f00:7d2e:13ff:fe40:8b21"},
        {"refresh_failures": 3},
        {"refresh_claimed_until": now + timedelta(seconds=20)},
    ]
    others = studio.sessions_of(person).order_by("started_at")[1:]
    for number, (row, change) in enumerate(zip(others, changes, strict=False), start=1):
        seen = {"started_at": now - timedelta(hours=2 * number), "last_seen_at": now - timedelta(minutes=6 * number)}
        studio.sessions_of(person).filter(pk=row.pk).update(**seen, **change)


def _much_has_happened(studio: Studio, row: Session) -> None:
    """Give a session a long past, with a night in which Cognito was out of reach."""
    from accounts.models import Event

    now = timezone.now()
    about = {"session_id": row.public_id, "user_id": row.user_id}
    Event.objects.using(studio.alias).bulk_create(
        Event(
            at=now - timedelta(minutes=9 * number + 4),
            kind=Event.Kind.REFRESH_FAILED if 3 < number < 8 else Event.Kind.REFRESHED,
            detail="ProviderUnavailableError: no answer in time" if 3 < number < 8 else "",
            **about,
        )
        for number in range(60)
    )
    type(row).objects.using(studio.alias).filter(pk=row.pk).update(probed_at=now - timedelta(seconds=40))


def _let_profile_age(studio: Studio, row: Session) -> None:
    """Make the app's copy of a profile so old that Cognito is asked anew."""
    cache = FileBasedCache(str(studio.directory / "cache"), {})
    reading = cache.get(f"profile:{row.public_id}")
    cache.set(f"profile:{row.public_id}", replace(reading, as_of=reading.as_of - timedelta(minutes=1)))
