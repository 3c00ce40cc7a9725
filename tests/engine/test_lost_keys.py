"""Another key than the one that locked the rows: told everywhere, all kept, and mended by its return."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import jobs
from portal.columns import EncryptedText, make_keyring
from portal.connection import current, reminders, switching
from portal.engine.connection_run import Outcome
from portal.extensions import Base, db
from portal.feed import addresses
from portal.models import Connection, Feed, Mail, Provider, SyncMode, UndoStep
from portal.people import accounts
from portal.practice import drafts
from portal.standing import facts, report
from portal.sync import health
from tests.engine.conftest import ZONE, Office

OTHER = "sol.ortiz@example.com"
PASSWORD = "a long phrase"
ANY_ID = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")

NO_PAGES = ("static", "system.readyz")  # there is no queue in these tests, and readyz says so

Stored = dict[str, Any]


def stored() -> Stored:
    """Every row with something encrypted in it, every column as it is on disk."""
    db.session.rollback()
    found: Stored = {}
    for table in Base.metadata.sorted_tables:
        if any(isinstance(column.type, EncryptedText) for column in table.columns):
            rows = db.session.execute(sa.text(f'SELECT * FROM "{table.name}" ORDER BY id')).mappings()
            found[table.name] = [dict(row) for row in rows]
    db.session.rollback()
    return found


def locked(rows: Stored) -> list[Any]:
    """Of these, what is encrypted."""
    columns = [
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, EncryptedText)
    ]
    return [(name, column, row["id"], row[column]) for name, column in columns for row in rows[name]]


@contextmanager
def another_key(app: Flask) -> Iterator[None]:
    """As a portal that was started with a key of its own."""
    right = app.extensions["keyring"]
    db.session.commit()
    app.extensions["keyring"] = make_keyring((Fernet.generate_key().decode(),))
    db.session.expire_all()
    yield
    db.session.rollback()
    app.extensions["keyring"] = right
    db.session.expire_all()


def asked_of(office: Office) -> int:
    """How many calls of any kind Google got since its log was reset."""
    return int(sum(office.google.requests()["counters"]["by_method"].values()))


def story_of(office: Office, provider: Provider | None = None) -> health.Story:
    provider = provider or office.provider
    db.session.expire_all()
    return health.tell(facts.gather_facts(provider, now=office.clock()), now=office.clock())


def reader_of_a_feed(office: Office) -> tuple[Provider, str]:
    """Somebody in One-Way, and the address that their calendar app reads."""
    other = accounts.add_provider(
        email=OTHER, name="Sol Ortiz", timezone=ZONE, password=PASSWORD, is_owner=False, now=office.clock()
    )
    other.sync_mode = SyncMode.ONE_WAY
    path = addresses.feed_url("", addresses.new_feed(other, now=office.clock()))
    assert path is not None
    db.session.commit()
    return other, path


class Browser(FlaskClient):
    """Within the test's own context the person of the request before would still be signed in."""

    def open(self, *arguments: Any, **named: Any) -> TestResponse:
        g.pop("_login_user", None)
        return super().open(*arguments, **named)


def sign_in(app: Flask, email: str) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    visitor = app.test_client()
    answer = visitor.post("/login", data={"email": email, "password": PASSWORD})
    assert answer.status_code in (302, 303), answer.text
    return visitor


def every_page(app: Flask) -> list[str]:
    """The address of every page that can be asked for; ids are 1."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return sorted({ANY_ID.sub("1", rule.rule) for rule in rules if rule.endpoint not in NO_PAGES})


def test_every_page_works_and_the_right_key_finds_every_row_as_it_was(app: Flask, office: Office) -> None:
    """Failure 70: with another key pages, feed, run and report go on; nothing of the rows is altered."""
    appointment = office.book(days=3)
    office.connect_and_rest()
    _, feed_path = reader_of_a_feed(office)
    visitors = [sign_in(app, email) for email in (office.provider.email, OTHER)]
    moved = visitors[0].post(f"/appointments/{appointment.id}/archive")
    assert moved.status_code < 400
    db.session.add(
        UndoStep(provider_id=office.provider.id, at=office.clock(), words="Moved", tone="good", before="{}")
    )
    drafts.keep(office.provider.id, "/appointments/new", {"title": "Notes"}, now=office.clock())
    db.session.commit()
    office.rest()
    as_it_was = stored()
    assert all(as_it_was[name] for name in as_it_was), "every table that holds something encrypted has a row"

    with another_key(app):
        told = _answers(app, visitors)
        assert len(told) > 60
        assert {path: code for path, code in told.items() if code >= 500} == {}
        feed = visitors[1].get("/calendar/sync").text
        assert "cannot be shown" in feed
        assert feed_path.split("/")[2] not in feed
        assert "BEGIN:VCALENDAR" in app.test_client().get(feed_path).text
        page = visitors[0].get("/calendar/sync").text
        assert 'data-state="reconnect-required"' in page
        assert "key that locks it was changed or lost" in page
        assert drafts.waiting(office.provider.id, now=office.clock()) == []
    assert locked(stored()) == locked(as_it_was)
    assert stored()["connection"] == as_it_was["connection"], "pages alone note nothing"
    assert feed_path.split("/")[2] in visitors[1].get("/calendar/sync").text
    assert len(drafts.waiting(office.provider.id, now=office.clock())) == 1


def _answers(app: Flask, visitors: list[FlaskClient]) -> dict[tuple[int, str], int]:
    """The status of every page, for everybody who is signed in. A crash is raised by the test's client."""
    return {
        (number, path): visitor.get(path).status_code
        for number, visitor in enumerate(visitors)
        for path in every_page(app)
    }


