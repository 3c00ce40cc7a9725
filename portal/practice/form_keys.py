"""Which forms made something already: keys that were used, and where each answer led. No HTTP, no commit."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable

import sqlalchemy as sa

from portal.extensions import db
from portal.models import FormKey

KEPT = dt.timedelta(days=30)


def used(provider_id: int, key: str, body: Iterable[tuple[str, str]]) -> FormKey | None:
    """What this person's form made, if it was sent with this key and this body before."""
    return db.session.scalar(
        sa.select(FormKey).where(
            FormKey.provider_id == provider_id,
            FormKey.key == _key_hash(key),
            FormKey.body_hash == _body_hash(key, body),
        )
    )


def use(provider_id: int, key: str, body: Iterable[tuple[str, str]], *, now: dt.datetime) -> FormKey:
    """Use the key up, in the transaction that makes something.

    An equal form that is sent meanwhile waits here for that transaction's end, and is taken if it was
    rolled back. Raises sqlalchemy's IntegrityError when it was committed: see `used`.
    """
    row = FormKey(
        provider_id=provider_id,
        key=_key_hash(key),
        body_hash=_body_hash(key, body),
        answer="",
        said="",
        created_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row


def forget_old(*, now: dt.datetime) -> None:
    """Delete the keys of forms that nobody sends again."""
    db.session.execute(sa.delete(FormKey).where(FormKey.created_at <= now - KEPT))


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _body_hash(key: str, body: Iterable[tuple[str, str]]) -> str:
    """With the random key in it, nobody can find a name by trying names."""
    return hashlib.sha256(json.dumps([key, *sorted(body)]).encode()).hexdigest()
