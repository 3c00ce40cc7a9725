"""The documents that lead through the code name what exists, and are as short as they promise."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from scripts import architecture
from tests.test_architecture import WINGS

ROOT = Path(__file__).resolve().parent.parent
WALKS = (
    "## A move, from the press to Google",
    "## A change in Google, from the push message to the open page",
)
MOST_LINES = 40

# What somebody new asks, and where the answer stands
ANSWERS = {
    "where is decided what a move in Google means": "portal/sync/inbound.py:decide_own",
    "what happens on 410": "portal/engine/pull.py:read_calendar",
    "where is the poll interval": "portal/sync/trouble.py:poll_seconds",
    "who may see a colleague's appointment": "portal/calendar/agenda.py:gather",
    "where is a client's name turned into a title": "portal/practice/disclosure.py:outside_title",
    "where is the lock of a Google event enforced": "portal/views/appointments/desk.py:own_appointment",
    "where does a tear-down resume": "portal/engine/tear_down.py:tear_down",
    "what does the doctor ask": "portal/sync/checkup.py:examine",
    "where would a new kind of card go": "portal/connection/cards.py:put",
    "where is the feed's text made": "portal/ical/feed.py:render_feed",
}


def architecture_text() -> str:
    return (ROOT / "docs" / "architecture.md").read_text()


def section(heading: str) -> str:
    return architecture_text().split(heading)[1].split("\n## ")[0].strip()


def test_the_picture_is_drawn_from_the_imports_of_today() -> None:
    drawn = architecture_text().split(architecture.BEGIN)[1].split(architecture.END)[0].strip()
    assert drawn == architecture.picture().strip(), "draw it anew: python -m scripts.architecture"


@pytest.mark.parametrize("heading", WALKS)
def test_a_walk_is_short_and_every_file_it_names_exists(heading: str) -> None:
    text = section(heading)
    assert len(text.splitlines()) < MOST_LINES
    named = re.findall(r"`([\w./-]+\.(?:py|html|js|md))`", text)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_guide_for_contributors_names_what_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:portal|tests|scripts|static|templates|docs)/[\w./-]*)`", text)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_maps_the_wings_in_their_order() -> None:
    table = (ROOT / "README.md").read_text().split("| Wing | Holds |")[1].split("\n\n")[0]
    rows = [re.findall(r"[a-z]+", line.split("|")[1]) for line in table.splitlines() if line.count("|") >= 3]
    assert [frozenset(row) for row in rows if row] == list(WINGS[:-1])


@pytest.mark.parametrize(("question", "place"), ANSWERS.items())
def test_what_somebody_new_asks_has_its_place(question: str, place: str) -> None:
    path, _, name = place.partition(":")
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, question


# docs/security.md: a table row's last two cells are its code and its test


LATER = ("—", "with accounts")  # a row whose code is on its way
NAMED = re.compile(r"`([^`]+)`")


@cache
def security_rows() -> list[tuple[str, str, str]]:
    """Control, code and test of every row."""
    rows, has_tests = [], False
    for line in (ROOT / "docs" / "security.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            has_tests = False
        elif cells[-2:] == ["Code", "Test"]:
            has_tests = True
        elif has_tests and set(cells[0]) != {"-"}:
            rows.append((cells[0], cells[-2], cells[-1]))
    return rows


@cache
def names_in(path: str) -> set[str]:
    file = ROOT / path
    if not file.is_file():
        return set()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, functions)}


def lost(cell: str, between: str) -> list[str]:
    """What of a cell does not exist, an empty cell too."""
    if cell in LATER:
        return []
    named = [name.partition(between) for name in NAMED.findall(cell)]
    return [f"{path}{sign}{name}" for path, sign, name in named if name not in names_in(path)] or (
        [] if named else [cell or "nothing"]
    )


@pytest.mark.parametrize(("control", "code", "test"), security_rows())
def test_a_control_names_code_and_tests_that_exist(control: str, code: str, test: str) -> None:
    assert control
    assert lost(code, ":") == []
    assert lost(test, "::") == []
    assert (code in LATER) == (test in LATER), "a control without a test is none"


def test_a_control_that_names_nothing_or_what_is_gone_is_noticed() -> None:
    assert len(security_rows()) > 50
    assert lost("", ":") == ["nothing"]
    assert lost("`portal/logs.py:gone`", ":") == ["portal/logs.py:gone"]
    assert lost("`tests/nowhere.py::test_x`", "::") == ["tests/nowhere.py::test_x"]
    assert lost("`portal/logs.py:trace`", ":") == []
