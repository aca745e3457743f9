"""The German catalogue: whole, well-formed, and what the sources say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import polib
import pytest

from tests.translations.catalogue import (
    MO,
    PO,
    WIDTH,
    Text,
    compiled,
    forms,
    merge,
    texts_of,
    texts_of_the_sources,
    untranslated,
)

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")
TAG = re.compile(r"</?\w[^>]*>")
INFORMAL = re.compile(r"\b([Dd]u|[Dd]ein\w*|[Dd]ir|[Dd]ich|[Ee]uch|[Ee]uer\w*)\b")
ADVICE = "run `python -m tests.translations.catalogue`"


class Pair(NamedTuple):
    """One form of a text, and its translation."""

    english: str
    german: str


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(PO.as_posix(), wrapwidth=WIDTH)


@pytest.fixture(scope="module")
def pairs(catalogue: polib.POFile) -> list[Pair]:
    return list(_pairs(catalogue))


def _pairs(catalogue: polib.POFile) -> Iterator[Pair]:
    for entry in catalogue:
        english = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
        yield from map(Pair, english, forms(entry))


def test_the_catalogue_is_what_the_sources_say(catalogue: polib.POFile) -> None:
    assert str(merge(catalogue, texts_of_the_sources())) == PO.read_text(), ADVICE


def test_every_text_is_translated(catalogue: polib.POFile) -> None:
    assert [entry.msgid for entry in untranslated(catalogue)] == []


def test_what_gettext_reads_is_what_the_catalogue_says(catalogue: polib.POFile) -> None:
    assert compiled(catalogue) == MO.read_bytes(), ADVICE


def test_translations_hold_the_same_placeholders_and_tags(pairs: list[Pair]) -> None:
    def parts(text: str) -> set[str]:
        return {*PLACEHOLDER.findall(text), *TAG.findall(text)}

    assert [pair for pair in pairs if parts(pair.english) != parts(pair.german)] == []


def test_translations_begin_and_end_with_the_same_white_space(pairs: list[Pair]) -> None:
    def margins(text: str) -> tuple[bool, bool]:
        return text[:1].isspace(), text[-1:].isspace()

    assert [pair for pair in pairs if margins(pair.english) != margins(pair.german)] == []


def test_sentences_stay_sentences(pairs: list[Pair]) -> None:
    assert [pair for pair in pairs if pair.english.endswith((".", "?")) != pair.german.endswith((".", "?"))] == []


def test_people_are_addressed_politely_and_quotation_marks_are_german(pairs: list[Pair]) -> None:
    assert [
        pair.german for pair in pairs if INFORMAL.search(pair.german) or re.search("[“”](?=\\w)", pair.german)
    ] == []


@pytest.mark.parametrize(
    ("template", "key", "plural"),
    [
        ('<p title="it\'s {% translate "Sign in" %}">', (None, "Sign in"), ""),
        ('{% translate "Close" context "a door" %}', ("a door", "Close"), ""),
        ('{% translate "95 % within" as label %}', (None, "95 %% within"), ""),
        ('{{ name|default:_("Nobody") }}', (None, "Nobody"), ""),
        ("  {% blocktranslate trimmed %}\n    Two\n    lines\n  {% endblocktranslate %}", (None, "Two lines"), ""),
        (
            "{% blocktranslate count n=x|length with who=me %}{{ who }}: one{% plural %}{{ n }}{% endblocktranslate %}",
            (None, "%(who)s: one"),
            "%(n)s",
        ),
    ],
)
def test_the_texts_of_a_template_are_found(template: str, key: tuple[str | None, str], plural: str) -> None:
    assert list(texts_of("{% load i18n %}\n" + template, is_template=True)) == [(key, plural)]


def test_the_texts_of_python_are_found() -> None:
    source = 'x = ngettext_lazy("one", "many", "n"), pgettext("door", "Close"), _("Two " "halves"), str("no text")'

    found = dict(texts_of(source, is_template=False))

    assert found == {(None, "one"): "many", ("door", "Close"): "", (None, "Two halves"): ""}


def test_translations_outlive_what_moves_and_not_what_goes() -> None:
    old = polib.pofile('msgid ""\nmsgstr ""\n\nmsgid "stays"\nmsgstr "bleibt"\n\nmsgid "goes"\nmsgstr "geht"\n')

    new = merge(old, {(None, "comes"): Text(), (None, "stays"): Text()})

    assert [(entry.msgid, entry.msgstr) for entry in new] == [("comes", ""), ("stays", "bleibt")]
