"""What was typed into a form when a sign-in ended: kept for the same person, encrypted, and only for a while.

No HTTP, no commit.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Draft

KEPT = dt.timedelta(days=3)  # a weekend
MOST_CHARACTERS = 20_000
MOST_DRAFTS = 10  # of one provider


def keep(provider_id: int, path: str, fields: Mapping[str, str], *, now: dt.datetime) -> Draft | None:
    """Keep what the form that is sent to `path` holds, in place of earlier. None when it is too much."""
    text = json.dumps(dict(fields))
    if len(text) > MOST_CHARACTERS:
        return None
    forget_old(now=now)
    draft = db.session.scalar(sa.select(Draft).where(Draft.provider_id == provider_id, Draft.path == path))
    if draft is None:
        if len(waiting(provider_id, now=now)) >= MOST_DRAFTS:
            return None
        draft = Draft(provider_id=provider_id, path=path)
        db.session.add(draft)
    draft.at, draft.fields = now, text
    db.session.flush()
    return draft


def waiting(provider_id: int, *, now: dt.datetime) -> Sequence[Draft]:
    """What can still be gone on with, the latest first; not what no key of ours opens."""
    found = db.session.scalars(
        sa.select(Draft)
        .where(Draft.provider_id == provider_id, Draft.at > now - KEPT)
        .order_by(Draft.at.desc(), Draft.id.desc())
    )
    return [draft for draft in found if draft.fields]


def fields_of(draft: Draft) -> dict[str, str]:
    """The fields as they were typed; none where no key of ours opens them."""
    fields: dict[str, str] = json.loads(draft.fields or "{}")
    return fields


def discard(provider_id: int, draft_id: int) -> None:
    """It was saved, or is not wanted. One that is not this provider's is left alone."""
    db.session.execute(sa.delete(Draft).where(Draft.id == draft_id, Draft.provider_id == provider_id))


def forget_old(*, now: dt.datetime) -> None:
    """Delete what nobody came back for."""
    db.session.execute(sa.delete(Draft).where(Draft.at <= now - KEPT))
