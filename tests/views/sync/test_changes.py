"""Changes from Google: every kind of card, its words and buttons, and what each button does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.connection import cards
from portal.extensions import db
from portal.models import Appointment, AppointmentStatus, CardKind, ChangeCard, EventLink, LinkState
from portal.sync.inbound import WHY_KEPT
from tests.forms import Element
from tests.office import Office, at, get

CHANGES = "/calendar/sync/changes"


def booked(office: Office, *, days: int = 3) -> Appointment:
    """An appointment `days` from now, at ten."""
    return office.book(at((utcnow().date() - at(0, "10:00").date).days + days, "10:00"))


def card(
    office: Office,
    kind: CardKind,
    *appointments: Appointment,
    asks: bool = False,
    state: LinkState = LinkState.LIVE,
    **detail: Any,
) -> int:
    """An open card about these appointments, each with a link, as the engine would leave them."""
    connection = office.connection()
    for appointment in appointments:
        db.session.add(
            EventLink(
                appointment_id=appointment.id,
                connection_id=connection.id,
                event_id=f"event{appointment.id}",
                state=state,
                revision=appointment.revision,
                settled=appointment.revision,
                agreed_at=utcnow(),
            )
        )
    is_group = kind is CardKind.GROUPED
    row = ChangeCard(
        provider_id=office.provider.id,
        connection_id=connection.id,
        appointment_id=None if is_group or not appointments else appointments[0].id,
        kind=kind,
        needs_answer=asks,
        created_at=utcnow() - dt.timedelta(minutes=26),
        detail={**detail, **({"appointments": [each.id for each in appointments]} if is_group else {})},
    )
    db.session.add(row)
    db.session.commit()
    return row.id


def shown(visitor: FlaskClient) -> list[Element]:
    return [element for element in get(visitor, CHANGES).everything() if "data-card" in element]


def button_names(element: Element) -> list[str]:
    return [button.text for button in element.find("button")]


def press(visitor: FlaskClient, card_id: int, answer: str) -> str:
    """Give the answer; gives back the page that follows."""
    reply = visitor.post(f"{CHANGES}/{card_id}", data={"answer": answer}, follow_redirects=True)
    assert reply.status_code == 200
    db.session.expire_all()
    return reply.get_data(as_text=True)


def times_of(appointment: Appointment, *, hours: int = 0) -> list[str]:
    by = dt.timedelta(hours=hours)
    return [(moment + by).isoformat() for moment in (appointment.starts_at, appointment.ends_at)]


def event_times(appointment: Appointment, *, hours: int) -> list[dict[str, str]]:
    return [{"datetime": text, "tzid": "America/Chicago"} for text in times_of(appointment, hours=hours)]


def test_without_cards_the_page_says_that_nothing_waits(office: Office, visitor: FlaskClient) -> None:
    office.connection()
    page = get(visitor, CHANGES)
    assert page.find("h1")[0].text == "Changes from Google"
    assert "Nothing waits for your word." in page.text


def test_a_deleted_event_asks_and_the_appointment_can_be_canceled(
    office: Office, visitor: FlaskClient
) -> None:
    appointment = booked(office)
    number = card(office, CardKind.DELETED, appointment, asks=True, state=LinkState.HELD)
    (element,) = shown(visitor)
    assert element["data-card"] == "deleted"
    assert element["data-appointment"] == f"appointment-{appointment.id}"
    assert button_names(element) == ["Cancel appointment", "Put it back"]
    assert "Rosa Tellan 1001 was deleted in Google" in element.text
    press(visitor, number, "cancel")
    assert appointment.status is AppointmentStatus.CANCELED
    assert shown(visitor) == []


def test_an_event_that_was_moved_to_another_calendar_is_told_by_that_calendars_name(
    office: Office, visitor: FlaskClient
) -> None:
    appointment = booked(office)
    card(office, CardKind.DELETED, appointment, asks=True, state=LinkState.HELD)
    theirs = office.add_google_event(appointment.starts_at, 50, "1001").event
    assert "was deleted in Google" in shown(visitor)[0].text
    theirs.event_id = f"event{appointment.id}"
    db.session.commit()
    assert "Rosa Tellan 1001 was moved to your calendar “Personal”" in shown(visitor)[0].text


def test_put_back_sends_the_event_again(office: Office, visitor: FlaskClient) -> None:
    appointment = booked(office)
    number = card(office, CardKind.DELETED, appointment, asks=True, state=LinkState.HELD)
    press(visitor, number, "put-back")
    link = db.session.scalars(db.select(EventLink)).one()
    assert (link.state, link.settled) == (LinkState.GONE, 0)
    assert office.connection().requested > office.connection().handled


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("completed", AppointmentStatus.COMPLETED),
        ("no-show", AppointmentStatus.NO_SHOW),
        ("cancel", AppointmentStatus.CANCELED),
    ],
)
def test_once_its_time_has_come_a_deleted_one_is_asked_how_it_went(
    office: Office, visitor: FlaskClient, answer: str, status: AppointmentStatus
) -> None:
    appointment = booked(office, days=-2)
    number = card(office, CardKind.DELETED, appointment, asks=True, state=LinkState.HELD)
    assert button_names(shown(visitor)[0]) == ["Completed", "No-show", "Cancel appointment"]
    press(visitor, number, answer)
    assert appointment.status is status


def test_a_move_that_was_taken_over_can_be_undone_with_one_press(
    office: Office, visitor: FlaskClient
) -> None:
    appointment = booked(office)
    detail = {"before": times_of(appointment, hours=-1), "after": times_of(appointment), "taken_over": True}
    number = card(office, CardKind.MOVED, appointment, **detail)
    (element,) = shown(visitor)
    assert button_names(element) == ["Undo", "Keep Google’s time"]
    before = dt.datetime.fromisoformat(detail["before"][0])  # type: ignore[index]
    assert "Undone" in press(visitor, number, "undo")
    assert appointment.starts_at == before


def test_after_a_month_a_move_can_only_be_kept(office: Office, visitor: FlaskClient) -> None:
    appointment = booked(office)
    number = card(
        office, CardKind.MOVED, appointment, before=times_of(appointment, hours=-1), taken_over=True
    )
    db.session.get_one(ChangeCard, number).created_at = utcnow() - dt.timedelta(days=31)
    db.session.commit()
    assert button_names(shown(visitor)[0]) == ["Keep Google’s time"]
    start = appointment.starts_at
    assert "settled meanwhile" in press(visitor, number, "undo")
    assert appointment.starts_at == start


def test_a_move_on_both_sides_shows_both_times_and_takes_either(office: Office, visitor: FlaskClient) -> None:
    appointment = booked(office)
    wanted = appointment.starts_at + dt.timedelta(hours=2)
    number = card(
        office,
        CardKind.MOVED,
        appointment,
        here=times_of(appointment),
        there=event_times(appointment, hours=2),
        reason="put-back",
    )
    (element,) = shown(visitor)
    assert button_names(element) == ["Keep mine", "Use Google’s time"]
    assert "12:00 – 12:50 PM" in element.text
    press(visitor, number, "use-theirs")
    assert appointment.starts_at == wanted


def test_a_canceled_appointment_restored_in_google_offers_to_be_reinstated(
    office: Office, visitor: FlaskClient
) -> None:
    appointment = booked(office)
    appointment.status = AppointmentStatus.CANCELED
    number = card(office, CardKind.DELETED, appointment, reason="restored-in-google")
    (element,) = shown(visitor)
    assert button_names(element) == ["Reinstate", "Keep mine"]
    press(visitor, number, "reinstate")
    assert appointment.status is AppointmentStatus.SCHEDULED


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        ("many-deleted", ["Put it back, all 2", "Cancel appointment, all 2"]),
        ("many-moved", ["Use what Google shows", "Keep mine"]),
        ("older-database", ["Use what Google shows", "Keep mine"]),
        ("many-deletes", ["Delete them in Google", "Leave them in Google"]),
        ("calendar-empty", ["It is empty, remove them here", "Keep them and look again"]),
        ("unknown-appointment", ["Leave it in Google", "Delete it in Google"]),
    ],
)
def test_a_card_about_many_names_them_and_says_what_each_answer_does(
    office: Office, visitor: FlaskClient, reason: str, names: list[str]
) -> None:
    both = (booked(office), booked(office, days=4))
    card(office, CardKind.GROUPED, *both, asks=True, reason=reason)
    (element,) = shown(visitor)
    assert button_names(element) == names
    assert element["data-card"] == "grouped"
    assert element.text.count("Rosa Tellan") == 2


CAUSES = {
    "not-scheduled": "it is marked scheduled here",
    "changed-here": "it was changed here meanwhile",
    "made-all-day": "it was made all-day there",
    "made-timed": "it was given a time there",
    "begun": "its time here had come already",
    "moved-to-past": "the new time had passed already",
    "too-short": "less than 5 minutes",
    "too-long": "more than 24 hours",
    "odd-length": "not in whole minutes",
    "made-recurring": "It was made to repeat there",
}


@pytest.mark.parametrize("why", sorted(WHY_KEPT))
def test_a_change_that_could_not_follow_says_the_true_cause_alone(
    office: Office, visitor: FlaskClient, why: str
) -> None:
    kind = CardKind.EDITED if why == "made-recurring" else CardKind.MOVED
    appointment = booked(office)
    card(office, kind, appointment, here=times_of(appointment), reason="put-back", why=why)
    (element,) = shown(visitor)
    assert [code for code, words in CAUSES.items() if words in element.text] == [why]


def test_a_deleted_event_that_is_back_is_told_without_a_question_and_can_be_put_away(
    office: Office, visitor: FlaskClient
) -> None:
    number = card(office, CardKind.DELETED, booked(office), reason="changed-here")
    (element,) = shown(visitor)
    assert "You deleted it in Google; it was changed here, so it is back." in element.text
    assert button_names(element) == ["Put away"]
    assert "Nothing waits for your word." in get(visitor, CHANGES).text
    assert "Put away" in press(visitor, number, "put-away")
    assert shown(visitor) == []


def test_two_moves_of_one_appointment_are_two_cards_each_with_its_own_answers(
    office: Office, visitor: FlaskClient
) -> None:
    appointment = booked(office)
    before = times_of(appointment, hours=-1)
    first = card(
        office, CardKind.MOVED, appointment, before=before, after=times_of(appointment), taken_over=True
    )
    cards.put(
        appointment,
        CardKind.MOVED,
        connection_id=office.connection().id,
        needs_answer=False,
        detail={"here": times_of(appointment), "reason": "put-back", "why": "moved-to-past"},
        now=utcnow(),
    )
    db.session.commit()
    assert [button_names(element) for element in shown(visitor)] == [
        ["Keep mine"],
        ["Undo", "Keep Google’s time"],
    ]
    press(visitor, first, "undo")
    assert appointment.starts_at == dt.datetime.fromisoformat(before[0])
    assert [button_names(element) for element in shown(visitor)] == [["Keep mine"]]


def test_settled_and_all_settled_never_stand_together(office: Office, visitor: FlaskClient) -> None:
    office.connection()

    def headings() -> list[str]:
        return [heading.text for heading in get(visitor, CHANGES).find("h2")]

    assert "All settled" in headings()
    number = card(office, CardKind.DELETED, booked(office), reason="changed-here")
    assert {"All settled", "Settled"}.isdisjoint(headings())
    press(visitor, number, "put-away")
    assert "Settled" in headings()
    assert "All settled" not in headings()


def test_many_deleted_at_once_are_canceled_with_one_press(office: Office, visitor: FlaskClient) -> None:
    both = (booked(office), booked(office, days=4))
    number = card(office, CardKind.GROUPED, *both, asks=True, reason="many-deleted", state=LinkState.HELD)
    press(visitor, number, "cancel")
    assert {each.status for each in both} == {AppointmentStatus.CANCELED}


def test_nobody_can_answer_or_see_the_cards_of_somebody_else(office: Office, visitor: FlaskClient) -> None:
    number = card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    colleague = office.sign_in(office.other)
    assert shown(colleague) == []
    assert colleague.post(f"{CHANGES}/{number}", data={"answer": "cancel"}).status_code == 404


def test_an_answer_given_twice_is_taken_once(office: Office, visitor: FlaskClient) -> None:
    number = card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    press(visitor, number, "put-back")
    assert "settled meanwhile" in press(visitor, number, "cancel")


def test_what_waits_is_counted_on_the_calendar_and_in_the_settings(
    office: Office, visitor: FlaskClient
) -> None:
    assert "from Google" not in get(visitor, "/calendar").find("header")[0].text
    card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    assert "1 change from Google" in get(visitor, "/calendar").find("header")[0].text
    links = [link for link in get(visitor, "/settings").find("a") if link["href"] == CHANGES]
    assert {link.text for link in links} == {"Changes from Google 1 waiting"}


def test_the_card_itself_keeps_no_name(office: Office, visitor: FlaskClient) -> None:
    card(office, CardKind.DELETED, booked(office), asks=True, state=LinkState.HELD)
    shown(visitor)
    stored = db.session.scalars(db.select(ChangeCard)).one()
    assert "Rosa" not in str(stored.detail)


def test_a_phone_without_the_rail_finds_the_pages_about_the_sync(
    office: Office, visitor: FlaskClient
) -> None:
    for address in ("/calendar/sync", "/settings"):
        inside = [link["href"] for link in get(visitor, address).find("main")[0].find("a")]
        assert {CHANGES, "/calendar/sync/doctor", "/help"} <= set(inside), address
