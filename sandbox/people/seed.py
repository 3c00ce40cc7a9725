"""Accounts to begin with: the demo's, or those of a JSON file."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.people import demo_seed, person
from sandbox.state.world import World


def plant(world: World, seed: str) -> None:
    """Fill an empty world: `demo`, or a JSON file as README.md describes."""
    if seed == "demo":
        demo_seed.plant(world)
        return
    for raw in json.loads(Path(seed).read_text("utf-8"))["accounts"]:
        options = {name: raw[name] for name in ("name", "hd", "time_zone", "sub") if name in raw}
        account = world.add_account(raw["email"], **options)
        for number, calendar in enumerate(raw.get("calendars", [])):
            calendar_id = calendar.get("id") or f"seed{number}{account.sub}@group.calendar.google.com"
            if calendar_id == "primary":
                found = world.calendars[account.email]
            else:
                kind, role = calendar.get("kind", "secondary"), calendar.get("accessRole", "owner")
                found = world.add_calendar(
                    account, calendar_id, kind=kind, summary=calendar["summary"], role=role
                )
            for event in calendar.get("events", []):
                person.force_event(world, account, found, person.checked_event(event))
