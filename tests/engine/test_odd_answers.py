"""Odd answers to every request that leaves us, through a provider's whole life: nothing ever crashes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.connection import choosing, current, switching
from portal.engine.run import open_client
from portal.errors import CalendarError, PortalError
from portal.extensions import db
from portal.google import oauth
from portal.models import SyncMode, SyncRun
from portal.standing import proof
from sandbox.client import SandboxClient
from tests.engine.conftest import EMAIL, Office, open_portal
from tests.engine.test_machine import empty_everything
from tests.engine.test_pull import timed
from tests.google.odd_answers import REQUESTS, Gate, Odd, gate_before, odd_answers

EXAMPLES = int(os.environ.get("ODD_EXAMPLES", "10"))
IN_A_RUN = sorted(set(REQUESTS) - {"keys"})  # a page asks for those: google/test_odd_consent.py

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def gate(google: SandboxClient) -> Iterator[Gate]:
    with gate_before(google.url) as gate:
        yield gate


@pytest.fixture
def app(database_url: str, gate: Gate) -> Iterator[Flask]:
    yield from open_portal(
        database_url,
        gate.url,
        f"{gate.url}/.well-known/openid-configuration",
        PUBLIC_URL="http://127.0.0.1:9",  # nobody listens: messages are lost, channels are opened
        GOOGLE_WEBHOOK_ALLOW_HTTP="1",
    )


def test_no_run_and_no_step_of_the_wizard_crashes_on_an_odd_answer(
    app: Flask, gate: Gate, google: SandboxClient
) -> None:
    """Failures 12 and 29."""
    outcomes: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(wanted=st.sampled_from(IN_A_RUN), odd=odd_answers(), times=st.integers(1, 6))
    def live(wanted: str, odd: Odd, times: int) -> None:
        gate.rest()
        empty_everything(google)
        forget_metadata(app)
        office = Office(app, google)
        gate.spoil(wanted, odd, times=times)
        walk_through(office, outcomes)
        assert db.session.scalars(sa.select(SyncRun).where(SyncRun.error == "crashed")).all() == []

    live()
    assert sum(gate.spoilt.values()) >= EXAMPLES / 2, "hardly anything was spoilt"
    assert outcomes["done"] > 0
    assert outcomes["failed"] > 0
    print(f"odd answers: {dict(gate.spoilt)}, runs: {dict(outcomes)}")  # noqa: T201 (figures to keep)


def forget_metadata(app: Flask) -> None:
    app.extensions["authlib.integrations.flask_client"].google.server_metadata = {}


def walk_through(office: Office, outcomes: Counter[str]) -> None:
    """Consent, choose, first sync, edits on both sides, a look, a full pass, and leaving."""
    first = office.book(days=3)
    _politely(office, office.connect)
    connection = current.live_connection(office.provider)
    assert connection is not None
    if connection.phase.value in ("choosing", "preview"):
        _politely(office, lambda: _offer(office))
        connection = office.connection
        choosing.choose(connection, [], now=office.clock())
        switching.begin_first_sync(connection, now=office.clock())
        db.session.commit()
    _run(office, outcomes)
    office.google.control("POST", "/access-tokens/expire", {})
    office.move(first, hours=1)
    office.book(days=4)
    office.google.add_event(EMAIL, summary="Lunch", **timed(office))
    _run(office, outcomes)
    _politely(office, lambda: proof.look(first, now=office.clock()))
    office.cancel(first)
    _run(office, outcomes, full=True)
    switching.choose_mode(office.provider, SyncMode.OFF, now=office.clock())
    db.session.commit()
    _run(office, outcomes)


def _offer(office: Office) -> None:
    with open_client(office.connection) as client:
        choosing.offer_calendars(office.connection, client, now=office.clock())
    db.session.commit()


def _politely(office: Office, step: Callable[[], object]) -> None:
    """What a page does with our own errors: it says so, and nothing was changed."""
    try:
        step()
    except PortalError:
        db.session.rollback()
        office.clock.advance(seconds=1)


def _run(office: Office, outcomes: Counter[str], *, full: bool = False) -> None:
    """As a job does: again at once while there is more to do, three times at most."""
    for _ in range(3):
        connection = current.live_connection(office.provider)
        if connection is None:
            return
        outcome = office.run(full=full).value
        outcomes[outcome] += 1
        office.clock.advance(minutes=1)
        if outcome == "done":
            return


def test_metadata_that_makes_no_sense_is_not_kept(app: Flask, gate: Gate) -> None:
    """Failure 29: once taken for good it would hold for the life of the process."""
    addresses = dict.fromkeys(oauth.ADDRESSES, f"{gate.url}/somewhere")
    no_address = json.dumps({"issuer": "x", **addresses, "token_endpoint": "http://["}).encode()
    for body in (b"{}", b"[]", b'{"issuer": "x", "token_endpoint": "http://["}', no_address, b"<html>"):
        gate.spoil("metadata", Odd(200, {}, "body", body, 0), times=1)
        with pytest.raises(CalendarError):
            oauth.token_uri()
        assert oauth.token_uri() == f"{gate.url}/token"
        forget_metadata(app)
