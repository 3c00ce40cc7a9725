"""Leaving: what goes and stays, how far it is, and a receipt for every way in which it can end."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from portal.engine import tear_down
from portal.sync.modes import Goal
from portal.words.sync import leaving
from portal.words.sync.leaving import Leaving, Said, Stays
from tests.words.codes import calls, passed, tree_of

TWO_WAY = Leaving(app_calendar="Appointments", linked=1, google_events=2, is_open=True)
READ = {"calendar", "found", "left", "own_kept", "own_deleted", "imported_removed", "revoked", "leftover"}


def test_every_end_of_our_calendar_has_its_line_and_no_line_is_unused() -> None:
    assert set(leaving.OF_CALENDAR) == passed(tree_of(tear_down), "calendar", "_note")


def test_what_the_receipt_reads_is_what_the_tear_down_writes() -> None:
    written = {each.arg for call in calls(tree_of(tear_down), "_note") for each in call.keywords}
    assert written >= READ


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, "; the calendar too, if nothing of yours is in it"),
        ({"is_either": True}, "; on turning off, the calendar too, if nothing of yours is in it"),
        ({"keeps_calendar": True}, "; the calendar stays, to be used again"),
    ],
)
def test_what_goes_from_two_way(changed: dict[str, Any], ours: str) -> None:
    assert leaving.goes_from_two_way(dataclasses.replace(TWO_WAY, **changed)) == (
        f"1 event of ours in the calendar “Appointments” in Google{ours}",
        "2 Google events shown here",
    )


def test_from_a_calendar_that_cannot_be_opened_nothing_of_ours_goes() -> None:
    told = dataclasses.replace(TWO_WAY, is_open=False)
    assert leaving.goes_from_two_way(told) == ("2 Google events shown here",)


def test_a_calendar_that_is_closed_to_us_stays_and_it_is_said_who_can_delete_it() -> None:
    told = dataclasses.replace(TWO_WAY, is_closed=True)
    *kept, closed = leaving.stays_after_two_way(told)
    assert kept == list(leaving.stays_after_two_way(TWO_WAY))
    assert closed.is_trouble and closed.words.endswith("only you can delete it there")
    reconnects = leaving.stays_after_two_way(dataclasses.replace(told, can_reconnect=True))[-1]
    assert reconnects.words.endswith("delete it there. Reconnect first, and we do")


def test_what_goes_and_stays_of_one_way() -> None:
    assert leaving.goes_from_one_way(1) == ("What the feed shows in calendar apps: 1 appointment",)
    assert Stays("The old link, as an empty calendar for 90 days") in leaving.STAYS_AFTER_ONE_WAY


@pytest.mark.parametrize(
    ("has_connection", "goal", "is_revoked", "end"),
    [
        (False, "off", False, "at once."),
        (True, "off", False, "is given back."),
        (True, "off", True, "taken its permission back."),
        (True, "one-way", True, "with a link of its own."),
    ],
)
def test_turning_off_says_what_follows(has_connection: bool, goal: str, is_revoked: bool, end: str) -> None:
    said = leaving.turning_off(has_connection=has_connection, goal=goal, is_revoked=is_revoked)
    assert said.lead.endswith(end)
    assert ("Two-Way" in said.heading) is has_connection


@pytest.mark.parametrize(
    ("receipt", "states", "numbers"),
    [
        ({}, ["now", "next", "next"], ["Under way", "Next", "Next"]),
        (
            {"calendar": "deleted", "found": 3},
            ["done", "now", "next"],
            ["3 removed", "Under way", "Next"],
        ),
        (
            {"calendar": "out-of-reach", "revoked": False},
            ["done", "done", "now"],
            ["Only you can", "Done", "Under way"],
        ),
        (
            {"leftover": "x", "revoked": True, "imported_removed": 5},
            ["done", "done", "done"],
            ["Only you can", "Done", "5 removed"],
        ),
    ],
)
def test_clearing_up_goes_step_by_step(
    receipt: dict[str, Any], states: list[str], numbers: list[str]
) -> None:
    steps = leaving.steps(receipt)
    assert [step.state for step in steps] == states
    assert [step.number for step in steps] == numbers


FULL: dict[str, Any] = {"found": 3, "left": 0, "own_kept": 2, "own_deleted": 1}


@pytest.mark.parametrize("state", sorted(leaving.OF_CALENDAR))
def test_no_receipt_shows_a_gap(state: str) -> None:
    for receipt in ({"calendar": state}, {"calendar": state, **FULL}):
        for line in leaving.of_calendar(receipt, app_calendar="Appointments"):
            assert "{" not in line.words and line.words.endswith(".")


def test_a_receipt_of_a_calendar_that_was_deleted_tells_what_went_and_that_it_was_looked_for() -> None:
    receipt = {"calendar": "deleted", "found": 1, "left": 0, "own_kept": 0, "own_deleted": 2}
    assert leaving.of_calendar(receipt, app_calendar="Appointments") == (
        Said(
            "The calendar “Appointments” is gone from Google, and was looked for again: 1 event of ours went "
            "with it, and 2 of your own, as you chose."
        ),
        Said(". Read again in Google to be sure.", strong="1 removed, 0 left"),
    )


def test_a_receipt_of_a_calendar_that_was_left_tells_that_it_can_be_deleted() -> None:
    (line,) = leaving.of_calendar({"calendar": "left", "left": 1}, app_calendar="Appointments")
    assert line.words.startswith("1 event of ours stays in Google, as you chose.")


def test_a_receipt_of_a_calendar_that_was_kept_tells_what_is_the_provider_s() -> None:
    _, checked = leaving.of_calendar({"calendar": "kept", **FULL}, app_calendar="Appointments")
    assert checked == Said(", 2 of your own untouched. Read again in Google to be sure.", "3 removed, 0 left")


def test_what_only_the_provider_can_delete_is_told_with_the_reason() -> None:
    assert leaving.shut_out({"leftover": "x"}) == "Google no longer let us in"
    assert leaving.shut_out({"calendar": "out-of-reach"}) == "Google no longer let us in"
    assert leaving.shut_out({}) == "Google had shut us out of an earlier one"


def test_the_rest_of_a_receipt_ends_with_what_was_not_touched() -> None:
    everything = {"leftover_gone_at": "2027-11-18", "imported_removed": 1, "revoked": True}
    assert leaving.of_the_rest({}) == ("Your appointments are all still here.",)
    assert leaving.of_the_rest(everything) == (
        "What had stayed in Google is gone, as you said.",
        "1 Google event no longer shown here.",
        "The permission at Google was given back.",
        "Your appointments are all still here.",
    )


@pytest.mark.parametrize("goal", Goal)
def test_every_goal_but_leaving_the_wizard_has_a_receipt(goal: Goal) -> None:
    assert leaving.has_receipt({"goal": goal.value}) is (goal is not Goal.KEEP)
    starts_again = leaving.receipt_heading({"goal": goal.value}) == "Start again from here"
    assert starts_again is (goal is Goal.START_OVER)


def test_without_a_goal_nothing_is_told() -> None:
    assert not leaving.has_receipt({})


def test_what_is_still_there_is_described_as_far_as_it_is_known() -> None:
    marked = leaving.still_there("robin@example.org", "a1b2", app_calendar="Appointments")
    assert marked.endswith("in the account robin@example.org; its description ends in “a1b2”.")
    assert leaving.still_there("robin@example.org", "", app_calendar="Appointments").endswith("example.org.")


def test_own_events_and_earlier_names_are_counted() -> None:
    assert leaving.own_events(1, "Appointments").endswith("with it 1 event of your own")
    assert leaving.old_names(1) == "1 event still shows the earlier names"
    assert leaving.old_names(2) == "2 events still show the earlier names"


@pytest.mark.parametrize(("goal", "goes_on"), [("off", False), ("one-way", True)])
def test_a_permission_under_a_lost_key_is_said_to_stay_at_google(goal: str, *, goes_on: bool) -> None:
    said = leaving.turning_off(has_connection=True, goal=goal, is_revoked=False, is_unreadable=True)
    assert "cannot be given back, because its key was lost" in said.lead
    assert ("One-Way Sync can be chosen after that" in said.lead) is goes_on
    receipt = {"goal": "off", "unreadable": True, "revoked": False, "leftover": "id"}
    assert leaving.NOT_GIVEN_BACK in leaving.of_the_rest(receipt)
    assert leaving.shut_out(receipt) == "The key of our permission was lost"
