"""What a form that was kept is for."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.urls import Resolver404, resolve
from django.utils.functional import Promise

from accounts.http import page_above

register = template.Library()


@dataclass(frozen=True, slots=True)
class Purpose:
    """What sending a form does, as its view says by `accounts.decorators.offered_as`, and the page it is on."""

    page: str
    title: str | Promise = ""
    ends_something: bool = False


@register.filter
def purpose(path: str) -> Purpose:
    """Return what a form sent to `path` is for."""
    path = path.partition("?")[0]
    try:
        view = resolve(path).func
    except Resolver404:
        return Purpose(page_above(path))
    title, ends_something = getattr(view, "form_title", ""), getattr(view, "form_ends_something", False)
    return Purpose(page_above(path), title, ends_something)
