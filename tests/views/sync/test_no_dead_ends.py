"""No dead end: in every state, and however Google fails, each page of the Sync section leads on.

Every link is followed, and every form submitted as it stands; each on a database put back before it.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from demo.processes import free_port
from portal.clock import utcnow
from portal.connection import choosing, current, grants, switching
from portal.engine.run import Patience, open_client
from portal.errors import TOOK_TOO_LONG, CalendarUnavailable
from portal.extensions import db
from portal.google.oauth import CALENDAR_SCOPES
from portal.models import (
    Appointment,
    CardKind,
    ChangeCard,
    CheckRequest,
    Checkup,
    Connection,
    ConnectionPhase,
    EventLink,
    GoogleCalendar,
    LinkState,
    NameDisplay,
    Provider,
    SyncMode,
)
from portal.practice import clients
from sandbox import serve
from sandbox.client import SandboxClient
from tests.forms import Element, _submitted, read_page
from tests.scratch_practice import Browser, add_provider, book, in_context, make_app, make_grant

EMAIL = "wren.hale@example.com"
SYNC = "/calendar/sync"
LATE = dt.timedelta(hours=3)
CLIENT = {"GOOGLE_CLIENT_ID": "lockstep-sandbox-client", "GOOGLE_CLIENT_SECRET": "lockstep-sandbox-secret"}
NEVER_FOLLOWED = re.compile(r"/logout|\.ics$")
MOST_REDIRECTS = 4


# States: each makes its rows; the story and the pages follow from them


def off(_: Provider) -> None:
    pass


def one_way(provider: Provider) -> None:
    switching.choose_mode(provider, SyncMode.ONE_WAY, now=utcnow())


def in_choosing(provider: Provider) -> Connection:
    now = utcnow()
    scopes = frozenset({"openid", "email", *CALENDAR_SCOPES})
    connection = grants.accept_grant(provider, make_grant(email=EMAIL, scopes=scopes), now=now)
    for place, (summary, why_not) in enumerate(
        (("Wren Hale", None), ("Headway", "shared-read-only"), ("Holidays", "holidays"))
    ):
        db.session.add(
            GoogleCalendar(
                connection_id=connection.id,
                calendar_id="primary" if place == 0 else f"other-{place}",
                summary=summary,
                access_role="owner" if why_not is None else "reader",
                is_primary=place == 0,
                why_not=why_not,
                listed_at=now,
            )
        )
    connection.calendars_listed_at = now
    db.session.flush()
    return connection


def preview(provider: Provider) -> Connection:
    connection = in_choosing(provider)
    choosing.choose(connection, [choosing.offered_calendars(connection)[0].id], now=utcnow())
    return connection


def preview_with_names_nobody_covers(provider: Provider) -> None:
    """A consumer account and full names: the preview has to say so, and where to change it."""
    preview(provider).hosted_domain = None
    provider.name_display, provider.display_confirmed_at = NameDisplay.FULL_NAME, utcnow()


def first_sync(provider: Provider) -> Connection:
    connection = preview(provider)
    switching.begin_first_sync(connection, now=utcnow())
    return connection


def active(provider: Provider) -> Connection:
    now = utcnow()
    connection = first_sync(provider)
    connection.phase = ConnectionPhase.ACTIVE
    connection.app_calendar_id = "app@group.calendar.google.com"
    connection.app_calendar_made_at = connection.last_pushed_at = connection.last_pulled_at = now
    connection.window_starts_at = now - dt.timedelta(days=30)
    connection.next_check_at = now + dt.timedelta(seconds=55)
    connection.handled = connection.requested
    db.session.add(
        GoogleCalendar(
            connection_id=connection.id,
            calendar_id=connection.app_calendar_id,
            summary="Lockstep",
            access_role="owner",
            is_app_calendar=True,
            listed_at=now,
        )
    )
    appointment = db.session.scalars(sa.select(Appointment)).first()
    assert appointment
    db.session.add(
        EventLink(
            appointment_id=appointment.id,
            connection_id=connection.id,
            event_id="event",
            state=LinkState.LIVE,
            revision=appointment.revision,
            settled=appointment.revision,
            agreed_at=now,
        )
    )
    db.session.flush()
    return connection


def trouble(problem: str, detail: str | None = None) -> Callable[[Provider], None]:
    def make(provider: Provider) -> None:
        connection = active(provider)
        connection.problem, connection.problem_detail = problem, detail
        connection.problem_since = utcnow() - LATE
        if problem in ("delayed", "quota"):
            connection.failures, connection.retry_at = 4, utcnow() + dt.timedelta(minutes=4)
        if problem == "question":
            ask(connection, CardKind.GROUPED, reason=detail or "many-moved")

    return make


def ask(connection: Connection, kind: CardKind, *, reason: str | None = None) -> None:
    appointment = db.session.scalars(sa.select(Appointment)).first()
    assert appointment
    is_group = kind is CardKind.GROUPED
    db.session.add(
        ChangeCard(
            provider_id=connection.provider_id,
            connection_id=connection.id,
            appointment_id=None if is_group else appointment.id,
            kind=kind,
            needs_answer=True,
            created_at=utcnow(),
            detail={"reason": reason, **({"appointments": [appointment.id]} if is_group else {})},
        )
    )
    db.session.flush()


def old_grant(provider: Provider) -> None:
    """Reconnect was asked for a month ago."""
    trouble("reconnect-required")(provider)
    connection = current.live_connection(provider)
    assert connection
    connection.problem_since = utcnow() - dt.timedelta(days=29)


def nobody_works(provider: Provider) -> None:
    active(provider).next_check_at = utcnow() - LATE


def deleted_there(provider: Provider) -> None:
    connection = active(provider)
    db.session.scalars(sa.select(EventLink)).one().state = LinkState.HELD
    ask(connection, CardKind.DELETED)


def refused_by_google(provider: Provider) -> None:
    active(provider)
    link = db.session.scalars(sa.select(EventLink)).one()
    link.error, link.tries, link.needs_write = "invalid", 9, True


def calendar_lost(provider: Provider) -> None:
    connection = active(provider)
    row = next(each for each in choosing.calendars(connection) if each.is_chosen)
    row.why_not, row.stale_since = "shared-read-only", utcnow() - LATE


def checking(provider: Provider) -> None:
    db.session.add(CheckRequest(connection_id=active(provider).id, asked_at=utcnow() - LATE))


def checked_with_differences(provider: Provider) -> None:
    connection = active(provider)
    day = utcnow().date().isoformat()
    appointment = db.session.scalars(sa.select(Appointment)).first()
    assert appointment
    rows = [row.id for row in choosing.calendars(connection)]
    verdicts = (
        ("differs", appointment.id),
        ("asked", appointment.id),
        ("not-here", None),
        ("unreadable", None),
    )
    found = [
        {"verdict": verdict, "day": day, "calendar": rows[0], "appointment": number}
        for verdict, number in verdicts
    ]
    db.session.add(
        Checkup(
            connection_id=connection.id, at=utcnow(), days={day: [9, 4]}, differences=found, with_guests=1
        )
    )


def check_failed(provider: Provider) -> None:
    db.session.add(Checkup(connection_id=active(provider).id, at=utcnow(), error="backendError", days={}))


def removing(provider: Provider) -> None:
    active(provider)
    switching.choose_mode(provider, SyncMode.OFF, now=utcnow())


def removing_in_trouble(provider: Provider) -> None:
    removing(provider)
    connection = current.live_connection(provider)
    assert connection
    connection.failures, connection.retry_at = 5, utcnow() + dt.timedelta(minutes=9)


def left_over(provider: Provider) -> None:
    """Turned off with a dead grant: only the provider can delete the calendar in Google."""
    removing(provider)
    connection = current.live_connection(provider)
    assert connection
    removal = {"leftover": "app@group.calendar.google.com", "imported_removed": 3}
    connection.removal = {**(connection.removal or {}), **removal}
    switching.finish_removal(connection, now=utcnow())


STATES: dict[str, tuple[Callable[[Provider], Any], str]] = {
    "off": (off, "off"),
    "one way": (one_way, "one-way"),
    "choosing": (in_choosing, "choosing"),
    "preview": (preview, "preview"),
    "preview, names not covered": (preview_with_names_nobody_covers, "preview"),
    "first sync": (first_sync, "first-sync"),
    "active": (active, "active"),
    "active, a deletion asked about": (deleted_there, "active"),
    "active, one refused": (refused_by_google, "active"),
    "active, a calendar lost": (calendar_lost, "active"),
    "active, a check that nobody takes up": (checking, "active"),
    "active, a check that found differences": (checked_with_differences, "active"),
    "active, a check that failed": (check_failed, "active"),
    "delayed": (trouble("delayed", "backendError"), "delayed"),
    "quota": (trouble("quota", "quotaExceeded"), "delayed"),
    "nobody works": (nobody_works, "delayed"),
    "question, backup": (trouble("question", "older-database"), "question"),
    "question, deletions": (trouble("question", "many-deletes"), "question"),
    "question, moves": (trouble("question"), "question"),
    "grant gone": (trouble("reconnect-required", "invalid_grant"), "reconnect-required"),
    "grant gone for a month": (old_grant, "reconnect-required"),
    "scope missing": (trouble("scope-missing"), "reconnect-required"),
    "calendar missing": (trouble("calendar-missing"), "calendar-missing"),
    "calendar out of reach": (trouble("calendar-out-of-reach"), "calendar-out-of-reach"),
    "removing": (removing, "removing"),
    "removing, Google away": (removing_in_trouble, "removing"),
    "off, something left in Google": (left_over, "off"),
}


# The visitor


@dataclass
class Visit:
    """Somebody who tries everything that the pages offer."""

    app: Flask
    browser: FlaskClient
    path: Path
    at_first: Path
    kept: Path

    def be_in(self, make: Callable[[Provider], Any]) -> None:
        """Begin anew, in this state."""
        _copy(self.at_first, self.path)
        with in_context(self.app):
            make(db.session.scalars(sa.select(Provider)).one())
            db.session.commit()
        _copy(self.path, self.kept)

    def put_back(self) -> None:
        _copy(self.kept, self.path)

    def open(self, address: str) -> Element:
        """A page that stands on its own two feet: found, said what it is, with a way on."""
        answer = self._arrive(self.browser.get(address), address)
        assert answer.status_code == 200, (address, answer.status_code)
        if answer.mimetype != "text/html":
            return Element("document", {})
        page = read_page(answer.get_data(as_text=True))
        main = page.find("main")[0]
        assert [each.text for each in main.find("h1")], address
        assert _links(main) or main.find("button"), f"{address} leads nowhere"
        if urlsplit(address).path.startswith(SYNC) and "data-state" not in main:
            assert answer.request.path != urlsplit(address).path, f"{address} does not say the state"
        return main

    def submit(self, form: Element, button: Element | None, address: str) -> str:
        """Submit a form as it stands; what comes of it is a page, or Google's."""
        values = [pair for field in form.find("input", "select", "textarea") for pair in _submitted(field)]
        if button is not None and button["name"]:
            values.append((button["name"], button["value"]))
        target = urljoin(address, form["action"] or address)
        data: dict[str, list[str]] = {}
        for name, value in values:
            data.setdefault(name, []).append(value)
        if form["method"].lower() != "post":
            answer = self._arrive(self.browser.get(target, query_string=data), target)
        else:
            answer = self._arrive(self.browser.post(target, data=data), target)
        assert answer.status_code in (200, 302, 303, 422), (target, answer.status_code)
        if answer.status_code == 422:
            assert 'role="alert"' in answer.text, f"{target} refuses and does not say why"
        return target

    def _arrive(self, answer: Any, address: str) -> Any:
        """Follow redirects within the portal; one that leads out of it is left alone."""
        for _ in range(MOST_REDIRECTS):
            target = answer.headers.get("Location", "")
            if answer.status_code not in (302, 303) or target.startswith("http"):
                return answer
            answer = self.browser.get(target)
        raise AssertionError(f"{address} leads round in a circle")


