"""Numbers, days and times of day are read strictly: what Python would take as well is refused."""

from __future__ import annotations

import datetime as dt

import pytest

from portal import reading


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "1.0", "²", "٣", "１", "1\0", "12345", "0x1"])
def test_a_number_is_of_ascii_digits_and_no_longer_than_it_may_be(text: str) -> None:
    assert reading.whole_number(text, most_digits=4) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("1234", 1234)])
def test_a_number_that_can_be_meant_is_read(text: str, number: int) -> None:
    assert reading.whole_number(text, most_digits=4) == number


@pytest.mark.parametrize(
    "text", ["10:00+05:00", "10:00Z", "10:00-00:00", "24:00", "１０:00", "٠٩:٠٠", "", "10:00\0"]
)
def test_a_time_with_an_offset_or_odd_digits_is_none(text: str) -> None:
    assert reading.time_of_day(text) is None


def test_a_time_is_read_to_the_minute() -> None:
    assert reading.time_of_day("09:30:59.5") == dt.time(9, 30)


@pytest.mark.parametrize(
    "text", ["2026-11-1８", "٢٠٢٦-11-18", "2026-02-30", "10000-01-01", "", "2026-11-18T10:00"]
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert reading.day(text) is None


def test_the_ends_of_time_are_days() -> None:
    assert (reading.day("0001-01-01"), reading.day("9999-12-31")) == (dt.date.min, dt.date.max)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udfff\ud800"])
def test_nul_and_half_a_character_cannot_be_kept(text: str) -> None:
    assert not reading.is_readable(text)


@pytest.mark.parametrize("text", ["", "\ufffd", "\U0001f600", "\u200d", "\r\n\t"])
def test_everything_else_can(text: str) -> None:
    assert reading.is_readable(text)
