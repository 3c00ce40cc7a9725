"""Every small input that once failed here has its tests, named in tests/cases/README.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.test_failure_rows import is_test

CASES = Path(__file__).parent / "cases"
# recurrence.json is read as it is
WITH_NAMED_TESTS = sorted(path.name for path in CASES.glob("*.json") if path.name != "recurrence.json")


def rows(name: str) -> dict[int, list[str]]:
    """The tests of each row of a file, as the README names them."""
    section = (CASES / "README.md").read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", section, re.MULTILINE)
    return {int(number): re.findall(r"`([^`]+)`", tests) for number, tests in lines}


@pytest.mark.parametrize("name", WITH_NAMED_TESTS)
def test_each_row_names_tests_that_exist(name: str) -> None:
    found = rows(name)
    assert list(found) == list(range(1, len(json.loads((CASES / name).read_text())) + 1))
    for number, tests in found.items():
        assert tests, f"{name}, row {number}"
        assert [test for test in tests if not is_test(test)] == []
