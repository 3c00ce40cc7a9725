"""The commands of the contract: what they do, what they print, and their exit codes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from portal import create_app
from portal.clock import utcnow
from portal.config import load_config
from portal.connection import switching
from portal.engine import lease
from portal.extensions import db
from portal.feed import addresses
from portal.models import (
    AuditEntry,
    Client,
    Connection,
    ConnectionPhase,
    LoginSession,
    Provider,
    SyncMode,
    SyncRun,
)
from portal.people import accounts
from sandbox import serve
from sandbox.client import SandboxClient
from tests.engine.conftest import CLIENT_ID, CLIENT_SECRET, EMAIL, ZONE, Office
from tests.engine.test_push import starts_at
from tests.scratch_practice import SETTINGS

PASSWORD = "a phrase for tests only"
ADD = ("provider", "add", "wren.hale@example.com", "--name", "Dr. Wren Hale", "--timezone", ZONE)

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxClient]:
    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def google(server: SandboxClient) -> SandboxClient:
    server.reset()
    server.clear_faults()
    server.add_account(EMAIL, hd="example.com", time_zone=ZONE)
    return server


@pytest.fixture
def app(sqlite_url: str, google: SandboxClient) -> Iterator[Flask]:
    settings = {
        "DATABASE_URL": sqlite_url,
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "GOOGLE_OIDC_METADATA_URL": google.metadata_url,
        "GOOGLE_API_ENDPOINT": google.url,
    }
    app = create_app(load_config({**SETTINGS, **settings}), TESTING=True)
    with app.app_context():
        flask_migrate.upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def office(app: Flask, google: SandboxClient) -> Office:
    return Office(app, google)


@pytest.fixture
def command(app: Flask) -> Command:
    """`command("sync", "now", stdin="…")`, as `flask --app wsgi sync now` would run it."""

    def run(*arguments: str, stdin: str = "") -> Result:
        db.session.rollback()
        result = app.test_cli_runner().invoke(args=list(arguments), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        db.session.expire_all()
        return result

    return run


def provider() -> Provider:
    return db.session.scalars(sa.select(Provider)).one()


def audited() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


# Providers and clients


def test_a_provider_is_added_with_a_password_from_standard_input(command: Command) -> None:
    result = command(*ADD, "--owner", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    made = provider()
    assert (made.email, made.name, made.timezone, made.is_owner) == (EMAIL, "Dr. Wren Hale", ZONE, True)
    assert accounts.authenticate(EMAIL, PASSWORD) == made
    assert PASSWORD not in result.output
    assert audited() == ["provider.added"]


@pytest.mark.parametrize(
    ("changed", "stdin", "word"),
    [
        ({2: "nobody"}, PASSWORD, "email"),
        ({4: " "}, PASSWORD, "name"),
        ({6: "Mars/Olympus"}, PASSWORD, "timezone"),
        ({}, "short", "password"),
        ({}, "", "password"),
    ],
)
def test_a_provider_that_cannot_be_added_is_refused_with_the_reason(
    command: Command, changed: dict[int, str], stdin: str, word: str
) -> None:
    arguments = [changed.get(number, text) for number, text in enumerate(ADD)]
    result = command(*arguments, "--password-stdin", stdin=f"{stdin}\n")
    assert result.exit_code == 1
    assert word in result.output
    assert db.session.scalars(sa.select(Provider)).all() == []


def test_the_same_address_is_not_added_twice(command: Command) -> None:
    command(*ADD, "--password-stdin", stdin=f"{PASSWORD}\n")
    again = command(*ADD, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert again.exit_code == 1
    assert "exists already" in again.output
    assert not provider().is_owner


def test_a_password_never_stands_on_the_command_line(command: Command) -> None:
    assert command(*ADD, stdin=f"{PASSWORD}\n").exit_code == 2
    assert command(*ADD, "--password", PASSWORD).exit_code == 2
    assert command("provider", "set-password", EMAIL).exit_code == 2


def test_a_new_password_ends_every_open_session(command: Command) -> None:
    command(*ADD, "--password-stdin", stdin=f"{PASSWORD}\n")
    accounts.open_session(provider(), now=utcnow())
    db.session.commit()
    result = command("provider", "set-password", EMAIL, "--password-stdin", stdin="another phrase\n")
    assert result.exit_code == 0, result.output
    assert accounts.authenticate(EMAIL, PASSWORD) is None
    assert accounts.authenticate(EMAIL, "another phrase") == provider()
    assert db.session.scalars(sa.select(LoginSession)).one().ended_at is not None
    assert audited()[-1] == "provider.password"


def test_a_deactivated_provider_can_no_longer_sign_in(command: Command) -> None:
    command(*ADD, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert command("provider", "deactivate", EMAIL).exit_code == 0
    assert accounts.authenticate(EMAIL, PASSWORD) is None
    assert audited()[-1] == "provider.deactivated"


def test_deactivating_ends_sessions_and_feed_and_is_noted(command: Command) -> None:
    """Failure 72."""
    command(*ADD, "--password-stdin", stdin=f"{PASSWORD}\n")
    accounts.open_session(provider(), now=utcnow())
    switching.choose_mode(provider(), SyncMode.ONE_WAY, now=utcnow())
    db.session.commit()
    assert command("provider", "deactivate", EMAIL).exit_code == 0
    assert db.session.scalars(sa.select(LoginSession)).one().ended_at is not None
    assert provider().sync_mode is SyncMode.OFF
    assert addresses.live_feed(provider()) is None
    assert audited()[-1] == "provider.deactivated"


def test_deactivating_begins_to_leave_google_and_sync_now_finishes_it(
    command: Command, office: Office
) -> None:
    """Failure 72."""
    office.book()
    office.connect_and_rest()
    result = command("provider", "deactivate", EMAIL)
    assert "being removed" in result.output
    assert audited()[-2:] == ["sync.turned-off", "provider.deactivated"]
    assert office.connection.phase is ConnectionPhase.REMOVING
    assert command("sync", "now").exit_code == 0
    assert office.app_calendars() == []
    assert command("sync", "doctor", EMAIL).output.startswith(f"provider {office.provider.id}: off, off")


def test_a_deactivated_account_is_opened_again_with_sync_off(command: Command, office: Office) -> None:
    office.connect_and_rest()
    accounts.set_password(office.provider, PASSWORD)
    db.session.commit()
    command("provider", "deactivate", EMAIL)
    db.session.expire_all()
    assert command("provider", "reactivate", EMAIL).output == "Reactivated. Sync is off.\n"
    assert audited()[-1] == "provider.reactivated"
    assert accounts.authenticate(EMAIL, PASSWORD) == office.provider
    assert office.connection.phase is ConnectionPhase.REMOVING, "it goes on leaving"
    assert command("sync", "now", EMAIL).exit_code == 0
    db.session.expire_all()
    assert office.provider.sync_mode is SyncMode.OFF
    noted = len(audited())
    assert command("provider", "reactivate", EMAIL).output == "The account is open.\n"
    assert len(audited()) == noted


def test_a_client_is_added_and_the_internal_id_printed_alone(command: Command) -> None:
    command(*ADD, "--password-stdin", stdin=f"{PASSWORD}\n")
    result = command("client", "add", "--provider", EMAIL, "--name", "Canary Birdsong")
    assert result.exit_code == 0, result.output
    client = db.session.scalars(sa.select(Client)).one()
    assert result.output == f"{client.internal_id}\n"
    assert client.name == "Canary Birdsong"


@pytest.mark.parametrize(
    "arguments",
    [
        ("provider", "set-password", "nobody@example.com", "--password-stdin"),
        ("provider", "deactivate", "nobody@example.com"),
        ("provider", "reactivate", "nobody@example.com"),
        ("client", "add", "--provider", "nobody@example.com", "--name", "Canary"),
        ("sync", "now", "nobody@example.com"),
        ("sync", "doctor", "nobody@example.com", "--json"),
    ],
    ids=" ".join,
)
def test_an_unknown_provider_is_an_error(command: Command, arguments: tuple[str, ...]) -> None:
    result = command(*arguments, stdin=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert "no provider" in result.output


# sync now


def test_sync_now_without_two_way_has_nothing_to_do(command: Command, office: Office) -> None:
    assert command("sync", "now").exit_code == 0
    assert command("sync", "now", EMAIL).exit_code == 0


def test_sync_now_pulls_and_pushes_until_nothing_is_behind(command: Command, office: Office) -> None:
    for days in range(1, 4):
        office.book(days=days)
    office.connect()
    assert command("sync", "now", EMAIL).exit_code == 0
    assert len(office.app_events()) == 3
    office.google.reset_requests()
    assert command("sync", "now").exit_code == 0
    assert office.google.writes() == 0
    office.assert_it_still_writes()


def test_sync_now_full_reads_every_calendar_as_a_new_generation(command: Command, office: Office) -> None:
    office.connect_and_rest()
    before = office.calendar_row("Lockstep").generation
    assert command("sync", "now", EMAIL, "--full").exit_code == 0
    assert office.calendar_row("Lockstep").generation == before + 1


def test_sync_now_ignores_schedule_and_back_off(command: Command, office: Office) -> None:
    office.connect_and_rest()
    office.book()
    connection = office.connection
    connection.retry_at = utcnow() + dt.timedelta(hours=1)
    connection.next_check_at = utcnow() + dt.timedelta(hours=1)
    db.session.commit()
    assert command("sync", "now", EMAIL).exit_code == 0
    assert len(office.app_events()) == 1


def test_sync_now_says_1_when_something_failed(command: Command, office: Office) -> None:
    office.connect_and_rest()
    office.book()
    office.google.add_fault("backend_error", method="calendar.*", times=None)
    assert command("sync", "now", EMAIL).exit_code == 1
    office.google.clear_faults()
    assert command("sync", "now", EMAIL).exit_code == 0


def test_sync_now_says_1_when_one_appointment_cannot_be_written(command: Command, office: Office) -> None:
    """What is left for a later try is behind, however well the run went."""
    office.connect_and_rest()
    appointment = office.book()
    office.run()
    office.move(appointment, hours=1)
    office.google.add_fault("forbidden", method="calendar.events.patch", times=None)
    assert command("sync", "now", EMAIL).exit_code == 1


def test_sync_now_waits_for_no_back_off(command: Command, office: Office) -> None:
    office.connect_and_rest()
    appointment = office.book()
    office.run()
    office.move(appointment, hours=1)
    db.session.execute(sa.text("UPDATE event_link SET retry_at = '2999-01-01'"))
    db.session.commit()
    assert command("sync", "now", EMAIL).exit_code == 0
    assert starts_at(office.event_of(appointment)) == appointment.starts_at


def test_sync_now_says_2_when_a_person_is_needed(command: Command, office: Office) -> None:
    office.connect_and_rest()
    connection = office.connection
    connection.access_token_expires_at = utcnow() - dt.timedelta(hours=1)
    db.session.commit()
    office.google.add_fault("invalid_grant", method="oauth.token", times=None)
    assert command("sync", "now", EMAIL).exit_code == 2
    assert office.connection.problem == "reconnect-required"
    assert command("sync", "now").exit_code == 2


def test_open_cards_do_not_count_as_a_question(command: Command, office: Office) -> None:
    appointment = office.book(days=3)
    office.connect_and_rest()
    office.google.delete_event(EMAIL, office.app_calendar_id, office.event_of(appointment)["id"])
    assert command("sync", "now", EMAIL).exit_code == 0


def test_sync_now_waits_for_the_lease(command: Command, office: Office) -> None:
    """A lease that somebody lost runs out, or is let go."""
    office.connect_and_rest()
    nearly_over = utcnow() - dt.timedelta(seconds=lease.LEASE_SECONDS - 1)
    assert lease.acquire(office.connection.id, now=nearly_over) is not None
    assert command("sync", "now", EMAIL).exit_code == 0
    triggers = list(db.session.scalars(sa.select(SyncRun.trigger).order_by(SyncRun.id)))
    assert triggers[-1] == "command"


@pytest.mark.long
def test_sync_now_says_3_when_the_lease_stays_taken(command: Command, office: Office) -> None:
    office.connect_and_rest()
    connection_id = office.connection.id
    begun = utcnow()
    assert lease.acquire(connection_id, now=begun + dt.timedelta(hours=1)) is not None
    assert command("sync", "now", EMAIL).exit_code == 3
    assert dt.timedelta(seconds=115) < utcnow() - begun < dt.timedelta(seconds=180)


def test_one_provider_that_fails_takes_no_other_with_it(command: Command, office: Office) -> None:
    """Everybody is synced; the exit code is that of the worst."""
    office.connect_and_rest()
    other = accounts.add_provider(
        email="sol.ortiz@example.com", name="Sol Ortiz", timezone=ZONE, password=PASSWORD, is_owner=False,
        now=utcnow(),
    )  # fmt: skip
    values: dict[str, Any] = {
        "google_sub": "x",
        "email": "x@example.com",
        "scopes": "",
        "granted_at": utcnow(),
    }
    db.session.flush()
    lost = Connection(provider_id=other.id, phase=office.connection.phase, created_at=utcnow(), **values)
    lost.problem = "reconnect-required"
    db.session.add(lost)
    db.session.commit()
    office.book()
    assert command("sync", "now").exit_code == 2
    assert len(office.app_events()) == 1
    assert command("sync", "now", EMAIL).exit_code == 0


# sync doctor


FIELDS = {"provider_id", "mode", "state", "counts", "last_pull_at", "last_push_at", "channels", "lines"}
COUNTS = {"live", "linked", "behind", "google_events", "quarantined", "held", "cards"}


def test_the_doctor_reports_everybody_by_id_alone(command: Command, office: Office) -> None:
    """Failure 47: the report goes to strangers."""
    start = {"dateTime": "2999-11-18T12:00:00-06:00", "timeZone": ZONE}
    office.google.add_event(EMAIL, summary="Canary lunch", start=start, end=start)
    office.book()
    office.connect_and_rest()
    result = command("sync", "doctor", "--json")
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(result.output)
    assert entry.keys() >= FIELDS
    assert entry["counts"].keys() >= COUNTS
    assert (entry["mode"], entry["state"]) == ("two-way", "active")
    assert (entry["counts"]["live"], entry["counts"]["linked"], entry["counts"]["behind"]) == (1, 1, 0)
    assert dt.datetime.fromisoformat(entry["last_pull_at"]).tzinfo is not None
    assert all(line.keys() >= {"id", "ok", "code"} for line in entry["lines"])
    text = result.output.lower()
    assert not [word for word in ("canary", "birdsong", "wren", "hale", "@") if word in text]


def test_the_doctor_reports_who_is_not_connected_too(command: Command, office: Office) -> None:
    (entry,) = json.loads(command("sync", "doctor", EMAIL, "--json").output)
    assert (entry["mode"], entry["state"], entry["last_pull_at"]) == ("off", "off", None)
    assert command("sync", "doctor").exit_code == 0
