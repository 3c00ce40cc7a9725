"""Writes of ours whose answers were lost, and what the provider makes of them meanwhile."""

from __future__ import annotations

import pytest

from portal.engine.connection_run import Outcome
from portal.extensions import db
from portal.models import ChangeCard, EventLink
from tests.engine.conftest import EMAIL, Office
from tests.engine.test_pull import timed
from tests.engine.test_push import starts_at


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_lost_write_that_the_provider_moves_on_is_followed_again_and_again(office: Office) -> None:
    """Judged against the revision that was sent, not against the one agreed before it."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.move(appointment, hours=3)
    office.google.add_fault("lost_answer", method="calendar.events.*", times=1)
    assert office.run_once_only() is Outcome.FAILED
    for days in (5, 6):
        event = office.event_of(appointment)
        office.google.change_event(EMAIL, office.app_calendar_id, event["id"], **timed(office, days=days))
        moved = office.event_of(appointment)
        office.rest()
        db.session.expire_all()
        assert appointment.starts_at == starts_at(moved) == starts_at(office.event_of(appointment))
    assert all(card.detail["taken_over"] for card in db.session.scalars(db.select(ChangeCard)))
    assert db.session.scalars(db.select(EventLink)).one().needs_write is False