def _links(main: Element) -> list[str]:
    found = [link["href"].partition("#")[0] for link in main.find("a")]
    return [each for each in found if each.startswith("/") and not NEVER_FOLLOWED.search(each)]


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as write:
        write.execute("PRAGMA synchronous=OFF")
        read.backup(write)


@pytest.fixture(scope="module")
def google() -> Iterator[SandboxClient]:
    with serve() as sandbox:
        sandbox.add_account(EMAIL, hd="example.com", time_zone="America/Chicago")
        yield sandbox


def begin(folder: Path, **settings: str) -> Visit:
    """Wren with a client and an appointment, signed in; the queue is away."""
    app = make_app(folder, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0", **settings)
    with in_context(app):
        provider = add_provider(EMAIL)
        book(provider, clients.add_client(provider, "Testa Canaryname", now=utcnow()))
    browser = Browser(app.test_client()).sign_in(EMAIL).client
    visit = Visit(app, browser, folder / "portal.db", folder / "at-first", folder / "kept")
    _copy(visit.path, visit.at_first)
    return visit


@pytest.fixture(scope="module")
def without_google(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """Google refuses connections."""
    nobody = f"http://127.0.0.1:{free_port()}"
    folder = tmp_path_factory.mktemp("away")
    return begin(folder, GOOGLE_OIDC_METADATA_URL=f"{nobody}/metadata", GOOGLE_API_ENDPOINT=nobody)


STEPS = (
    "",
    "/names",
    "/connect",
    "/calendars",
    "/preview",
    "/changes",
    "/doctor",
    "/turn-off",
    "/start-over",
)


@pytest.mark.parametrize("name", list(STATES))
def test_with_google_and_the_queue_away_every_page_leads_on(without_google: Visit, name: str) -> None:
    visit, (make, state) = without_google, STATES[name]
    visit.be_in(make)
    assert visit.open(SYNC)["data-state"] == state
    ahead, seen = [SYNC + step for step in STEPS], set()
    tried: set[tuple[str, str, str]] = set()
    while ahead:
        address = ahead.pop()
        if address in seen:
            continue
        seen.add(address)
        main = visit.open(address)
        ahead += [link for link in _links(main) if link.startswith(SYNC)]
        for link in _links(main):
            path = urlsplit(link).path
            if path not in seen and not link.startswith(SYNC):
                seen.add(path)
                visit.open(link)
        for form in main.find("form"):
            for button in form.find("button") or [None]:
                trial = (form["action"], form["method"], button["value"] if button else "")
                if trial not in tried:
                    tried.add(trial)
                    visit.submit(form, button, address)
                    visit.put_back()
    assert len(tried) >= 3, "pages offer something to do"


# However Google fails


def wrong_token(visit: Visit) -> None:
    """As after "Remove access" in the account."""
    with in_context(visit.app):
        db.session.execute(sa.update(Connection).values(refresh_token="revoked", access_token=None))
        db.session.commit()


FAULTS: dict[str, dict[str, Any]] = {
    "5xx": {"kind": "backend_error", "method": "calendar.*"},
    "403": {"kind": "forbidden", "method": "calendar.*"},
    "scope": {"kind": "insufficient_permissions", "method": "calendar.*"},
    "404": {"kind": "not_found", "method": "calendar.events.*"},
    "rate limit": {"kind": "rate_limit", "method": "calendar.*"},
    "quota": {"kind": "quota_exceeded", "method": "calendar.*"},
    "half an answer": {"kind": "malformed_json", "method": "calendar.*"},
    "reset": {"kind": "reset", "method": "calendar.*"},
    "grant": {"kind": "invalid_grant", "method": "oauth.token"},
}


@pytest.fixture(scope="module")
def with_google(google: SandboxClient, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    settings = {"GOOGLE_OIDC_METADATA_URL": google.metadata_url, "GOOGLE_API_ENDPOINT": google.url, **CLIENT}
    return begin(tmp_path_factory.mktemp("there"), **settings)


@pytest.fixture
def visit(with_google: Visit, google: SandboxClient) -> Iterator[Visit]:
    """Two-Way is on, with a grant that Google knows."""
    token = google.authorize(EMAIL, "openid", "email", *CALENDAR_SCOPES, client_id=CLIENT["GOOGLE_CLIENT_ID"])

    def make(provider: Provider) -> None:
        connection = active(provider)
        connection.refresh_token, connection.access_token = token["refresh_token"], token["access_token"]
        connection.access_token_expires_at = utcnow() + dt.timedelta(hours=1)

    with_google.be_in(make)
    yield with_google
    google.clear_faults()


def ids(visit: Visit) -> tuple[int, int]:
    """The primary calendar's row, and the appointment."""
    with in_context(visit.app):
        primary = db.session.scalars(sa.select(GoogleCalendar.id).filter_by(calendar_id="primary")).one()
        return primary, db.session.scalars(sa.select(Appointment.id)).one()


def said(main: Element) -> str:
    """What the page tells in its notices."""
    return " ".join(each.text for each in main.everything() if "notice" in each["class"].split())


WORDS = re.compile(
    "could not be (reached|asked)|asks us to wait|permission|does not let us|no longer|deleted there"
)


@pytest.mark.parametrize("name", list(FAULTS))
def test_however_google_fails_what_asks_it_says_so_in_words(
    visit: Visit, google: SandboxClient, name: str
) -> None:
    primary, appointment = ids(visit)
    fault = dict(FAULTS[name])
    google.add_fault(fault.pop("kind"), times=None, **fault)
    if name == "grant":
        wrong_token(visit)
    calendars = visit.open(f"{SYNC}/calendars?again=1")
    if name == "404":  # the list is there, its calendars are not
        assert "Google does not let us read its events" in calendars.text
    else:
        assert WORDS.search(said(calendars))
    doctor = visit.open(f"{SYNC}/doctor?calendar={primary}&day=2026-11-20")
    why = next(each for each in doctor.find("section") if each["id"] == "why")
    assert WORDS.search(why.text), why.text
    page = visit.browser.post(f"{SYNC}/look-up/{appointment}", follow_redirects=True)
    assert page.status_code == 200
    assert WORDS.search(said(read_page(page.get_data(as_text=True)).find("main")[0]))
    begun = visit.browser.post(f"{SYNC}/google/connect")
    assert begun.headers["Location"].startswith(google.url), "connecting anew is always possible"


def test_a_revoked_grant_met_by_a_look_is_looked_into_by_the_next_run(visit: Visit) -> None:
    _, appointment = ids(visit)
    wrong_token(visit)
    page = visit.browser.post(f"{SYNC}/look-up/{appointment}", follow_redirects=True)
    assert "reconnect under Sync Calendar" in page.text
    with in_context(visit.app):
        connection = db.session.scalars(sa.select(Connection)).one()
        assert connection.requested > connection.handled


def test_once_a_page_has_waited_long_enough_google_is_asked_nothing_more(
    visit: Visit, google: SandboxClient
) -> None:
    google.reset_requests()
    with in_context(visit.app):
        connection = db.session.scalars(sa.select(Connection)).one()
        with open_client(connection, before_request=Patience(seconds=-1)) as client:
            with pytest.raises(CalendarUnavailable):
                client.list_calendars()
            assert google.requests()["requests"] == []
        with open_client(connection, before_request=Patience()) as client:
            assert client.list_calendars()


def test_an_account_of_many_calendars_is_listed_though_time_ran_out(
    visit: Visit, google: SandboxClient
) -> None:
    google.add_calendar(EMAIL, "Home and garden")
    asked = []

    def run_out() -> None:
        asked.append(True)
        if len(asked) > 2:
            raise CalendarUnavailable(TOOK_TOO_LONG)

    with in_context(visit.app):
        connection = db.session.scalars(sa.select(Connection)).one()
        with open_client(connection, before_request=run_out) as client:
            choosing.offer_calendars(connection, client, now=utcnow())
        offered = choosing.offered_calendars(connection)
        assert len(asked) == 3, "the list, one calendar, and no time for the next"
        assert {row.summary: row.why_not for row in offered}["Home and garden"] is None
        assert len([row for row in offered if row.why_not is None and row.entries is None]) == 1
