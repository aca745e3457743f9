"""Django's admin: its index, and of every table the list and one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from tests.browser.people import make_admin, make_uma

if TYPE_CHECKING:
    from tests.browser.studio import Studio


def tables(studio: Studio) -> None:
    from dashboard.admin import site

    _fill(studio)
    with studio.person(make_admin(studio)) as page:
        page.goto("/admin/")
        studio.take(page, "admin-index")
        page.goto("/admin/accounts/")
        studio.take(page, "admin-app")
        page.goto("/admin/accounts/session/?q=nobody@example.com")
        studio.take(page, "admin-session-list-empty")
        for model in site._registry:
            label, name = model._meta.app_label, str(model._meta.model_name)
            page.goto(f"/admin/{label}/{name}/")
            studio.take(page, f"admin-{name}-list")
            page.locator("#result_list tbody th a").first.click()
            studio.take(page, f"admin-{name}")


def _fill(studio: Studio) -> None:
    """Leave a row in every table: of somebody who was here, and of the worker."""
    from django_tasks_db.models import DBTaskResult

    from accounts.models import Chore

    with studio.person(make_uma(studio)) as page:
        page.goto("/logout/")
        studio.press(page, "Sign out here")
    now = timezone.now()
    Chore.objects.using(studio.alias).create(name="prune", claimed_until=now)
    task = {"task_path": "accounts.tasks.prune", "backend_name": "default", "args_kwargs": {"args": [], "kwargs": {}}}
    DBTaskResult.objects.using(studio.alias).create(run_after=now, **task)
