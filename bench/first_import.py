"""First import of 10,000 events: into our durable database, into gcal_sync's memory, and as a floor."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import ground, peers
from bench.report import Row, median
from demo.processes import ROOT, Process, answers, free_port, plain_environment
from sandbox.client import SandboxClient

EVENTS, ROUNDS = 10_000, 3
BUDGET = "no slower than gcal_sync 8; ≤ 5 × the floor"
MEMORY_BUDGET = "flat in the number of pages"
Took = dict[str, Any]


def measure(folder: Path) -> list[Row]:
    with _answers_from_memory(folder / "10k", EVENTS) as (url, there):
        tries: dict[str, Callable[[int], Took]] = {
            "ours": lambda number: _import("ours", url, folder / f"ours-{number}"),
            "floor": lambda number: _import("floor", url, folder / f"floor-{number}"),
            "peer": lambda _: _gcal_sync(url, there),
        }
        missing = _missing_peer()
        if missing:
            del tries["peer"]
        for attempt in tries.values():
            attempt(0)  # fills the memory of what Google answers
        rounds = [
            {name: attempt(number) for name, attempt in tries.items()} for number in range(1, ROUNDS + 1)
        ]
    assert all(took["count"] == EVENTS for each in rounds for took in each.values()), rounds
    times = {name: median([each[name]["seconds"] for each in rounds]) for name in tries}
    times |= {f"{name} cpu": median([each[name]["cpu"] for each in rounds]) for name in tries}
    return [_row(times, missing), _memory_row(folder, rounds[-1]["ours"]["megabytes"])]


def _row(times: dict[str, float], missing: str) -> Row:
    """Judged by processor time, which others at work on the machine disturb less; the clock's is told too."""
    to_floor, to_floor_cpu = _ratios(times, "floor")
    against = f"floor {times['floor']:.2f} s: {to_floor:.2f} ×, processor time {to_floor_cpu:.2f} ×"
    is_kept = None
    if not missing:
        to_peer, to_peer_cpu = _ratios(times, "peer")
        against += f"; gcal_sync {times['peer']:.2f} s: {to_peer:.2f} ×, processor time {to_peer_cpu:.2f} ×"
        is_kept = to_peer_cpu <= 1 and to_floor_cpu <= 5
    return Row(
        what=f"First import of {EVENTS:,} events into the durable database, dates made ready",
        measured=f"{times['ours']:.2f} s, {times['ours cpu']:.2f} s of processor time",
        against=f"{against}; {missing}" if missing else against,
        budget=BUDGET,
        is_kept=is_kept,
    )


def _ratios(times: dict[str, float], other: str) -> tuple[float, float]:
    return times["ours"] / times[other], times["ours cpu"] / times[f"{other} cpu"]


def _memory_row(folder: Path, at_four_pages: float) -> Row:
    with _answers_from_memory(folder / "20k", 2 * EVENTS) as (url, _):
        _import("ours", url, folder / "ours-20k-0")
        at_eight_pages = _import("ours", url, folder / "ours-20k-1")["megabytes"]
    return Row(
        what="Most memory during a first import of eight pages",
        measured=f"{at_eight_pages:.0f} MB",
        against=f"{at_eight_pages / at_four_pages:.2f} × that of four pages ({at_four_pages:.0f} MB)",
        budget=MEMORY_BUDGET,
        is_kept=at_eight_pages <= 1.1 * at_four_pages,
    )


def _import(kind: str, url: str, folder: Path) -> Took:
    return ground.in_a_process("bench.importer", kind, url, str(folder))


def _gcal_sync(url: str, there: SandboxClient) -> Took:
    token = there.authorize(ground.EMAIL, "calendar.events.owned.readonly")["access_token"]
    return ground.in_a_process("bench.gcal_sync_import", url, token, python=str(peers.python()))


def _missing_peer() -> str:
    try:
        peers.python()
    except peers.NoPeers as error:
        return f"gcal_sync could not be installed ({error})"
    return ""


@contextmanager
def _answers_from_memory(folder: Path, events: int) -> Iterator[tuple[str, SandboxClient]]:
    """A Google with so many events in the primary calendar, behind the proxy that remembers its lists."""
    folder.mkdir(parents=True)
    seed = folder / "seed.json"
    seed.write_text(json.dumps(_account(events)))
    with ground.google(folder, "--seed", str(seed)) as there:
        port = free_port()
        command = [sys.executable, "-m", "bench.replay", there.url, str(port)]
        replay = Process("replay", command, plain_environment(), folder / "replay.log", cwd=ROOT).start()
        url = f"http://127.0.0.1:{port}"
        try:
            replay.wait_until(lambda: answers(f"{url}/.well-known/openid-configuration"))
            yield url, SandboxClient(url)
        finally:
            replay.stop()


def _account(events: int) -> dict[str, Any]:
    calendar = {"id": "primary", "events": [_event(number) for number in range(events)]}
    return {"accounts": [{"email": ground.EMAIL, "hd": "example.com", "calendars": [calendar]}]}


def _event(number: int) -> dict[str, Any]:
    """Single events of half an hour, within the year around today."""
    today = dt.datetime.now(dt.UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    start = today + dt.timedelta(days=number % 365 - 60, minutes=(number // 365) * 20)
    zone = {"timeZone": ground.ZONE}
    return {
        "summary": f"Errand {number}",
        "description": "Bring the forms, and ask about the parking permit.",
        "start": {"dateTime": start.isoformat(), **zone},
        "end": {"dateTime": (start + dt.timedelta(minutes=30)).isoformat(), **zone},
    }
