"""Twenty minutes of work on both sides, with trouble and killed workers; at the end the law, for all."""

from __future__ import annotations

import os
import time

import pytest

from demo.processes import Portal, Sandbox
from sandbox.client import SandboxClient
from scripts.long_tests import MEASUREMENTS, commit_words, machine_words
from tests.conftest import StartPortal
from tests.long.crowd import Crowd, in_portal

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
SEED = int(os.environ.get("LOCKSTEP_SEED", "1"))
PEOPLE, BOOKED, WORKERS, KILLS = 20, 12, 2, 3
FAULT_SHARE = 0.02
EDITS_A_SECOND = 4.0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_after_a_soak_the_law_holds_for_all(
    start_portal: StartPortal, database_url: str, sandbox: Sandbox, google: SandboxClient
) -> None:
    portal = start_portal(database_url, google=sandbox.settings(), web=False, workers=WORKERS)
    with in_portal(portal):
        crowd = Crowd(google, people=PEOPLE, booked=BOOKED, seed=SEED)
        crowd.plan_faults(FAULT_SHARE)
        killed = work(crowd, portal)
        assert killed == KILLS
        counters = google.requests(after=10**12)["counters"]
        began = time.monotonic()
        crowd.come_to_rest(portal)
        rest_seconds = time.monotonic() - began
        crowd.check_the_law(portal)
        keep_figures(crowd, counters, killed=killed, rest_seconds=rest_seconds)


def work(crowd: Crowd, portal: Portal) -> int:
    """Edit for as long as was asked; at even distances pull the plug of a worker and start another."""
    began, ends = time.monotonic(), time.monotonic() + MINUTES * 60
    killed = 0
    while (now := time.monotonic()) < ends:
        if now - began > (killed + 1) * MINUTES * 60 / (KILLS + 1) and killed < KILLS:
            crowd.random.choice([each for each in portal.workers if each.is_running()]).kill_everything()
            portal.start_worker()
            killed += 1
        crowd.edit()
        time.sleep(max(0.0, now + 1 / EDITS_A_SECOND - time.monotonic()))  # the pace that was asked for
    return killed


def keep_figures(crowd: Crowd, counters: dict[str, object], *, killed: int, rest_seconds: float) -> None:
    """docs/measurements/soak.md, for the full length only; a shorter try is no soak."""
    figures = crowd.figures()
    lines = [
        "# Soak",
        "",
        "`tests/long/test_soak.py`: real workers, queue and HTTP; random edits on both sides, faults, killed",
        "workers. At the end, for every connection: each live appointment has its one event, each date of",
        "the primary calendar is here once, and a run that reads everything anew writes nothing.",
        "",
        f"- {commit_words()}",
        f"- {machine_words()}; others were at work on it too",
        f"- {MINUTES:g} minutes, {PEOPLE} connections, {WORKERS} workers, seed {SEED}",
        f"- {FAULT_SHARE:.0%} of all Calendar API calls met a fault; {killed} workers were killed",
        f"- at rest {rest_seconds:.0f} s after the last edit, the law held for all {PEOPLE}",
        "",
        "| | |",
        "|---|---|",
        *(f"| edits: {name.replace('_', ' ')} | {count} |" for name, count in figures["edits"].items()),
        *(f"| runs: {name} | {count} |" for name, count in figures["runs"].items()),
        f"| appointments at the end | {figures['appointments']} |",
        f"| dates of Google events here at the end | {figures['occurrences']} |",
        f"| calls to the Calendar API | {counters['reads']} reads, {counters['writes']} writes |",
        f"| answers by status | {counters['by_status']} |",
    ]
    print("\n".join(lines))  # noqa: T201 (figures to keep)
    if MINUTES >= 20:
        MEASUREMENTS.mkdir(parents=True, exist_ok=True)
        (MEASUREMENTS / "soak.md").write_text("\n".join(lines) + "\n")
