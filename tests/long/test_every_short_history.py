"""The law after every history of up to seven steps (tests/explorer); docs/measurements/histories.md."""

from __future__ import annotations

import os
import time

from scripts.long_tests import MEASUREMENTS, commit_words, machine_words
from tests.explorer.explore import BEGINNINGS, Explorer, explore

DEPTH = int(os.environ.get("HISTORY_STEPS", "7"))


def test_the_law_holds_after_every_history_of_seven_steps() -> None:
    began = time.monotonic()
    explored = [explore(begun, DEPTH) for begun in BEGINNINGS]
    keep_figures(explored, seconds=time.monotonic() - began)
    assert sum(explorer.histories for explorer in explored) > 1_000_000 or DEPTH < 7


def keep_figures(explored: list[Explorer], *, seconds: float) -> None:
    """Seven steps or more are worth keeping; a shorter try is none."""
    lines = [
        "# Every short history",
        "",
        "`tests/long/test_every_short_history.py`: one appointment and one event, every history of up to",
        f"{DEPTH} steps of people on both sides and of our workers (`tests/explorer/moves.py`), each world",
        "once. At the end of each the workers die, quiet runs follow until nothing changes; then the law.",
        "",
        f"- {commit_words()}",
        f"- {machine_words()}",
        "- seed: none; nothing is drawn",
        f"- the law held, in {seconds:.0f} s ({time.process_time():.0f} s of one core)",
        "",
        "| Begun | Histories | States | On the way to rest |",
        "|---|---|---|---|",
        *(
            f"| {each.begun} | {each.histories:,} | {each.states:,} | {len(each.resting):,} |"
            for each in explored
        ),
    ]
    print("\n".join(lines))  # noqa: T201 (figures to keep)
    if DEPTH >= 7:
        MEASUREMENTS.mkdir(parents=True, exist_ok=True)
        (MEASUREMENTS / "histories.md").write_text("\n".join(lines) + "\n")
