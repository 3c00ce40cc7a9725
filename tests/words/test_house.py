"""The wing of words: pure, without markup, and every button leads to a page that exists."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from portal import words
from portal.words import counts
from portal.words.buttons import Button
from tests.scratch_practice import make_app
from tests.words.codes import calls, results, tree_of

MODULES = [
    importlib.import_module(each.name) for each in pkgutil.walk_packages(words.__path__, "portal.words.")
]
MAY_IMPORT = ("portal.sync", "portal.models", "portal.words")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_words_import_values_alone(module: ModuleType) -> None:
    for node in ast.walk(tree_of(module)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] in sys.stdlib_module_names or name.startswith(MAY_IMPORT), name


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_words_hold_no_markup(module: ModuleType) -> None:
    texts = [
        node.value
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if "<" in text or "&" in text or "%}" in text] == []


def every_button() -> Iterator[Button]:
    """Those that stand in a table or under a name, in any module."""
    for module in MODULES:
        yield from found_in(vars(module))


def found_in(value: object) -> Iterator[Button]:
    if isinstance(value, Button):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from found_in(each)
    elif hasattr(value, "button"):
        yield from found_in(value.button)


def endpoints_in_source() -> set[str]:
    """Also of buttons that are made while a page is."""
    return {
        endpoint
        for module in MODULES
        for call in calls(tree_of(module), "Button", "post")
        for argument in call.args[1:2]
        for endpoint in results(argument)
    }


def test_every_button_leads_to_a_page_that_exists_by_a_method_that_it_takes(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    methods = {rule.endpoint: rule.methods or set() for rule in app.url_map.iter_rules()}
    for rule in app.url_map.iter_rules():
        methods[rule.endpoint] = methods[rule.endpoint] | (rule.methods or set())
    found = list(every_button())
    assert len(found) > 20
    for button in found:
        wanted = "POST" if button.method == "post" else "GET"
        assert button.address or not button.endpoint or wanted in methods[button.endpoint], button
    assert endpoints_in_source() <= set(methods)


def test_a_button_leads_somewhere() -> None:
    assert all(button.endpoint or button.address or button.method == "get" for button in every_button())


@pytest.mark.parametrize(
    ("words_of", "one", "two"),
    [
        (counts.appointments, "1 appointment", "2 appointments"),
        (counts.calendars, "1 calendar", "2 calendars"),
        (counts.differences, "1 difference", "2 differences"),
        (counts.events, "1 event", "2 events"),
        (counts.google_events, "1 Google event", "2 Google events"),
    ],
)
def test_one_is_one_and_two_are_many(words_of, one: str, two: str) -> None:
    assert (words_of(1), words_of(2)) == (one, two)


@pytest.mark.parametrize(
    ("number", "has_more", "text"),
    [
        (0, False, "No entries"),
        (1, False, "1 entry"),
        (1204, False, "1,204 entries"),
        (2500, True, "More than 2,500 entries"),
    ],
)
def test_entries_are_counted_or_at_least_so_many(number: int, has_more: bool, text: str) -> None:
    assert counts.entries(number, has_more=has_more) == text
