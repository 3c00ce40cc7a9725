"""The account that the contract is tried on, and the table that a run ends with.

Without GOOGLE_CONTRACT_ENDPOINT it is an account of a sandbox; see docs/google-contract.md for another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.google_contract.access import ENDPOINT, Access, fresh_sandbox, from_environment, grant_on
from tests.google_contract.account import Account, opened
from tests.google_contract.questions import QUESTIONS, Question, look
from tests.google_contract.report import DIFFERS, THIRD, rows_of, summary, table

Settle = Callable[[Question], None]

REPORT = "GOOGLE_CONTRACT_REPORT"  # a file to write the table to as well

# What needs a sandbox's control API is no part of the contract.
collect_ignore = ["sandbox_only"] if os.environ.get(ENDPOINT) else []


@pytest.fixture(scope="session")
def google_access() -> Iterator[Access]:
    """The Google that the environment names, else a sandbox."""
    named = from_environment(os.environ)
    if named:
        yield named
        return
    with fresh_sandbox() as sandbox:
        yield grant_on(sandbox)


@pytest.fixture(scope="session")
def google_account(google_access: Access) -> Iterator[Account]:
    """The account for the whole run; its calendar is found again or made, and left empty."""
    with opened(google_access) as account:
        yield account


@pytest.fixture
def account(google_account: Account) -> Iterator[Account]:
    """The account for one test; what the test made is deleted afterwards."""
    yield google_account
    google_account.tidy()


@pytest.fixture
def settle(account: Account, record_property: Callable[[str, object], None]) -> Settle:
    """Observe a question and enter it into the table. Fails for a reading that nobody has documented.

    A sandbox as it comes must also read as its switches say.
    """

    def _settle(question: Question) -> None:
        row = look(question, account)
        record_property(*row.to_property())
        assert row.verdict != THIRD, row
        assert row.verdict != DIFFERS or not account.access.is_sandbox, row

    return _settle


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The whole table when only the contract was run; one line at the end of a larger run."""
    reports = [one for key in ("passed", "failed") for one in terminalreporter.stats.get(key, [])]
    order = [question.name.replace("_", " ") for question in QUESTIONS]
    rows = [row for one in reports if one.when == "call" for row in rows_of(one.user_properties)]
    rows.sort(key=lambda row: order.index(row.fact))
    if not rows:
        return
    failed = [
        one.nodeid.partition("::")[2]
        for one in terminalreporter.stats.get("failed", [])
        if "google_contract" in one.nodeid
    ]
    lines = [*table(rows), "", *(f"otherwise than told: {name}" for name in failed), summary(rows)]
    if path := os.environ.get(REPORT):
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not all("google_contract" in one.nodeid for one in reports):
        lines = lines[-1:]
    terminalreporter.section("what Google was seen to do")
    for line in lines:
        terminalreporter.write_line(line)
