"""What a text must be before it is kept."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

# Control characters, and what else ends a line for one program or another: in the audit trail one reason is one line.
one_line = RegexValidator(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029]",
    _("Write it in one line, without control characters."),
    inverse_match=True,
)
