"""The one-way feed of a provider: its address, what it holds, who reads it. No HTTP, no commit."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import sqlalchemy as sa
from sqlalchemy.orm import load_only

from portal.extensions import db
from portal.ical.feed import DAYS_BACK, FeedEntry, feed_etag, feed_name, feed_window, render_feed
from portal.models import Appointment, Feed, FeedRead, Practice, Provider, SyncMode
from portal.models.appointments import LIVE_STATUSES
from portal.practice import clients

TOKEN_BYTES = 32
MARK_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
EMPTY_DAYS = 90  # how long a replaced feed answers with an empty calendar before it is gone
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
class FeedFile:
    """What a feed holds at the moment; without a holder it is the empty calendar of a feed that is over."""

    name: str
    etag: str
    modified_at: dt.datetime
    holder: Provider | None
    window: tuple[dt.datetime, dt.datetime]

    def render(self) -> bytes:
        return render_feed(self.name, _entries(self.holder, self.window) if self.holder else ())


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


def feed_url(public_url: str, feed: Feed) -> str:
    return f"{public_url}/feeds/{feed.token}/calendar.ics"


def is_gone(feed: Feed, *, now: dt.datetime) -> bool:
    """Whether the feed was replaced so long ago that every subscriber has had time to empty itself."""
    return feed.replaced_at is not None and now - feed.replaced_at > dt.timedelta(days=EMPTY_DAYS)


def open_feed(feed: Feed, *, app_calendar_name: str, now: dt.datetime) -> FeedFile:
    """What the feed holds now, with its validators; the events are read only when it is rendered."""
    name = feed_name(app_calendar_name, feed.mark)
    provider, window = feed.provider, feed_window(now)
    if not _is_live(feed):
        since = feed.replaced_at or feed.created_at
        return FeedFile(name, feed_etag(name, "empty"), since, None, window)
    count, revisions, updated_at = _state(provider.id)
    etag = feed_etag(
        name,
        window[0].date(),
        count,
        revisions,
        updated_at,
        provider.name_display,
        provider.sends_other_titles,
    )
    moved_at = window[0] + dt.timedelta(days=DAYS_BACK)  # the midnight at which the window last moved
    modified_at = max(moved_at, feed.created_at, updated_at or feed.created_at)
    return FeedFile(name, etag, modified_at, provider, window)


def count_in_feed(provider: Provider, *, now: dt.datetime) -> int:
    """How many appointments the feed holds."""
    query = sa.select(sa.func.count(Appointment.id)).where(*_in_window(provider.id, feed_window(now)))
    return db.session.scalar(query) or 0


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


def _is_live(feed: Feed) -> bool:
    provider = feed.provider
    return (
        feed.replaced_at is None
        and provider.sync_mode is SyncMode.ONE_WAY
        and provider.deactivated_at is None
    )


def _state(provider_id: int) -> tuple[int, int, dt.datetime | None]:
    """Count, sum of revisions, latest change: no change to any appointment leaves all three as they were."""
    row = db.session.execute(
        sa.select(
            sa.func.count(Appointment.id),
            sa.func.coalesce(sa.func.sum(Appointment.revision), 0),
            sa.func.max(Appointment.updated_at),
        ).where(Appointment.provider_id == provider_id)
    ).one()
    return row[0], row[1], row[2]


def _in_window(
    provider_id: int, window: tuple[dt.datetime, dt.datetime]
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Appointment.provider_id == provider_id,
        Appointment.archived_at.is_(None),
        Appointment.status.in_(LIVE_STATUSES),
        Appointment.ends_at > window[0],
        Appointment.starts_at < window[1],
    )


# A feed is read often, and most of an appointment's columns never leave
_USED = (
    Appointment.public_id, Appointment.client_id, Appointment.kind, Appointment.title, Appointment.all_day,
    Appointment.start_date, Appointment.end_date, Appointment.starts_at, Appointment.ends_at,
    Appointment.revision, Appointment.updated_at, Appointment.is_free,
)  # fmt: skip


def _entries(provider: Provider, window: tuple[dt.datetime, dt.datetime]) -> Iterator[FeedEntry]:
    installation = db.session.scalars(sa.select(Practice.installation)).one()
    appointments = db.session.scalars(
        sa.select(Appointment)
        .where(*_in_window(provider.id, window))
        .order_by(Appointment.starts_at, Appointment.id)
        .options(load_only(*_USED))
    ).all()
    titles = clients.titles_outside(provider, appointments)
    for appointment in appointments:
        yield _entry(appointment, titles[appointment.id], installation)


def _entry(appointment: Appointment, summary: str, installation: str) -> FeedEntry:
    start: dt.datetime | dt.date = appointment.starts_at
    end: dt.datetime | dt.date = appointment.ends_at
    if appointment.all_day and appointment.end_date:
        start, end = appointment.start_date, appointment.end_date
    return FeedEntry(
        uid=f"{appointment.public_id}@{installation}",
        sequence=appointment.revision,
        updated_at=appointment.updated_at,
        summary=summary,
        start=start,
        end=end,
        is_free=appointment.is_free,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
