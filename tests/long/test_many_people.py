"""Fifty signed-in people clicking at once, while everybody's calendar is kept in step."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from demo.processes import ROOT, Process, Sandbox, plain_environment
from portal.extensions import begin_reading, db
from portal.models import Appointment
from sandbox.client import SandboxClient
from scripts.long_tests import MEASUREMENTS, commit_words, machine_words
from tests.conftest import StartPortal
from tests.long.crowd import Crowd, in_portal

SEED = int(os.environ.get("LOCKSTEP_SEED", "1"))
PEOPLE = int(os.environ.get("CLICKING", "50"))
SECONDS = int(os.environ.get("CLICKING_SECONDS", "180"))
BOOKED, EDITS = 40, 60
COLUMNS = ("Name", "Type", "Request Count", "Failure Count", "50%", "95%")
PASSWORD = "a long phrase"  # of tests/long/crowd.py


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_fifty_people_click_while_their_calendars_are_synced_and_nothing_fails_or_is_lost(
    start_portal: StartPortal, database_url: str, sandbox: Sandbox, google: SandboxClient, tmp_path: Path
) -> None:
    settings = {"PROXY_HOPS": "1", "SYNC_POLL_SECONDS": "5"}
    # the people here do not open a closed connection anew by themselves, as browsers do
    settings |= {"GUNICORN_CMD_ARGS": "--keep-alive 60"}
    portal = start_portal(database_url, google=sandbox.settings(), web=False, workers=0, **settings)
    with in_portal(portal):
        crowd = Crowd(google, people=PEOPLE, booked=BOOKED, seed=SEED)
        before = count_booked()
        portal.start_web(workers=2, threads=8)
        portal.start_worker()
        done, figures = tmp_path / "done.txt", tmp_path / "figures"
        people = start_people(portal.url, folder=tmp_path, done=done, figures=figures)
        while people.is_running():
            crowd.edit()
            time.sleep(SECONDS / EDITS)
        assert people.child.wait() == 0, people.printed()[-6000:]
        told = Counter(line.split()[1] for line in done.read_text().splitlines())
        crowd.come_to_rest(portal)
        crowd.check_the_law(portal)
        assert count_booked() == before + told["booked"] + crowd.tally["book"]
    assert told["booked"] > PEOPLE / 2
    assert " 500 " not in portal.printed()
    assert "crashed" not in portal.printed()
    keep(figures.with_name("figures_stats.csv"), told, crowd.tally)


def start_people(address: str, *, folder: Path, done: Path, figures: Path) -> Process:
    """Locust in a process of its own; it ends with 1 when any request failed."""
    done.touch()
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "tests" / "long" / "clicking.py")]
    command += [
        "--headless",
        "--only-summary",
        "--users",
        str(PEOPLE),
        "--spawn-rate",
        "2",
        "--host",
        address,
    ]
    command += ["--run-time", f"{SECONDS}s", "--stop-timeout", "30", "--csv", str(figures)]
    environment = {
        **plain_environment(),
        "PYTHONPATH": str(ROOT),
        "CLICKS_PASSWORD": PASSWORD,
        "CLICKS_DONE": str(done),
        "LOCKSTEP_SEED": str(SEED),
    }
    return Process("people", command, environment, folder / "people.log").start()


def count_booked() -> int:
    db.session.rollback()
    begin_reading()
    return db.session.scalar(sa.select(sa.func.count(Appointment.id))) or 0


def keep(figures: Path, told: Counter[str], edits: Counter[str]) -> None:
    """Write down what the pages took."""
    with figures.open() as file:
        rows = [row for row in csv.DictReader(file) if row["Name"]]
    lines = [
        "# Fifty people clicking",
        "",
        f"`tests/long/test_many_people.py`: {PEOPLE} signed-in people press something every one to four",
        f"seconds for {SECONDS} s, on PostgreSQL, while a worker keeps {PEOPLE} connections in step and both",
        "sides are edited; the stand-in for Google, the people, two web processes and the database share the",
        "machine. No request failed; at the end the law of `soak.md` holds for everybody, and each answered",
        "booking is there.",
        "",
        f"- {commit_words()}",
        f"- {machine_words()}",
        f"- seed: {SEED}",
        f"- saved by people: {dict(sorted(told.items()))}; edits beside them: {edits.total()}",
        "",
        "| Page | | Requests | Failed | p50, ms | p95, ms |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row[column] for column in COLUMNS)} |" for row in rows),
    ]
    (MEASUREMENTS / "many-people.md").write_text("\n".join(lines) + "\n")
