"""While the database fails, its errors hold what people typed. None of it, and no feed's address, is logged.

Each fault is the database's own. That the errors did hold the words is looked at too.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import flask_migrate
import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from demo.processes import plain_environment, run
from portal import create_app, extensions
from portal.clock import utcnow
from portal.config import load_config
from portal.extensions import db
from portal.feed import addresses
from portal.people import accounts
from tests.ground.test_logs import Written
from tests.scratch_practice import SETTINGS, Browser, add_provider, in_context

NAME = "Philomena Nachtigall"
EMAIL = "wren.hale@example.com"
CANARIES = (*NAME.split(), EMAIL, "wren.hale")
WAITS = "&options=-c%20lock_timeout%3D200%20-c%20statement_timeout%3D500"
Fault = Callable[[], AbstractContextManager[None]]

POSTGRESQL_TROUBLE = """
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;
CREATE TRIGGER trouble BEFORE INSERT ON client FOR EACH ROW EXECUTE FUNCTION trouble();
"""
BODIES = {
    "disk full": "RAISE EXCEPTION 'no room for %', NEW.name USING ERRCODE = '53100', DETAIL = NEW.name",
    "server away": "PERFORM pg_terminate_backend(pg_backend_pid())",
    "took too long": "PERFORM pg_sleep(5)",
}


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(extensions, "SQLITE_BUSY_SECONDS", 0.2)
    url = database_url + (WAITS if database_url.startswith("postgresql") else "")
    app = create_app(load_config({**SETTINGS, "DATABASE_URL": url}), WTF_CSRF_ENABLED=False)
    with in_context(app):
        flask_migrate.upgrade()
        addresses.new_feed(add_provider(EMAIL), now=utcnow())
        db.session.commit()
    yield app
    with in_context(app):
        db.session.remove()  # so that no connection outlives the test


@pytest.fixture
def errors(app: Flask) -> Iterator[list[str]]:
    """What the database's errors would say of themselves, by the words of the driver and of SQLAlchemy."""
    seen: list[str] = []

    def note(context: sa.engine.ExceptionContext) -> None:
        seen.append(f"{context.original_exception} {context.parameters}")

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "handle_error", note)
    yield seen
    sa.event.remove(engine, "handle_error", note)


@pytest.fixture
def written() -> Iterator[Written]:
    written = Written()
    logging.getLogger().addHandler(written.handler)
    yield written
    logging.getLogger().removeHandler(written.handler)


@pytest.fixture
def person(app: Flask) -> FlaskClient:
    return Browser(app.test_client()).sign_in(EMAIL).client


@pytest.fixture
def from_outside(database_url: str) -> Callable[[str], None]:
    """Run a statement, or several on PostgreSQL, as another program would."""

    def run_it(statement: str) -> None:
        if database_url.startswith("sqlite"):
            with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
                connection.execute(statement)
        else:
            with psycopg.connect(database_url.replace("+psycopg", "")) as server:
                server.execute(statement.encode())

    return run_it


@contextmanager
def taken(from_outside: Callable[[str], None]) -> Iterator[None]:
    """The name stands there already, and the database allows it once."""
    from_outside("CREATE UNIQUE INDEX trouble ON client (name)")
    yield
    from_outside("DROP INDEX trouble")


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Somebody else holds what is to be written."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(database_url.replace("+psycopg", "")) as server:
            server.execute("LOCK TABLE client")
            yield


