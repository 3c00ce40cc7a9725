"""Every known failure has a guard and tests, every star a scenario: the table in docs/sync.md, kept whole."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from scripts import guards

ROOT = Path(__file__).resolve().parent.parent
HEADING = "## Failures, their guards and their tests"
# Rows of the table. 1 to 53 came first; the others were tried here one by one.
LISTED = tuple(range(1, 74))
STARRED = {1, 2, 4, 6, 7, 11, 12, 14, 23, 26, 43, 47, 49, 50, 51, 52, 53}
STARRED |= {54, 55, 59, 60, 67, 68, 70, 71, 72, 73}
# What a test without writes must also say
CONTROLS = ("writes() == 1", "assert_it_still_writes()", "answer(office")
# Files whose tests run the portal's own commands and workers as processes
THROUGH_PROCESSES = ("scenarios/", "test_at_rest.py", "test_portal_alone.py", "test_queued.py")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    number: int
    is_starred: bool
    never: str
    guards: tuple[str, ...]
    tests: tuple[str, ...]


def rows() -> list[Row]:
    section = (ROOT / "docs" / "sync.md").read_text().split(HEADING)[1]
    found = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        number = re.fullmatch(r"(\d+)(★?)", cells[0])
        if number and len(cells) == 4:
            guards, tests = (tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells[2:])
            found.append(Row(int(number[1]), bool(number[2]), cells[1], guards, tests))
    return found


@cache
def functions_in(path: Path) -> frozenset[str]:
    """Names of the functions of a file, those of its classes included; none when there is no such file."""
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def is_test(identifier: str) -> bool:
    path, _, name = identifier.partition("::")
    return name.startswith("test_") and name in functions_in(ROOT / "tests" / path)


def is_guard(guard: str) -> bool:
    module, _, name = guard.partition(":")
    if module.endswith(".js"):
        return f"function {name}(" in (ROOT / "static" / "js" / module).read_text()
    folder = ROOT if module.startswith("deploy.") else ROOT / "portal"
    return name in functions_in(folder / f"{module.replace('.', '/')}.py")


def test_every_failure_has_its_row() -> None:
    assert [row.number for row in rows()] == list(LISTED)
    assert {row.number for row in rows() if row.is_starred} == STARRED
    assert all(row.never for row in rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row.number))
def test_every_row_names_guards_and_tests_that_exist(row: Row) -> None:
    assert row.guards
    assert row.tests
    assert [guard for guard in row.guards if not is_guard(guard)] == []
    assert [test for test in row.tests if not is_test(test)] == []


@pytest.mark.parametrize("row", [row for row in rows() if row.is_starred], ids=lambda row: str(row.number))
def test_every_star_has_a_scenario_through_processes(row: Row) -> None:
    assert [test for test in row.tests if test.startswith(THROUGH_PROCESSES)]


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert not is_test("engine/test_pull.py::test_of_something_else")
    assert not is_test("engine/test_of_nothing.py::test_an_empty_page_is_not_the_end")
    assert not is_guard("pull:no_such_function")
    assert is_test("engine/test_pull.py::test_an_empty_page_is_not_the_end")


def test_every_guard_that_is_to_be_taken_away_still_stands_where_it_stood() -> None:
    """So that `python -m scripts.guards` never removes nothing and finds nothing amiss."""
    known = {row.number for row in rows()}
    for removal in guards.removals():
        source = (ROOT / removal.path).read_text()
        assert source.count(removal.old) == 1, f"{removal.what}: {removal.path}"
        assert is_test(removal.test), removal.test
        assert set(removal.failures) <= known


def test_a_test_without_writes_shows_that_there_could_be_one() -> None:
    """By an event altered behind our back and mended, or by an answer that lets go out what was held."""
    without_control = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "sandbox" in path.parts or path == Path(__file__):
            continue
        source = path.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                text = ast.get_source_segment(source, node) or ""
                if "writes() == 0" in text and not any(control in text for control in CONTROLS):
                    without_control.append(f"{path.name}::{node.name}")
    assert without_control == []
