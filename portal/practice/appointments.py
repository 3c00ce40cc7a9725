"""What a provider can do with an appointment: book, change, cancel, archive and so on. No HTTP, no commit.

Each verb checks that the step is allowed, raises the revision when what goes out changes, writes history and
marks the provider's connection. `source` says where a change came from: web, google, command or system.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.errors import InvalidInput, Refused, StaleRevision
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentHistory,
    AppointmentKind,
    AppointmentStatus,
    AppointmentType,
    Client,
    Provider,
)
from portal.practice import letters
from portal.practice.spans import AllDay, Timed, When, problems_of_time
from portal.rows import outbox

TEXT_MOST_CHARACTERS = 200
REASON_MOST_CHARACTERS = 500
MISSED = (AppointmentStatus.CANCELED, AppointmentStatus.LATE_CANCELED, AppointmentStatus.NO_SHOW)


@dataclass(frozen=True, slots=True)
class AppointmentDetails:
    """Everything a person says about an appointment in its form."""

    kind: AppointmentKind
    when: When
    client: Client | None = None
    title: str | None = None
    location: str | None = None
    is_free: bool = False
    type: AppointmentType | None = None


def book(
    provider: Provider,
    details: AppointmentDetails,
    *,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> Appointment:
    """Make an appointment. Raises InvalidInput."""
    (made,) = book_all(provider, [details], now=now, actor=actor, source=source)
    return made


def book_all(
    provider: Provider,
    several: Sequence[AppointmentDetails],
    *,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
    keeps_client: bool = False,
) -> list[Appointment]:
    """Make appointments, in as few statements as one takes. Raises InvalidInput.

    `keeps_client`: the client is an earlier choice, a series' own, so that they may be archived by now.
    """
    made = []
    for details in several:
        kept = details.client.id if keeps_client and details.client else None
        _check_details(provider, details, kept_client_id=kept)
        made.append(_new(provider, details, now))
    db.session.add_all(made)
    db.session.flush()
    for each in made:
        _write_history(each, "booked", {}, _snapshot(each), now=now, actor=actor, source=source)
    if made:
        outbox.note_change(provider.id, now=now)
    return made


def _new(provider: Provider, details: AppointmentDetails, now: dt.datetime) -> Appointment:
    appointment = Appointment(
        public_id=secrets.token_hex(16),
        provider_id=provider.id,
        provider=provider,
        status=AppointmentStatus.SCHEDULED,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    _put_details(appointment, details)
    return appointment


def change(
    appointment: Appointment,
    details: AppointmentDetails,
    *,
    revision: int,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    """Save a form drawn from `revision`. Raises StaleRevision, InvalidInput, Refused("archived")."""
    if appointment.revision != revision:
        raise StaleRevision
    _save_details(appointment, details, "changed", now, actor, source)


def change_with_series(
    appointment: Appointment,
    details: AppointmentDetails,
    *,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    """Save a change that was made for several instances at once. Raises InvalidInput, Refused("archived")."""
    _save_details(appointment, details, "series-changed", now, actor, source)


def put_back(
    appointment: Appointment,
    details: AppointmentDetails,
    *,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    """Take a change back: what was allowed once is allowed again. Raises Refused("archived")."""
    _refuse_archived(appointment)
    _apply(appointment, "undone", lambda: _put_details(appointment, details), now, actor, source)


def reschedule(
    appointment: Appointment, when: When, *, now: dt.datetime, actor: Provider | None, source: str
) -> None:
    """Move or resize. Raises InvalidInput, Refused("archived")."""
    _refuse_archived(appointment)
    _raise_problems(problems_of_time(appointment.kind, when))
    _apply(appointment, "rescheduled", lambda: _put_when(appointment, when), now, actor, source)


def move_to_zone(
    appointment: Appointment, when: When, *, now: dt.datetime, actor: Provider | None, source: str
) -> None:
    """Follow the provider to another time zone; no exception of its series. Raises Refused("archived")."""
    _refuse_archived(appointment)
    _apply(appointment, "zone-changed", lambda: _put_when(appointment, when), now, actor, source)


def cancel(
    appointment: Appointment,
    *,
    late: bool,
    reason: str,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    """Call it off. It stays here, crossed out, and goes away outside. Raises Refused, InvalidInput."""
    if len(reason) > REASON_MOST_CHARACTERS:
        raise InvalidInput({"reason": f"Keep the reason under {REASON_MOST_CHARACTERS} characters."})
    if problem := letters.problem_of(reason):
        raise InvalidInput({"reason": problem})
    status = AppointmentStatus.LATE_CANCELED if late else AppointmentStatus.CANCELED
    _move_status(appointment, status, (AppointmentStatus.SCHEDULED,), now, actor, source, reason=reason)


def mark_no_show(appointment: Appointment, *, now: dt.datetime, actor: Provider | None, source: str) -> None:
    """The client did not come. Raises Refused."""
    _move_status(appointment, AppointmentStatus.NO_SHOW, (AppointmentStatus.SCHEDULED,), now, actor, source)


def mark_completed(
    appointment: Appointment, *, now: dt.datetime, actor: Provider | None, source: str
) -> None:
    """It took place. Raises Refused."""
    _move_status(appointment, AppointmentStatus.COMPLETED, (AppointmentStatus.SCHEDULED,), now, actor, source)


def archive(appointment: Appointment, *, now: dt.datetime, actor: Provider | None, source: str) -> None:
    """Put it out of sight, whatever its status; it goes away outside. Raises Refused("archived")."""
    _refuse_archived(appointment)

    def put() -> None:
        appointment.archived_at = now

    _apply(appointment, "archived", put, now, actor, source)


def reinstate(appointment: Appointment, *, now: dt.datetime, actor: Provider | None, source: str) -> None:
    """Undo the last of archive, cancel, no-show or completed. Raises Refused("nothing-to-reinstate")."""
    if appointment.archived_at is None and appointment.status is AppointmentStatus.SCHEDULED:
        raise Refused("nothing-to-reinstate")

    def put() -> None:
        if appointment.archived_at is not None:
            appointment.archived_at = None
        else:
            appointment.status = AppointmentStatus.SCHEDULED
            appointment.status_reason = None

    _apply(appointment, "reinstated", put, now, actor, source)


def _move_status(
    appointment: Appointment,
    status: AppointmentStatus,
    allowed_from: tuple[AppointmentStatus, ...],
    now: dt.datetime,
    actor: Provider | None,
    source: str,
    reason: str = "",
) -> None:
    _refuse_archived(appointment)
    if appointment.status not in allowed_from:
        raise Refused("not-scheduled")

    def put() -> None:
        appointment.status = status
        appointment.status_reason = reason.strip() or None

    _apply(appointment, status.value, put, now, actor, source)


def _save_details(
    appointment: Appointment,
    details: AppointmentDetails,
    verb: str,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    _refuse_archived(appointment)
    _check_details(appointment.provider, details, kept_client_id=appointment.client_id)
    _apply(appointment, verb, lambda: _put_details(appointment, details), now, actor, source)


def _refuse_archived(appointment: Appointment) -> None:
    if appointment.archived_at is not None:
        raise Refused("archived")


def _apply(
    appointment: Appointment,
    verb: str,
    put: Callable[[], None],
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    """Let `put` alter the row; then revision, history and the mark for sync follow from what is different."""
    before, outside_before = _snapshot(appointment), _outside(appointment)
    put()
    after = _snapshot(appointment)
    if _outside(appointment) != outside_before:
        appointment.revision += 1
        outbox.note_change(appointment.provider_id, now=now)
    if before == after:
        return
    appointment.updated_at = now
    changed = {name for name in before if before[name] != after[name]}
    _write_history(
        appointment,
        verb,
        {name: before[name] for name in changed},
        {name: after[name] for name in changed},
        now=now,
        actor=actor,
        source=source,
    )


def _write_history(
    appointment: Appointment,
    verb: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> None:
    db.session.add(
        AppointmentHistory(
            appointment_id=appointment.id,
            revision=appointment.revision,
            at=now,
            provider_id=actor.id if actor else None,
            source=source,
            verb=verb,
            before=_without_text(before),
            after=_without_text(after),
        )
    )


def _put_details(appointment: Appointment, details: AppointmentDetails) -> None:
    is_other = details.kind is AppointmentKind.OTHER
    appointment.kind = details.kind
    appointment.client = None if is_other else details.client
    appointment.client_id = None if is_other or details.client is None else details.client.id
    appointment.title = (details.title or "").strip() or None if is_other else None
    appointment.is_free = details.is_free and is_other
    appointment.location = (details.location or "").strip() or None
    appointment.type = details.type
    appointment.type_id = details.type.id if details.type else None
    _put_when(appointment, details.when)


def _put_when(appointment: Appointment, when: When) -> None:
    appointment.timezone = when.timezone
    appointment.starts_at, appointment.ends_at = when.starts_at, when.ends_at
    match when:
        case Timed():
            appointment.all_day = False
            appointment.start_date, appointment.start_time = when.date, when.time
            appointment.duration_minutes, appointment.end_date = when.minutes, None
        case AllDay():
            appointment.all_day = True
            appointment.start_date, appointment.start_time = when.start_date, None
            appointment.duration_minutes, appointment.end_date = None, when.end_date


def _snapshot(appointment: Appointment) -> dict[str, Any]:
    """What history compares."""
    return {
        "start_date": appointment.start_date.isoformat(),
        "start_time": appointment.start_time and appointment.start_time.isoformat("minutes"),
        "duration_minutes": appointment.duration_minutes,
        "end_date": appointment.end_date and appointment.end_date.isoformat(),
        "timezone": appointment.timezone,
        "kind": appointment.kind.value,
        "client_id": appointment.client_id,
        "title": appointment.title,
        "location": appointment.location,
        "is_free": appointment.is_free,
        "type_id": appointment.type_id,
        "status": appointment.status.value,
        "archived": appointment.archived_at is not None,
    }


def _without_text(values: dict[str, Any]) -> dict[str, Any]:
    """History says that a text was there, never what it said: it may name a person."""
    return {name: bool(value) if name in ("title", "location") else value for name, value in values.items()}


def _outside(appointment: Appointment) -> tuple[object, ...]:
    """Everything on which the event outside depends."""
    return (
        appointment.starts_at,
        appointment.ends_at,
        appointment.all_day,
        appointment.timezone,
        appointment.kind,
        appointment.client_id,
        appointment.title,
        appointment.is_free,
        appointment.status,
        appointment.is_live,
    )


def _check_details(provider: Provider, details: AppointmentDetails, *, kept_client_id: int | None) -> None:
    problems = problems_of_time(details.kind, details.when)
    if details.kind is AppointmentKind.OTHER:
        if letters.is_blank(details.title or ""):
            problems["title"] = "Give the event a title."
    else:
        problems |= _problems_of_client(provider, details.client, kept_client_id)
    for field, text in (("title", details.title), ("location", details.location)):
        if text and len(text.strip()) > TEXT_MOST_CHARACTERS:
            problems[field] = f"Keep it under {TEXT_MOST_CHARACTERS} characters."
        if text and (problem := letters.problem_of(text)):
            problems[field] = problem
    _raise_problems(problems)


def _problems_of_client(
    provider: Provider, client: Client | None, kept_client_id: int | None
) -> dict[str, str]:
    if client is None or client.provider_id != provider.id:
        return {"client": "Choose a client."}
    if client.archived_at is not None and client.id != kept_client_id:
        return {"client": "This client is archived. Bring them back first, or choose another."}
    return {}


def _raise_problems(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)
