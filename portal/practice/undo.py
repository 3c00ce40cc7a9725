"""Taking a change back within ten minutes, through the same verbs that made it. No HTTP, no commit.

What stood before is kept, encrypted, until the time is over: it holds titles and reasons. Nothing is taken
back from an appointment that was changed again since, here or in Google.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from portal.errors import Refused
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentKind,
    AppointmentSeries,
    AppointmentStatus,
    AppointmentType,
    Client,
    Provider,
    UndoStep,
)
from portal.practice import appointments, clients, spans
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import AllDay, Timed, When

KEPT = dt.timedelta(minutes=10)
ROWS_AT_ONCE = 500


class Memory:
    """What a change is about to alter, as it is now. `keep` it once the change is made."""

    def __init__(
        self,
        before: Iterable[Appointment] = (),
        client: Client | None = None,
        moving: Provider | None = None,
    ) -> None:
        """`moving`: a provider who changes their time zone."""
        self._rows = list(before)
        self._before = {row.id: _state_of(row) for row in self._rows}
        self._prior = {row.id: row.updated_at.isoformat() for row in self._rows}
        self._series = {row.series_id: _series_state(row.series) for row in self._rows if row.series}
        self._client = client
        self._client_before = _client_state(client) if client else None
        self._moving = moving
        self._zone_before = moving.timezone if moving else None

    def keep(
        self,
        provider: Provider,
        words: str,
        *,
        now: dt.datetime,
        tone: str = "good",
        made: Iterable[Appointment] = (),
    ) -> UndoStep:
        """Offer to take it back. `words` say what was done, without a name; `made`: what did not exist."""
        db.session.flush()
        forget_old(provider, now=now)
        changed = [(row, self._before[row.id]) for row in self._rows] + [(row, None) for row in made]
        stored = {
            "appointments": [
                {
                    "id": row.id,
                    "prior": self._prior.get(row.id),
                    "left": row.updated_at.isoformat(),
                    "was": was,
                }
                for row, was in changed
            ],
            "series": [{"id": number, **state} for number, state in self._series.items()],
            "client": self._client and {"id": self._client.id, "was": self._client_before},
            "zone": self._moving and {"was": self._zone_before, "left": self._moving.timezone},
        }
        step = UndoStep(provider_id=provider.id, at=now, words=words, tone=tone, before=json.dumps(stored))
        db.session.add(step)
        return step


def offered(provider: Provider, *, now: dt.datetime) -> UndoStep | None:
    """The latest change that can still be taken back; none before one whose key is lost."""
    step = db.session.scalar(
        sa.select(UndoStep)
        .where(UndoStep.provider_id == provider.id, UndoStep.at > now - KEPT)
        .order_by(UndoStep.id.desc())
        .limit(1)
    )
    return step if step is not None and step.before else None


def take_back(step: UndoStep, *, now: dt.datetime, actor: Provider) -> None:
    """Let everything be as it was. Raises Refused("too-late" | "unreadable" | "changed-since")."""
    if step.at <= now - KEPT:
        raise Refused("too-late")
    if not step.before:
        raise Refused("unreadable")
    stored = json.loads(step.before)
    found = _found(stored["appointments"])
    if any(row.updated_at.isoformat() != item["left"] for row, item in found):
        raise Refused("changed-since")
    if stored.get("zone"):
        _put_zone_back(stored["zone"], db.session.get_one(Provider, step.provider_id))
    _put_series_back(stored["series"], found)
    for row, item in found:
        _put_back(row, item["was"], now, actor)
    if stored["client"]:
        _put_client_back(stored["client"], now)
    db.session.delete(step)
    _carry_over(step, found)


def _found(stored: list[dict[str, Any]]) -> list[tuple[Appointment, Any]]:
    """The rows of what was kept, read by the hundred: a change of zone touches a year of them."""
    ids = [item["id"] for item in stored]
    rows: dict[int, Appointment] = {}
    for start in range(0, len(ids), ROWS_AT_ONCE):
        query = sa.select(Appointment).where(Appointment.id.in_(ids[start : start + ROWS_AT_ONCE]))
        rows |= {row.id: row for row in db.session.scalars(query)}
    return [(rows[item["id"]], item) for item in stored]


def _put_zone_back(stored: dict[str, str], provider: Provider) -> None:
    if provider.timezone != stored["left"]:
        raise Refused("changed-since")
    provider.timezone = stored["was"]


def _carry_over(taken: UndoStep, found: list[tuple[Appointment, Any]]) -> None:
    """What was done before the step just taken back can be taken back next: it left what now is again."""
    left_by_earlier = {row.id: (item["prior"], row.updated_at.isoformat()) for row, item in found}
    earlier = sa.select(UndoStep).where(UndoStep.provider_id == taken.provider_id, UndoStep.id < taken.id)
    for step in db.session.scalars(earlier):
        if not step.before:
            continue
        stored = json.loads(step.before)
        for item in stored["appointments"]:
            prior, now = left_by_earlier.get(item["id"], (None, None))
            if item["left"] == prior:
                item["left"] = now
        step.before = json.dumps(stored)


def dismiss(provider: Provider) -> None:
    """Offer nothing of what was done so far."""
    db.session.execute(sa.delete(UndoStep).where(UndoStep.provider_id == provider.id))


def forget_old(provider: Provider, *, now: dt.datetime) -> None:
    """Delete what can no longer be taken back, and with it the texts it holds."""
    db.session.execute(
        sa.delete(UndoStep).where(UndoStep.provider_id == provider.id, UndoStep.at <= now - KEPT)
    )


def forget_all_old(*, now: dt.datetime) -> None:
    """The same for everybody; once a day is enough."""
    db.session.execute(sa.delete(UndoStep).where(UndoStep.at <= now - KEPT))


def _state_of(row: Appointment) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "client_id": row.client_id,
        "type_id": row.type_id,
        "title": row.title,
        "location": row.location,
        "is_free": row.is_free,
        "when": _when_state(spans.when_of(row)),
        "status": row.status.value,
        "reason": row.status_reason,
        "is_archived": row.archived_at is not None,
        "series_id": row.series_id,
        "original_date": row.original_date and row.original_date.isoformat(),
    }


def _when_state(when: When) -> list[Any]:
    if isinstance(when, Timed):
        return [when.date.isoformat(), when.time.isoformat(), when.timezone, when.minutes]
    return [when.start_date.isoformat(), when.end_date.isoformat(), when.timezone]


def _when_of_state(state: list[Any]) -> When:
    date = dt.date.fromisoformat(state[0])
    if len(state) == 4:
        return Timed(date, dt.time.fromisoformat(state[1]), state[2], state[3])
    return AllDay(date, dt.date.fromisoformat(state[1]), state[2])


def _series_state(series: AppointmentSeries) -> dict[str, Any]:
    return {
        "until": series.until and series.until.isoformat(),
        "occurrences": series.occurrences,
        "start_date": series.start_date.isoformat(),
    }


def _client_state(client: Client) -> dict[str, Any]:
    return {"name": client.name, "is_archived": client.archived_at is not None}


def _put_series_back(stored: list[dict[str, Any]], found: list[tuple[Appointment, Any]]) -> None:
    """The rule first, then which date of which series each instance is. A series made here ends."""
    for row, item in found:
        if item["was"] is None and row.series is not None:
            row.series.until, row.series.occurrences = row.series.start_date, None
    for state in stored:
        series = db.session.get_one(AppointmentSeries, state["id"])
        series.until = state["until"] and dt.date.fromisoformat(state["until"])
        series.occurrences = state["occurrences"]
        series.start_date = dt.date.fromisoformat(state["start_date"])
    changed = [
        (row, item["was"])
        for row, item in found
        if item["was"] and (row.series_id, _iso(row.original_date)) != _place_in_series(item["was"])
    ]
    for row, _ in changed:
        row.original_date = None  # two of them may swap dates; the database checks each step
    db.session.flush()
    for row, was in changed:
        row.series_id = was["series_id"]
        row.original_date = was["original_date"] and dt.date.fromisoformat(was["original_date"])
    db.session.flush()


def _place_in_series(was: dict[str, Any]) -> tuple[int | None, str | None]:
    return was["series_id"], was["original_date"]


def _iso(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None


def _put_back(row: Appointment, was: dict[str, Any] | None, now: dt.datetime, actor: Provider) -> None:
    """Verb by verb: out of the archive, scheduled again, the details, the status it had, the archive."""
    verb: dict[str, Any] = {"now": now, "actor": actor, "source": "web"}
    if was is None:
        if row.archived_at is None:
            appointments.archive(row, **verb)
        return
    if row.archived_at is not None and not was["is_archived"]:
        appointments.reinstate(row, **verb)
    if row.archived_at is not None:
        return
    if row.status.value != was["status"] and row.status is not AppointmentStatus.SCHEDULED:
        appointments.reinstate(row, **verb)
    if _details_state(_state_of(row)) != _details_state(was):
        appointments.put_back(row, _details(was), **verb)
    if row.status.value != was["status"]:
        _conclude(row, was, verb)
    if was["is_archived"]:
        appointments.archive(row, **verb)


def _conclude(row: Appointment, was: dict[str, Any], verb: dict[str, Any]) -> None:
    match AppointmentStatus(was["status"]):
        case AppointmentStatus.COMPLETED:
            appointments.mark_completed(row, **verb)
        case AppointmentStatus.NO_SHOW:
            appointments.mark_no_show(row, **verb)
        case status:
            late = status is AppointmentStatus.LATE_CANCELED
            appointments.cancel(row, late=late, reason=was["reason"] or "", **verb)


def _details_state(state: dict[str, Any]) -> list[Any]:
    return [state[name] for name in ("kind", "client_id", "type_id", "title", "location", "is_free", "when")]


def _details(was: dict[str, Any]) -> AppointmentDetails:
    return AppointmentDetails(
        kind=AppointmentKind(was["kind"]),
        when=_when_of_state(was["when"]),
        client=was["client_id"] and db.session.get_one(Client, was["client_id"]),
        type=was["type_id"] and db.session.get(AppointmentType, was["type_id"]),
        title=was["title"],
        location=was["location"],
        is_free=was["is_free"],
    )


def _put_client_back(stored: dict[str, Any], now: dt.datetime) -> None:
    client, was = db.session.get_one(Client, stored["id"]), stored["was"]
    if client.name != was["name"]:
        clients.rename(client, was["name"], now=now)
    if was["is_archived"]:
        clients.archive(client, now=now)
    else:
        clients.unarchive(client)
