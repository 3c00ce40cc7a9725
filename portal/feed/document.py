"""What a feed answers with: its events, and the validators that say when they changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import load_only

from portal.extensions import db
from portal.ical.feed import DAYS_BACK, FeedEntry, feed_etag, feed_name, feed_window, render_feed
from portal.models import Appointment, Feed, Practice, Provider, SyncMode
from portal.models.appointments import LIVE_STATUSES
from portal.practice import clients


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
