"""The rules of this suite, held by pytest itself.

No test may be skipped or expected to fail, none may reach beyond this machine, and what drives a
browser is marked so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")
_BROWSER_TESTS = Path(__file__).parent / "browser"


class ReachedTheNetwork(RuntimeError):
    """A test tried to talk to an address that is not on this machine."""


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: sockets may connect to loopback addresses and Unix paths only."""
    if event != "socket.connect":
        return
    address = arguments[1]
    host = address[0] if isinstance(address, tuple) else None
    if isinstance(host, str) and not host.startswith(_LOOPBACK):
        raise ReachedTheNetwork(f"a test connected to {host}")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LeftOut())
    sys.addaudithook(_refuse_the_network)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)


class LeftOut:
    """Hears of every report, also of those that came from another process."""

    def __init__(self) -> None:
        self.nodeids: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped or hasattr(report, "wasxfail"):
            self.nodeids.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.nodeids and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for nodeid in self.nodeids:
            terminalreporter.write_line(f"NOT ALLOWED: {nodeid} was skipped or expected to fail", red=True)
