"""Instants in words, for templates, in the signed-in provider's own zone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint
from flask_login import current_user

from portal.clock import utcnow
from portal.models import Appointment
from portal.sync import instants


def register(blueprint: Blueprint) -> None:
    blueprint.app_template_filter("ago")(ago)
    blueprint.app_template_filter("until")(until)
    blueprint.app_template_filter("moment")(moment)
    blueprint.app_template_filter("moment_within")(moment_within)
    blueprint.app_template_filter("day")(day)
    blueprint.app_template_filter("span")(span)


def moment(instant: dt.datetime) -> str:
    """ "Today, 6:08 AM", "Yesterday, 7:26 PM", "Tue, Nov 17, 6:12 PM"."""
    local = _local(instant)
    days = (_local(utcnow()).date() - local.date()).days
    date = {0: "Today", 1: "Yesterday"}.get(days, f"{local:%a, %b} {local.day}")
    return f"{date}, {_clock(local)}"


def moment_within(instant: dt.datetime) -> str:
    """The same inside a sentence: "today, 6:08 AM"."""
    words = moment(instant)
    return words[0].lower() + words[1:] if words.startswith(("Today", "Yesterday")) else words


def day(instant: dt.datetime) -> str:
    """ "November 18, 2027" """
    local = _local(instant)
    return f"{local:%B} {local.day}, {local.year}"


def span(appointment: Appointment) -> str:
    """When an appointment is: "Thu, Nov 19, 9:00 – 9:50 AM", or the day alone."""
    if appointment.all_day:
        return whole_day(appointment.start_date)
    return stretch(appointment.starts_at, appointment.ends_at)


def whole_day(date: dt.date) -> str:
    """ "Thu, Nov 19, all day"."""
    return f"{date:%a, %b} {date.day}, all day"


def stretch(starts_at: dt.datetime, ends_at: dt.datetime, *, all_day: bool = False) -> str:
    """ "Thu, Nov 19, 9:00 – 9:50 AM"; of an all-day one the first day alone."""
    start, end = _local(starts_at), _local(ends_at)
    if all_day:
        return whole_day(start.date())
    first = _clock(start).removesuffix(f" {end:%p}") if start.date() == end.date() else _clock(start)
    return f"{start:%a, %b} {start.day}, {first} – {_clock(end)}"


def ago(instant: dt.datetime) -> str:
    """ "just now", "2 min ago", "5 days ago" """
    return instants.ago(instant, utcnow())


def until(instant: dt.datetime) -> str:
    """ "in 48 s", "in 3 min", "any moment" """
    return instants.until(instant, utcnow())


def _local(instant: dt.datetime) -> dt.datetime:
    zone: Any = current_user.provider.zone
    return instant.astimezone(zone)


def _clock(local: dt.datetime) -> str:
    return f"{local:%I:%M %p}".lstrip("0")
