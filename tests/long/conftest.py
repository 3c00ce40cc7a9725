"""Everything here takes minutes: only `make test-long` runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.processes import Sandbox
from sandbox.client import SandboxClient

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.long)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A stand-in for Google in a process of its own, with nobody in it."""
    sandbox = Sandbox(tmp_path / "sandbox").start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def google(sandbox: Sandbox) -> SandboxClient:
    return SandboxClient(sandbox.url)
