"""What an operator must say before something ends: why, and how many."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.validators import one_line
from dashboard.paging import PAGE_SIZE

REASON_LENGTH = 150


class ReasonForm(forms.Form):
    # Django would put a colon after each label.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        strip=True,
        validators=[one_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("It goes into the audit trail with your name. Write no secrets."),
    )

    def full_clean(self) -> None:
        """Validate, and let a browser without scripts begin at the first field that needs another answer."""
        super().full_clean()
        for name in list(self.errors)[:1]:
            self.fields[name].widget.attrs["autofocus"] = True


class EndManyForm(ReasonForm):
    """Asks for the number of sessions as well if more than one is to end: whoever types it has seen it."""

    confirmation = forms.IntegerField(
        label=_("Number of sessions"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, count: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = count
        if count < 2:
            del self.fields["confirmation"]
        else:
            self.fields["confirmation"].help_text = _("Type %(count)d to confirm.") % {"count": count}

    def clean_confirmation(self) -> int:
        typed: int = self.cleaned_data["confirmation"]
        if typed != self.count:
            raise ValidationError(
                _("%(count)d sessions would end now. Look again, then type that number."), params={"count": self.count}
            )
        return typed


def chosen_sessions(values: list[str]) -> list[UUID]:
    """Return the public ids among the values of a form's checkboxes, at most a page of them; commas may part them."""
    found = []
    for value in ",".join(values).split(",")[:PAGE_SIZE]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
