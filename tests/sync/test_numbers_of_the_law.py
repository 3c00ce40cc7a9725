"""The numbers and words that the sync law names, and what is kept in databases and so must never change."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import replace

import pytest

from portal import outward
from portal.engine import lease
from portal.errors import CalendarUnavailable, InvalidCalendarData, QuotaExceeded
from portal.sync import breaker, health, inbound, modes, outbound, pace, recurrence, trouble
from portal.sync.event import Content, Event, EventTime
from portal.sync.inbound import ConfirmGone, Ignore, RefreshEtag, decide_own, why_unsafe
from portal.sync.outbound import LinkPhase
from portal.sync.recurrence import expand
from tests.sync.test_inbound import NOW, appointment, event, link

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
START = dt.datetime(2026, 11, 18, 16, tzinfo=dt.UTC)
CONTENT = Content(
    summary="1042",
    start=EventTime(datetime=START, tzid="America/Chicago"),
    end=EventTime(datetime=START + HOUR, tzid="America/Chicago"),
)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (breaker.ALWAYS_FINE, 10),
        (breaker.SHARE, 0.2),
        (breaker.MOST_DELETION_CARDS, 5),
        (breaker.SECOND_PASS_AFTER, dt.timedelta(minutes=10)),
        (health.OVERDUE_SECONDS, 600),
        (inbound.SHORTEST_SECONDS, 300),
        (inbound.LONGEST_SECONDS, 86_400),
        (outbound.WINDOW_BEFORE, dt.timedelta(days=30)),
        (pace.WINDOW_SECONDS, 60),
        (pace.MOST_UNITS, 590),
        (pace.UNITS, {"patch": 3}),
        (recurrence.MOST_OCCURRENCES, 5_000),
        (recurrence.MOST_STEPS, 100_000),
        (trouble.FIRST_RETRY_SECONDS, 2),
        (trouble.LONGEST_RETRY_SECONDS, 900),
        (trouble.QUOTA_RETRY_SECONDS, 3_600),
        (trouble.LONGEST_POLL_SECONDS, 900),
        (trouble.DELAYED_AFTER_FAILURES, 3),
        (trouble.LONGEST_WAITED_FOR_SECONDS, 60),
        (len(trouble.PAUSES_SECONDS), 2),
        (trouble.HEAL_OFTEN, dt.timedelta(hours=24)),
        (trouble.HEAL_OFTEN_SECONDS, 3_600),
        (trouble.HEAL_SELDOM_SECONDS, 86_400),
        (trouble.HEAL_DAYS, 30),
        (trouble.REFUSED_TOLD_AFTER, dt.timedelta(hours=24)),
        (lease.LEASE_SECONDS, 36),
        (lease.RENEW_BELOW_SECONDS, 30),
        (outward.STEP_SECONDS, 15),
        (outward.WHOLE_SECONDS, 25),
    ],
)
def test_a_number_of_the_law_is_what_the_law_says(number: object, value: object) -> None:
    assert number == value


@pytest.mark.parametrize(
    "words",
    [modes.Mode, modes.Link, modes.Effect, modes.Goal, breaker.Absence, outbound.LinkPhase, health.Tone],
)
def test_a_word_is_written_as_it_is_named(words: type[enum.StrEnum]) -> None:
    assert [word.value for word in words] == [word.name.lower().replace("_", "-") for word in words]


def test_what_is_hashed_in_databases_and_in_google_is_hashed_the_same_for_ever() -> None:
    """Another hash after an upgrade would write every event anew, or take each for a stranger's."""
    assert CONTENT.content_hash() == CONTENT_HASH
    assert replace(CONTENT, summary="J.S.\t and  more ").content_hash() == SPACED_HASH
    assert CONTENT.times_hash() == TIMES_HASH
    event_id = outbound.event_id(installation="i", nonce="n", public_id="p", revival=2)
    assert event_id == EVENT_ID


CONTENT_HASH = "bff62b2e34810aa7c54bfc0c405fc6cb911a0fe31d587eb938072c93ad98f4b3"
SPACED_HASH = "2c2ce185f20cd9200f67018018cfc84817baa51a34c36d97d96bf4fdebb36fb1"
TIMES_HASH = "2859eedd2911b5457c0dfb66737cc40f"
EVENT_ID = "80mgs9o7d0d4a2u4hmrqkb431i5sl1oa97s02bobeo7n1ss09c40"


