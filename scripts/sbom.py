"""Writes the list of parts that a release carries (CycloneDX), from the locked packages.

`make sbom`, or `python -m scripts.sbom [FILE]`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write(target: Path) -> None:
    """The same bytes for the same lock. Raises CalledProcessError; why, stands on standard error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(ROOT / "requirements.txt")]
    command += ["--output-reproducible", "--output-format", "JSON", "--output-file", str(target)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "sbom.json")
