"""Who reads a feed, when last and how often, from the notes of its own fetches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Feed, FeedRead, Provider

READS_KEPT_DAYS = 35
STILL_READ_DAYS = 3  # an old feed fetched this lately is still subscribed somewhere
READERS = (
    ("google-calendar-importer", "google"),
    ("outlook", "outlook"),
    ("microsoft", "outlook"),
    ("dataaccessd", "apple"),
    ("calendaragent", "apple"),
    ("darwin", "apple"),
    ("ios/", "apple"),
    ("macos/", "apple"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of reader of a feed: when it last came, how often it comes (None after a single visit)."""

    family: str
    last_read_at: dt.datetime
    last_status: int
    reads: int
    interval: dt.timedelta | None

    @property
    def next_read_at(self) -> dt.datetime | None:
        return self.last_read_at + self.interval if self.interval else None


def record_read(feed: Feed, *, user_agent: str, status: int, now: dt.datetime) -> None:
    """Note a fetch by its kind of reader; notes older than the clock needs are dropped."""
    db.session.execute(
        sa.delete(FeedRead).where(
            FeedRead.feed_id == feed.id, FeedRead.at < now - dt.timedelta(days=READS_KEPT_DAYS)
        )
    )
    db.session.add(FeedRead(feed_id=feed.id, at=now, reader=reader_family(user_agent), status=status))


def reader_family(user_agent: str) -> str:
    """google, apple, outlook or other: more about a reader is not kept."""
    text = user_agent.lower()
    return next((family for sign, family in READERS if sign in text), "other")


def readers(feed: Feed) -> list[Reader]:
    """Who reads the feed, the latest first."""
    rows = db.session.execute(
        sa.select(FeedRead.reader, FeedRead.at, FeedRead.status)
        .where(FeedRead.feed_id == feed.id)
        .order_by(FeedRead.at)
    ).all()
    visits: dict[str, list[tuple[dt.datetime, int]]] = {}
    for row in rows:
        visits.setdefault(row.reader, []).append((row.at, row.status))
    found = [_reader(family, reads) for family, reads in visits.items()]
    return sorted(found, key=lambda reader: reader.last_read_at, reverse=True)


def reads_since(feed: Feed, since: dt.datetime) -> list[dt.datetime]:
    """When the feed was read, the latest last."""
    query = sa.select(FeedRead.at).where(FeedRead.feed_id == feed.id, FeedRead.at >= since)
    return list(db.session.scalars(query.order_by(FeedRead.at)))


def old_feed_reader(provider: Provider, *, now: dt.datetime) -> Reader | None:
    """Who lately fetched a feed of the provider that is over: a subscription to be removed by hand."""
    row = db.session.execute(
        sa.select(FeedRead.reader, FeedRead.at, FeedRead.status)
        .join(Feed, Feed.id == FeedRead.feed_id)
        .where(
            Feed.provider_id == provider.id,
            Feed.replaced_at < FeedRead.at,
            FeedRead.at > now - dt.timedelta(days=STILL_READ_DAYS),
        )
        .order_by(FeedRead.at.desc())
        .limit(1)
    ).first()
    return _reader(row.reader, [(row.at, row.status)]) if row else None


def _reader(family: str, reads: Sequence[tuple[dt.datetime, int]]) -> Reader:
    gaps = [(later - earlier).total_seconds() for (earlier, _), (later, _) in pairwise(reads)]
    last_at, last_status = reads[-1]
    interval = dt.timedelta(seconds=median(gaps)) if gaps else None
    return Reader(family, last_at, last_status, len(reads), interval)
