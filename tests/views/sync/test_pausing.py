"""Paused, as people see it: a banner on every page, what it says to whom, what may be changed, Go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import g
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.extensions import db
from portal.feed import addresses
from portal.models import AuditEntry, Connection, LoginSession, Practice, SyncMode
from portal.people import accounts
from portal.rows import pausing
from portal.views.door.callers import Caller, who_may_call
from portal.words.sync import pausing as words
from tests.forms import Element
from tests.office import Office, get, one_entry, open_office
from tests.pausing import leave_mark, marks, settle_as

SYNC = "/calendar/sync"
NO_PAGES = {"system.healthz", "system.readyz", "system.robots", "static", "feeds.calendar"}
MOST_STATEMENTS = 12


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as office:
        pausing.stamp()
        yield office


@pytest.fixture
def restored(office: Office) -> Office:
    """Nobody is signed in since."""
    leave_mark(utcnow() - dt.timedelta(minutes=5))
    return office


def as_new(browser: FlaskClient) -> FlaskClient:
    """Another browser's turn: Flask-Login keeps who was here for as long as the test's context stands."""
    g.pop("_login_user", None)
    return browser


def banner(page: Element) -> Element | None:
    return next((each for each in page.find("section") if each["id"] == "paused"), None)


def told(page: Element) -> str:
    found = banner(page)
    assert found is not None
    return found.text


# The banner


def test_every_page_has_the_banner_for_owners_and_for_others(restored: Office) -> None:
    appointment = restored.book()
    owner, other = restored.sign_in(), restored.sign_in(restored.other)
    values = {"appointment_id": appointment.id, "client_id": restored.client.id, "public_id": "1"}
    seen = 0
    for rule in restored.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES:
            continue
        if who_may_call(restored.app, rule.endpoint) in (Caller.ANYBODY, Caller.MACHINE):
            continue
        with restored.app.test_request_context():
            address = rule.build({name: values.get(name, 1) for name in rule.arguments})
        assert address is not None
        for browser in (owner, other):
            answer = as_new(browser).get(address[1], follow_redirects=True)
            assert answer.status_code < 500, address
            if answer.mimetype == "text/html" and "<html" in answer.text and answer.status_code == 200:
                assert 'id="paused"' in answer.text, address
                assert ("Go on</button>" in answer.text) is (browser is owner), address
                seen += 1
    assert seen > 30


def test_it_says_that_a_backup_was_restored_and_of_which_day(restored: Office) -> None:
    addresses.new_feed(restored.other, now=utcnow())
    db.session.commit()
    page = get(restored.sign_in(), "/clients")
    text = told(page)
    assert "A backup of November 9, 2026 was restored." in text  # 2:30 in UTC is the evening before
    assert "Feed links that are on again Sol Ortiz" in text
    assert "Dr. Wren Hale, Sol Ortiz" in text
    assert words.AS_OF_THEN in text


def test_somebody_who_is_no_owner_is_told_why_and_no_names(restored: Office) -> None:
    text = told(get(restored.sign_in(restored.other), "/clients"))
    assert "was restored" in text
    assert words.FOR_OTHERS in text
    assert "Wren Hale" not in text


def test_it_names_both_addresses_of_a_database_that_moved(office: Office) -> None:
    settle_as(office.app, public_url="https://new.practice.example")
    text = told(get(office.sign_in(), "/clients"))
    assert "The address changed from http://127.0.0.1:5000 to https://new.practice.example." in text
    assert "brought back" not in text


def test_it_says_that_this_is_a_copy(office: Office) -> None:
    settle_as(office.app, mark="first")
    pausing.stamp()
    settle_as(office.app, mark="second")
    assert "This is a copy of another installation." in told(get(office.sign_in(), "/clients"))


def test_strangers_learn_that_it_is_paused_and_not_why(restored: Office) -> None:
    page = get(as_new(restored.app.test_client()), "/login")
    assert words.HEADING in page.text
    assert "backup" not in page.text


def test_nothing_of_it_is_shown_at_home(office: Office) -> None:
    browser = office.sign_in()
    assert banner(get(browser, "/clients")) is None
    assert words.HEADING not in get(as_new(office.app.test_client()), "/login").text


# What the pages of the sync say


@pytest.mark.parametrize("mode", list(SyncMode))
def test_the_sync_page_says_paused_in_every_mode(restored: Office, mode: SyncMode) -> None:
    restored.provider.sync_mode = mode
    if mode is SyncMode.TWO_WAY:
        restored.connection().requested = 1
    if mode is SyncMode.ONE_WAY:
        addresses.new_feed(restored.provider, now=utcnow())
    db.session.commit()
    browser = restored.sign_in()
    page = get(browser, SYNC)
    (main,) = page.find("main")
    assert (main["data-mode"], main["data-state"]) == (mode.value, "paused")
    assert "Next check" not in page.text
    assert "is active" not in page.text
    chip = next(each for each in get(browser, "/calendar").find("a") if each["id"] == "sync-chip")
    assert (chip["data-state"], chip.text) == ("paused", "Sync is paused")
    assert "Sync is paused" in get(browser, f"{SYNC}/doctor").text


@pytest.mark.parametrize(
    "address",
    ["/now", "/google/connect", "/turn-off", "/start-over", "/create-again", "/doctor/check", "/changes/1"],
)
def test_what_needs_google_is_refused_and_not_even_noted(restored: Office, address: str) -> None:
    restored.provider.sync_mode = SyncMode.TWO_WAY
    connection = restored.connection()
    before = (connection.requested, connection.phase)
    browser = restored.sign_in()
    answer = browser.post(SYNC + address, data={"confirmed": "1"}, follow_redirects=True)
    assert words.NOTHING_SENT in answer.text
    db.session.expire_all()
    found = db.session.scalars(sa.select(Connection)).one()
    assert (found.requested, found.phase) == before


def test_a_page_that_would_ask_google_leads_to_the_sync_page(restored: Office) -> None:
    restored.provider.sync_mode = SyncMode.TWO_WAY
    connection = restored.connection()
    connection.access_token, connection.refresh_token = "token", "token"
    db.session.commit()
    browser = restored.sign_in()
    for address in ("/calendars?again=1", "/google/callback?code=1&state=1"):
        answer = browser.get(SYNC + address, follow_redirects=True)
        assert answer.status_code == 200
        assert 'data-state="paused"' in answer.text or 'data-state="connecting"' in answer.text, address


def test_appointments_are_booked_while_it_is_paused(restored: Office) -> None:
    browser = restored.sign_in()
    form = {"kind": "session", "client": str(restored.client.id), "date": "2026-11-18"}
    booked = browser.post("/appointments", data={**form, "start_time": "09:00", "duration": "50"})
    assert booked.status_code == 303
    page = get(browser, "/calendar?view=week&date=2026-11-18")
    assert one_entry(page, "Rosa Tellan")["data-start"] == "2026-11-18T09:00:00-06:00"


def test_a_revived_feed_can_be_replaced_before_it_is_on_again(restored: Office) -> None:
    restored.provider.sync_mode = SyncMode.ONE_WAY
    old = addresses.new_feed(restored.provider, now=utcnow())
    db.session.commit()
    browser = restored.sign_in()
    assert "New feed URL" in get(browser, SYNC).text
    browser.post(f"{SYNC}/feed-url")
    db.session.expire_all()
    replaced = addresses.find_feed(old.token)
    assert replaced is not None
    assert replaced.replaced_at is not None


def test_the_week_page_still_takes_twelve_statements_at_most(office: Office) -> None:
    office.book()
    office.connection()
    browser = office.sign_in()
    browser.get("/calendar?view=week")
    for _ in ("at home", "moved"):
        said: list[str] = []
        note = partial(_keep, said)
        sa.event.listen(db.engine, "before_cursor_execute", note)
        assert browser.get("/calendar?view=week").status_code == 200
        sa.event.remove(db.engine, "before_cursor_execute", note)
        assert 0 < len(said) <= MOST_STATEMENTS
        settle_as(office.app, public_url="https://new.practice.example")


def _keep(said: list[str], _connection: object, _cursor: object, statement: str, *_: object) -> None:
    if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
        said.append(statement)


# Machines


def test_machines_are_asked_to_come_again(restored: Office) -> None:
    feed = addresses.new_feed(restored.provider, now=utcnow())
    db.session.commit()
    machine = restored.app.test_client()
    for token in (feed.token, "unknown"):
        answer = machine.get(f"/feeds/{token}/calendar.ics")
        assert (answer.status_code, answer.data) == (503, b"")
        assert int(answer.headers["Retry-After"]) > 0
    assert machine.post("/webhooks/google").status_code == 503
    pausing.go_on(now=utcnow())
    db.session.commit()
    assert machine.get(f"/feeds/{feed.token}/calendar.ics").status_code == 200
    assert machine.post("/webhooks/google").status_code == 404


# Sessions


@pytest.fixture
def earlier(office: Office) -> FlaskClient:
    """A browser that was signed in when the backup was made, and perhaps signed out since."""
    browser = office.sign_in()
    assert browser.get("/clients").status_code == 200
    leave_mark(utcnow())
    return browser


def test_a_session_from_before_the_restore_opens_nothing_then_or_later(
    office: Office, earlier: FlaskClient
) -> None:
    assert as_new(earlier).get("/clients").status_code == 303
    fresh = office.sign_in()
    assert as_new(fresh).get("/clients").status_code == 200
    fresh.post(f"{SYNC}/go-on")
    assert marks() == 0
    db.session.expire_all()
    assert as_new(earlier).get("/clients").status_code == 303
    assert as_new(fresh).get("/clients").status_code == 200
    (first, second) = db.session.scalars(sa.select(LoginSession).order_by(LoginSession.id))
    assert first.ended_at is not None
    assert second.ended_at is None


def test_a_void_session_is_nobodys_for_drafts_either(office: Office, earlier: FlaskClient) -> None:
    with earlier.session_transaction() as cookie:
        token = str(cookie["_user_id"])
    assert accounts.lapsed_owner(token, now=utcnow()) is None


# Go on


def test_an_owner_goes_on_and_it_is_in_the_audit_log(restored: Office) -> None:
    settle_as(restored.app, public_url="https://new.practice.example", mark="ours")
    browser = restored.sign_in()
    answer = browser.post(f"{SYNC}/go-on", follow_redirects=True)
    assert answer.status_code == 200
    assert words.GONE_ON in answer.text
    assert 'id="paused"' not in answer.text
    db.session.expire_all()
    practice = db.session.get_one(Practice, 1)
    assert (practice.public_url, practice.installation_mark) == ("https://new.practice.example", "ours")
    assert marks() == 0
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "sync.gone-on")).one()
    assert entry.provider_id == restored.provider.id
    browser.post(f"{SYNC}/go-on")
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "sync.gone-on")) == 1


def test_nobody_else_lets_it_go_on(restored: Office) -> None:
    assert restored.sign_in(restored.other).post(f"{SYNC}/go-on").status_code == 403
    assert as_new(restored.app.test_client()).post(f"{SYNC}/go-on").status_code == 303
    assert pausing.is_paused()


def test_a_command_goes_on_too(restored: Office) -> None:
    runner = restored.app.test_cli_runner()
    refused = runner.invoke(args=["sync", "now"])
    assert refused.exit_code == 2
    assert words.FOR_COMMANDS in refused.output
    gone_on = runner.invoke(args=["sync", "go-on"])
    assert (gone_on.exit_code, gone_on.output.strip()) == (0, words.GONE_ON)
    assert not pausing.is_paused()
    assert runner.invoke(args=["sync", "go-on"]).output.strip() == words.NOT_PAUSED
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "sync.gone-on")) == 1
