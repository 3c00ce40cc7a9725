"""The list of parts that a release carries."""

from __future__ import annotations

import json
import re
from pathlib import Path

from demo.processes import ROOT
from scripts import sbom


def test_the_list_of_parts_names_every_locked_package_with_its_hashes(tmp_path: Path) -> None:
    written = tmp_path / "sbom.json"
    sbom.write(written)
    parts = json.loads(written.read_text())["components"]
    listed = [f"{part['name']}=={part['version']}" for part in parts]
    locked = re.findall(r"^([\w.-]+==[\w.+!-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(locked)
    assert len(locked) > 30
    for part in parts:
        assert any(reference.get("hashes") for reference in part["externalReferences"]), part["name"]
