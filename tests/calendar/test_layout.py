"""Rows and lanes of a day."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from portal.calendar.layout import (
    LEAST_SLOTS,
    MOST_LANES,
    SLOTS_PER_DAY,
    assign_lanes,
    column_span,
    hours_shown,
    lay_out_day,
    rows_in_day,
)

CHICAGO = ZoneInfo("America/Chicago")
DAY = dt.date(2026, 11, 18)


def at(text: str, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(text), tzinfo=CHICAGO)


def test_an_entry_stands_in_rows_of_five_minutes() -> None:
    assert rows_in_day(DAY, at("09:00"), at("09:50")) == (108, 118)


def test_a_quarter_of_an_hour_is_laid_out_high_enough_to_be_hit() -> None:
    top, bottom = rows_in_day(DAY, at("15:45"), at("16:00"))
    assert (top, bottom) == (189, 193)


def test_the_last_minutes_of_a_day_stay_inside_it() -> None:
    assert rows_in_day(DAY, at("23:55"), at("00:00", DAY + dt.timedelta(days=1))) == (284, 288)


def test_an_entry_across_midnight_has_a_piece_in_each_day() -> None:
    times = [(at("23:00"), at("01:00", DAY + dt.timedelta(days=1)))]
    first = lay_out_day(DAY, times)
    second = lay_out_day(DAY + dt.timedelta(days=1), times)
    assert [(piece.top, piece.bottom) for piece in first + second] == [(276, 288), (0, 12)]


def test_an_entry_that_ends_at_midnight_has_no_piece_in_the_next_day() -> None:
    times = [(at("22:00"), at("00:00", DAY + dt.timedelta(days=1)))]
    assert lay_out_day(DAY + dt.timedelta(days=1), times) == []


def test_when_clocks_go_back_an_entry_keeps_its_length() -> None:
    night = dt.date(2026, 11, 1)
    starts_at = dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC).astimezone(CHICAGO)  # 1:30, the first
    ends_at = dt.datetime(2026, 11, 1, 7, 20, tzinfo=dt.UTC).astimezone(CHICAGO)  # 1:20, the second
    assert rows_in_day(night, starts_at, ends_at) == (18, 28)


def test_entries_that_only_touch_do_not_share_the_width() -> None:
    assert assign_lanes([(0, 10), (10, 20)]) == [(1, 1), (1, 1)]


def test_overlapping_entries_stand_side_by_side_and_a_lane_is_used_again() -> None:
    assert assign_lanes([(0, 20), (5, 10), (12, 30)]) == [(1, 2), (2, 2), (2, 2)]


def test_hours_shown_hold_the_earliest_and_the_latest() -> None:
    assert hours_shown([(96, 216), (70, 80), (200, 260)]) == (5, 22)


def test_an_all_day_entry_is_cut_to_the_days_shown() -> None:
    week = dt.date(2026, 11, 16)
    assert column_span(week, 7, dt.date(2026, 11, 14), dt.date(2026, 11, 18)) == (1, 2)
    assert column_span(week, 7, dt.date(2026, 11, 19), dt.date(2026, 11, 30)) == (4, 7)
    assert column_span(week, 7, dt.date(2026, 11, 23), dt.date(2026, 11, 24)) is None


spans = st.lists(
    st.tuples(st.integers(0, SLOTS_PER_DAY - LEAST_SLOTS), st.integers(LEAST_SLOTS, 60)).map(
        lambda pair: (pair[0], min(pair[0] + pair[1], SLOTS_PER_DAY))
    ),
    max_size=12,
)


@given(spans)
def test_no_two_entries_of_one_lane_overlap(given_spans: list[tuple[int, int]]) -> None:
    lanes = assign_lanes(given_spans)
    assert all(1 <= lane <= of <= MOST_LANES for lane, of in lanes)
    for one in range(len(given_spans)):
        for other in range(one):
            overlap = (
                given_spans[one][0] < given_spans[other][1] and given_spans[other][0] < given_spans[one][1]
            )
            if overlap:
                assert lanes[one][1] == lanes[other][1]
                assert lanes[one][0] != lanes[other][0] or lanes[one][1] == MOST_LANES
