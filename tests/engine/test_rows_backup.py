"""A backup older than Google's side: what it doesn't know is kept, what is newer there is asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from portal.connection import answers
from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.google.client import BATCH_MOST
from tests.engine.conftest import Office
from tests.engine.test_push import starts_at

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Backup = dict[str, Sequence[dict[str, Any]]]


def back_up() -> Backup:
    """Every row of every table."""
    rows = {
        table.name: [dict(row) for row in db.session.execute(sa.select(table)).mappings()]
        for table in db.metadata.sorted_tables
    }
    db.session.rollback()
    return rows


def restore(backup: Backup) -> None:
    db.session.rollback()
    for table in reversed(db.metadata.sorted_tables):
        db.session.execute(sa.delete(table))
    for table in db.metadata.sorted_tables:
        if backup[table.name]:
            db.session.execute(sa.insert(table), list(backup[table.name]))
    db.session.commit()
    db.session.expire_all()


@pytest.mark.parametrize("is_linked", [True, False], ids=["linked", "not-yet-linked"])
@pytest.mark.parametrize("full", [True, False], ids=["full", "delta"])
@pytest.mark.parametrize(("choice", "hours"), [("take-over", 2), ("keep", 0)])
def test_a_backup_never_overwrites_newer_times(
    office: Office, is_linked: bool, full: bool, choice: str, hours: int
) -> None:
    """Failure 53: whether or not the backup knows the event, its times are newer: hold, and ask."""
    office.connect_and_rest()
    appointment = office.book(days=3)
    if is_linked:
        office.rest()
    original, backup = appointment.starts_at, back_up()
    office.rest()
    office.move(appointment, hours=2)
    office.rest()
    restore(backup)
    office.google.reset_requests()
    assert office.run(full=full) is Outcome.ASKED
    assert starts_at(office.event_of(appointment)) == original + dt.timedelta(hours=2)
    patched = office.google.requests()["counters"]["by_method"].get("calendar.events.patch", 0)
    assert patched == 0
    (card,) = answers.open_cards(office.refreshed())
    answers.answer(card, choice, actor=office.provider, now=office.clock())
    db.session.commit()
    office.rest()
    db.session.expire_all()
    assert appointment.starts_at == original + dt.timedelta(hours=hours)
    assert starts_at(office.event_of(appointment)) == appointment.starts_at


def test_a_backup_deletes_no_event_of_an_appointment_it_does_not_know(office: Office) -> None:
    """Failure 53."""
    office.connect_and_rest()
    backup = back_up()
    booked = office.book(days=3)
    office.rest()
    event_id = office.event_of(booked)["id"]
    restore(backup)
    office.rest()
    office.rest(full=True)
    assert [event["id"] for event in office.app_events()] == [event_id]
    assert office.shown() == []


def test_once_the_question_is_asked_no_further_batch_goes_out(office: Office) -> None:
    """Failure 53: the connection's writes are held, not those of one appointment alone."""
    office.connect_and_rest()
    appointment = office.book(days=1)
    backup = back_up()
    office.rest()
    office.move(appointment, hours=2)
    office.rest()
    restore(backup)
    for number in range(BATCH_MOST + 5):
        office.book(days=2 + number)
    assert office.run() is Outcome.ASKED
    assert len(office.app_events()) == BATCH_MOST  # the first batch, the one asked about among it
