"""What a text must be before it is kept."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

# Control characters, those that turn the direction of writing, and what else ends a line for one program or another: in
# the audit trail one reason is one line, and reads as it was written.
one_line = RegexValidator(
    r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]",
    _("Write it in one line, without control characters."),
    inverse_match=True,
)
