"""Who may do what in the console: two decorators, for looking and for acting."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required

from accounts.permissions import END, VIEW

viewers_only = permission_required(VIEW, raise_exception=True)
operators_only = permission_required([VIEW, END], raise_exception=True)
