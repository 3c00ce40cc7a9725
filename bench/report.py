"""What was measured, as rows, and the page they are kept on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.long_tests import MEASUREMENTS, commit_words, machine_words

HEADING = """# Benchmarks

`make bench`, or `python -m bench ROW …` for some of the rows. Each figure is set against a peer or a floor
that was measured in the same run on the same machine: ratios travel between machines, seconds do not.
Medians unless said otherwise.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `is_kept`: whether the budget was; None when nothing could be compared."""

    what: str
    measured: str
    against: str
    budget: str
    is_kept: bool | None


def write(rows: Sequence[Row], *, names: Sequence[str], notes: Sequence[str]) -> str:
    """Write docs/measurements/bench.md, and give back the table."""
    table = [
        "| What | Measured | Against | Budget | Kept |",
        "|---|---|---|---|---|",
        *(f"| {r.what} | {r.measured} | {r.against} | {r.budget} | {_words(r.is_kept)} |" for r in rows),
    ]
    lines = [
        HEADING,
        f"- {commit_words()}",
        f"- {machine_words()}",
        f"- command: `python -m bench {' '.join(names)}`",
        *(f"- {note}" for note in notes),
        "",
        *table,
    ]
    MEASUREMENTS.mkdir(parents=True, exist_ok=True)
    (MEASUREMENTS / "bench.md").write_text("\n".join(lines) + "\n")
    return "\n".join(table)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie, of those that were measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _words(is_kept: bool | None) -> str:
    return {True: "yes", False: "**no**", None: "not compared"}[is_kept]
