"""The practice's places and kinds of appointment: add, archive, bring back. No HTTP, no commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from portal import reading
from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import AppointmentType, Location
from portal.practice import letters

NAME_MOST_CHARACTERS = 100
LONGEST_MINUTES = 24 * 60


def locations() -> Sequence[Location]:
    """Those to choose from, by name."""
    return db.session.scalars(
        sa.select(Location).where(Location.archived_at.is_(None)).order_by(sa.func.lower(Location.name))
    ).all()


def types() -> Sequence[AppointmentType]:
    """Those to choose from, by name."""
    return db.session.scalars(
        sa.select(AppointmentType)
        .where(AppointmentType.archived_at.is_(None))
        .order_by(sa.func.lower(AppointmentType.name))
    ).all()


def add_location(name: str) -> Location:
    """Add a place, or bring back the one of that name. Raises InvalidInput("location")."""
    name = _checked(name, "location")
    found = db.session.scalar(sa.select(Location).where(Location.name == name))
    if found is None:
        found = Location(name=name)
        db.session.add(found)
    found.archived_at = None
    return found


def add_type(name: str, minutes: str) -> AppointmentType:
    """Add a type, or give the one of that name another length. Raises InvalidInput("type", "minutes")."""
    name = _checked(name, "type")
    length = reading.whole_number(minutes, most_digits=len(str(LONGEST_MINUTES))) or 0
    if not 1 <= length <= LONGEST_MINUTES:
        raise InvalidInput({"minutes": f"Give a length between 1 and {LONGEST_MINUTES} minutes."})
    found = db.session.scalar(sa.select(AppointmentType).where(AppointmentType.name == name))
    if found is None:
        found = AppointmentType(name=name)
        db.session.add(found)
    found.minutes, found.archived_at = length, None
    return found


def archive(offer: Location | AppointmentType, *, now: dt.datetime) -> None:
    """Offer it no longer; what has it keeps it."""
    offer.archived_at = now


def _checked(name: str, field: str) -> str:
    if problem := letters.problem_of(name):
        raise InvalidInput({field: problem})
    text = letters.one_line(name)
    if letters.is_blank(text) or len(text) > NAME_MOST_CHARACTERS:
        raise InvalidInput({field: f"Give a name of 1 to {NAME_MOST_CHARACTERS} characters."})
    return text
