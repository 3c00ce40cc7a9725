"""One connection, one story."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.sync.health import Act, ConnectionFacts, Counts, Tone, tell
from portal.sync.instants import ago, until

NOW = dt.datetime(2026, 11, 18, 17, 20, tzinfo=dt.UTC)


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


def facts(**changes: object) -> ConnectionFacts:
    values: dict[str, object] = {
        "mode": "two-way",
        "phase": "active",
        "email": "wren.hale@example.com",
        "last_pulled_at": NOW - minutes(2),
        "last_pushed_at": NOW - minutes(9),
        "next_check_at": NOW + minutes(1),
    }
    return ConnectionFacts(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "state", "act"),
    [
        (ConnectionFacts(mode="off"), "off", Act.CONTINUE),
        (ConnectionFacts(mode="one-way"), "one-way", Act.NOTHING),
        (facts(phase="ended", mode="off"), "off", Act.CONTINUE),
        (facts(phase="choosing", mode="off"), "choosing", Act.CONTINUE),
        (facts(phase="preview", mode="one-way"), "preview", Act.CONTINUE),
        (facts(phase="first-sync"), "first-sync", Act.CANCEL),
        (facts(), "active", Act.SYNC_NOW),
        (facts(problem="delayed"), "delayed", Act.SYNC_NOW),
        (facts(problem="quota"), "delayed", Act.SYNC_NOW),
        (facts(problem="question"), "question", Act.ANSWER),
        (facts(problem="reconnect-required"), "reconnect-required", Act.RECONNECT),
        (facts(problem="scope-missing"), "reconnect-required", Act.RECONNECT),
        (facts(problem="grant-unreadable"), "reconnect-required", Act.RECONNECT),
        (facts(phase="preview", problem="grant-unreadable"), "reconnect-required", Act.RECONNECT),
        (facts(phase="removing", problem="grant-unreadable"), "removing", Act.NOTHING),
        (facts(problem="grant-readable-again"), "delayed", Act.SYNC_NOW),
        (facts(problem="calendar-missing"), "calendar-missing", Act.CREATE_AGAIN),
        (facts(problem="calendar-out-of-reach"), "calendar-out-of-reach", Act.CREATE_AGAIN),
        (facts(phase="removing"), "removing", Act.NOTHING),
        (facts(phase="removing", problem="reconnect-required"), "removing", Act.NOTHING),
        (facts(phase="first-sync", problem="reconnect-required"), "reconnect-required", Act.RECONNECT),
    ],
)
def test_every_situation_has_one_state_and_one_thing_to_do(
    known: ConnectionFacts, state: str, act: Act
) -> None:
    story = tell(known, now=NOW)
    assert (story.state, story.act) == (state, act)
    assert story.headline and story.cause and story.chip and story.code


@pytest.mark.parametrize(
    "problem",
    ["reconnect-required", "scope-missing", "calendar-missing", "calendar-out-of-reach", "question"],
)
def test_what_waits_for_a_person_says_so_and_since_when(problem: str) -> None:
    story = tell(facts(problem=problem, problem_since=NOW - minutes(90)), now=NOW)
    assert story.needs_a_person
    assert story.since == NOW - minutes(90)


@pytest.mark.parametrize("known", [ConnectionFacts(mode="off"), facts(), facts(problem="delayed")])
def test_what_mends_itself_calls_nobody(known: ConnectionFacts) -> None:
    assert not tell(known, now=NOW).needs_a_person


def test_an_unknown_problem_is_a_delay_and_never_a_crash() -> None:
    assert tell(facts(problem="something-new"), now=NOW).state == "delayed"


def test_active_tells_whose_account_and_how_fresh() -> None:
    story = tell(facts(), now=NOW)
    assert story.headline == "Two-Way Sync with Google is active"
    assert story.cause == "Connected as wren.hale@example.com"
    assert story.chip == "Two-Way Sync with Google is active · 2 min ago"
    assert story.tone is Tone.GOOD


def test_what_waits_to_go_out_is_counted() -> None:
    story = tell(facts(problem="reconnect-required", counts=Counts(behind=3)), now=NOW)
    assert story.consequence.startswith("3 waiting to go out.")
    assert "Nothing was deleted" in story.consequence


def test_a_check_that_is_long_overdue_means_that_nobody_works() -> None:
    assert tell(facts(next_check_at=NOW - minutes(9)), now=NOW).state == "active"
    story = tell(facts(next_check_at=NOW - minutes(11)), now=NOW)
    assert (story.state, story.code) == ("delayed", "WORKER-SILENT")
    assert tell(facts(next_check_at=NOW - minutes(11), retry_at=NOW + minutes(4)), now=NOW).state == "active"


def test_a_delay_tells_when_the_next_try_is() -> None:
    story = tell(facts(problem="delayed", retry_at=NOW + minutes(3)), now=NOW)
    assert story.consequence.startswith("We try again in 3 min.")


def test_the_first_sync_shows_real_numbers() -> None:
    story = tell(facts(phase="first-sync", progress_done=132, progress_total=540), now=NOW)
    assert story.cause == "132 of 540 appointments are in Google."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "just now"), (120, "2 min ago"), (7200, "2 h ago"), (86400 * 5, "5 days ago")],
)
def test_the_past_in_words(seconds: int, words: str) -> None:
    assert ago(NOW - dt.timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "any moment"), (0, "any moment"), (48, "in 48 s"), (180, "in 3 min"), (7200, "in 2 h")],
)
def test_the_future_in_words(seconds: int, words: str) -> None:
    assert until(NOW + dt.timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [(6, None), (7, "removed in 23 days"), (29, "removed in 1 day unless"), (30, "no longer shown here")],
)
def test_from_the_seventh_day_the_end_of_imported_events_is_announced(days: int, words: str | None) -> None:
    since = NOW - dt.timedelta(days=days)
    facts = ConnectionFacts(mode="two-way", phase="active", problem="reconnect-required", problem_since=since)
    consequence = tell(facts, now=NOW).consequence
    assert (words in consequence) if words else ("removed" not in consequence)


def test_clearing_up_says_when_google_keeps_it_waiting() -> None:
    waiting = facts(phase="removing", failures=2, retry_at=NOW + minutes(3))
    assert "we try again in 3 min" in tell(waiting, now=NOW).cause
    assert "try again" not in tell(facts(phase="removing"), now=NOW).cause


@pytest.mark.parametrize(
    ("detail", "words"),
    [("older-database", "newer versions"), ("many-deletes", "would be deleted"), (None, "unusually large")],
)
def test_a_question_says_what_it_is_about(detail: str | None, words: str) -> None:
    assert words in tell(facts(problem="question", problem_detail=detail), now=NOW).headline