@contextmanager
def full(app: Flask) -> Iterator[None]:
    """SQLite may take no page more than it has."""

    def bound(connection: sqlite3.Connection, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    with app.app_context():
        engine = db.engine
        engine.dispose()
    sa.event.listen(engine, "connect", bound)
    yield
    sa.event.remove(engine, "connect", bound)
    engine.dispose()


@contextmanager
def triggered(from_outside: Callable[[str], None], body: str) -> Iterator[None]:
    from_outside(POSTGRESQL_TROUBLE.format(body=body))
    yield
    from_outside("DROP TRIGGER trouble ON client; DROP FUNCTION trouble()")


def faults(app: Flask, database_url: str, from_outside: Callable[[str], None]) -> dict[str, Fault]:
    """What can happen to this kind of database."""
    found: dict[str, Fault] = {
        "name taken": lambda: taken(from_outside),
        "locked": lambda: locked(database_url),
    }
    if database_url.startswith("sqlite"):
        return found | {"disk full": lambda: full(app)}
    return found | {what: lambda body=body: triggered(from_outside, body) for what, body in BODIES.items()}


def add_client(person: FlaskClient, name: str = NAME) -> int:
    """The answer's status. An error on the error's page goes to the server, which answers as to any other."""
    try:
        return person.post("/clients", data={"name": f"{name} {'-' * 100}"}).status_code
    except sa.exc.SQLAlchemyError as error:
        logging.getLogger("server").exception(error)
        return 500


def found_in(text: str, *words: str) -> list[str]:
    return [word for word in words if word.lower() in text.lower()]


def test_whatever_befalls_the_database_no_word_of_a_form_is_logged(
    app: Flask,
    database_url: str,
    person: FlaskClient,
    errors: list[str],
    written: Written,
    from_outside: Callable[[str], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert add_client(person) == 303, "the name stands there once"
    for what, fault in faults(app, database_url, from_outside).items():
        with fault():
            before = len(errors)
            status = next((s for _ in range(60) if (s := add_client(person)) >= 500), 303)
            assert status >= 500, f"{what}: nothing failed"
            assert len(errors) > before, what
        assert add_client(person) == 303, f"{what}: is over"
    assert found_in(" ".join(errors), NAME) == [NAME], "the errors themselves knew it"
    told = written.text + "".join(capfd.readouterr())
    assert told, "something was logged"
    assert found_in(told, *CANARIES) == []


def test_a_feed_that_cannot_be_read_leaves_no_address_in_the_log(
    app: Flask,
    written: Written,
    from_outside: Callable[[str], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    with in_context(app):
        feed = addresses.live_feed(accounts.find_provider(EMAIL))  # type: ignore[arg-type]
        assert feed
        token = str(feed.token)
    from_outside("ALTER TABLE feed RENAME TO feed_away")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get(f"/feeds/{token}/calendar.ics").status_code >= 500
    told = written.text + "".join(capfd.readouterr())
    assert "feeds.calendar" in told, "where it happened"
    assert found_in(told, token, *CANARIES) == []


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_command_that_fails_tells_no_name(
    app: Flask, person: FlaskClient, database_url: str, from_outside: Callable[[str], None]
) -> None:
    """What ends a program is printed by Python itself, PostgreSQL's `Key (name)=(…)` with it."""
    assert person.post("/clients", data={"name": NAME}).status_code == 303
    from_outside("CREATE UNIQUE INDEX trouble ON client (name)")
    environment = {**plain_environment(), **SETTINGS, "DATABASE_URL": database_url}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "client", "add"]
    failed = run([*command, "--provider", EMAIL, "--name", NAME], environment)
    assert failed.exit_code != 0
    assert "IntegrityError (23505)" in failed.stderr
    assert "portal/cli/people.py" in failed.stderr
    assert found_in(failed.stdout + failed.stderr, *CANARIES) == []


def test_an_error_of_the_database_repeats_no_value_of_its_statement(app: Flask) -> None:
    with in_context(app):
        assert db.engine.hide_parameters
        with pytest.raises(sa.exc.DBAPIError) as caught:
            db.session.execute(sa.text("SELECT * FROM nowhere WHERE name = :name"), {"name": NAME})
    assert "nowhere" in str(caught.value)
    assert found_in(str(caught.value), *CANARIES) == []


def test_the_words_are_looked_for_as_they_are() -> None:
    token = secrets.token_urlsafe(8)
    assert found_in(f"GET /feeds/{token}", token, NAME) == [token]
