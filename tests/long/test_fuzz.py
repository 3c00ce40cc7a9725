"""Ten thousand requests that nobody means, on each database: no crash, and no trace of what was refused."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.long_tests import MEASUREMENTS, commit_words, machine_words
from tests.fuzzer import Fuzzer, Tally
from tests.processes import Postgres
from tests.whole_practice import open_practice

SEED = int(os.environ.get("LOCKSTEP_SEED", "1"))
REQUESTS, AT_A_TIME = 10_000, 500  # then a fresh practice, as much is gone or turned off by then

NewDatabase = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Iterator[tuple[str, NewDatabase]]:
    if request.param == "sqlite":
        yield "SQLite", lambda: "sqlite://"
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        yield "PostgreSQL", server.new_database


def test_ten_thousand_requests_crash_nothing_and_leave_nothing_that_was_refused(
    databases: tuple[str, NewDatabase], tmp_path: Path
) -> None:
    name, new_database = databases
    began, tally = time.monotonic(), Tally()
    for number in range(REQUESTS // AT_A_TIME):
        folder = tmp_path / str(number)
        folder.mkdir()
        with open_practice(folder, new_database()) as practice:
            practice.app.config["WTF_CSRF_ENABLED"] = False
            fuzzer = Fuzzer(practice, SEED * 1000 + number)
            tally.add(fuzzer.run(AT_A_TIME))
            endpoints = set(practice.app.view_functions)
    keep_figures(name, tally, time.monotonic() - began)
    assert tally.faults == []
    assert endpoints - set(tally.reached) == set()
    assert tally.taken > REQUESTS / 4


def keep_figures(database: str, tally: Tally, seconds: float) -> None:
    """The part of docs/measurements/fuzz.md that tells of this database."""
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
    lines = [
        f"## {database}",
        "",
        f"- {commit_words()}",
        f"- {machine_words()}; others were at work on it too",
        f"- seed {SEED}; again: `LOCKSTEP_SEED={SEED} python -m pytest -m long tests/long/test_fuzz.py`",
        f"- {tally.statuses.total():,} requests in {seconds:.0f} s, over {len(tally.reached)} endpoints,"
        f" the least {min(tally.reached.values())} times",
        f"- answers: {statuses}. A 503 is `/readyz`, which says that no worker is up",
        f"- faults: {len(tally.faults)}",
    ]
    path = MEASUREMENTS / "fuzz.md"
    others = [part for part in path.read_text().split("\n## ")[1:] if not part.startswith(f"{database}\n")]
    parts = sorted([*(f"## {part.strip()}" for part in others), "\n".join(lines)], reverse=True)
    path.write_text("\n\n".join([HEAD, *parts]) + "\n")


HEAD = """# Requests that nobody means

`tests/long/test_fuzz.py`: two providers, an owner and somebody who is not signed in send wrong values by
turns, in the forms that pages draw for them and for each other and to every address. After each request all
tables are compared. A fault is an answer of 500 or more, a header that is lacking, a way out of the portal,
a row that a refused request changed, and a row of somebody else that any request changed. Notes of sign-
ins, of the audit and of feeds' readers are left out."""
