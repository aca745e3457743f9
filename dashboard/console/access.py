"""Who may do what in the console: two decorators, for looking and for acting."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http.response import HttpResponseBase

from accounts.decorators import newest_groups_wanted, recent_sign_in_required
from accounts.permissions import END, VIEW
from accounts.rate_limits import OPERATOR, limited

View = Callable[..., HttpResponseBase]


def viewers_only(view: View) -> View:
    """Let those look whose groups allow it, as Cognito has them now."""
    return newest_groups_wanted(permission_required(VIEW, raise_exception=True)(view))


def operators_only(view: View) -> View:
    """Let those act whose groups allow it, and who have lately proved who they are.

    A page that asks what to do says by itself that the proof comes first: it knows what has been selected.
    """
    act = limited(OPERATOR)(recent_sign_in_required(view))

    @wraps(view)
    def look_or_act(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return (view if request.method in ("GET", "HEAD") else act)(request, *args, **kwargs)

    return newest_groups_wanted(permission_required([VIEW, END], raise_exception=True)(look_or_act))
