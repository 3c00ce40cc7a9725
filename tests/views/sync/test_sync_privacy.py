"""Privacy mode on the sync pages: with full names outside, no page's source holds one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.clock import utcnow
from portal.connection import current
from portal.extensions import db
from portal.models import (
    Appointment,
    AppointmentKind,
    CardKind,
    Client,
    EventLink,
    GoogleCalendar,
    LinkState,
    NameDisplay,
    Provider,
)
from sandbox.client import SandboxClient
from tests.scratch_practice import book, in_context
from tests.views.sync import test_no_dead_ends as ways
from tests.views.sync.test_no_dead_ends import EMAIL, STEPS, SYNC, Visit

# The client's name as people know it, its parts and its initials; a title of one's own; one from Google
CANARIES = ("Testa", "Canaryname", "T.C.", "Planted errand", "Planted lunch")
HELP = ("/help", "/help/late", "/help/duplicates")

google = ways.google
with_google = ways.with_google
visit = ways.visit


def everything_named(provider: Provider) -> None:
    """Names go out in full; questions, refusals and differences are about that client and that title."""
    ways.deleted_there(provider)
    provider.name_display, provider.display_confirmed_at = NameDisplay.FULL_NAME, utcnow()
    errand = book(provider, title="Planted errand")
    client = db.session.scalars(sa.select(Client)).one()
    for place, each in enumerate((errand, book(provider, client, minutes=20), book(provider, client))):
        db.session.add(
            EventLink(
                appointment_id=each.id,
                connection_id=current.live_connection(provider).id,  # type: ignore[union-attr]
                event_id=f"refused{place}",
                state=LinkState.HELD if place == 0 else LinkState.LIVE,
                error="invalid" if place == 1 else None,
                tries=9,
                revision=1,
                settled=1,
                agreed_at=utcnow(),
            )
        )
    connection = current.live_connection(provider)
    assert connection
    for kind in (CardKind.MOVED, CardKind.EDITED, CardKind.GROUPED):
        ways.ask(connection, kind, reason="many-deleted" if kind is CardKind.GROUPED else None)
    assert errand.kind is AppointmentKind.OTHER


def compared(provider: Provider) -> None:
    everything_named(provider)
    connection = current.live_connection(provider)
    assert connection
    numbers = db.session.scalars(sa.select(Appointment.id)).all()
    day = utcnow().date().isoformat()
    found = [{"verdict": "differs", "day": day, "calendar": 1, "appointment": number} for number in numbers]
    db.session.add(
        ways.Checkup(connection_id=connection.id, at=utcnow(), days={day: [3, 3]}, differences=found)
    )


def offered(provider: Provider) -> None:
    ways.preview(provider)
    provider.name_display, provider.display_confirmed_at = NameDisplay.FULL_NAME, utcnow()


def addresses(visit: Visit) -> list[str]:
    with in_context(visit.app):
        numbers = db.session.scalars(sa.select(Appointment.id)).all()
    reports = [f"{SYNC}/doctor/report.json", f"{SYNC}/doctor/report.txt", f"{SYNC}/status?state=active"]
    return [SYNC + step for step in STEPS] + reports + [f"/appointments/{n}" for n in numbers] + list(HELP)


def source(visit: Visit, address: str) -> str:
    """What is sent to the browser, wherever it leads."""
    text: str = visit.browser.get(address, follow_redirects=True).get_data(as_text=True)
    return text


def hide(visit: Visit, hides: bool = True) -> None:
    with in_context(visit.app):
        db.session.execute(sa.update(Provider).values(hides_names=hides))
        db.session.commit()


def found_in(visit: Visit, places: list[str]) -> dict[str, list[str]]:
    """By address: the canaries in its source. The page of one's own errand may show its title."""
    told = {address: source(visit, address) for address in places}
    found = {address: [each for each in _canaries(address) if each in text] for address, text in told.items()}
    return {address: canaries for address, canaries in found.items() if canaries}


def _canaries(address: str) -> tuple[str, ...]:
    return CANARIES[:3] if address.startswith("/appointments/") else CANARIES


@pytest.mark.parametrize("make", [compared, offered], ids=["running", "set-up"])
def test_no_page_about_the_sync_holds_a_name_while_names_are_hidden(
    with_google: Visit, make: Callable[[Provider], Any]
) -> None:
    with_google.be_in(make)
    places = addresses(with_google)
    assert len(found_in(with_google, places)) >= 3, "without privacy mode they are named"
    hide(with_google)
    assert found_in(with_google, places) == {}


def test_what_an_answer_says_holds_no_name_either(with_google: Visit) -> None:
    """Receipts of answers, refusals of forms and the words about a push."""
    with_google.be_in(everything_named)
    hide(with_google)
    for address in (f"{SYNC}/changes", f"{SYNC}/doctor", f"{SYNC}/names", SYNC):
        main = with_google.open(address)
        for form in main.find("form"):
            for button in form.find("button") or [None]:
                hide(with_google)
                data = [pair for each in form.find("input", "select") for pair in ways._submitted(each)]
                if button is not None and button["name"]:
                    data.append((button["name"], button["value"]))
                if form["method"].lower() != "post" or form["action"].endswith("/google/connect"):
                    continue
                fields = {name: value for name, value in data if name != "confirmed"}
                answer = with_google.browser.post(form["action"], data=fields, follow_redirects=True)
                assert [each for each in CANARIES if each in answer.text] == [], form["action"]
                with_google.put_back()


def test_a_day_in_google_shows_no_title_while_names_are_hidden(visit: Visit, google: SandboxClient) -> None:
    day = utcnow().date() + dt.timedelta(days=2)
    google.add_event(
        EMAIL,
        summary="Planted lunch",
        start={"dateTime": f"{day}T15:00:00", "timeZone": "America/Chicago"},
        end={"dateTime": f"{day}T15:50:00", "timeZone": "America/Chicago"},
    )
    with in_context(visit.app):
        primary = db.session.scalars(sa.select(GoogleCalendar.id).filter_by(calendar_id="primary")).one()
    address = f"{SYNC}/doctor?calendar={primary}&day={day}"
    assert "Planted lunch" in source(visit, address)
    hide(visit)
    text = source(visit, address)
    assert "Title hidden" in text
    assert "Planted lunch" not in text
