"""The support report: a provider's sync in ids, counts, states and times. No name, no title."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from portal import connect, facts
from portal.extensions import db
from portal.models import Connection, Feed, FeedRead, GoogleCalendar, Provider, PushChannel, SyncMode
from portal.sync.health import ConnectionFacts, Story, tell

OLD_FEED_READ_DAYS = 7


def support_report(provider: Provider, *, now: dt.datetime) -> dict[str, Any]:
    """One provider's report, in the form that `contract.md` fixes."""
    known = facts.gather_facts(provider, now=now)
    story = tell(known, now=now)
    connection = connect.live_connection(provider)
    counts = known.counts
    return {
        "provider_id": provider.id,
        "mode": provider.sync_mode.value,
        "state": story.state,
        "counts": {
            "live": counts.live,
            "linked": counts.linked,
            "behind": counts.behind,
            "google_events": counts.google_events,
            "quarantined": counts.quarantined,
            "held": counts.held,
            "cards": counts.cards,
        },
        "last_pull_at": known.last_pulled_at,
        "last_push_at": known.last_pushed_at,
        "channels": _live_channels(connection, now),
        "lines": _lines(provider, connection, known, story, now),
    }


def _lines(
    provider: Provider, connection: Connection | None, known: ConnectionFacts, story: Story, now: dt.datetime
) -> list[dict[str, Any]]:
    """One line a question. `code` says what was found; it is a word of ours, never Google's text."""
    lines = [
        _line("mode", True, provider.sync_mode.value),
        _line("state", not story.needs_a_person, story.code),
    ]
    if provider.sync_mode is SyncMode.TWO_WAY and connection is not None:
        stale = _stale_calendars(connection)
        lines += [
            _line(
                "grant", known.problem not in {"reconnect-required", "scope-missing"}, known.problem or "ok"
            ),
            _line("calendars", stale == 0, f"stale-{stale}" if stale else "ok"),
            _line("behind", known.counts.behind == 0, f"behind-{known.counts.behind}"),
            _line("quarantine", known.counts.quarantined == 0, f"quarantined-{known.counts.quarantined}"),
            _line("cards", known.counts.cards == 0, f"cards-{known.counts.cards}"),
            _line("pulled", known.last_pulled_at is not None, "pulled" if known.last_pulled_at else "never"),
            _line("pushed", known.last_pushed_at is not None, "pushed" if known.last_pushed_at else "never"),
        ]
    is_read = _old_feed_is_read(provider, now)
    lines.append(_line("old-feed", not is_read, "still-read" if is_read else "quiet"))
    return lines


def _line(identifier: str, ok: bool, code: str) -> dict[str, Any]:
    return {"id": identifier, "ok": ok, "code": code}


def _stale_calendars(connection: Connection) -> int:
    return _count(
        sa.select(sa.func.count(GoogleCalendar.id)).where(
            GoogleCalendar.connection_id == connection.id,
            GoogleCalendar.is_chosen,
            GoogleCalendar.stale_since.is_not(None),
        )
    )


def _live_channels(connection: Connection | None, now: dt.datetime) -> int:
    if connection is None:
        return 0
    return _count(
        sa.select(sa.func.count(PushChannel.id)).where(
            PushChannel.connection_id == connection.id,
            PushChannel.stopped_at.is_(None),
            PushChannel.expires_at > now,
        )
    )


def _old_feed_is_read(provider: Provider, now: dt.datetime) -> bool:
    return bool(
        _count(
            sa.select(sa.func.count(FeedRead.id))
            .join(Feed, Feed.id == FeedRead.feed_id)
            .where(
                Feed.provider_id == provider.id,
                Feed.replaced_at.is_not(None),
                FeedRead.at > Feed.replaced_at,
                FeedRead.at > now - dt.timedelta(days=OLD_FEED_READ_DAYS),
            )
        )
    )


def _count(query: sa.Select[int]) -> int:
    return db.session.scalar(query) or 0
