"""Takes guards away, one at a time, and sees the tests of their failures fail.

`python -m scripts.guards [--only NUMBER ...] [--most N]`. A guard is taken out of a copy of the tree, never
of the tree itself. What was seen is remembered under build/guards/ for as long as the guard's module and the
test's file stay as they are, so a run may be stopped at any time. The summary is docs/measurements/guards.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.long_tests import MEASUREMENTS, commit_words, machine_words

ROOT = Path(__file__).resolve().parent.parent
PLANS = ROOT / "scripts" / "guards.toml"
MEMORY = ROOT / "build" / "guards"
COPIED = (
    "portal",
    "sandbox",
    "tests",
    "demo",
    "deploy",
    "migrations",
    "templates",
    "static",
    "scripts",
    "docs",
    "pyproject.toml",
    "wsgi.py",
    "worker.py",
)
LONGEST_SECONDS = 300
TESTS_FAILED = 1  # pytest's exit code; any other says that something else went wrong


@dataclass(frozen=True, slots=True)
class Removal:
    """One guard and how to take it away: `old` stands exactly once in the module, and becomes `new`.

    `also`: another guard right behind it, as path, old and new. `database`: where it can be missed at all.
    """

    failures: tuple[int, ...]
    what: str
    module: str
    old: str
    new: str
    test: str
    also: tuple[str, str, str] | None = None
    database: str = "sqlite"

    @property
    def path(self) -> Path:
        """A module of the portal by its dotted name, or any other file by its path."""
        if "/" in self.module:
            return Path(self.module)
        return Path("portal", *self.module.split(".")).with_suffix(".py")

    @property
    def edits(self) -> list[tuple[Path, str, str]]:
        own = [(self.path, self.old, self.new)]
        return own if self.also is None else [*own, (Path(self.also[0]), *self.also[1:])]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`noticed`, `unnoticed`, or `broken` when the test could not be run as it should."""

    outcome: str
    seconds: float


def removals() -> list[Removal]:
    """All that are planned, in the order of the file."""
    planned = tomllib.loads(PLANS.read_text())["removal"]
    return [_removal(each) for each in planned]


def _removal(planned: dict[str, Any]) -> Removal:
    lists = {name: tuple(value) for name, value in planned.items() if isinstance(value, list)}
    return Removal(**{**planned, **lists})


def main(arguments: Sequence[str]) -> int:
    """Exit 0 when every guard that was taken away was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of failures")
    parser.add_argument("--most", type=int, help="how many removals to try in this call")
    options = parser.parse_args(arguments)
    wanted = [each for each in removals() if not options.only or set(options.only) & set(each.failures)]
    left = [each for each in wanted if _remembered(each) is None]
    left = left[: options.most]
    with _copy_of_the_tree() as tree:
        usual = sorted({removal.test for removal in left if removal.database == "sqlite"})
        all_pass = not usual or _run(usual, tree) == 0
        for removal in left:
            is_known = all_pass and removal.database == "sqlite"
            verdict = _try(removal, tree, is_known_to_pass=is_known)
            _remember(removal, verdict)
            print(f"{verdict.outcome:9} {verdict.seconds:5.0f} s  {removal.what}", flush=True)
            _write_summary([(each, _remembered(each)) for each in removals()])
    verdicts = [(each, _remembered(each)) for each in removals()]
    _write_summary(verdicts)
    failed = [each for each, verdict in verdicts if verdict and verdict.outcome != "noticed"]
    return 1 if failed else 0


def _try(removal: Removal, tree: Path, *, is_known_to_pass: bool) -> Verdict:
    """The test passes with the guard, and fails without it."""
    before = {path: (tree / path).read_text() for path, _, _ in removal.edits}
    passes = is_known_to_pass or _run([removal.test], tree, removal.database) == 0
    if not passes or any(before[path].count(old) != 1 for path, old, _ in removal.edits):
        return Verdict("broken", 0.0)
    begun = time.monotonic()
    try:
        for path, old, new in removal.edits:
            (tree / path).write_text(before[path].replace(old, new))
        exit_code = _run([removal.test], tree, removal.database)
    finally:
        for path, whole in before.items():
            (tree / path).write_text(whole)
    outcome = {TESTS_FAILED: "noticed", 0: "unnoticed"}.get(exit_code, "broken")
    return Verdict(outcome, time.monotonic() - begun)


def _run(tests: Sequence[str], tree: Path, database: str = "sqlite") -> int:
    """Exit code of pytest for tests of the copy; one that hangs without its guard has noticed.

    Hardly a guard depends on the database, so one of the two is enough.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no"]
    command += [
        "-k",
        "postgres" if database == "postgres" else "not postgres",
        *(f"tests/{test}" for test in tests),
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=environment,
            capture_output=True,
            check=False,
            timeout=LONGEST_SECONDS * max(1, len(tests) // 5),
        )
    except subprocess.TimeoutExpired:
        return TESTS_FAILED
    return done.returncode


@contextmanager
def _copy_of_the_tree() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="guards-") as scratch:
        tree = Path(scratch)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, tree / name)
        yield tree


# What is remembered


def _memory_of(removal: Removal) -> Path:
    """Another file as soon as the removal, its module or its test's file is another."""
    digest = hashlib.sha256(repr(removal).encode())
    paths = [path for path, _, _ in removal.edits]
    for path in (*paths, Path("tests", removal.test.split("::")[0])):
        digest.update((ROOT / path).read_bytes())
    return MEMORY / f"{digest.hexdigest()[:24]}.json"


def _remembered(removal: Removal) -> Verdict | None:
    path = _memory_of(removal)
    return Verdict(**json.loads(path.read_text())) if path.exists() else None


def _remember(removal: Removal, verdict: Verdict) -> None:
    MEMORY.mkdir(parents=True, exist_ok=True)
    _memory_of(removal).write_text(json.dumps({"outcome": verdict.outcome, "seconds": verdict.seconds}))


def _rows() -> int:
    """How many failures docs/sync.md tells."""
    return len(re.findall(r"^\| \d+★? \|", (ROOT / "docs" / "sync.md").read_text(), re.MULTILINE))


def _write_summary(verdicts: Sequence[tuple[Removal, Verdict | None]]) -> None:
    MEASUREMENTS.mkdir(parents=True, exist_ok=True)
    covered = sorted({number for removal, _ in verdicts for number in removal.failures})
    noticed = sum(verdict is not None and verdict.outcome == "noticed" for _, verdict in verdicts)
    lines = [
        "# Guards taken away",
        "",
        f"- {commit_words()}",
        f"- {machine_words()}",
        f"- {len(verdicts)} removals planned, {noticed} noticed by their tests",
        f"- failures covered: {len(covered)} of {_rows()} ({', '.join(map(str, covered))})",
        "",
        "| Failures | Taken away | In | Test | Outcome | Seconds |",
        "|---|---|---|---|---|---|",
    ]
    for removal, verdict in verdicts:
        outcome, seconds = (verdict.outcome, f"{verdict.seconds:.0f}") if verdict else ("not run", "")
        numbers = ", ".join(map(str, removal.failures))
        where = f"`{removal.module}`"
        lines.append(f"| {numbers} | {removal.what} | {where} | `{removal.test}` | {outcome} | {seconds} |")
    (MEASUREMENTS / "guards.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
