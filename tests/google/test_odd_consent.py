"""Odd answers while somebody consents: each step ends in an error that the page has words for."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask, session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.processes import ROOT
from portal import create_app
from portal.config import load_config
from portal.errors import CalendarUnavailable, HostNotAllowed, Refused
from portal.extensions import db
from portal.google import oauth
from sandbox import serve
from sandbox.client import SandboxClient
from tests.google.odd_answers import Gate, Odd, gate_before, odd_answers
from tests.google.test_client import CLIENT, EMAIL

CONSENT = ["keys", "metadata", "revoke", "token"]
EXAMPLES = int(os.environ.get("ODD_EXAMPLES", "60"))
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
STATE = "_state_google_"  # how Authlib names it in the cookie session
# As Google would answer a code, but for the signature: then the keys are asked for
GIVEN = {"access_token": "a", "expires_in": 3599, "id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.c2ln"}
BACK = "http://localhost/calendar/sync/google/callback"


@pytest.fixture
def google() -> Iterator[SandboxClient]:
    with serve() as sandbox:
        sandbox.add_account(EMAIL, hd="example.com")
        yield sandbox


@pytest.fixture
def gate(google: SandboxClient) -> Iterator[Gate]:
    with gate_before(google.url) as gate:
        yield gate


@pytest.fixture
def app(gate: Gate, tmp_path: Path) -> Flask:
    values = {
        "SECRET_KEY": "tests-only-0123456789",
        "TOKEN_ENCRYPTION_KEYS": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "DATABASE_URL": f"sqlite:///{tmp_path}/portal.db",
        "GOOGLE_CLIENT_ID": CLIENT["client_id"],
        "GOOGLE_CLIENT_SECRET": CLIENT["client_secret"],
        "GOOGLE_OIDC_METADATA_URL": f"{gate.url}/.well-known/openid-configuration",
        "GOOGLE_API_ENDPOINT": gate.url,
    }
    app = create_app(load_config(values), TESTING=True)
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))  # the way out asks whose database this is
        db.engine.dispose()
    return app


def forget_metadata(app: Flask) -> None:
    app.extensions["authlib.integrations.flask_client"].google.server_metadata = {}


def consent(app: Flask, grant: dict[str, str]) -> str:
    """Go to Google and come back with what it gave; how that ended."""
    try:
        with app.test_request_context("/"):
            oauth.begin_consent(BACK, provider_id=1, login_hint=None)
            kept = dict(session)
        state = next(name for name in kept if name.startswith("_state_google_")).removeprefix(
            "_state_google_"
        )
        with app.test_request_context(f"/?state={state}&code={grant['code']}"):
            session.update(kept)
            oauth.finish_consent(provider_id=1, now=NOW)
    except (Refused, CalendarUnavailable) as error:
        return error.code
    return "granted"


def test_no_step_of_a_consent_crashes_on_an_odd_answer(app: Flask, gate: Gate) -> None:
    """Failure 29."""
    ends: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        wanted=st.sampled_from(CONSENT),
        odd=odd_answers(),
        times=st.integers(1, 3),
    )
    def ask(wanted: str, odd: Odd, times: int) -> None:
        gate.rest()
        gate.always.clear()
        forget_metadata(app)
        if wanted == "keys":
            gate.always["token"] = Odd(200, {}, "body", json.dumps(GIVEN).encode(), 0)
        gate.spoil(wanted, odd, times=times)
        ends[consent(app, {"code": "c"})] += 1
        with app.test_request_context("/"):
            oauth.authorization_origin()
            try:
                oauth.revoke("a token")
            except CalendarUnavailable as error:
                ends[error.code] += 1

    ask()
    assert set(gate.spoilt) == set(CONSENT), gate.spoilt
    assert ends["oidc-metadata"] > 0
    assert ends["consent-failed"] + ends["token-endpoint"] > 0
    gate.rest()
    forget_metadata(app)
    with app.test_request_context("/"):
        assert oauth.token_uri() == f"{gate.url}/token"


def test_a_revocation_that_was_not_answered_is_asked_for_again(app: Flask, gate: Gate) -> None:
    for status in (302, 408, 429, 500):
        gate.spoil("revoke", Odd(status, {"Location": "/"}, "body", b"", 0), times=1)
        with app.test_request_context("/"), pytest.raises(CalendarUnavailable):
            oauth.revoke("a token")
    with app.test_request_context("/"):
        oauth.revoke("a token that Google knows no more")


def test_metadata_that_came_over_tls_sends_no_secret_without_it() -> None:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint")
    document = {"issuer": "https://accounts.example", **dict.fromkeys(names, "https://accounts.example/x")}
    assert oauth._read_metadata(document, "https")["token_endpoint"] == "https://accounts.example/x"
    for name in names:
        in_the_clear = {**document, name: "http://accounts.example/x"}
        with pytest.raises(ValueError, match="no-address"):
            oauth._read_metadata(in_the_clear, "https")
        assert oauth._read_metadata(in_the_clear, "http")[name] == "http://accounts.example/x", "a stand-in"


def test_the_client_reaches_what_the_metadata_names_and_nothing_else(app: Flask) -> None:
    client = app.extensions["authlib.integrations.flask_client"].google
    with app.test_request_context("/"):
        oauth.token_uri()
        with client._get_session() as out, pytest.raises(HostNotAllowed):
            out.get("http://127.0.0.1:9/keys", withhold_token=True)
