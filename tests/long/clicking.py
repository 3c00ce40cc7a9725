"""What one signed-in person clicks, for Locust: looking around most of the time, and now and then a change.

Each person has an account and an address (through one proxy). What was saved and answered with a page is
noted in a file, so that nothing of it can be missing afterwards without notice.

Run by `test_many_people.py`, with CLICKS_PASSWORD and CLICKS_DONE (the file) in the environment.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task

from tests.forms import Reader

PASSWORD = os.environ["CLICKS_PASSWORD"]
DONE = Path(os.environ["CLICKS_DONE"])
SEED = int(os.environ.get("LOCKSTEP_SEED", "1"))
numbers = itertools.count()


class Therapist(HttpUser):  # type: ignore[misc,unused-ignore]
    """Presses something every one to four seconds."""

    wait_time = between(1, 4)

    def on_start(self) -> None:
        self.number = next(numbers)
        self.chance = random.Random(SEED * 1000 + self.number)
        self.client.headers["X-Forwarded-For"] = f"198.51.100.{self.number + 1}"
        self.reader = Reader(self.host, self.client)
        with self.client.rename_request("sign in"):
            self.reader.open("/login").fill("Email", f"provider{self.number}@example.com")
            self.reader.fill("Password", PASSWORD).press("Sign in")
        assert "/calendar" in self.reader.url, self.reader.page.text[:300]

    @task(12)
    def look_at_a_week(self) -> None:
        self._look("week", f"/calendar?view=week&date={self._some_day()}")

    @task(4)
    def look_at_a_month(self) -> None:
        self._look("month", f"/calendar?view=month&date={self._some_day()}")

    @task(4)
    def look_at_a_day(self) -> None:
        self._look("day", f"/calendar?view=day&date={self._some_day()}")

    @task(3)
    def look_at_the_agenda(self) -> None:
        self._look("agenda", f"/calendar?view=agenda&date={self._some_day()}")

    @task(6)
    def open_an_appointment(self) -> None:
        number = self._some_appointment()
        if number:
            self._look("appointment", f"/appointments/{number}")

    @task(3)
    def look_for_a_client(self) -> None:
        self._look("clients", "/clients")
        self._look("search", "/calendar/search?q=canary")

    @task(2)
    def look_at_the_sync(self) -> None:
        self._look("sync calendar", "/calendar/sync")
        self._look("changes from Google", "/calendar/sync/changes")

    @task(4)
    def book(self) -> None:
        day, hour = self._some_day(), self.chance.randrange(7, 20)
        with self.client.rename_request("book: form"):
            self.reader.open(
                f"/appointments/new?date={day}&time={hour:02}:{self.chance.choice((5, 10, 35)):02}"
            )
        self.reader.fill("Kind", "Client session").fill("Duration (minutes)", "25")
        self.reader.fill("Client", "Canary Birdsong")
        self._save("book: save", "Save")
        self._note("booked")

    @task(3)
    def cancel(self) -> None:
        number = self._some_appointment()
        if not number:
            return
        self._look("appointment", f"/appointments/{number}")
        if self.reader.has_button("Cancel appointment") or "Cancel appointment" in self.reader.page.text:
            with self.client.rename_request("cancel: question"):
                self.reader.open(f"/appointments/{number}/cancel")
            if self.reader.has_button("Cancel appointment"):
                self._save("cancel: answer", "Cancel appointment")
                self._note(f"canceled {number}")

    def _look(self, name: str, address: str) -> None:
        with self.client.rename_request(name):
            self.reader.open(address)

    def _save(self, name: str, button: str) -> None:
        with self.client.rename_request(name):
            self.reader.press(button)

    def _note(self, what: str) -> None:
        with DONE.open("a") as file:
            file.write(f"{self.number} {what}\n")

    def _some_day(self) -> str:
        return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=self.chance.randrange(2, 38))).isoformat()

    def _some_appointment(self) -> str:
        """One of those on a week's page."""
        self._look("week", f"/calendar?view=week&date={self._some_day()}")
        links: list[Any] = [
            link["href"]
            for entry in self.reader.entries("appointment")
            for link in entry.find("a")
            if "/appointments/" in link["href"]
        ]
        if not links:
            return ""
        return str(self.chance.choice(links)).split("/appointments/")[1].split("?")[0].split("/")[0]
