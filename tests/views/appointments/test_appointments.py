"""The appointment form and page, as a person without script uses them."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import Appointment, AppointmentStatus, AuditEntry, EventLink, LinkState
from portal.practice import appointments
from tests.forms import Element, read_page
from tests.office import NOW, VERB, Office, at, entries, get, one_entry

SOON = dt.date.today() + dt.timedelta(days=14)  # noqa: DTZ011  a series only changes what is to come


def form(office: Office, **values: str) -> dict[str, str]:
    return {
        "kind": "session",
        "client": str(office.client.id),
        "date": "2026-11-18",
        "start_time": "09:00",
        "duration": "50",
        **values,
    }


def labels(page: Element) -> dict[str, Element]:
    """Controls by their label."""
    by_id = {element["id"]: element for element in page.everything() if element["id"]}
    found = {label.text: by_id[label["for"]] for label in page.find("label") if label["for"]}
    return found | {label.text: label.find("input")[0] for label in page.find("label") if not label["for"]}


def buttons(page: Element) -> set[str]:
    main = page.find("main")[0]
    links = [link.text for link in main.find("a")]
    return {text for text in links + [button.text for button in main.find("button")] if text}


def stored(appointment_id: int) -> Appointment:
    db.session.expire_all()
    found = db.session.get(Appointment, appointment_id)
    assert found is not None
    return found


def test_the_form_has_the_fields_people_know(visitor: FlaskClient) -> None:
    found = labels(get(visitor, "/appointments/new?date=2026-11-18&time=14:30"))
    assert {
        *("Kind", "Client", "Title", "Date", "Start time", "Duration (minutes)", "All day", "Location"),
        *("Repeats", "Every", "Ends", "Until", "Occurrences"),
    } <= set(found)
    assert [option.text for option in found["Kind"].find("option")] == [
        "Client session", "Client contact", "Other event",
    ]  # fmt: skip
    assert "Rosa Tellan (1001)" in [option.text for option in found["Client"].find("option")]
    assert (found["Date"]["value"], found["Start time"]["value"]) == ("2026-11-18", "14:30")


def test_saving_leads_back_to_the_week_with_the_appointment_in_it(
    office: Office, visitor: FlaskClient
) -> None:
    answer = visitor.post("/appointments", data=form(office))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calendar?date=2026-11-18")
    page = get(visitor, answer.headers["Location"])
    assert one_entry(page, "Rosa Tellan")["data-start"] == "2026-11-18T09:00:00-06:00"
    assert "Booked for Wednesday, November 18, 9:00 AM." in page.text


def test_an_overlap_is_told_and_not_forbidden(office: Office, visitor: FlaskClient) -> None:
    office.book(at(2, "09:30"))
    answer = visitor.post("/appointments", data=form(office))
    assert "It overlaps another appointment." in get(visitor, answer.headers["Location"]).text


def test_an_all_day_event_lasts_until_its_last_day(office: Office, visitor: FlaskClient) -> None:
    values = {"kind": "other", "title": "Training", "all_day": "1", "last_day": "2026-11-19"}
    assert visitor.post("/appointments", data=form(office, **values)).status_code == 303
    entry = one_entry(get(visitor, "/calendar?view=week&date=2026-11-18"), "Training")
    assert (entry["data-start"], entry["data-end"]) == ("2026-11-18", "2026-11-20")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"client": ""}, "client"),
        ({"kind": "other", "title": ""}, "title"),
        ({"kind": "nonsense"}, "kind"),
        ({"date": "soon"}, "date"),
        ({"start_time": "25:00"}, "start_time"),
        ({"duration": "an hour"}, "duration"),
        ({"repeats": "weekly", "ends": "date", "until": ""}, "until"),
        ({"repeats": "weekly", "every": "0"}, "every"),
    ],
)
def test_a_problem_is_said_at_its_field_and_nothing_typed_is_lost(
    office: Office, visitor: FlaskClient, values: dict[str, str], field: str
) -> None:
    answer = visitor.post("/appointments", data=form(office, location="Room 7", **values))
    page = read_page(answer.get_data(as_text=True))
    assert answer.status_code == 422
    control = next(element for element in page.everything() if element["id"] == field)
    assert control["aria-invalid"] == "true"
    assert f"{field}-problem" in control["aria-describedby"]
    assert labels(page)["Location"]["value"] == "Room 7"
    assert db.session.scalar(db.select(db.func.count()).select_from(Appointment)) == 0


def test_editing_shows_what_is_stored_and_saves_it(office: Office, visitor: FlaskClient) -> None:
    booked = office.book(at(2, "09:00"), location="Maple Room")
    found = labels(get(visitor, f"/appointments/{booked.id}/edit"))
    assert (found["Location"]["value"], found["Start time"]["value"]) == ("Maple Room", "09:00")
    sent = form(office, start_time="11:00", revision="1")
    assert visitor.post(f"/appointments/{booked.id}", data=sent).status_code == 303
    assert stored(booked.id).start_time == dt.time(11)


def test_saving_over_a_newer_revision_shows_both_and_saves_neither(
    office: Office, visitor: FlaskClient
) -> None:
    booked = office.book(at(2, "09:00"))
    appointments.reschedule(booked, at(2, "10:00"), actor=None, **{**VERB, "source": "google"})
    db.session.commit()
    answer = visitor.post(f"/appointments/{booked.id}", data=form(office, start_time="11:00", revision="1"))
    page = read_page(answer.get_data(as_text=True))
    assert answer.status_code == 409
    assert "10:00 AM" in page.text
    assert labels(page)["Start time"]["value"] == "11:00"
    assert stored(booked.id).start_time == dt.time(10)


def test_a_place_changed_in_another_tab_is_not_overwritten(office: Office, visitor: FlaskClient) -> None:
    booked = office.book(at(2, "09:00"))
    drawn = booked.updated_at.isoformat()
    details = office.details(at(2, "09:00"), location="Maple Room")
    later = {**VERB, "now": NOW + dt.timedelta(minutes=1)}
    appointments.change(booked, details, revision=1, actor=office.provider, **later)
    db.session.commit()
    sent = form(office, start_time="11:00", revision="1", drawn=drawn)
    assert visitor.post(f"/appointments/{booked.id}", data=sent).status_code == 409
    assert stored(booked.id).location == "Maple Room"


def test_canceling_asks_whether_it_was_late_and_why(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    page = get(visitor, f"/appointments/{booked.id}/cancel")
    assert {"Late cancellation", "Reason"} <= set(labels(page))
    assert "Cancel appointment" in buttons(page)
    visitor.post(f"/appointments/{booked.id}/cancel", data={"late": "1", "reason": "Ill"})
    kept = stored(booked.id)
    assert (kept.status, kept.status_reason) == (AppointmentStatus.LATE_CANCELED, "Ill")


@pytest.mark.parametrize("has_guests", [True, False])
def test_canceling_one_with_guests_in_google_says_that_they_were_not_told(
    office: Office, visitor: FlaskClient, has_guests: bool
) -> None:
    booked = office.book()
    link = EventLink(
        appointment_id=booked.id,
        connection_id=office.connection().id,
        event_id="event",
        state=LinkState.LIVE,
        revision=booked.revision,
        agreed_at=NOW,
        has_guests=has_guests,
    )
    db.session.add(link)
    db.session.commit()
    page = visitor.post(f"/appointments/{booked.id}/cancel", follow_redirects=True).get_data(as_text=True)
    assert "Canceled. It stays here, crossed out." in page
    assert ("Guests invited in Google were not told." in page) is has_guests


def test_the_page_offers_what_can_be_done_now(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    address = f"/appointments/{booked.id}"
    everything = {"Edit", "Cancel appointment", "Mark no-show", "Mark completed", "Archive"}
    assert everything <= buttons(get(visitor, address))
    assert "Reinstate" not in buttons(get(visitor, address))
    visitor.post(f"{address}/no-show")
    assert {"Reinstate", "Archive"} <= buttons(get(visitor, address))
    visitor.post(f"{address}/archive")
    offered = buttons(get(visitor, address))
    assert "Reinstate" in offered
    assert "Archive" not in offered


@pytest.mark.parametrize(
    ("action", "status"), [("no-show", AppointmentStatus.NO_SHOW), ("complete", AppointmentStatus.COMPLETED)]
)
def test_statuses_change_and_come_back(
    office: Office, visitor: FlaskClient, action: str, status: AppointmentStatus
) -> None:
    booked = office.book()
    assert visitor.post(f"/appointments/{booked.id}/{action}").status_code == 303
    assert stored(booked.id).status is status
    visitor.post(f"/appointments/{booked.id}/reinstate")
    assert stored(booked.id).status is AppointmentStatus.SCHEDULED


def test_what_is_refused_is_said_and_changes_nothing(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    visitor.post(f"/appointments/{booked.id}/archive")
    answer = visitor.post(f"/appointments/{booked.id}/no-show")
    assert "It is archived." in get(visitor, answer.headers["Location"]).text
    assert stored(booked.id).status is AppointmentStatus.SCHEDULED


def test_history_says_what_changed(office: Office, visitor: FlaskClient) -> None:
    booked = office.book(at(2, "09:00"))
    appointments.reschedule(booked, at(3, "10:00"), actor=None, **{**VERB, "source": "google"})
    db.session.commit()
    text = get(visitor, f"/appointments/{booked.id}").text
    assert "Date Wed, Nov 18 → Thu, Nov 19" in text
    assert "Time 9:00 AM → 10:00 AM" in text
    assert "from Google" in text


def test_somebody_elses_appointment_cannot_be_touched(office: Office) -> None:
    booked = office.book()
    stranger = office.sign_in(office.other)
    for action in ("", "/cancel", "/no-show", "/complete", "/archive", "/reinstate"):
        answer = stranger.post(f"/appointments/{booked.id}{action}", data=form(office, revision="1"))
        assert answer.status_code == 404, action
    assert stranger.get(f"/appointments/{booked.id}/edit").status_code == 404
    assert stored(booked.id).revision == 1


def test_the_owner_may_look_at_anothers_appointment_and_no_more(office: Office, visitor: FlaskClient) -> None:
    theirs = office.book(title="Team talk", provider=office.other)
    offered = buttons(get(visitor, f"/appointments/{theirs.id}"))
    assert not offered & {"Edit", "Cancel appointment", "Archive"}
    assert visitor.post(f"/appointments/{theirs.id}/archive").status_code == 404
    noted = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "appointment.read")).one()
    assert noted.object_id == theirs.id


def test_a_weekly_appointment_asks_which_ones_a_change_is_for(office: Office, visitor: FlaskClient) -> None:
    sent = form(office, date=SOON.isoformat(), repeats="weekly", every="1", ends="after", occurrences="4")
    visitor.post("/appointments", data=sent)
    made = db.session.scalars(db.select(Appointment).order_by(Appointment.starts_at)).all()
    assert len(made) == 4
    page = get(visitor, f"/appointments/{made[1].id}/edit")
    assert [option.text for option in labels(page)["Apply to"].find("option")] == [
        "This one", "This and following", "All",
    ]  # fmt: skip
    changed = form(
        office, date=made[1].start_date.isoformat(), start_time="16:00", apply_to="following", revision="1"
    )
    visitor.post(f"/appointments/{made[1].id}", data=changed)
    db.session.expire_all()
    assert [each.start_time and each.start_time.hour for each in made] == [9, 16, 16, 16]
    visitor.post(f"/appointments/{made[2].id}/cancel", data={"apply_to": "all"})
    db.session.expire_all()
    assert {each.status for each in made} == {AppointmentStatus.CANCELED}


def test_every_change_is_audited_without_a_name(office: Office, visitor: FlaskClient) -> None:
    visitor.post("/appointments", data=form(office))
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "appointment.booked")).one()
    assert (entry.object_kind, entry.provider_id) == ("appointment", office.provider.id)


SKIPPED = {"date": "2027-03-14", "start_time": "02:30"}  # in Chicago the clocks go from 2:00 to 3:00
TWICE = {"date": "2027-11-07", "start_time": "01:30"}
TOLD = "The clocks skip 2:30 AM on this day, so it begins at 3:30 AM."


def test_a_time_that_the_clocks_skip_is_told_as_it_is_stored(office: Office, visitor: FlaskClient) -> None:
    """Failure 64: in the toast and on the calendar."""
    visitor.post("/appointments", data=form(office, **SKIPPED))
    page = get(visitor, "/calendar?view=day&date=2027-03-14")
    assert f"Booked for Sunday, March 14, 3:30 AM. {TOLD}" in page.text
    (entry,) = entries(page)
    assert entry["data-start"] == "2027-03-14T03:30:00-05:00"


def test_a_move_into_the_skipped_hour_is_told_the_same(office: Office, visitor: FlaskClient) -> None:
    booked = office.book()
    sent = {**SKIPPED, "revision": str(booked.revision)}
    visitor.post(f"/appointments/{booked.id}/move", data=sent)
    assert f"Moved to Sunday, March 14, 3:30 AM. {TOLD}" in get(visitor, "/calendar").text


def test_a_time_that_the_clocks_show_twice_is_the_first(office: Office, visitor: FlaskClient) -> None:
    visitor.post("/appointments", data=form(office, **TWICE))
    page = get(visitor, "/calendar?view=day&date=2027-11-07")
    told = "The clocks show 1:30 AM twice on this day; it begins at the first."
    assert f"Booked for Sunday, November 7, 1:30 AM. {told}" in page.text
    assert [entry["data-start"] for entry in entries(page)] == ["2027-11-07T01:30:00-05:00"]


@pytest.mark.parametrize(("time", "told"), [(SKIPPED, [TOLD]), ({**SKIPPED, "start_time": "03:30"}, [])])
def test_the_dialog_tells_it_before_anything_is_saved(
    office: Office, visitor: FlaskClient, time: dict[str, str], told: list[str]
) -> None:
    fragment = visitor.post("/appointments/overlaps", data=form(office, **time)).get_data(as_text=True)
    query = f"date={time['date']}&time={time['start_time']}"
    move = f"/appointments/{office.book().id}/move?date={time['date']}&start_time={time['start_time']}"
    for page in (read_page(fragment), get(visitor, f"/appointments/quick?{query}"), get(visitor, move)):
        assert [each.text for each in page.find("span") if "clocks skip" in each.text] == told
