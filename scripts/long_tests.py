"""Runs the long tests and keeps what they measured: commit, seed, machine, outcome, time of each.

`make test-long`, or `python -m scripts.long_tests [SEED] [pytest arguments]`.
"""

from __future__ import annotations

import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

MEASUREMENTS = Path(__file__).resolve().parent.parent / "docs" / "measurements"


def main(arguments: list[str]) -> int:
    """Run the long tests with a seed that is written down, so that a failure can be repeated."""
    seed = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else secrets.randbelow(10**9)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        started = time.monotonic()
        exit_code = _run_pytest(seed, report, arguments)
        seconds = time.monotonic() - started
        rows = _outcomes(report) if report.exists() else []
    written = _write_summary(seed=seed, exit_code=exit_code, seconds=seconds, rows=rows)
    print(f"long tests: {len(rows)} ran, exit {exit_code}, summary in {written.relative_to(Path.cwd())}")
    return exit_code


def _run_pytest(seed: int, report: Path, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-m", "long", "-p", "no:cacheprovider"]
    command += [f"--randomly-seed={seed}", f"--hypothesis-seed={seed}", f"--junit-xml={report}", *arguments]
    environment = {**os.environ, "LOCKSTEP_SEED": str(seed)}
    return subprocess.run(command, env=environment, check=False).returncode


def _outcomes(report: Path) -> list[tuple[str, str, float]]:
    cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 (pytest wrote it, just now)
    return [(_title(case), _outcome(case), float(case.get("time", "0"))) for case in cases]


def _title(case: ET.Element) -> str:
    return f"{case.get('classname', '')}.{case.get('name', '')}"


def _outcome(case: ET.Element) -> str:
    for kind in ("failure", "error", "skipped"):
        if case.find(kind) is not None:
            return kind
    return "passed"


def _write_summary(*, seed: int, exit_code: int, seconds: float, rows: list[tuple[str, str, float]]) -> Path:
    MEASUREMENTS.mkdir(parents=True, exist_ok=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    path = MEASUREMENTS / f"long-tests-{day}-{_commit()[:10]}.md"
    lines = [
        f"# Long tests, {day}",
        "",
        f"- {commit_words()}",
        f"- seed: {seed} (again: `python -m scripts.long_tests {seed}`)",
        f"- {machine_words()}",
        f"- exit code: {exit_code}, after {seconds:.0f} s",
        "",
        "| Test | Outcome | Seconds |",
        "|---|---|---|",
        *(f"| `{title}` | {outcome} | {took:.1f} |" for title, outcome, took in rows),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def commit_words() -> str:
    """What was measured, as a line of a summary."""
    return f"commit: {_commit()}{' with uncommitted changes' if _dirty() else ''}"


def machine_words() -> str:
    """Where it was measured; ratios taken in one run mean more than seconds."""
    return f"machine: {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def _commit() -> str:
    return _git("rev-parse", "HEAD") or "no commit yet"


def _dirty() -> bool:
    """Whether anything but a summary differs from the commit: the runs write theirs as they go."""
    return bool(_git("status", "--porcelain", "--", ".", ":!docs/measurements"))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
