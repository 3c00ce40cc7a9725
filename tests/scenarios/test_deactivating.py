"""An account that is closed by the command, with the worker, and opened again."""

from __future__ import annotations

import sqlalchemy as sa

from portal.extensions import db
from portal.models import Appointment, GoogleEvent, PushChannel
from tests.engine.conftest import EMAIL
from tests.engine.test_pull import timed
from tests.scenarios.conftest import Scene, reading
from tests.scenarios.test_leaving import app_calendars, begin, state_on_the_page


def google_events(scene: Scene) -> int:
    with reading():
        return db.session.scalar(sa.select(sa.func.count(GoogleEvent.id))) or 0


def open_channels(scene: Scene) -> int:
    with reading():
        is_open = PushChannel.stopped_at.is_(None)
        return db.session.scalar(sa.select(sa.func.count(PushChannel.id)).where(is_open)) or 0


def live_appointments(scene: Scene) -> list[int]:
    with reading():
        rows = db.session.scalars(sa.select(Appointment).order_by(Appointment.id))
        return [row.id for row in rows if row.is_live]


def test_a_closed_account_leaves_google_and_keeps_its_appointments(scene: Scene) -> None:
    """Failure 72: with a Google in trouble at first; from then on nothing of that Google is read."""
    person, ids = begin(scene)
    scene.google.add_event(EMAIL, summary="Lunch", **timed(scene.office))
    scene.rest()
    booked = live_appointments(scene)
    assert len(booked) == len(ids)
    assert scene.shown() == ["Lunch"]
    scene.wait(lambda: open_channels(scene) > 0, "Google is watched")

    scene.google.add_fault("backend_error", method="calendar.calendars.delete", times=None)
    scene.portal.flask("provider", "deactivate", EMAIL).or_fail()
    assert person.open("/calendar/sync").url.split("?")[0].endswith("/login"), "every session has ended"
    scene.wait(lambda: scene.connection().failures > 0, "the worker has tried")
    scene.google.clear_faults()
    assert scene.portal.flask("sync", "now", EMAIL).exit_code == 0, "named, it is finished at once"

    assert scene.doctor()["state"] == "off"
    assert app_calendars(scene) == []
    assert scene.google.control("GET", "/grants")["items"] == []
    assert all(each["stopped"] for each in scene.google.control("GET", "/channels")["items"])
    assert (open_channels(scene), google_events(scene)) == (0, 0)
    assert live_appointments(scene) == booked

    scene.google.reset_requests()
    scene.google.add_event(EMAIL, summary="Private", **timed(scene.office))
    scene.portal.flask("sync", "now", "--full").or_fail()
    scene.portal.flask("provider", "reactivate", EMAIL).or_fail()
    assert state_on_the_page(scene.sign_in()) == "off"
    assert google_events(scene) == 0
    assert scene.google.requests()["counters"]["by_method"] == {}


def test_the_worker_alone_finishes_it(scene: Scene) -> None:
    """Failure 72."""
    begin(scene)
    scene.portal.flask("provider", "deactivate", EMAIL).or_fail()
    scene.wait(lambda: scene.connection().ended_at is not None, "the worker has taken everything away")
    assert app_calendars(scene) == []
    assert scene.google.control("GET", "/grants")["items"] == []
    scene.portal.flask("provider", "reactivate", EMAIL).or_fail()
