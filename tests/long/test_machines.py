"""The two state machines over far more histories than `make test` has time for, round by round.

CORE_EXAMPLES and MACHINE_EXAMPLES say how many in all, MACHINE_STEPS how long a history is. A round that went
well is remembered under build/machines/ by commit and seed, so a run that was stopped goes on where it was:
`python -m scripts.long_tests SEED`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo.processes import ROOT
from scripts.long_tests import commit_words

SEED = int(os.environ.get("LOCKSTEP_SEED", "1"))
MEMORY = ROOT / "build" / "machines"
FIGURES = re.compile(r"state machine over .*\{.*\}")
CORE = "tests/sync/test_convergence.py"
ENGINE = "tests/engine/test_machine.py"


@pytest.mark.parametrize(
    ("machine", "variable", "total", "in_a_round", "steps"),
    [
        (CORE, "CORE_EXAMPLES", 20_000, 1_000, "40"),
        (ENGINE, "MACHINE_EXAMPLES", 2_000, 50, os.environ.get("MACHINE_STEPS", "30")),
    ],
    ids=["core", "engine"],
)
def test_the_law_holds_after_very_many_histories(
    machine: str, variable: str, total: int, in_a_round: int, steps: str
) -> None:
    wanted = int(os.environ.get(variable, str(total)))
    memory = _memory(machine, steps)
    while (done := _examples(memory)) < wanted:
        settings = {variable: str(in_a_round), "MACHINE_STEPS": steps}
        printed = _round(machine, seed=SEED * 100_000 + done, settings=settings)
        memory.parent.mkdir(parents=True, exist_ok=True)
        with memory.open("a") as file:
            file.write(f"{in_a_round} {' '.join(FIGURES.findall(printed))}\n")
    print(f"{machine}: {_examples(memory)} histories, seed {SEED}")  # noqa: T201 (figures to keep)


def _round(machine: str, *, seed: int, settings: dict[str, str]) -> str:
    """What one run of the test prints, which must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = subprocess.run(
        [*command, f"--hypothesis-seed={seed}", machine],
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}:\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def _memory(machine: str, steps: str) -> Path:
    commit = commit_words().split()[1][:10]
    return MEMORY / f"{Path(machine).stem}-{commit}-{SEED}-{steps}.txt"


def _examples(memory: Path) -> int:
    lines = memory.read_text().splitlines() if memory.exists() else []
    return sum(int(line.split()[0]) for line in lines)
