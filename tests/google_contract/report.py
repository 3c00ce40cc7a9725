"""The table at the end of a run: each open question, what was seen, what the sandbox does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

PROPERTY = "google_contract"
SAME, DIFFERS, UNSEEN, THIRD = "same", "DIFFERS", "not seen", "THIRD READING"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one test has to say."""

    fact: str
    source: str
    observed: str
    sandbox: str
    verdict: str

    def to_property(self) -> tuple[str, dict[str, str]]:
        """As pytest carries it from a test to the end of the run."""
        return PROPERTY, asdict(self)


def rows_of(properties: Iterable[tuple[str, object]]) -> Iterator[Row]:
    """The rows among a test report's properties."""
    for name, value in properties:
        if name == PROPERTY and isinstance(value, dict):
            yield Row(**value)


def table(rows: list[Row]) -> list[str]:
    """Lines of text, as wide as they need to be."""
    head = ("open question", "facts", "seen here", "sandbox", "")
    cells = [(row.fact, row.source, row.observed, row.sandbox, row.verdict) for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in (head, *cells)]


def summary(rows: list[Row]) -> str:
    """How many questions were seen, and how many differ."""
    differing = sum(row.verdict in (DIFFERS, THIRD) for row in rows)
    unseen = sum(row.verdict == UNSEEN for row in rows)
    return f"{len(rows)} open questions: {differing} differ from the sandbox, {unseen} not seen"
