"""Pictures of what becomes of a form that is sent after its session's end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.studio import Studio
    from tests.fake_user_pool import Person

REASON = "Laptop left on the 8:14 train to Hamburg; asked for by phone, called back on the number in the directory"


def form_sent_too_late(studio: Studio) -> None:
    ada = studio.pool.add_person("ada.late@example.com", name="Ada Admin", groups=["admins"])
    uma = studio.pool.add_person("uma.late@example.com", name="Uma User")
    with studio.person(ada) as page, studio.person(uma):
        victim = studio.sessions_of(uma).get()
        _send_too_late(studio, page, ada, f"/console/sessions/{victim.public_id}/")
        studio.take(page, "session-ended-form-kept")
        page.get_by_role("link", name="Sign in again").click()
        # The login cookie of the hosted UI leads back at once.
        studio.take(page, "kept-form")
        offer = page.url
        studio.press(page, "Send it now")
        page.goto(offer)
        studio.take(page, "kept-form-gone")
    with studio.person(ada) as page, studio.person(uma):
        victim = studio.sessions_of(uma).order_by("-started_at")[0]
        _send_too_late(studio, page, ada, f"/console/sessions/{victim.public_id}/", reason="x" * 20_000)
        studio.take(page, "session-ended-form-lost")


def _send_too_late(studio: Studio, page: Page, person: Person, path: str, reason: str = REASON) -> None:
    page.goto(path)
    field = page.get_by_label("Reason")
    field.evaluate("field => field.removeAttribute('maxlength')")
    field.fill(reason)
    studio.sessions_of(person).update(expire_date=timezone.now() - timedelta(minutes=1))
    studio.press(page, "End this session")
