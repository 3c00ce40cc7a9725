"""The dates that Google itself shows, to hold against those kept here."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

import requests

from portal.sync.shown import KEPT_BEFORE, READY_AHEAD
from sandbox.client import Json, SandboxClient


def google_shows(google: SandboxClient, email: str, *, now: dt.datetime) -> Counter[dt.datetime]:
    """The starts of the primary calendar's dates, expanded by the sandbox's own code, page after page.

    As far ahead as series are promised to be ready here; how much further they are depends on when they were
    last read.
    """
    token = google.authorize(email, "calendar.readonly")["access_token"]
    query = {
        "singleEvents": "true",
        "timeMin": (now - KEPT_BEFORE).isoformat(),
        "timeMax": (now + READY_AHEAD).isoformat(),
        "maxResults": "2500",
    }
    found: Counter[dt.datetime] = Counter()
    while True:
        answer = requests.get(
            f"{google.api_endpoint}calendars/primary/events",
            params=query,
            headers={"Authorization": f"Bearer {token}"},
            timeout=300,
        ).json()
        found.update(start_of(item) for item in answer["items"])
        if "nextPageToken" not in answer:
            return found
        query["pageToken"] = answer["nextPageToken"]


def promised(starts: Iterable[dt.datetime], *, now: dt.datetime) -> Counter[dt.datetime]:
    """Those of the dates kept here that are as near as `google_shows` looks."""
    return Counter(start for start in starts if start < now + READY_AHEAD)


def start_of(event: Json) -> dt.datetime:
    return dt.datetime.fromisoformat(event["start"]["dateTime"]).astimezone(dt.UTC)