def test_a_time_without_a_zone_is_one_of_utc() -> None:
    assert EventTime(datetime=START).tzid == "UTC"


def test_an_event_of_which_nothing_is_told_has_no_content_of_ours() -> None:
    bare = Event(event_id="e")
    assert (bare.etag, bare.status, bare.summary, bare.content) == ("", "confirmed", "", None)
    assert Event(event_id="e", start=CONTENT.start).content is None


# Pace


def test_a_minute_may_be_filled_to_the_last_unit() -> None:
    assert pace.wait_seconds([[0.0, 540.0]], 50, now=30.0) == 0
    assert pace.wait_seconds([[0.0, 541.0]], 50, now=30.0) == 30


def test_one_waits_only_for_as_much_as_must_leave_the_minute() -> None:
    assert pace.wait_seconds([[0.0, 50.0], [10.0, 540.0]], 50, now=20.0) == 40
    assert pace.wait_seconds([[0.0, 50.0], [10.0, 541.0]], 50, now=20.0) == 50


def test_what_could_never_fit_is_not_held_for_ever() -> None:
    assert pace.wait_seconds([], 591, now=0.0) == 0


def test_what_left_the_minute_counts_no_more() -> None:
    assert pace.recent([[0.0, 5.0], [0.1, 7.0]], now=60.0) == [[0.1, 7.0]]


# Trouble


