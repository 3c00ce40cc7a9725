"""A feed's address: made, replaced, found, over. No HTTP, no commit."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Feed, Provider

TOKEN_BYTES = 32
MARK_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
EMPTY_DAYS = 90  # how long a replaced feed answers with an empty calendar before it is gone


def new_feed(provider: Provider, *, now: dt.datetime) -> Feed:
    """Give the provider a feed of a new address; the one before, if any, is empty from now on."""
    replace(provider, now=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed = Feed(
        provider_id=provider.id,
        token_hash=_hash(token),
        token=token,
        mark="".join(secrets.choice(MARK_LETTERS) for _ in range(4)),
        created_at=now,
    )
    db.session.add(feed)
    db.session.flush()
    return feed


def replace(provider: Provider, *, now: dt.datetime) -> None:
    """End the provider's live feed: its address gives an empty calendar, so that subscribers let go."""
    db.session.execute(
        sa.update(Feed)
        .where(Feed.provider_id == provider.id, Feed.replaced_at.is_(None))
        .values(replaced_at=now)
        .execution_options(synchronize_session="fetch")
    )


def live_feed(provider: Provider) -> Feed | None:
    return db.session.scalar(
        sa.select(Feed).where(Feed.provider_id == provider.id, Feed.replaced_at.is_(None))
    )


def find_feed(token: str) -> Feed | None:
    """The feed of this address, live or replaced."""
    return db.session.scalar(sa.select(Feed).where(Feed.token_hash == _hash(token)))


def feed_url(public_url: str, feed: Feed) -> str | None:
    """The address to show; None when no key of ours opens it. It is found by its hash all the same."""
    return f"{public_url}/feeds/{feed.token}/calendar.ics" if feed.token else None


def is_gone(feed: Feed, *, now: dt.datetime) -> bool:
    """Whether the feed was replaced so long ago that every subscriber has had time to empty itself."""
    return feed.replaced_at is not None and now - feed.replaced_at > dt.timedelta(days=EMPTY_DAYS)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
