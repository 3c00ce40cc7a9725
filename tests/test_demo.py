"""`make demo` starts everything, says where it is, and takes everything down again."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.processes import Process, answers, plain_environment, wait_until
from tests.forms import Reader

ADDRESSES = re.compile(r"http://127\.0\.0\.1:\d+")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    environment = {**plain_environment(), "TMPDIR": str(tmp_path)}
    process = Process("demo", [sys.executable, "-m", "demo"], environment, tmp_path / "demo.log")
    yield process
    process.stop(grace_seconds=20)


def running(demo: Process) -> Process:
    return demo.start().wait_until(lambda: "Ctrl-C stops everything" in demo.printed(), seconds=60)


def families(demo: Process) -> list[psutil.Process]:
    """The demo and all it started, each in a session of its own."""
    process = psutil.Process(demo.pid)
    return [process, *process.children(recursive=True)]


def test_a_newcomer_signs_in_and_sees_a_full_week(demo: Process) -> None:
    portal, sandbox = ADDRESSES.findall(running(demo).printed())[:2]
    email, password = re.findall(r"(?:Sign in|Password) +(.+)", demo.printed())
    person = Reader(portal).open("/login").fill("Email", email).fill("Password", password).press("Sign in")
    person.open("/calendar?view=week")
    assert len(person.entries("appointment")) >= 25
    assert {entry["data-status"] for entry in person.entries("appointment")} >= {"scheduled", "canceled"}
    assert "wren.hale@example.com" in Reader(sandbox).open("/").page.text


def test_one_signal_ends_everything_it_started(demo: Process, tmp_path: Path) -> None:
    family = families(running(demo))
    assert len(family) >= 5  # itself, queue, sandbox, web and worker
    demo.child.send_signal(signal.SIGINT)
    assert demo.child.wait(30) == 0
    wait_until(lambda: not any(each.is_running() for each in family), seconds=5, what="all have ended")
    assert list(tmp_path.glob("lockstep-demo-*")) == []


def test_a_second_demo_takes_other_ports(demo: Process, tmp_path: Path) -> None:
    first = ADDRESSES.findall(running(demo).printed())[:2]
    second = Process("second", demo.command, demo.environment, tmp_path / "second.log").start()
    try:
        second.wait_until(lambda: "Ctrl-C stops everything" in second.printed(), seconds=60)
        others = ADDRESSES.findall(second.printed())[:2]
        assert set(first).isdisjoint(others)
        assert all(answers(f"{portal}/healthz") for portal in (first[0], others[0]))
    finally:
        second.stop(grace_seconds=20)