def test_a_run_asks_nothing_of_google_and_goes_on_by_itself_when_the_key_is_back(
    app: Flask, office: Office
) -> None:
    """Failure 70: also after weeks, and what was done meanwhile arrives then."""
    office.connect_and_rest()
    tokens = locked(stored())
    with another_key(app):
        office.google.reset_requests()
        for days in (0, 1, 40):
            office.clock.advance(days=days)
            assert office.run() is Outcome.ASKED
        assert asked_of(office) == 0
        assert office.connection.problem == "reconnect-required"
        story = story_of(office)
        assert (story.state, story.code) == ("reconnect-required", "GRANT-UNREADABLE")
        told = report.support_report(office.provider, now=office.clock())
        assert told["state"] == "reconnect-required"
        assert ("grant", False, "grant-unreadable") in [
            (line["id"], line["ok"], line["code"]) for line in told["lines"]
        ]
        assert jobs.look_for_keys(office.clock()) == 0
        booked = office.book(days=5)
    assert locked(stored()) == tokens
    assert story_of(office).code == "KEYS-DIFFER", "not active before a run could read it"

    assert jobs.look_for_keys(office.clock()) == 1
    db.session.expire_all()
    assert jobs._claim_due(office.clock()) == [office.connection.id]
    db.session.commit()
    office.rest()
    assert story_of(office).code == "ACTIVE"
    assert office.event_of(booked)["id"]
    assert [row for row in locked(stored()) if row[1] == "refresh_token"] == [
        row for row in tokens if row[1] == "refresh_token"
    ]


def test_the_mails_name_the_key_and_not_google(app: Flask, office: Office) -> None:
    office.connect_and_rest()
    with another_key(app):
        assert office.run() is Outcome.ASKED
        assert reminders.remind(office.clock()) == 1
        body = db.session.scalars(sa.select(Mail)).one().body
    assert "the key that locks it was changed or lost" in body
    assert "Google does not accept" not in body


def test_a_new_consent_takes_the_place_of_what_cannot_be_read(app: Flask, office: Office) -> None:
    """The act of a person; the calendar and its events are those of before."""
    booked = office.book(days=3)
    office.connect_and_rest()
    event_id = office.event_of(booked)["id"]
    with another_key(app):
        assert office.run() is Outcome.ASKED
        office.connect()
        office.rest()
        assert story_of(office).code == "ACTIVE"
        assert office.event_of(booked)["id"] == event_id
        assert len(office.app_calendars()) == 1


def test_turned_off_under_a_lost_key_it_ends_here_and_says_what_stays_in_google(
    app: Flask, office: Office
) -> None:
    office.book(days=3)
    office.connect_and_rest()
    with another_key(app):
        switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
        db.session.commit()
        assert office.run() is Outcome.DONE
        assert asked_of(office) == 0
        ended = current.last_ended(office.provider)
        assert ended is not None
        receipt = ended.removal or {}
        assert (receipt["unreadable"], receipt["revoked"]) == (True, False)
        assert receipt["leftover"] == ended.app_calendar_id
        assert office.provider.sync_mode is SyncMode.OFF
        page = sign_in(app, office.provider.email).get("/calendar/sync").text
        assert "The permission at Google cannot be given back" in page
    kept = db.session.execute(sa.text("SELECT refresh_token, access_token FROM connection")).one()
    assert tuple(kept) == (None, None)


def test_a_tear_down_that_loses_its_key_waits_a_day_for_it(app: Flask, office: Office) -> None:
    """Nobody was told that the events would stay in Google: with the key back they are taken out."""
    office.book(days=3)
    office.connect_and_rest()
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    with another_key(app):
        for hours in (0, 12):
            office.clock.advance(hours=hours)
            assert office.run() is Outcome.ASKED
        assert "Its key is waited for" in story_of(office).cause
    assert office.run() is Outcome.DONE
    assert office.app_calendars() == []


def test_after_a_day_a_tear_down_ends_on_this_side(app: Flask, office: Office) -> None:
    office.connect_and_rest()
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    with another_key(app):
        assert office.run() is Outcome.ASKED
        office.clock.advance(hours=25)
        assert office.run() is Outcome.DONE
        assert current.live_connection(office.provider) is None
        assert len(office.app_calendars()) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_setup_that_was_left_lying_is_not_ended_while_its_key_is_missing(
    app: Flask, office: Office
) -> None:
    office.connect()
    db.session.execute(sa.update(Connection).values(phase="preview"))
    db.session.commit()
    later = office.clock() + dt.timedelta(days=3)
    with another_key(app):
        assert story_of(office).code == "GRANT-UNREADABLE"
        assert switching.drop_abandoned(now=later) == 0
    assert switching.drop_abandoned(now=later) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_read_cannot_be_undone_and_says_so(app: Flask, office: Office) -> None:
    appointment = office.book(days=3)
    visitor = sign_in(app, office.provider.email)
    visitor.post(f"/appointments/{appointment.id}/archive")
    step = db.session.scalars(sa.select(UndoStep)).first()
    feeds = db.session.scalars(sa.select(Feed)).all()
    assert feeds == []
    assert step is not None
    step_id = step.id
    with another_key(app):
        answer = visitor.post(f"/undo/{step_id}", follow_redirects=True)
        assert answer.status_code < 500
        assert "How it was cannot be read" in answer.text
