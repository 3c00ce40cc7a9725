"""The one-way feed as RFC 5545 text. Pure: entries in, bytes out, the same bytes for the same entries.

Events are written as lines here and not built as icalendar objects: 5,000 of those cost a second per fetch.
Only the title is free text; icalendar escapes it, and makes the calendar around the events.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from icalendar import Calendar, Timezone, TimezoneStandard, vDuration, vText

REFRESH_EVERY = dt.timedelta(hours=1)  # a wish: Google does as it likes, Apple and Outlook listen
DAYS_BACK = 60
DAYS_AHEAD = 365
RENDERER = "2"  # part of every ETag: raise it when the same entries come out as other bytes
LONGEST_LINE = 75  # octets
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})  # they change what stands before them
_JOINER = "\u200d"
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))  # two of them are a flag
_END = b"END:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One appointment as a subscriber sees it. Start and end: both instants, or both dates (exclusive)."""

    uid: str
    sequence: int
    updated_at: dt.datetime
    summary: str
    start: dt.datetime | dt.date
    end: dt.datetime | dt.date
    is_free: bool = False


def feed_window(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """What the feed covers: whole days of UTC, so that it moves once a day and not with every fetch."""
    today = dt.datetime.combine(now.astimezone(dt.UTC).date(), dt.time(), tzinfo=dt.UTC)
    return today - dt.timedelta(days=DAYS_BACK), today + dt.timedelta(days=DAYS_AHEAD)


def feed_name(app_calendar_name: str, mark: str) -> str:
    """The calendar's name. The mark is how our own feed is known again among a Google account's calendars."""
    return f"{app_calendar_name} one-way {mark}"


def feed_etag(*parts: object) -> str:
    """A strong validator over everything the bytes depend on, without making them."""
    text = "\x1f".join(str(part) for part in (RENDERER, *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def render_feed(name: str, entries: Iterable[FeedEntry]) -> bytes:
    """The whole file. Without entries it carries one time zone: RFC 5545 §3.6 wants a component."""
    events = [_event(entry) for entry in entries]
    envelope = _envelope(name, is_empty=not events).to_ical(sorted=False)
    if not events:
        return bytes(envelope)
    return bytes(envelope.removesuffix(_END)) + "\r\n".join(events).encode() + b"\r\n" + _END


def _envelope(name: str, *, is_empty: bool) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Lockstep//One-way feed//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", vDuration(REFRESH_EVERY), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH_EVERY))
    if is_empty:
        calendar.add_component(_utc())
    return calendar


def _utc() -> Timezone:
    zone = Timezone()
    zone.add("tzid", "Etc/UTC")
    standard = TimezoneStandard()
    standard.add("dtstart", dt.datetime(1970, 1, 1))  # noqa: DTZ001 RFC 5545 §3.6.5 wants local time here
    standard.add("tzoffsetfrom", dt.timedelta(0))
    standard.add("tzoffsetto", dt.timedelta(0))
    standard.add("tzname", "UTC")
    zone.add_component(standard)
    return zone


def _event(entry: FeedEntry) -> str:
    """Google heeds a change only when SEQUENCE rises and both stamps move, while the UID stays."""
    stamp = _instant(entry.updated_at)
    return "\r\n".join(
        (
            "BEGIN:VEVENT",
            f"UID:{entry.uid}",
            f"DTSTAMP:{stamp}",
            f"LAST-MODIFIED:{stamp}",
            f"SEQUENCE:{entry.sequence}",
            _time("DTSTART", entry.start),
            _time("DTEND", entry.end),
            _folded(f"SUMMARY:{vText(entry.summary).to_ical().decode()}"),
            "CLASS:PRIVATE",
            "STATUS:CONFIRMED",
            "TRANSP:TRANSPARENT" if entry.is_free else "TRANSP:OPAQUE",
            "END:VEVENT",
        )
    )


def _folded(line: str) -> str:
    """RFC 5545 §3.1: no line of more than 75 octets; what is read as one sign stays together."""
    if len(line) <= LONGEST_LINE and line.isascii():
        return line
    lines, room = [""], LONGEST_LINE
    for sign in _signs(line):
        # one that fills a line by itself, as marks heaped on a letter can, is folded between its characters
        for part in [sign] if len(sign.encode()) < LONGEST_LINE else sign:
            octets = len(part.encode())
            if octets > room:
                lines.append("")
                room = LONGEST_LINE - 1  # a space goes before it
            lines[-1] += part
            room -= octets
    return "\r\n ".join(lines)


def _signs(line: str) -> Iterator[str]:
    """The line in pieces that stay whole: a letter with its marks, emoji joined to one, an escape."""
    sign = ""
    for letter in line:
        if sign and not _goes_with(sign, letter):
            yield sign
            sign = ""
        sign += letter
    yield sign


def _goes_with(sign: str, letter: str) -> bool:
    is_mark = unicodedata.category(letter) in _MARKS or letter in _SKIN_TONES
    is_flag = letter in _FLAG_LETTERS and sign in _FLAG_LETTERS
    return is_mark or is_flag or sign == "\\" or sign[-1] == _JOINER


def _time(name: str, value: dt.datetime | dt.date) -> str:
    if isinstance(value, dt.datetime):
        return f"{name}:{_instant(value)}"
    return f"{name};VALUE=DATE:{value:%Y%m%d}"


def _instant(value: dt.datetime) -> str:
    value = value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)
    return f"{value:%Y%m%dT%H%M%SZ}"
