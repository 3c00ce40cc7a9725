"""Templates that one can read: short lines, short ladders, nothing that nobody uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("templates", "sandbox/templates")
LONGEST_LINE = 120
MOST_ELIFS = 3
INDENT = 2


def paths() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.html"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(text: str) -> nodes.Template:
    return Environment(autoescape=True).parse(text)


def long_lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST_LINE]


def tall_ladders(text: str) -> list[int]:
    """Lines of each `if` with more `elif` than is read at a glance; what it chooses belongs into a table."""
    return [node.lineno for node in parsed(text).find_all(nodes.If) if len(node.elif_) > MOST_ELIFS]


def bound_names(text: str) -> Iterator[str]:
    """What a template imports, and the macros it makes."""
    tree = parsed(text)
    for node in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in node.names)
    yield from (node.name for node in tree.find_all(nodes.Macro))


def used_names(text: str) -> set[str]:
    return {node.name for node in parsed(text).find_all(nodes.Name) if node.ctx == "load"}


def imported_from(text: str) -> Iterator[tuple[str, str]]:
    """Template and macro of each import."""
    for node in parsed(text).find_all(nodes.FromImport):
        for name in node.names:
            assert isinstance(node.template, nodes.Const)
            yield node.template.value, name if isinstance(name, str) else name[0]


def odd_indents(text: str) -> list[int]:
    """Lines that begin neither at the edge nor at a whole step, comments and joined text aside."""
    bare = re.sub(r"\{#.*?#\}|<pre.*?</pre>", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    lines = enumerate(bare.splitlines(), 1)
    return [
        number
        for number, line in lines
        if line.lstrip().startswith(("<", "{%")) and (len(line) - len(line.lstrip(" "))) % INDENT
    ]


@pytest.mark.parametrize("path", paths(), ids=name_of)
def test_a_template_can_be_read(path: Path) -> None:
    text = path.read_text()
    assert "\t" not in text
    assert (long_lines(text), tall_ladders(text), odd_indents(text)) == ([], [], [])


def test_nothing_is_imported_or_made_that_nobody_uses() -> None:
    """Answers of the help are found by their question's name, and tests/words walks those."""
    texts = {path: path.read_text() for path in paths() if path.name != "_answers.html"}
    asked_for = {asked for text in texts.values() for asked in imported_from(text)}
    unused = [
        f"{name_of(path)}: {name}"
        for path, text in texts.items()
        for name in bound_names(text)
        if name not in used_names(text)
        and not any(
            name_of(path).endswith(f"templates/{template}") and name == macro for template, macro in asked_for
        )
    ]
    assert unused == []


def test_every_template_is_drawn_by_something() -> None:
    told = "\n".join(
        path.read_text() for folder in ("portal", "sandbox") for path in (ROOT / folder).rglob("*.py")
    )
    told += "\n".join(path.read_text() for path in paths())
    names = [
        str(path.relative_to(ROOT / folder)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.html")
    ]
    assert [name for name in names if f'"{name}"' not in told] == []


def test_the_rules_find_what_they_look_for() -> None:
    ladder = "{% if a %}{% elif b %}{% elif c %}{% elif d %}{% elif e %}{% endif %}"
    assert tall_ladders(ladder) == [1]
    assert tall_ladders(ladder.replace("{% elif e %}", "")) == []
    assert long_lines("a" * 121 + "\n" + "a" * 120) == [1]
    assert odd_indents("<p>\n <b></b>\n  <i></i>\n</p>") == [2]
    text = '{% from "a.html" import b, c as d %}{% macro e() %}{{ b() }}{% endmacro %}'
    assert set(bound_names(text)) - used_names(text) == {"d", "e"}
