"""Appointments: the signs of their statuses, the choices of their forms, and what overlaps them."""

from __future__ import annotations

from collections.abc import Mapping

from portal.models import AppointmentStatus

ICONS: Mapping[AppointmentStatus, str] = {
    AppointmentStatus.SCHEDULED: "calendar",
    AppointmentStatus.COMPLETED: "check",
    AppointmentStatus.CANCELED: "x-circle",
    AppointmentStatus.LATE_CANCELED: "x-circle",
    AppointmentStatus.NO_SHOW: "noshow",
}

# By the origin of what lies in the way
OVERLAPPED = {"appointment": "another appointment", "google": "a Google event"}

# The choices of the forms, as (value, words)
APPLY_TO = (("this", "This one"), ("following", "This and following"), ("all", "All"))
REPEATS = (
    ("", "Does not repeat"),
    ("weekly", "Weekly"),
    ("monthly", "Monthly"),
    ("monthly-by-weekday", "Monthly, on the same weekday"),
)
ENDS = (("never", "Never"), ("date", "On date"), ("after", "After"))


def apply_to_hint(*, following: int, all_: int) -> str:
    """How many appointments each answer is about."""
    return (
        f"This and following: {following} appointments. All that are still to come: {all_}. "
        "What took place, or was canceled, stays as it is."
    )


def skipped(typed: str, kept: str) -> str:
    """Of a time that the clocks skip, where the hour is put forward that night."""
    return f"The clocks skip {typed} on this day, so it begins at {kept}."


def twice(time: str) -> str:
    """Of a time that the clocks show twice, where the hour is put back that night."""
    return f"The clocks show {time} twice on this day; it begins at the first."


def overlapping(number: int) -> str:
    """ "1 appointment overlaps", "2 appointments overlap" """
    return f"{number} {'appointment overlaps' if number == 1 else 'appointments overlap'}"
