"""What operators may do: looking and ending are two permissions, and both come from groups of the user pool."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as global_apps
from django.conf import settings
from django.contrib.auth.management import create_permissions

VIEW = "accounts.view_session"
END = "accounts.end_session"


def grant_to_groups(app_config: AppConfig, using: str, apps: Apps = global_apps, **_: Any) -> None:
    """Give the groups named in the settings their permissions; runs after each migrate and flush.

    Who belongs to a group is the token's to say (`User.follow_groups`), what a group may do is Django's.
    """
    try:
        group_model, permission_model = (apps.get_model("auth", name) for name in ("Group", "Permission"))
    except LookupError:
        return  # migrated back to before there were groups
    # Django's own handler makes them too, but perhaps after this one.
    create_permissions(app_config, verbosity=0, using=using, apps=apps)
    permissions = permission_model.objects.using(using).filter(content_type__app_label="accounts")
    for name in {*settings.COGNITO_VIEWER_GROUPS, *settings.COGNITO_STAFF_GROUPS}:
        granted = [VIEW, END] if name in settings.COGNITO_STAFF_GROUPS else [VIEW]
        codenames = [permission.partition(".")[2] for permission in granted]
        group, _created = group_model.objects.using(using).get_or_create(name=name)
        group.permissions.add(*permissions.filter(codename__in=codenames))
    _take_back(group_model.objects.using(using), permissions)


def _take_back(groups: Any, permissions: Any) -> None:
    """Take both permissions from every group that the settings no longer name for them."""
    viewers = [*settings.COGNITO_VIEWER_GROUPS, *settings.COGNITO_STAFF_GROUPS]
    for granted, names in ((VIEW, viewers), (END, settings.COGNITO_STAFF_GROUPS)):
        permission = permissions.get(codename=granted.partition(".")[2])
        for group in groups.filter(permissions=permission).exclude(name__in=names):
            group.permissions.remove(permission)
