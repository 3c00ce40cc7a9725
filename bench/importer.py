"""One first import in this process, which prints what it took: `python -m bench.importer ours URL FOLDER`."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import ground
from portal.extensions import db
from portal.google.client import LIST_FIELDS, LIST_PAGE_SIZE
from portal.models import GoogleEvent
from sandbox.client import SandboxClient


def ours(url: str, folder: Path) -> dict[str, Any]:
    """The whole first run, from a fresh grant to *active*: calendar, lists, rows, occurrences."""
    with ground.portal_app(folder, url):
        provider = ground.add_provider()
        connection = ground.connect_primary(provider, SandboxClient(url))
        began, cpu = time.perf_counter(), time.process_time()
        outcome = ground.run_once(connection.id)
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        count = db.session.scalar(sa.select(sa.func.count(GoogleEvent.id)))
    return {**took, "count": count, "outcome": outcome.value, "megabytes": ground.peak_megabytes()}


def floor(url: str, folder: Path) -> dict[str, Any]:
    """What nobody can do without: ask, parse, insert the same fields durably, a transaction a page."""
    token = SandboxClient(url).authorize(ground.EMAIL, "calendar.events.owned.readonly")["access_token"]
    folder.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE event (id INTEGER PRIMARY KEY, event_id TEXT UNIQUE, etag, updated, status, summary,"
        " starts, ends, recurrence, transparency, visibility, html_link)"
    )
    began, cpu = time.perf_counter(), time.process_time()
    count, page_token = 0, None
    while True:
        page = _page(url, token, page_token)
        database.execute("BEGIN IMMEDIATE")
        insert = "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        database.executemany(insert, map(_values, page["items"]))
        database.execute("COMMIT")
        count += len(page["items"])
        page_token = page.get("nextPageToken")
        if page_token is None:
            took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
            return {**took, "count": count}


def _page(url: str, token: str, page_token: str | None) -> dict[str, Any]:
    query = {"singleEvents": "false", "maxResults": str(LIST_PAGE_SIZE), "fields": LIST_FIELDS}
    query |= {"pageToken": page_token} if page_token else {}
    address = f"{url}/calendar/v3/calendars/primary/events?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (a stand-in on this machine)
        page: dict[str, Any] = json.loads(answer.read())
    return page


def _values(item: dict[str, Any]) -> tuple[object, ...]:
    fields = [item.get(name) for name in ("id", "etag", "updated", "status", "summary")]
    times = [json.dumps(item.get(name)) for name in ("start", "end", "recurrence")]
    return (*fields, *times, item.get("transparency"), item.get("visibility"), item.get("htmlLink"))


if __name__ == "__main__":
    measure = {"ours": ours, "floor": floor}[sys.argv[1]]
    print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
