"""The peers we measure against, in a virtual environment of their own, from a lock with hashes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from demo.processes import ROOT

LOCK = ROOT / "requirements-bench.txt"
HOME = ROOT / "build" / "peers"


class NoPeers(Exception):
    """The peers cannot be installed here; rows that need them say so."""


def python() -> Path:
    """The interpreter that knows the peers. Raises NoPeers."""
    program, stamp = HOME / "bin" / "python", HOME / ".installed"
    if not (stamp.exists() and stamp.read_text() == LOCK.read_text()):
        _install()
        stamp.write_text(LOCK.read_text())
    return program


def _install() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", str(HOME)],
        [*pip, "--no-input", "--require-hashes", "-r", str(LOCK)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoPeers(done.stderr.strip().splitlines()[-1] if done.stderr else "pip failed")