def test_waits_double_and_end_at_a_quarter_of_an_hour() -> None:
    assert [trouble.back_off(failures, 1.0) for failures in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert [trouble.back_off(failures, 0.0) for failures in (1, 2)] == [1, 2]
    assert trouble.back_off(9, 1.0) == 512
    assert trouble.back_off(10, 1.0) == trouble.back_off(500, 1.0) == 900


def test_google_s_own_wish_is_heeded_up_to_a_quarter_of_an_hour() -> None:
    def wait(asked: float) -> float | None:
        error = CalendarUnavailable("503", retry_after_seconds=asked)
        return trouble.judge(error, failures=1, jitter=0.5).retry_seconds

    assert [wait(asked) for asked in (0.5, 77.0, 5_000.0)] == [1.5, 77.0, 900.0]


def test_a_request_that_begins_at_the_last_moment_is_over_before_its_lease() -> None:
    """And a killed run's lease, a tick and a worker that begins are over within 45 seconds."""
    assert outward.WHOLE_SECONDS < lease.RENEW_BELOW_SECONDS < lease.LEASE_SECONDS < 45


def test_a_used_up_quota_waits_an_hour_or_as_long_as_google_says() -> None:
    def wait(asked: float | None) -> float | None:
        error = QuotaExceeded("quotaExceeded", retry_after_seconds=asked)
        return trouble.judge(error, failures=1, jitter=0.5).retry_seconds

    assert [wait(asked) for asked in (None, 60.0, 7_200.0, 1e9)] == [3_600, 3_600, 7_200, 86_400]


@pytest.mark.parametrize(
    ("poll", "is_watched", "is_push_proven", "seconds"),
    [
        (60, True, False, 60),
        (60, True, True, 60),
        (60, False, False, 300),
        (60, False, True, 600),
        (200, False, True, 900),
    ],
)
def test_google_is_asked_as_often_as_it_matters(
    poll: int, is_watched: bool, is_push_proven: bool, seconds: int
) -> None:
    assert trouble.poll_seconds(poll=poll, is_watched=is_watched, is_push_proven=is_push_proven) == seconds


def test_push_counts_as_unproven_until_it_is_proven() -> None:
    assert trouble.poll_seconds(poll=60, is_watched=False) == 300


# Inward


def test_a_change_within_the_second_of_our_write_is_news() -> None:
    """Google's `updated` counts in milliseconds; two changes may share one."""
    touched = event(etag='"other"', updated=NOW)
    noticed = decide_own(touched, link(remote_updated=NOW), appointment(), is_scheduled=True, now=NOW)
    assert noticed == RefreshEtag()


def test_the_tombstone_of_our_own_delete_counts_even_if_nothing_is_newer() -> None:
    tombstone = replace(event(), status="cancelled", updated=NOW)
    begun = link(phase=LinkPhase.DELETING, remote_updated=NOW)
    assert decide_own(tombstone, begun, appointment(), is_scheduled=True, now=NOW) == ConfirmGone()


def test_a_copy_from_before_our_delete_is_no_restored_event() -> None:
    lagging = replace(event(), updated=NOW)
    gone = link(phase=LinkPhase.GONE, remote_updated=NOW)
    assert decide_own(lagging, gone, appointment(), is_scheduled=True, now=NOW) == Ignore()


@pytest.mark.parametrize(
    ("minutes", "is_safe"), [(4, False), (5, True), (24 * 60, True), (24 * 60 + 1, False)]
)
def test_a_moved_event_of_five_minutes_to_a_day_is_followed(minutes: int, is_safe: bool) -> None:
    start = NOW + DAY
    moved = Content(
        summary="1042",
        start=EventTime(datetime=start),
        end=EventTime(datetime=start + dt.timedelta(minutes=minutes)),
    )
    here = replace(CONTENT, start=EventTime(datetime=NOW + HOUR), end=EventTime(datetime=NOW + 2 * HOUR))
    assert (why_unsafe(here, moved, now=NOW) is None) is is_safe


def test_a_move_of_an_all_day_event_keeps_at_least_one_day() -> None:
    tomorrow, next_week = (NOW + DAY).date(), (NOW + 7 * DAY).date()

    def whole(first: dt.date, days: int) -> Content:
        end = EventTime(date=first + dt.timedelta(days=days))
        return Content(summary="Busy", start=EventTime(date=first), end=end)

    assert why_unsafe(whole(tomorrow, 1), whole(next_week, 1), now=NOW) is None
    assert why_unsafe(whole(tomorrow, 1), whole(next_week, 0), now=NOW) == "too-short"


# Recurrence


def weekly(tzid: str) -> Event:
    return Event(
        event_id="master",
        start=EventTime(datetime=START, tzid=tzid),
        end=EventTime(datetime=START + HOUR, tzid=tzid),
        recurrence=("RRULE:FREQ=WEEKLY",),
    )


@pytest.mark.parametrize("tzid", ["Pacific/Pago_Pago", "Pacific/Kiritimati", "UTC"])
def test_a_date_that_touches_the_window_s_edges_is_shown_in_every_zone(tzid: str) -> None:
    third = START + 14 * DAY
    second_before = dt.timedelta(seconds=1)
    ending = expand(weekly(tzid), (), after=third + HOUR - second_before, before=third + DAY)
    beginning = expand(weekly(tzid), (), after=third - DAY, before=third + second_before)
    assert [each.start.instant for each in ending] == [third]
    assert [each.start.instant for each in beginning] == [third]


@pytest.mark.parametrize("frequency", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
def test_a_counted_rule_is_followed_for_a_whole_cycle_of_the_calendar_and_not_for_two(frequency: str) -> None:
    """The calendar repeats after 400 years, 146,097 days."""
    event = replace(weekly("UTC"), recurrence=(f"RRULE:FREQ={frequency};COUNT=1",))
    years = dt.timedelta(days=366)
    followed, too_far = START + 390 * years, START + 500 * years
    assert expand(event, (), after=followed - HOUR, before=followed) == []
    with pytest.raises(InvalidCalendarData, match="too-many-occurrences"):
        expand(event, (), after=too_far - HOUR, before=too_far)


def test_a_date_must_end_as_a_date_does() -> None:
    event = replace(weekly("UTC"), recurrence=("RRULE:FREQ=WEEKLY;COUNT=2", "EXDATE:20261125T160000X"))
    with pytest.raises(InvalidCalendarData):
        expand(event, (), after=START - DAY, before=START + 30 * DAY)


def test_an_override_that_names_no_date_stands_for_none() -> None:
    nameless = Event(event_id="o", recurring_event_id="master", status="cancelled")
    found = expand(weekly("UTC"), (nameless,), after=START - DAY, before=START + DAY)
    assert [each.start.instant for each in found] == [START]


@pytest.mark.parametrize("missing", ["start", "end"])
def test_an_event_without_both_its_times_is_shown_nowhere(missing: str) -> None:
    event = replace(weekly("UTC"), **{missing: None})  # type: ignore[arg-type]
    assert expand(event, (), after=START - DAY, before=START + DAY) == []
