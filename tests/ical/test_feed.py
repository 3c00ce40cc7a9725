"""The feed's text: what two independent parsers read in it."""

from __future__ import annotations

import datetime as dt

import icalendar
import pytest
import vobject

from portal.ical.feed import FeedEntry, feed_etag, feed_name, feed_window, render_feed

NOW = dt.datetime(2026, 11, 18, 17, 20, 5, tzinfo=dt.UTC)


def entry(**changes: object) -> FeedEntry:
    values: dict[str, object] = {
        "uid": "a1b2@practice",
        "sequence": 3,
        "updated_at": NOW,
        "summary": "1042",
        "start": dt.datetime(2026, 11, 19, 9, tzinfo=dt.timezone(-dt.timedelta(hours=6))),
        "end": dt.datetime(2026, 11, 19, 15, 50, tzinfo=dt.UTC),
    }
    return FeedEntry(**{**values, **changes})  # type: ignore[arg-type]


def read(*entries: FeedEntry) -> icalendar.Calendar:
    return icalendar.Calendar.from_ical(render_feed("Lockstep one-way K7QX", entries))


def test_an_appointment_reads_as_it_was_written() -> None:
    (event,) = read(entry()).walk("VEVENT")
    assert (event["UID"], event["SUMMARY"], event["SEQUENCE"]) == ("a1b2@practice", "1042", 3)
    assert (event["CLASS"], event["TRANSP"], event["STATUS"]) == ("PRIVATE", "OPAQUE", "CONFIRMED")
    assert event.decoded("DTSTART") == dt.datetime(2026, 11, 19, 15, tzinfo=dt.UTC)
    assert event.decoded("DTEND") == dt.datetime(2026, 11, 19, 15, 50, tzinfo=dt.UTC)
    assert event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == NOW


def test_times_are_utc_instants_in_the_text_itself() -> None:
    assert b"DTSTART:20261119T150000Z\r\n" in render_feed("x", [entry()])


def test_an_all_day_entry_is_dates_with_an_exclusive_end() -> None:
    (event,) = read(entry(start=dt.date(2026, 11, 19), end=dt.date(2026, 11, 20))).walk("VEVENT")
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (
        dt.date(2026, 11, 19),
        dt.date(2026, 11, 20),
    )


def test_a_free_entry_blocks_nothing() -> None:
    (event,) = read(entry(is_free=True)).walk("VEVENT")
    assert event["TRANSP"] == "TRANSPARENT"


@pytest.mark.parametrize(
    "summary", ['Smith; Jane, \\ "J"', "Jäne Šmíth " * 20, "日本語の長い名前" * 12, "a:b"]
)
def test_any_title_survives_escaping_and_folding(summary: str) -> None:
    data = render_feed("x", [entry(summary=summary), entry(uid="b@practice")])
    first, second = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert (str(first["SUMMARY"]), str(second["SUMMARY"])) == (summary, "1042")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "sign", ["👩\u200d👩\u200d👧\u200d👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👍🏽", "🇺🇦", "e\u0301\u0323", "ක්\u200dර", "❤\ufe0f\u200d🔥"]
)
@pytest.mark.parametrize("before", range(30, 80))
def test_what_is_read_as_one_sign_is_not_torn_by_a_fold(sign: str, before: int) -> None:
    """Failure 65: wherever the line is folded, every line by itself still shows the sign whole."""
    data = render_feed("x", [entry(summary="a" * before + sign * 3)])
    assert data.replace(b"\r\n ", b"").count(sign.encode()) == 3
    lines = data.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert sum(line.count(sign.encode()) for line in lines) == 3


def test_marks_heaped_on_one_letter_are_folded_all_the_same() -> None:
    data = render_feed("x", [entry(summary="a" + "\u0301" * 200)])
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert ("a" + "\u0301" * 200).encode() in data.replace(b"\r\n ", b"")


def test_another_parser_reads_the_same() -> None:
    data = render_feed("Lockstep one-way K7QX", [entry(), entry(uid="b@practice", summary="Smith; Jane")])
    calendar = vobject.readOne(data.decode())
    assert [event.summary.value for event in calendar.vevent_list] == ["1042", "Smith; Jane"]
    assert calendar.x_wr_calname.value == "Lockstep one-way K7QX"


def test_the_calendar_says_its_name_and_how_often_to_come() -> None:
    calendar = read(entry())
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == "Lockstep one-way K7QX"
    assert calendar.decoded("REFRESH-INTERVAL") == dt.timedelta(hours=1)
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")


def test_an_empty_calendar_carries_one_time_zone() -> None:
    calendar = read()
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE"]
    assert calendar.subcomponents[0]["TZID"] == "Etc/UTC"
    assert not read(entry()).walk("VTIMEZONE")


def test_the_same_entries_give_the_same_bytes() -> None:
    assert render_feed("x", [entry()]) == render_feed("x", [entry()])


def test_the_window_moves_at_midnight_and_not_between() -> None:
    begins, ends = feed_window(NOW)
    assert (begins, ends) == feed_window(NOW.replace(hour=23, minute=59))
    assert begins == dt.datetime(2026, 9, 19, tzinfo=dt.UTC)
    assert ends == dt.datetime(2027, 11, 18, tzinfo=dt.UTC)


def test_the_validator_changes_with_every_part() -> None:
    assert len({feed_etag(), feed_etag(1), feed_etag(2), feed_etag(1, 2), feed_etag(12)}) == 5


def test_the_name_carries_the_mark() -> None:
    assert feed_name("Lockstep", "K7QX") == "Lockstep one-way K7QX"
