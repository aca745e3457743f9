"""The German catalogue: what the sources say, merged into `locale/de` and compiled, without GNU gettext.

Run it with `python -m tests.translations.catalogue` after adding or changing a text. It prints what is not translated
yet; write that into the .po file and run it again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import polib
from babel.messages.catalog import Message
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
PO = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
FOLDERS = ("accounts", "config", "dashboard", "templates")
WIDTH = 120
# What Django's makemessages looks for: which arguments are the context, the text and its plural.
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
# Texts that differ in their context are two; None is no context.
Key = tuple[str | None, str]


@dataclass(slots=True)
class Text:
    """A text to translate, and the files that say it."""

    plural: str = ""
    files: list[str] = field(default_factory=list)


def texts_of_the_sources() -> dict[Key, Text]:
    """Return every text of the Python files and the templates, in the order of the files."""
    texts: dict[Key, Text] = {}
    for path in source_files():
        for key, plural in texts_of(path.read_text(), is_template=path.suffix == ".html"):
            text = texts.setdefault(key, Text())
            text.plural = text.plural or plural
            if (name := path.relative_to(ROOT).as_posix()) not in text.files:
                text.files.append(name)
    return texts


def source_files() -> Iterator[Path]:
    """Yield the files that may hold texts."""
    for folder in FOLDERS:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".html"})


def texts_of(source: str, *, is_template: bool) -> Iterator[tuple[Key, str]]:
    """Yield the texts of one file, each with its plural or nothing."""
    # What Django makes of a template are tokens of Python but no program; in brackets its indentation does not matter.
    code = f"({templatize(source)}\n)" if is_template else source
    for _line, message, _comments, context in extract("python", BytesIO(code.encode()), KEYWORDS):
        singular, plural = (message, "") if isinstance(message, str) else message[:2]
        yield (context, singular), plural


def merge(old: polib.POFile, texts: dict[Key, Text]) -> polib.POFile:
    """Return a catalogue of these texts, with the translations that the old one has of them."""
    new = polib.POFile(wrapwidth=WIDTH)
    new.header, new.metadata = old.header, old.metadata
    known = {(entry.msgctxt, entry.msgid): entry for entry in old if not entry.obsolete}
    new.extend(_entry(key, text, known.get(key)) for key, text in texts.items())
    return new


def compiled(catalogue: polib.POFile) -> bytes:
    """Return what gettext reads; the same catalogue gives the same bytes."""
    content: bytes = catalogue.to_binary()
    return content


def untranslated(catalogue: polib.POFile) -> list[polib.POEntry]:
    """Return what still lacks a translation, or one of its forms."""
    return [entry for entry in catalogue if entry.fuzzy or not all(forms(entry))]


def forms(entry: polib.POEntry) -> list[str]:
    """Return the translation, or for a text with a plural both of its forms."""
    return [entry.msgstr_plural.get(form, "") for form in (0, 1)] if entry.msgid_plural else [entry.msgstr]


def _entry(key: Key, text: Text, known: polib.POEntry | None) -> polib.POEntry:
    context, msgid = key
    flags = ["python-format"] if Message((msgid, text.plural) if text.plural else msgid).python_format else []
    entry = polib.POEntry(
        msgctxt=context,
        msgid=msgid,
        msgid_plural=text.plural,
        flags=flags,
        occurrences=[(name, "") for name in text.files],
    )
    if text.plural:
        entry.msgstr_plural = {0: "", 1: ""}
    if known is not None and known.msgid_plural == text.plural:
        entry.msgstr, entry.msgstr_plural, entry.tcomment = known.msgstr, known.msgstr_plural, known.tcomment
    return entry


def main() -> int:
    """Bring the catalogue up to date; print what is left to translate."""
    catalogue = merge(polib.pofile(PO.as_posix(), wrapwidth=WIDTH), texts_of_the_sources())
    catalogue.save(PO.as_posix())
    MO.write_bytes(compiled(catalogue))
    left = untranslated(catalogue)
    sys.stdout.writelines(f"{entry.msgid!r}\n" for entry in left)
    sys.stdout.write(f"{len(catalogue)} texts, {len(left)} to translate in {PO.relative_to(ROOT)}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
