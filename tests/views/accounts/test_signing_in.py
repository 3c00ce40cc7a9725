"""Signing in and out: who gets through the door, and how a sign-in ends."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import AuditEntry, LoginSession, Provider
from portal.people import accounts
from tests.scratch_practice import PASSWORD, add_provider, in_context, make_app

EMAIL = "wren.hale@example.com"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = make_app(tmp_path)
    with in_context(app):
        add_provider(EMAIL)
    return app


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def sign_in(browser: FlaskClient, *, password: str = PASSWORD, where: str = "/login") -> int:
    answer = browser.post(where, data={"email": EMAIL, "password": password})
    return answer.status_code


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/settings").status_code == 200


def test_the_right_password_opens_the_calendar(browser: FlaskClient) -> None:
    answer = browser.post("/login", data={"email": f" {EMAIL.upper()} ", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/calendar")
    assert is_in(browser)


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong"), (EMAIL, ""), ("nobody@example.com", PASSWORD), ("not an address", PASSWORD)],
)
def test_anything_else_is_refused_in_the_same_words(browser: FlaskClient, email: str, password: str) -> None:
    answer = browser.post("/login", data={"email": email, "password": password})
    assert answer.status_code == 422
    assert "do not match an account" in answer.text
    assert not is_in(browser)


def test_a_cookie_copied_before_signing_out_opens_nothing_after_it(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser)
    copied = browser.get_cookie("session")
    assert copied is not None
    assert browser.post("/logout").status_code == 303
    thief = app.test_client()
    thief.set_cookie("session", copied.value)
    assert not is_in(thief)
    assert not is_in(browser)


def test_the_cookie_changes_at_sign_in_and_carries_nothing_over(browser: FlaskClient) -> None:
    with browser.session_transaction() as before:
        before["csrf_token"] = "planted"
    sign_in(browser)
    with browser.session_transaction() as after:
        assert after.get("csrf_token") != "planted"


def test_only_the_hash_of_the_sessions_token_is_stored(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser)
    with browser.session_transaction() as session:
        token = session["_user_id"]
    with in_context(app):
        row = db.session.scalars(db.select(LoginSession)).one()
        assert token not in {str(value) for value in vars(row).values()}


def test_a_session_ends_when_nobody_is_there_and_after_its_full_time(browser: FlaskClient) -> None:
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        sign_in(browser)
        clock.shift(dt.timedelta(minutes=29))
        assert is_in(browser)
        clock.shift(dt.timedelta(minutes=31))
        assert not is_in(browser)
        sign_in(browser)
        for _ in range(24):
            clock.shift(dt.timedelta(minutes=29))
            browser.get("/settings")
        clock.shift(dt.timedelta(minutes=25))
        assert not is_in(browser)


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(app: Flask, browser: FlaskClient) -> None:
    with time_machine.travel(utcnow(), tick=False) as clock:
        sign_in(browser)
        for _ in range(31):
            clock.shift(dt.timedelta(minutes=1))
            browser.get("/settings", headers={"X-Background": "1"})
        assert not is_in(browser)
        with in_context(app):
            provider = db.session.scalars(db.select(Provider)).one()
            assert provider.page_seen_at is not None
            assert utcnow() - provider.page_seen_at < dt.timedelta(minutes=3)


@pytest.mark.parametrize("change", ["deactivate", "password"])
def test_deactivating_and_a_new_password_end_open_sessions(
    app: Flask, browser: FlaskClient, change: str
) -> None:
    sign_in(browser)
    with in_context(app):
        provider = db.session.scalars(db.select(Provider)).one()
        if change == "deactivate":
            accounts.deactivate(provider, now=utcnow())
        else:
            accounts.set_password(provider, "another long phrase")
            accounts.end_sessions(provider, now=utcnow())
        db.session.commit()
    assert not is_in(browser)


@pytest.mark.parametrize(
    ("target", "lands"),
    [
        ("/settings", "/settings"),
        ("https://elsewhere.example/", "/calendar"),
        ("//elsewhere.example/", "/calendar"),
        ("/\\elsewhere.example/", "/calendar"),
        ("", "/calendar"),
    ],
)
def test_signing_in_leads_on_to_our_own_pages_only(browser: FlaskClient, target: str, lands: str) -> None:
    answer = browser.post(
        "/login", query_string={"next": target}, data={"email": EMAIL, "password": PASSWORD}
    )
    assert answer.location == lands


def test_somebody_who_is_not_signed_in_is_led_to_the_door(browser: FlaskClient) -> None:
    answer = browser.get("/calendar?view=week")
    assert (answer.status_code, answer.location) == (303, "/login?next=/calendar?view%3Dweek")
    answer = browser.get("/calendar", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login")


def test_sign_ins_are_in_the_audit_log_without_the_address_that_was_typed(
    app: Flask, browser: FlaskClient
) -> None:
    sign_in(browser, password="wrong")
    sign_in(browser)
    browser.post("/logout")
    with in_context(app):
        entries = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.action for entry in entries] == ["session.refused", "session.opened", "session.closed"]
        assert not any(EMAIL in str(vars(entry)) for entry in entries)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", EMAIL, "wren.hale", "x" * 257])
def test_a_password_that_is_easy_to_guess_is_refused(app: Flask, password: str) -> None:
    with in_context(app):
        provider = db.session.scalars(db.select(Provider)).one()
        with pytest.raises(InvalidInput):
            accounts.set_password(provider, password)


def test_passwords_are_kept_as_argon2id(app: Flask) -> None:
    with in_context(app):
        provider = db.session.scalars(db.select(Provider)).one()
        assert provider.password_hash is not None
        assert provider.password_hash.startswith("$argon2id$")


def test_a_page_opens_though_somebody_else_writes_while_it_is_asked_for(
    app: Flask, browser: FlaskClient, tmp_path: Path
) -> None:
    """SQLite lets a transaction that has read write no more once another one has written."""
    sign_in(browser)
    wrote = []

    def write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not wrote and statement.startswith("SELECT") and "login_session" in statement:
            wrote.append(True)
            with closing(sqlite3.connect(tmp_path / "portal.db", isolation_level=None)) as other:
                other.execute("UPDATE practice SET name = 'Juniper Street'")

    with in_context(app):
        db.session.execute(sa.update(LoginSession).values(seen_at=utcnow() - dt.timedelta(minutes=5)))
        db.session.commit()
        sa.event.listen(db.engine, "after_cursor_execute", write)
    assert browser.get("/clients").status_code == 200
    assert wrote
