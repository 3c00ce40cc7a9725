"""What is encrypted at rest, row by row: which key opens it, writing it anew under the first, letting it go.

Works on what is stored, for every column of the type EncryptedText, whatever table it stands in. Commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from portal.columns import EncryptedText
from portal.extensions import Base, begin_reading, begin_writing, db

ROWS_AT_ONCE = 200


@dataclass
class Count:
    """One encrypted column. `opened`: values by the place of the first key that opens them."""

    table: str
    column: str
    opened: list[int] = field(default_factory=list)
    unreadable: int = 0


@dataclass
class Rewritten:
    """One encrypted column after a rewriting. `overtaken`: somebody else wrote the value meanwhile."""

    table: str
    column: str
    written: int = 0
    current: int = 0  # under the first key before
    overtaken: int = 0
    unreadable: int = 0


def count(keys: Sequence[str]) -> list[Count]:
    """For each encrypted column, how many values each key opens, and how many none does."""
    rings = [Fernet(key) for key in keys]
    counts = []
    for column in _columns():
        counted = Count(column.table.name, column.name, opened=[0] * len(rings))
        for rows in _batches(column):
            for _, stored in rows:
                place = next((at for at, ring in enumerate(rings) if _opens(ring, stored)), None)
                if place is None:
                    counted.unreadable += 1
                else:
                    counted.opened[place] += 1
        counts.append(counted)
    return counts


def rotate(keys: Sequence[str]) -> list[Rewritten]:
    """Write everything that a key opens under the first key, in batches, while the portal runs.

    A value is replaced only where it is still the one that was read: whoever writes meanwhile has the last
    word. What no key opens stays as it is.
    """
    first, ring = Fernet(keys[0]), MultiFernet([Fernet(key) for key in keys])
    done = []
    for column in _columns():
        result = Rewritten(column.table.name, column.name)
        for rows in _batches(column):
            for key, stored in rows:
                if _opens(first, stored):
                    result.current += 1
                elif not _opens(ring, stored):
                    result.unreadable += 1
                elif _replace(column, key, stored, ring.rotate(stored.encode()).decode()):
                    result.written += 1
                else:
                    result.overtaken += 1
            db.session.commit()
        done.append(result)
    return done


def forget(keys: Sequence[str]) -> list[Count]:
    """Delete what no key opens: the value where a row can be without one, else an empty text in its place.

    What was deleted, as `unreadable` of each column.
    """
    ring = MultiFernet([Fernet(key) for key in keys])
    counts = []
    for column in _columns():
        counted = Count(column.table.name, column.name)
        empty = None if column.nullable else ring.encrypt(b"").decode()
        for rows in _batches(column):
            for key, stored in rows:
                if not _opens(ring, stored):
                    counted.unreadable += _replace(column, key, stored, empty)
            db.session.commit()
        counts.append(counted)
    return counts


def _columns() -> list[sa.Column[str]]:
    """Every encrypted column of every table, in a fixed order."""
    return [
        column
        for _, table in sorted(Base.metadata.tables.items())
        for column in table.columns
        if isinstance(column.type, EncryptedText)
    ]


def _batches(column: sa.Column[str]) -> Iterator[Sequence[tuple[int, str]]]:
    """Keys and stored texts, some hundred at once and in the order of the keys; no transaction stays open."""
    (key,), last = column.table.primary_key.columns, None
    stored = sa.type_coerce(column, sa.Text)
    while True:
        query = sa.select(key, stored).where(stored.is_not(None)).order_by(key).limit(ROWS_AT_ONCE)
        begin_reading()
        found = db.session.execute(query if last is None else query.where(key > last))
        rows = [(own, text) for own, text in found]
        begin_writing()
        if not rows:
            return
        last = rows[-1][0]
        yield rows


def _replace(column: sa.Column[str], key: int, stored: str, text: str | None) -> bool:
    """Whether the value was still the one that was read."""
    (own,) = column.table.primary_key.columns
    replaced = db.session.execute(
        sa.update(column.table)
        .where(own == key, sa.type_coerce(column, sa.Text) == stored)
        .values({column.name: sa.literal(text, sa.Text)})
    )
    return bool(replaced.rowcount)  # type: ignore[attr-defined]


def _opens(ring: Fernet | MultiFernet, stored: str) -> bool:
    try:
        ring.decrypt(stored.encode())
    except InvalidToken:
        return False
    return True
