"""`python -m bench [ROW …]`: measure, print, and keep the table in docs/measurements/bench.md."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from bench import report
from portal import logs

# Each is a module of this folder with `measure(folder) -> list[Row]`.
ROWS = ("first_import", "feed", "first_push", "week_page", "idle_check", "there_and_back")


def main(names: Sequence[str]) -> int:
    unknown = set(names) - set(ROWS)
    if unknown:
        print(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
        return 2
    logs.install()  # before what is changed about it
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows: list[report.Row] = []
    load = f"others were at work too: load {os.getloadavg()[0]:.1f} at the start" if _is_busy() else ""
    for name in names or ROWS:
        print(f"measuring {name} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            rows += importlib.import_module(f"bench.{name}").measure(Path(folder))
    print(report.write(rows, names=names, notes=[load] if load else []))
    return 0 if all(row.is_kept is not False for row in rows) else 1


def _is_busy() -> bool:
    return os.getloadavg()[0] > (os.cpu_count() or 1) / 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
