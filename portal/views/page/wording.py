"""How dates, times, statuses and kinds read on a page. Pure; also registered as template filters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask.sansio.app import App

from portal import words
from portal.calendar.agenda import MISSED
from portal.models import AppointmentSeries, Client, SeriesFrequency
from portal.practice.disclosure import initials
from portal.practice.series import week_of_month
from portal.practice.spans import Timed, When
from portal.words import appointments, calendar, settings

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
WEEKS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
KINDS = {"session": "Client session", "contact": "Client contact", "other": "Other event"}
STATUSES = {
    "scheduled": "Scheduled",
    "completed": "Completed",
    "canceled": "Canceled",
    "late-canceled": "Late canceled",
    "no-show": "No-show",
}
VERBS = {
    "booked": "Booked",
    "changed": "Changed",
    "series-changed": "Changed with the series",
    "rescheduled": "Moved",
    "zone-changed": "Time zone changed",
    "canceled": "Canceled",
    "late-canceled": "Canceled late",
    "no-show": "Marked as no-show",
    "completed": "Marked as completed",
    "archived": "Archived",
    "reinstated": "Reinstated",
    "undone": "Taken back",
}
CHANGED_FIELDS = {
    "start_date": "Date",
    "start_time": "Time",
    "duration_minutes": "Length",
    "end_date": "End",
    "timezone": "Time zone",
    "kind": "Kind",
    "client_id": "Client",
    "title": "Title",
    "location": "Location",
    "is_free": "Busy or free",
    "type_id": "Type",
}
# Tables that templates read directly, as words.calendar and so on
FOR_TEMPLATES = (appointments, calendar, settings)
SOURCES = {"web": "", "google": "from Google", "command": "by command", "system": "by Lockstep"}


def register(app: App) -> None:
    for function in (
        changes,
        client_option,
        repeats,
        clock,
        day_name,
        long_date,
        stamp,
        month_name,
        place_name,
        short_date,
        day_span,
        time_range,
        which_weekday,
        initials,
        length_words,
        zone_option,
    ):
        app.jinja_env.filters[function.__name__] = function
    app.jinja_env.globals.update(
        one_day=dt.timedelta(days=1),
        words=words,
        KINDS=KINDS,
        STATUSES=STATUSES,
        MISSED=MISSED,
        VERBS=VERBS,
        SOURCES=SOURCES,
    )


def clock_change(when: When) -> str:
    """What a change of the clocks makes of a time; empty on any other day."""
    if not isinstance(when, Timed):
        return ""
    if when.shown_time != when.time:
        return appointments.skipped(clock(when.time), clock(when.shown_time))
    return appointments.twice(clock(when.time)) if when.happens_twice else ""


def length_words(minutes: int) -> str:
    """1 h 10 min; 45 min; 2 h."""
    hours, rest = divmod(minutes, 60)
    return " ".join(
        words for words in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if words
    )


def zone_option(timezone: str) -> tuple[str, str]:
    """A zone as the choice of a list: America/New York."""
    return timezone, timezone.replace("_", " ")


def place_name(timezone: str) -> str:
    """The place a zone is named for: New York."""
    return timezone.split("/")[-1].replace("_", " ")


def month_name(date: dt.date) -> str:
    return MONTHS[date.month - 1]


def day_name(date: dt.date, *, short: bool = False) -> str:
    name = DAYS[date.weekday()]
    return name[:3] if short else name


def long_date(date: dt.date) -> str:
    """Wednesday, November 18."""
    return f"{day_name(date)}, {month_name(date)} {date.day}"


def short_date(date: dt.date) -> str:
    """Wed, Nov 18."""
    return f"{day_name(date, short=True)}, {month_name(date)[:3]} {date.day}"


def clock(time: dt.time | dt.datetime, *, half: bool = True) -> str:
    """9:05 AM; without `half`, 9:05."""
    text = f"{time.hour % 12 or 12}:{time.minute:02}"
    return f"{text} {'AM' if time.hour < 12 else 'PM'}" if half else text


def time_range(starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """9:00 – 9:50 AM; 11:30 AM – 1:00 PM; with dates when it lasts longer than a day."""
    if ends_at - starts_at > dt.timedelta(days=1):
        return f"{short_date(starts_at)}, {clock(starts_at)} – {short_date(ends_at)}, {clock(ends_at)}"
    same_half = (starts_at.hour < 12) == (ends_at.hour < 12) and starts_at.date() == ends_at.date()
    return f"{clock(starts_at, half=not same_half)} – {clock(ends_at)}"


def day_span(first: dt.date, end: dt.date) -> str:
    """The days from `first` to before `end`: Nov 18; Nov 18 – 20; Nov 30 – Dec 2."""
    last = end - dt.timedelta(days=1)
    start = f"{month_name(first)[:3]} {first.day}"
    if last <= first:
        return start
    return f"{start} – {last.day if last.month == first.month else f'{month_name(last)[:3]} {last.day}'}"


def repeats(series: AppointmentSeries) -> str:
    """Every 2 weeks, until Wed, Nov 18."""
    unit = "week" if series.frequency is SeriesFrequency.WEEKLY else "month"
    text = f"Every {unit}" if series.every == 1 else f"Every {series.every} {unit}s"
    if series.by_weekday:
        text += f", on the {which_weekday(series.start_date)}"
    if series.until:
        return f"{text}, until {short_date(series.until)}, {series.until.year}"
    return f"{text}, {series.occurrences} times" if series.occurrences else text


def which_weekday(date: dt.date) -> str:
    """Third Wednesday; last Friday."""
    return f"{WEEKS[week_of_month(date)]} {day_name(date)}"


def client_option(client: Client, *, hides_names: bool = False) -> tuple[int, str]:
    """How a client stands in a select; in privacy mode by the internal ID alone."""
    return client.id, f"({client.internal_id})" if hides_names else f"{client.name} ({client.internal_id})"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What one line of history altered, in words; texts are only said to have changed."""
    words = []
    for field, name in CHANGED_FIELDS.items():
        if field in before and field in after:
            told = _change_value(field, before[field]), _change_value(field, after[field])
            words.append(f"{name} {told[0]} → {told[1]}" if all(told) else f"{name} changed")
    return words


def _change_value(field: str, value: Any) -> str:
    """The value in words, or nothing when it is not told."""
    match field, value:
        case (("start_date" | "end_date"), str()):
            return short_date(dt.date.fromisoformat(value))
        case "start_time", str():
            return clock(dt.time.fromisoformat(value))
        case "duration_minutes", int():
            return f"{value} min"
        case "kind", str():
            return KINDS[value].lower()
        case "timezone", str():
            return value
        case _:
            return ""


def stamp(at: dt.datetime) -> str:
    """Wed, Nov 18, 2026, 9:05 AM."""
    return f"{short_date(at)}, {at.year}, {clock(at)}"
