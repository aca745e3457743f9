"""Words that nobody can translate: in templates outside tags, in Python outside gettext."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

from tests.translations.catalogue import ROOT, source_files

WORD = re.compile(r"[^\W\d_]{2,}")
# Names, and signs that are the same in every language.
SAME_EVERYWHERE = {"Gatehouse", "UTC", "origin", "jti"}
READ_OUT = {"alt", "aria-description", "aria-label", "data-label", "data-then", "placeholder", "title"}
# Arguments, by name, that end on a page.
SHOWN = {"help_text", "label", "verbose_name", "verbose_name_plural", "empty_label"}
MESSAGES = {"debug", "info", "success", "warning", "error"}
TEMPLATES = [path for path in source_files() if path.suffix == ".html"]
MODULES = [path for path in source_files() if path.suffix == ".py" and "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


class Reader(HTMLParser):
    """Collects the words that a reader of the markup sees or hears."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words += [word for name, value in attrs if name in READ_OUT for word in WORD.findall(value or "")]

    def handle_data(self, data: str) -> None:
        self.words += WORD.findall(data)


def bare_words(template: str) -> list[str]:
    """Return the words of a template that stand outside its tags and its translated blocks."""
    return [word for word in Reader("".join(_markup(template))).words if word not in SAME_EVERYWHERE]


def _markup(template: str) -> Iterator[str]:
    is_inside = False
    for token in Lexer(template).tokenize():
        name = token.contents.split(" ", 1)[0]
        if token.token_type == TokenType.BLOCK and name in {"blocktranslate", "comment"}:
            is_inside = True
        elif token.token_type == TokenType.BLOCK and name in {"endblocktranslate", "endcomment"}:
            is_inside = False
        elif token.token_type == TokenType.TEXT and not is_inside:
            yield token.contents


def bare_strings(source: str) -> list[str]:
    """Return the strings of a module that end on a page without passing through gettext."""
    return [text for node in ast.walk(ast.parse(source)) for text in _shown(node)]


def _shown(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _bare([keyword.value for keyword in node.keywords if keyword.arg in SHOWN])
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in MESSAGES and _is(function.value, "messages"):
            yield from _bare(node.args[1:])
        if _is(function, "ValidationError"):
            yield from _bare(node.args[:1])
    elif isinstance(node, ast.ClassDef) and any("Choices" in ast.unparse(base) for base in node.bases):
        pairs = [each.value for each in node.body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Tuple)]
        yield from _bare([pair.elts[1] for pair in pairs])


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _bare(values: list[ast.expr]) -> Iterator[str]:
    for value in values:
        strings = [value] if not isinstance(value, ast.JoinedStr) else value.values
        for string in strings:
            if isinstance(string, ast.Constant) and isinstance(string.value, str) and WORD.search(string.value):
                yield string.value


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_word_of_a_template_is_translated(path: Path) -> None:
    assert bare_words(path.read_text()) == []


def test_every_word_that_python_puts_on_a_page_is_translated() -> None:
    assert [(name_of(path), text) for path in MODULES for text in bare_strings(path.read_text())] == []


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ('<p title="A tip">{% translate "text" %}</p>', ["tip"]),
        ('<p title="{% translate "A tip" %}" class="muted">{% blocktranslate %}text{% endblocktranslate %}</p>', []),
        ('{% include "x.html" with command="manage.py check" %}{# why #}<p>12 %, Gatehouse</p>', []),
    ],
)
def test_bare_words_are_seen(template: str, words: list[str]) -> None:
    assert bare_words(template) == words


@pytest.mark.parametrize(
    ("source", "strings"),
    [
        ("messages.success(request, 'Done.')", ["Done."]),
        ("messages.success(request, _('Done.'))", []),
        ("CharField(label='Search', help_text=_('By name.'), required=False)", ["Search"]),
        ("CharField(label=f'Search {what}')", ["Search "]),
        ("raise ValidationError('Wrong.')", ["Wrong."]),
        (
            "class State(models.TextChoices):\n    OPEN = 'open', 'still open'\n    DONE = 'done', _('done')",
            ["still open"],
        ),
        ("log.info('Done.')", []),
    ],
)
def test_bare_strings_are_seen(source: str, strings: list[str]) -> None:
    assert bare_strings(source) == strings
