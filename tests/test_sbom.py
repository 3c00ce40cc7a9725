"""The list of parts that a release carries."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from demo.processes import ROOT


def test_the_list_of_parts_names_every_locked_package_with_its_hashes(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    programs = Path(shutil.which("cyclonedx-py", path=str(ROOT / ".venv" / "bin")) or "").parent
    command = ["make", "--silent", "sbom", f"BIN={programs}", "--assume-old=setup"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads((tmp_path / "build" / "sbom.json").read_text())["components"]
    listed = {f"{part['name']}=={part['version']}": part for part in parts}
    locked = re.findall(r"^([\w.-]+==[\w.+!-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(locked)
    assert len(locked) > 30
    for part in parts:
        assert any(reference.get("hashes") for reference in part["externalReferences"]), part["name"]
