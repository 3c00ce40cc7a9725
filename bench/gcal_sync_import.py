"""The peer's first import, into memory. Runs in the peers' own environment: `… URL TOKEN`."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp  # type: ignore[import-not-found]  # of the peers' environment
from gcal_sync.api import GoogleCalendarService  # type: ignore[import-not-found]
from gcal_sync.auth import AbstractAuth  # type: ignore[import-not-found]
from gcal_sync.store import InMemoryCalendarStore  # type: ignore[import-not-found]
from gcal_sync.sync import CalendarEventSyncManager  # type: ignore[import-not-found]


class Grant(AbstractAuth):  # type: ignore[misc,unused-ignore]
    """A token that is good for long enough."""

    token = ""

    async def async_get_access_token(self) -> str:
        return self.token


async def main(url: str, token: str) -> None:
    async with aiohttp.ClientSession() as web:
        grant = Grant(web, f"{url}/calendar/v3")
        grant.token = token
        store = InMemoryCalendarStore()
        manager = CalendarEventSyncManager(GoogleCalendarService(grant), "primary", store)
        began, cpu = time.perf_counter(), time.process_time()
        await manager.run()
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        (by_calendar,) = (await store.async_load()).values()
        (stored,) = by_calendar.values()
    print(json.dumps({**took, "count": len(stored["items"])}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
