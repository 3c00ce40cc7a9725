"""The support report: a provider's sync in ids, counts, states, times and versions. No name, no title."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from importlib import metadata
from typing import Any

import sqlalchemy as sa

from portal.connection import choosing, current
from portal.extensions import db
from portal.models import Checkup, Connection, EventLink, GoogleCalendar, Provider, PushChannel, SyncRun
from portal.standing import checks
from portal.sync.health import ConnectionFacts

RUNS_TOLD = 20
VERSIONED = ("flask", "sqlalchemy", "google-api-python-client", "rq", "authlib")


def support_report(provider: Provider, *, now: dt.datetime) -> dict[str, Any]:
    """One provider's report, in the form that `contract.md` fixes; the rest is our own addition."""
    known, story, _, lines = checks.examine_provider(provider, now=now)
    connection = current.live_connection(provider)
    return {
        "provider_id": provider.id,
        "mode": provider.sync_mode.value,
        "state": story.state,
        "counts": _counts(known),
        "last_pull_at": known.last_pulled_at,
        "last_push_at": known.last_pushed_at,
        "channels": checks.live_channels(connection, now=now),
        "lines": [{"id": line.id, "ok": line.ok, "code": line.full_code} for line in lines],
        "at": now,
        "names": provider.name_display.value,
        "versions": _versions(),
        "connection": _connection(connection, now=now) if connection else None,
    }


def as_text(report: dict[str, Any]) -> str:
    """The same to read and to paste into a message."""
    return "\n".join(_text_lines(report, "")) + "\n"


def _text_lines(value: Any, indent: str) -> list[str]:
    lines: list[str] = []
    pairs = (
        value.items()
        if isinstance(value, dict)
        else ((f"{place}", each) for place, each in enumerate(value, 1))
    )
    for name, each in pairs:
        if isinstance(each, dict | list) and each:
            lines += [f"{indent}{name}:", *_text_lines(each, f"{indent}  ")]
        else:
            lines.append(f"{indent}{name}: {_text(each)}")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    return "-" if value is None or value in ({}, []) else str(value)


def _counts(known: ConnectionFacts) -> dict[str, int]:
    counts = known.counts
    return {
        "live": counts.live,
        "linked": counts.linked,
        "behind": counts.behind,
        "google_events": counts.google_events,
        "quarantined": counts.quarantined,
        "held": counts.held,
        "cards": counts.cards,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "database": db.engine.dialect.name}
    return {**found, **{name: metadata.version(name) for name in VERSIONED}}


def _connection(connection: Connection, *, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": connection.id,
        "phase": connection.phase.value,
        "problem": current.problem_of(connection)[0],
        "problem_detail": connection.problem_detail,
        "problem_since": connection.problem_since,
        "failures": connection.failures,
        "retry_at": connection.retry_at,
        "next_check_at": connection.next_check_at,
        "granted_at": connection.granted_at,
        "scopes": sorted(scope.rpartition("/")[2] for scope in connection.scopes.split()),
        "workspace_account": connection.hosted_domain is not None,
        "requested": connection.requested,
        "handled": connection.handled,
        "calendars": [_calendar(row) for row in choosing.calendars(connection)],
        "links": _links(connection),
        "channels": _channels(connection, now=now),
        "runs": _runs(connection),
        "check": _check(connection),
    }


def _calendar(row: GoogleCalendar) -> dict[str, Any]:
    """A calendar's id may be an e-mail address, so only its hash is told."""
    return {
        "id": hashlib.sha256(row.calendar_id.encode()).hexdigest()[:12],
        "role": row.access_role,
        "ours": row.is_app_calendar,
        "chosen": row.is_chosen,
        "why_not": row.why_not,
        "stale_since": row.stale_since,
        "missing_since": row.missing_since,
        "last_pulled_at": row.last_pulled_at,
        "has_token": row.sync_token is not None,
    }


def _links(connection: Connection) -> dict[str, int]:
    """How many links are in which state, and with which error."""
    rows = db.session.execute(
        sa.select(EventLink.state, EventLink.error, sa.func.count(EventLink.id))
        .where(EventLink.connection_id == connection.id)
        .group_by(EventLink.state, EventLink.error)
    )
    return {f"{state.value}{f' {error}' if error else ''}": number for state, error, number in rows}


def _channels(connection: Connection, *, now: dt.datetime) -> list[dict[str, Any]]:
    rows = db.session.scalars(
        sa.select(PushChannel)
        .where(PushChannel.connection_id == connection.id, PushChannel.expires_at > now)
        .order_by(PushChannel.id)
    )
    return [
        {"expires_at": row.expires_at, "last_message_at": row.last_message_at, "stopped_at": row.stopped_at}
        for row in rows
    ]


def _runs(connection: Connection) -> list[dict[str, Any]]:
    rows = db.session.scalars(
        sa.select(SyncRun)
        .where(SyncRun.connection_id == connection.id)
        .order_by(SyncRun.started_at.desc(), SyncRun.id.desc())
        .limit(RUNS_TOLD)
    )
    return [
        {
            "at": row.started_at,
            "seconds": round((row.ended_at - row.started_at).total_seconds(), 2) if row.ended_at else None,
            "trigger": row.trigger,
            "outcome": row.outcome,
            "error": row.error,
            "counts": dict(row.counts),
        }
        for row in rows
    ]


def _check(connection: Connection) -> dict[str, Any] | None:
    row = db.session.get(Checkup, connection.id)
    if row is None:
        return None
    verdicts: dict[str, int] = {}
    for difference in row.differences:
        verdicts[difference["verdict"]] = verdicts.get(difference["verdict"], 0) + 1
    compared = sum(total for total, _ in row.days.values())
    return {"at": row.at, "error": row.error, "compared": compared, "differences": verdicts}
