"""The help's own lines: whatever help_lines.py can find has its words, and no words wait for nothing."""

from __future__ import annotations

import ast
from dataclasses import fields

import pytest

from portal.standing import help_lines
from portal.sync.checkup import Level, Line
from portal.words import help
from portal.words.buttons import Button
from portal.words.help import Sentence, Told
from tests.words.codes import calls, returned, strings, tree_of


def codes() -> set[tuple[str, str]]:
    """Each line's id, and the codes that are given with it."""
    found = set()
    for function in ast.walk(tree_of(help_lines)):
        if isinstance(function, ast.FunctionDef) and function.name != "_count":
            for call in calls(function, "Line", "_count"):
                name = ast.literal_eval(call.args[0])
                found |= {(name, code) for code in codes_of(call, function)}
    return found


def codes_of(call: ast.Call, function: ast.FunctionDef) -> set[str]:
    """The third argument of either call; `_count` also tells of none."""
    argument = call.args[2]
    if ast.unparse(argument) == "asked.list_state":
        return list_states()
    given = strings(argument) if not isinstance(argument, ast.Name) else assigned(function, argument.id)
    return given | ({"none"} if ast.unparse(call.func) == "_count" else set())


def assigned(function: ast.FunctionDef, name: str) -> set[str]:
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    return set().union(*map(strings, values))


def list_states() -> set[str]:
    """What a look at Google's list answers, and what holds before one."""
    default = next(each.default for each in fields(help_lines.Asked) if each.name == "list_state")
    return returned(help_lines.look_at_list) | {str(default)}


def table() -> set[tuple[str, str]]:
    return {(name, code) for name, rows in help.LINES.items() for code in rows}


def test_every_line_has_its_words_and_no_words_are_unused() -> None:
    assert {name for name, _ in codes()} == set(help_lines.TELLERS)
    assert table() == codes()


@pytest.mark.parametrize(("name", "code"), sorted(table()))
def test_each_line_says_something_in_whole_words(name: str, code: str) -> None:
    told = Told(
        latest=1,
        next_event=(3, None),
        next_when="today, 6:08 AM",
        calendars=(("Room 1", "room"),),
    )
    said = help.line_words(Line(name, Level.GOOD, code, 2), told)
    assert said.title
    text = f"{said.sentence.before}{said.sentence.after}"
    assert text.endswith(".") and "{" not in text


def sentence(line: Line, told: Told) -> Sentence:
    return help.line_words(line, told).sentence


def test_what_is_left_out_is_counted_by_status_and_the_latest_is_named() -> None:
    told = Told(by_status=(("canceled", 2), ("no-show", 1)), latest=4, leaving=1)
    assert sentence(Line("left-out", Level.GOOD, "leaving", 3), told) == Sentence(
        "2 canceled, 1 no-show, in the last 90 days and ahead. The latest: ",
        "latest",
        ". 1 still on the way out of Google.",
    )
    assert help.line_words(Line("left-out", Level.GOOD, "leaving", 3), told).button == Button(
        "Open", "appointments.show", values={"appointment_id": 4}
    )


def test_where_nothing_is_named_no_button_opens_it() -> None:
    said = help.line_words(Line("left-out", Level.GOOD, "none"), Told())
    assert (said.sentence, said.button) == (Sentence("In the last 90 days and ahead."), None)


def test_closed_calendars_are_told_with_their_reasons_the_first_four_of_them() -> None:
    told = Told(calendars=tuple((f"Room {number}", "room") for number in range(6)))
    text = sentence(Line("closed", Level.GOOD, "cannot-be-read", 6), told).before
    assert text.startswith("Room 0: A room or a device. Room 1: A room or a device.")
    assert text.endswith("Room 3: A room or a device. And 2 more.")


@pytest.mark.parametrize(("number", "end"), [(6, "F"), (8, "F, and 2 more")])
def test_unticked_calendars_are_listed_the_first_six_of_them(number: int, end: str) -> None:
    told = Told(calendars=tuple((name, None) for name in "ABCDEFGH"[:number]))
    text = sentence(Line("unticked", Level.GOOD, "not-read", number), told).before
    assert text == f"A, B, C, D, E, {end}. Only ticked calendars block your time."


@pytest.mark.parametrize(
    ("number", "others"),
    [
        (0, "No other provider here has one connected."),
        (1, "1 other provider here has one connected."),
        (2, "2 other providers here have one connected."),
    ],
)
def test_an_account_that_serves_one_alone_is_set_beside_those_of_others(number: int, others: str) -> None:
    line = Line("alone", Level.GOOD, "yours-alone", number)
    text = sentence(line, Told(email="robin@example.org")).before
    assert text == f"robin@example.org is connected to nobody else. {others}"


@pytest.mark.parametrize(
    ("number", "has_all", "words"),
    [(1, True, "1 answer"), (2, False, "2 answers, the nearest ones"), (0, False, "0 answers")],
)
def test_what_was_found_is_counted(number: int, has_all: bool, words: str) -> None:
    assert help.answers(number, has_all=has_all) == words


@pytest.mark.parametrize(("number", "named", "end"), [(3, 3, "."), (5, 3, "; and 2 more.")])
def test_of_what_stands_there_twice_the_first_are_named_and_the_doctor_has_each(
    number: int, named: int, end: str
) -> None:
    said = help.line_words(Line("twins", Level.WARN, "there-twice", number), Told(named=named))
    assert said.sentence == Sentence("", "twins", end)
    assert said.button == Button("See each", "sync.doctor.index", anchor="line-duplicates")
