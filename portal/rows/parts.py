"""Long lists in parts, for databases that bound the number of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MOST_IDS_IN_A_QUERY = 500  # SQLite bounds the number of parameters


def in_parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for begin in range(0, len(items), MOST_IDS_IN_A_QUERY):
        yield items[begin : begin + MOST_IDS_IN_A_QUERY]
