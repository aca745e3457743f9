"""What the filters of every list have in common: values that stand in the address, and chips for those in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponseBadRequest, QueryDict
from django.utils.translation import gettext_lazy as _

FLAGGED = "flagged"
# By Django's codes; its own words are about forms that people fill in from nothing.
MESSAGES = {
    "invalid": _("This is no id."),
    "invalid_choice": _("There is no such choice."),
    "max_length": _("This is too long."),
    "null_characters_not_allowed": _("This holds a character that no text has."),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter, and the query string of the list without it."""

    label: str
    value: str
    without: str


class FilterForm(forms.Form):
    """A form of a GET request in which nothing is required; with a value that makes no sense it finds nothing.

    To leave out such a filter would show everybody to somebody who asked for a few, with a button to end them.
    """

    use_required_attribute = False
    error_css_class = "invalid"
    # Shown in a row of its own, and not as a chip.
    unchipped: tuple[str, ...] = ("sort",)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, label_suffix="")
        self.query = query
        for field in self.fields.values():
            field.error_messages |= MESSAGES

    def value(self, name: str) -> Any:
        """Return a filter's value; empty or None if it is not set, or makes no sense."""
        self.is_valid()
        return self.cleaned_data.get(name)

    def chips(self) -> Iterator[Chip]:
        for name, field in self.fields.items():
            value = self.value(name)
            if name in self.unchipped or value in ("", None):
                continue
            labels: dict[Any, Any] = dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
            without = self.query.copy()
            for parameter in (name, "after"):
                without.pop(parameter, None)
            yield Chip(str(field.label), str(labels.get(value, value)), without.urlencode())


def search_field(help_text: Any) -> forms.CharField:
    """Return the field of a list's search; `help_text` says what may be typed."""
    return forms.CharField(
        label=_("Search"),
        required=False,
        max_length=254,
        strip=True,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        help_text=help_text,
    )


def state_field() -> forms.ChoiceField:
    """Return the field that tells live sessions from those that are over because nobody knew them."""
    choices = [("", _("Signed in now")), (FLAGGED, _("Not recognised"))]
    return forms.ChoiceField(label=_("State"), required=False, choices=choices)


def no_file() -> HttpResponseBadRequest:
    """Refuse to export what was asked for with a filter that makes no sense."""
    text = _("One of the filters makes no sense, so there is nothing to export.")
    return HttpResponseBadRequest(f"{text}\n", content_type="text/plain; charset=utf-8")
