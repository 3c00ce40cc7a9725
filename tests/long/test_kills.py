"""Twenty workers killed at random moments of pushes and pulls: nothing lost, nothing doubled."""

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


def calls(google: SandboxClient) -> int:
    counters = google.requests(after=10**12)["counters"]
    return int(counters["writes"]) + int(counters["reads"])
