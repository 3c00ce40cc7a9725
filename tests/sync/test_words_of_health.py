"""Every word that a person reads about their sync. Whoever changes one changes it here too, on purpose."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.sync.health import Act, ConnectionFacts, Counts, Story, Tone, tell
from portal.sync.instants import ago, until
from tests.sync.test_health import NOW, facts, minutes

ACTIVE = "Two-Way Sync with Google is active"
NOTHING_DELETED = "Nothing was deleted, here or in Google."
DELAYED = "Google could not be reached, or answered with an error of its own."
REVOKED = (
    "Google no longer accepts our permission. This happens after a password change, after “Remove access” in "
    "the Google account, or when an administrator blocks the app."
)
UNFINISHED = "Google account wren.hale@example.com is connected; the setup waits for you."
SINCE = NOW - minutes(90)

# tone, headline, cause, consequence, chip, code
STORIES: list[tuple[ConnectionFacts, tuple[Tone, str, str, str, str, str]]] = [
    (
        ConnectionFacts(mode="off"),
        (Tone.QUIET, "Sync is off", "Nothing leaves Lockstep, nothing comes in.", "", "Sync is off", "OFF"),
    ),
    (
        ConnectionFacts(mode="one-way"),
        (
            Tone.GOOD,
            "One-Way Sync is on",
            "Calendar apps read your appointments from one private link.",
            "Anyone who has the link can read it.",
            "One-Way Sync",
            "ONE-WAY",
        ),
    ),
    (
        facts(phase="removing", problem_since=SINCE),
        (
            Tone.BUSY,
            "Clearing up",
            "What sync has made is being taken away, step by step.",
            "Your appointments stay, and so does everything of your own in Google.",
            "Clearing up",
            "REMOVING",
        ),
    ),
    (
        facts(phase="choosing", mode="off"),
        (
            Tone.QUIET,
            "Two-Way Sync is not set up yet",
            UNFINISHED,
            "Nothing is sent until then.",
            "Setup unfinished",
            "SET-UP",
        ),
    ),
    (
        facts(phase="preview", mode="one-way"),
        (
            Tone.QUIET,
            "Two-Way Sync is not set up yet",
            UNFINISHED,
            "One-Way Sync works on until then.",
            "One-Way Sync",
            "SET-UP",
        ),
    ),
    (
        facts(phase="first-sync"),
        (
            Tone.BUSY,
            "First sync is under way",
            "The calendar is being made.",
            "You can close this page; the work goes on.",
            "First sync",
            "FIRST-SYNC",
        ),
    ),
    (
        facts(phase="first-sync", progress_done=3, progress_total=9),
        (
            Tone.BUSY,
            "First sync is under way",
            "3 of 9 appointments are in Google.",
            "You can close this page; the work goes on.",
            "First sync",
            "FIRST-SYNC",
        ),
    ),
    (
        facts(),
        (
            Tone.GOOD,
            ACTIVE,
            "Connected as wren.hale@example.com",
            "There is nothing you need to do.",
            f"{ACTIVE} · 2 min ago",
            "ACTIVE",
        ),
    ),
    (
        facts(counts=Counts(behind=3), last_pulled_at=None, last_pushed_at=None),
        (
            Tone.GOOD,
            ACTIVE,
            "Connected as wren.hale@example.com",
            "3 on the way to Google.",
            ACTIVE,
            "ACTIVE",
        ),
    ),
    (
        facts(problem="reconnect-required", problem_since=SINCE, counts=Counts(behind=3)),
        (
            Tone.BAD,
            "Reconnect to go on syncing",
            REVOKED,
            f"3 waiting to go out. {NOTHING_DELETED}",
            "Reconnect Google",
            "GRANT-REVOKED",
        ),
    ),
    (
        facts(problem="scope-missing", problem_since=SINCE),
        (
            Tone.BAD,
            "Google did not give every permission",
            "A box on Google’s page was left unticked, so part of the sync is not allowed.",
            NOTHING_DELETED,
            "Reconnect Google",
            "SCOPE-MISSING",
        ),
    ),
    (
        facts(problem="calendar-missing", problem_since=SINCE),
        (
            Tone.BAD,
            "Our calendar in Google is gone",
            "The calendar that Lockstep made in your Google account was deleted there.",
            "No appointment was canceled. Create it again and they return to Google, or turn off.",
            "Calendar missing in Google",
            "CALENDAR-MISSING",
        ),
    ),
    (
        facts(problem="calendar-out-of-reach", problem_since=SINCE),
        (
            Tone.BAD,
            "Our calendar in Google is out of reach",
            "The calendar is still in your account, but Google no longer lets Lockstep open it.",
            "Nothing was deleted or changed. Create it again, or turn off; the old one only you can delete.",
            "Calendar out of reach",
            "CALENDAR-OUT-OF-REACH",
        ),
    ),
    (
        facts(problem="question", problem_since=SINCE),
        (
            Tone.WARN,
            "Google shows an unusually large change",
            "So many changes at once are rarely meant, so they wait for your word.",
            "Everything else goes on. Nothing was deleted.",
            "A question about a large change",
            "HELD",
        ),
    ),
    (
        facts(problem="quota", problem_since=SINCE, retry_at=NOW + minutes(40)),
        (
            Tone.WARN,
            "Google asks us to wait",
            "The account has reached a limit that Google sets; it opens again by itself within hours.",
            f"We try again in 40 min. {NOTHING_DELETED}",
            "Waiting for Google",
            "QUOTA",
        ),
    ),
    (
        facts(problem="delayed", problem_since=SINCE),
        (Tone.WARN, "Sync is delayed", DELAYED, NOTHING_DELETED, "Sync is delayed", "DELAYED"),
    ),
    (
        facts(next_check_at=SINCE),
        (
            Tone.WARN,
            "Sync is not being worked on",
            "A check is long overdue: the portal’s background worker does not seem to run.",
            "Nothing is lost. Tell whoever runs this portal.",
            "Sync is delayed",
            "WORKER-SILENT",
        ),
    ),
]


@pytest.mark.parametrize(("known", "words"), STORIES, ids=[each[1][5] for each in STORIES])
def test_a_story_says_exactly_this(
    known: ConnectionFacts, words: tuple[Tone, str, str, str, str, str]
) -> None:
    story: Story = tell(known, now=NOW)
    told = (story.tone, story.headline, story.cause, story.consequence, story.chip, story.code)
    assert told == words


@pytest.mark.parametrize("known", [each[0] for each in STORIES if SINCE in (each[0].problem_since,)])
def test_a_story_with_a_beginning_tells_it(known: ConnectionFacts) -> None:
    assert tell(known, now=NOW).since == SINCE


def test_a_set_up_is_never_without_an_account() -> None:
    assert tell(facts(phase="preview", mode="two-way"), now=NOW).state == "preview"


SPANS = [(59, "59 s"), (60, "1 min"), (3599, "60 min"), (3600, "1 h"), (48 * 3600 - 1, "48 h")]
SPANS += [(48 * 3600, "2 days"), (5 * 86400, "5 days"), (90, "2 min"), (5400, "2 h"), (302_400, "4 days")]


@pytest.mark.parametrize(("seconds", "words"), SPANS)
def test_spans_of_time_change_their_unit_at_these_seconds(seconds: int, words: str) -> None:
    span = dt.timedelta(seconds=seconds)
    assert until(NOW + span, NOW) == f"in {words}"
    assert ago(NOW - span, NOW) == ("just now" if seconds < 60 else f"{words} ago")


@pytest.mark.parametrize("seconds", [-90, 0, 0.4, 1, 1.9])
def test_what_is_due_or_nearly_comes_any_moment(seconds: float) -> None:
    assert until(NOW + dt.timedelta(seconds=seconds), NOW) == "any moment"


def test_what_is_two_seconds_away_is_counted() -> None:
    assert until(NOW + dt.timedelta(seconds=2), NOW) == "in 2 s"


def test_a_check_is_missed_after_ten_minutes_and_not_before() -> None:
    ten, eleven = NOW - dt.timedelta(seconds=600), NOW - dt.timedelta(seconds=601)
    assert tell(facts(next_check_at=ten), now=NOW).code == "ACTIVE"
    assert tell(facts(next_check_at=eleven), now=NOW).code == "WORKER-SILENT"
    assert tell(facts(next_check_at=eleven, retry_at=NOW), now=NOW).code == "ACTIVE"
    assert tell(facts(next_check_at=None, retry_at=eleven), now=NOW).code == "WORKER-SILENT"
    assert tell(facts(next_check_at=None), now=NOW).code == "ACTIVE"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (6, ""),
        (7, " Google events shown here are removed in 23 days unless you reconnect."),
        (29, " Google events shown here are removed in 1 day unless you reconnect."),
        (30, " Google events are no longer shown here; reconnecting brings them back."),
    ],
)
def test_what_becomes_of_events_that_nobody_can_renew_is_told_in_these_words(days: int, words: str) -> None:
    since = NOW - dt.timedelta(days=days, hours=1)
    story = tell(facts(problem="reconnect-required", problem_since=since), now=NOW)
    assert story.consequence == NOTHING_DELETED + words


def test_without_a_beginning_no_end_of_imports_is_told() -> None:
    assert tell(facts(problem="reconnect-required"), now=NOW).consequence == NOTHING_DELETED


def test_what_to_do_is_named_as_its_button_is() -> None:
    names = ["", "Continue", "Reconnect", "Sync now", "Create again", "Changes from Google", "Cancel"]
    assert [act.value for act in Act] == names


def test_nothing_is_known_of_a_connection_that_says_nothing() -> None:
    known = ConnectionFacts(mode="off")
    assert known == ConnectionFacts(
        mode="off", phase=None, email="", failures=0, progress_done=0, progress_total=0,
        counts=Counts(live=0, linked=0, behind=0, google_events=0, quarantined=0, held=0, cards=0),
    )  # fmt: skip
