"""The ends of sessions, and everything that goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from tests.browser.people import make_admin, make_uma
from tests.fake_user_pool import Failure

if TYPE_CHECKING:
    from tests.browser.studio import Studio


def session_ended(studio: Studio) -> None:
    uma = make_uma(studio)
    past = timezone.now() - timedelta(minutes=1)
    with studio.person(uma) as page:
        studio.sessions_of(uma).update(expire_date=past)
        page.goto("/sessions/")
        studio.take(page, "session-ended-idle")
    with studio.person(uma) as page:
        studio.sessions_of(uma).update(expire_date=past)
        page.goto("/")
        studio.take(page, "welcome-session-ended")
    with studio.person(uma) as page:
        for operation in ("GetUser", "GetTokensFromRefreshToken"):
            studio.pool.fail(operation, "NotAuthorizedException")
        page.goto("/profile/")
        studio.take(page, "session-ended-refused")


def problems(studio: Studio) -> None:
    uma = make_uma(studio)
    with studio.visitor() as page:
        page.goto("/login/")
        studio.press(page, "Cancel")
        studio.take(page, "problem-cancelled")
        failures: dict[str, Failure | str] = {
            "unavailable": Failure.UNAVAILABLE,
            "busy": Failure.THROTTLED,
            "misconfigured": "invalid_client",
        }
        for name, failure in failures.items():
            studio.pool.fail("token", failure)
            studio.sign_in(page, uma)
            studio.take(page, f"problem-{name}")
            studio.pool.recover()
            page.context.clear_cookies()
        page.goto("/callback/?code=x&state=somebody-elses")
        page.goto("/callback/?code=x&state=somebody-elses")
        studio.take(page, "problem-other-browser")


def disabled_account(studio: Studio) -> None:
    from accounts.models import User

    uma = make_uma(studio)
    with studio.person(uma) as page:
        User.objects.using(studio.alias).filter(subject=uma.sub).update(is_active=False)
        page.goto("/")
        studio.take(page, "session-ended-disabled")
        page.context.clear_cookies()
        studio.sign_in(page, uma)
        studio.take(page, "problem-disabled")


def signed_in_long_ago(studio: Studio) -> None:
    """Ask for proof that it is still them: for a form, for a page, and when the answer proves nothing."""
    ada = make_admin(studio)
    with studio.person(ada) as page:
        own = studio.sessions_of(ada).get()
        page.goto(f"/console/sessions/{own.public_id}/")
        page.get_by_label("Reason").fill("Laptop left on a train")
        studio.sessions_of(ada).update(auth_time=timezone.now() - timedelta(hours=3))
        studio.press(page, "End this session")
        studio.take(page, "reauthenticate-form")
        for tried in ("", "prompt", "sign-out"):
            page.goto(f"/reauthenticate/?next=/console/&tried={tried}")
            studio.take(page, f"reauthenticate-{tried or 'page'}")
        page.goto("/reauthenticate/?next=/console/&person=somebody-else")
        studio.take(page, "reauthenticated-as-other")


def refusals(studio: Studio) -> None:
    with studio.person(make_uma(studio)) as page:
        page.goto("/logout/everywhere/")
        studio.take(page, "problem-method-not-allowed")
        page.goto("about:blank")
        page.set_content(f'<form method="post" action="{studio.server.url}/logout/"><button>Win</button></form>')
        page.get_by_role("button").click()
        studio.take(page, "problem-cross-site")
    with studio.settings(RATE_LIMIT_FACTOR="0.00001"), studio.visitor() as page:
        page.goto("/login/?next=/sessions/")
        studio.take(page, "problem-too-many-requests")


def errors(studio: Studio) -> None:
    with studio.person(make_uma(studio)) as page:
        page.goto("/there-is-no-such-page/")
        studio.take(page, "error-404")
        page.goto("/console/")
        studio.take(page, "error-403")
        page.goto("/logout/")
        page.context.clear_cookies(name="csrf")
        studio.press(page, "Sign out here")
        studio.take(page, "error-403-csrf")
        page.goto(studio.server.url.replace("localhost", "127.0.0.1"))
        studio.take(page, "error-400")
    with studio.person(make_uma(studio)) as page, _without_sessions_table(studio):
        page.goto("/")
        studio.take(page, "error-500")


@contextmanager
def _without_sessions_table(studio: Studio) -> Iterator[None]:
    """Take away the table without which no page can be made."""
    from django.db import connections

    with connections[studio.alias].cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_session RENAME TO hidden")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE hidden RENAME TO accounts_session")
