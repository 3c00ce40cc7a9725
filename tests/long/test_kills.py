"""Workers killed at random moments: nothing lost, nothing doubled, and soon gone on with."""

from __future__ import annotations

import os
import time

import pytest

from demo.processes import Sandbox
from sandbox.client import SandboxClient
from tests.conftest import StartPortal
from tests.long.crowd import Crowd, in_portal

SEED = int(os.environ.get("LOCKSTEP_SEED", "1"))
KILLS = int(os.environ.get("KILLS", "20"))
PEOPLE, BOOKED, EDITS_BETWEEN = 3, 60, 12
FIRST_KILLS = int(os.environ.get("FIRST_KILLS", "10"))
FIRST_BOOKED = 90 * FIRST_KILLS  # so much that each kill meets a push that is under way
WRITES_AGAIN_WITHIN_SECONDS = 45.0  # the lease, a tick, and a worker that begins
ALL_AT_ONCE = 500  # appointments of one person, while both sides go on being edited


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_after_twenty_kills_the_law_holds(
    start_portal: StartPortal, database_url: str, sandbox: Sandbox, google: SandboxClient
) -> None:
    portal = start_portal(database_url, google=sandbox.settings(), web=False, workers=0)
    google.add_fault("latency", method="calendar.*", times=None, seconds=0.05)  # so that there is time to die
    with in_portal(portal):
        crowd = Crowd(google, people=PEOPLE, booked=BOOKED, seed=SEED)
        in_a_request = 0
        for _ in range(KILLS):
            worker = portal.start_worker()
            crowd.random.shuffle(crowd.people)
            for _ in range(EDITS_BETWEEN):
                crowd.edit()
            before = calls(google)
            deadline = time.monotonic() + 60
            while calls(google) == before and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(crowd.random.uniform(0.0, 0.6))  # somewhere in what it has begun
            in_a_request += calls(google) > before
            worker.kill_everything()
        portal.start_worker()
        crowd.come_to_rest(portal)
        crowd.check_the_law(portal)
    assert in_a_request == KILLS, "a worker was killed before it did anything"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_during_a_first_push_another_worker_writes_within_45_seconds(
    start_portal: StartPortal, database_url: str, sandbox: Sandbox, google: SandboxClient
) -> None:
    """Failure 51: nobody waits for a dead run's lease longer than that."""
    portal = start_portal(database_url, google=sandbox.settings(), web=False, workers=0)
    google.add_fault("latency", method="calendar.events.insert", times=None, seconds=1.0)
    waits = []
    with in_portal(portal):
        crowd = Crowd(google, people=1, booked=FIRST_BOOKED, seed=SEED)
        worker = portal.start_worker()
        wait_for_a_write(google, since=google.writes())
        for _ in range(FIRST_KILLS):
            time.sleep(crowd.random.uniform(0.0, 1.5))
            worker.kill_everything()
            killed_at = time.monotonic()
            worker = portal.start_worker()
            time.sleep(0.3)  # what was on its way when it died is not the next one's
            wait_for_a_write(google, since=google.writes())
            waits.append(time.monotonic() - killed_at)
        print("from kill to first write, s: " + ", ".join(f"{wait:.1f}" for wait in waits))  # noqa: T201
        google.clear_faults()
        crowd.come_to_rest(portal)
        crowd.check_the_law(portal)
    assert max(waits) < WRITES_AGAIN_WITHIN_SECONDS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_again_and_again_while_500_appointments_go_out_and_both_sides_are_edited(
    start_portal: StartPortal, database_url: str, sandbox: Sandbox, google: SandboxClient
) -> None:
    portal = start_portal(database_url, google=sandbox.settings(), web=False, workers=0)
    google.add_fault("latency", method="calendar.events.*", times=None, seconds=0.2)
    waits = []
    with in_portal(portal):
        crowd = Crowd(google, people=1, booked=ALL_AT_ONCE, seed=SEED)
        worker = portal.start_worker()
        wait_for_a_write(google, since=google.writes())
        for _ in range(KILLS):
            for _ in range(EDITS_BETWEEN):
                crowd.edit()
                time.sleep(crowd.random.uniform(0.0, 0.1))
            worker.kill_everything()
            killed_at, written = time.monotonic(), google.writes()
            worker = portal.start_worker()
            for _ in range(EDITS_BETWEEN):
                crowd.edit()
            wait_for_a_write(google, since=written)
            waits.append(time.monotonic() - killed_at)
        print("from kill to next write, s: " + ", ".join(f"{wait:.1f}" for wait in waits))  # noqa: T201
        print(f"edits: {dict(sorted(crowd.tally.items()))}")  # noqa: T201
        crowd.come_to_rest(portal)
        crowd.check_the_law(portal)
    assert len(waits) == KILLS
    assert max(waits) < WRITES_AGAIN_WITHIN_SECONDS


def wait_for_a_write(google: SandboxClient, *, since: int) -> None:
    deadline = time.monotonic() + 120
    while google.writes() <= since and time.monotonic() < deadline:
        time.sleep(0.1)


def calls(google: SandboxClient) -> int:
    counters = google.requests(after=10**12)["counters"]
    return int(counters["writes"]) + int(counters["reads"])
