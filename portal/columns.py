"""Column types: instants that stay aware, enums as text, text that is encrypted at rest."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An instant. Takes aware datetimes only and gives them back in UTC; SQLite would drop the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def enum_column(kind: type[enum.StrEnum]) -> sa.Enum:
    """A StrEnum kept as its text, with a CHECK constraint, the same on both databases."""
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
        name=kind.__name__.lower(),
    )


class EncryptedText(TypeDecorator[str]):
    """Text encrypted with the first of TOKEN_ENCRYPTION_KEYS; every key of the list decrypts.

    What no key opens is read as None, as if it were absent: a lost key takes what it locked, and no page.
    The row keeps it until somebody sets another value or the right key is back. So even a column that is
    never empty may read as None.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().encrypt(value.encode()).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        try:
            return None if value is None else keyring().decrypt(value.encode()).decode()
        except InvalidToken:
            return None


def keyring() -> MultiFernet:
    """The running app's keys, first one first."""
    ring = current_app.extensions["keyring"]
    assert isinstance(ring, MultiFernet)
    return ring


def make_keyring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
