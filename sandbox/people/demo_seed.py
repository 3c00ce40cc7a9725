"""The demo's Google: two invented people, and every kind of event a sync has to understand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.ground.errors import Json
from sandbox.ground.model import Account, Calendar
from sandbox.ground.times import zone
from sandbox.people import person
from sandbox.state.world import World

ZONE = "America/Chicago"
WREN, SOL = "wren.hale@example.com", "sol.ortiz@example.com"


class Planter:
    """Puts events into one calendar, told in days from this week's Monday."""

    def __init__(self, world: World, account: Account, calendar: Calendar) -> None:
        self.world, self.account, self.calendar = world, account, calendar
        today = world.clock.now().astimezone(zone(ZONE)).date()
        self.monday = today - timedelta(days=today.weekday())

    def timed(self, summary: str, day: int, clock: str, minutes: int, **more: Any) -> Json:
        """An event at a wall-clock time, `day` days after Monday."""
        start = datetime.fromisoformat(f"{self.monday + timedelta(days=day)}T{clock}:00")
        end = start + timedelta(minutes=minutes)
        return self._add(
            summary=summary,
            start={"dateTime": start.isoformat(), "timeZone": ZONE},
            end={"dateTime": end.isoformat(), "timeZone": ZONE},
            **more,
        )

    def all_day(self, summary: str, day: int, days: int = 1, **more: Any) -> Json:
        """An event of whole days."""
        start = self.monday + timedelta(days=day)
        end = start + timedelta(days=days)
        return self._add(
            summary=summary, start={"date": start.isoformat()}, end={"date": end.isoformat()}, **more
        )

    def instance(self, master: Json, day: int) -> Json:
        """The instance of a series on a day after Monday."""
        date = (self.monday + timedelta(days=day)).isoformat()
        params = {"calendarId": self.calendar.id, "eventId": master["id"], "maxResults": 50}
        rows = person.act(self.world, self.account, "events.instances", params)["items"]
        return next(row for row in rows if row["start"].get("dateTime", "").startswith(date))

    def change(self, event: Json, **changes: Any) -> None:
        """Edit an event or one date of a series."""
        person.change_event(self.world, self.account, self.calendar, event["id"], changes)

    def _add(self, **body: Any) -> Json:
        return person.force_event(self.world, self.account, self.calendar, body)


def plant(world: World) -> None:
    """Wren's Workspace account and Sol's consumer one."""
    wren = world.add_account(
        WREN, name="Wren Hale", hd="example.com", time_zone=ZONE, sub="100000000000000000001"
    )
    sol = world.add_account(SOL, name="Sol Ortiz", time_zone=ZONE, sub="100000000000000000002")
    _wrens_week(Planter(world, wren, world.calendars[WREN]))
    _gym(Planter(world, wren, world.calendars[WREN]))
    _special_types(Planter(world, wren, world.calendars[WREN]))
    _other_calendars(world, wren)
    sols = Planter(world, sol, world.calendars[SOL])
    sols.timed("Choir practice", 1, "19:00", 90, recurrence=["RRULE:FREQ=WEEKLY;BYDAY=TU"])
    sols.timed("Bike repair", 3, "09:30", 30)


def _wrens_week(week: Planter) -> None:
    week.timed("Lunch", -28, "12:30", 45, recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"])
    week.timed("Dentist", 1, "08:00", 60, location="2nd floor")
    week.timed("School concert", 3, "18:00", 90)
    week.all_day("Mum visiting", 4, 2)
    week.timed("Parcel window", 2, "09:00", 180, transparency="transparent")
    guests = [{"email": WREN, "responseStatus": "declined"}, {"email": SOL, "responseStatus": "accepted"}]
    week.timed("Book club", 2, "19:00", 120, attendees=guests)
    week.timed("Call with the accountant", 8, "16:00", 30, visibility="private")


def _gym(week: Planter) -> None:
    """A series with one moved and one cancelled date."""
    gym = week.timed("Gym", -21, "07:00", 45, recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR"])
    moved, cancelled = week.instance(gym, 2), week.instance(gym, 4)
    later = datetime.fromisoformat(moved["start"]["dateTime"]) + timedelta(hours=10)
    week.change(
        moved,
        start={"dateTime": later.isoformat(), "timeZone": ZONE},
        end={"dateTime": (later + timedelta(minutes=45)).isoformat(), "timeZone": ZONE},
    )
    week.change(cancelled, status="cancelled")


def _special_types(week: Planter) -> None:
    yearly: Json = {
        "recurrence": ["RRULE:FREQ=YEARLY"],
        "visibility": "private",
        "transparency": "transparent",
    }
    week.all_day("Happy birthday!", 3, eventType="birthday", **yearly)
    place: Json = {"type": "homeOffice", "homeOffice": {}}
    at_home: Json = {
        "workingLocationProperties": place,
        "visibility": "public",
        "transparency": "transparent",
    }
    week.all_day("Home", 1, eventType="workingLocation", **at_home)


def _other_calendars(world: World, wren: Account) -> None:
    home = world.add_calendar(
        wren, "home-and-garden-demo@group.calendar.google.com", kind="secondary", summary="Home and garden"
    )
    garden = Planter(world, wren, home)
    garden.timed("Water the beans", -7, "06:30", 15, recurrence=["RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TU,SA"])
    garden.timed("Chimney sweep", 9, "10:00", 60)
    headway = world.add_calendar(
        wren, "headway-demo@group.calendar.google.com", kind="secondary", summary="Headway", role="reader"
    )
    sessions = Planter(world, wren, headway)
    for day, clock in ((0, "15:00"), (2, "11:00"), (3, "14:00")):
        sessions.timed("Headway session", day, clock, 50)
    holidays = world.add_calendar(
        wren, "en.usa#holiday@group.v.calendar.google.com", kind="holidays",
        summary="Holidays in United States", role="reader",
    )  # fmt: skip
    Planter(world, wren, holidays).all_day("Founders' Day", 10, transparency="transparent")
    feed = world.add_calendar(
        wren, "tides-demo@import.calendar.google.com", kind="import", summary="Lake levels", role="reader"
    )
    Planter(world, wren, feed).all_day("High water", 5, transparency="transparent")
