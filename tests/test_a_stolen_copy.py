"""A copy of the database opens nothing: no calendar in Google, no feed, no session, no account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.clock import utcnow
from portal.extensions import db
from portal.feed import addresses
from portal.models import Connection, UndoStep
from portal.people import accounts
from portal.practice.undo import Memory
from sandbox.client import SandboxClient
from tests.engine.conftest import Office, google, open_portal  # noqa: F401 (fixtures)

SECRET = "Nachtigall's earlier name"


@pytest.fixture
def office(database_url: str, google: SandboxClient, tmp_path: Path) -> Iterator[Office]:  # noqa: F811
    for app in open_portal(database_url, google.url, google.metadata_url):
        yield Office(app, google)


def dump() -> str:
    """Every value of every table, as whoever copied the database reads it."""
    db.session.rollback()
    inspector = sa.inspect(db.engine)
    with db.engine.connect() as connection:
        return "\n".join(
            repr(tuple(row))
            for table in inspector.get_table_names()
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"')
        )


def test_a_copy_of_the_database_holds_no_secret_that_could_be_used(office: Office) -> None:
    connection = office.connect()
    feed = addresses.new_feed(office.provider, now=utcnow())
    session = accounts.open_session(office.provider, now=utcnow())
    office.client.name = SECRET
    memory = Memory(client=office.client)
    office.client.name = "As it is now"
    memory.keep(office.provider, "Client renamed.", now=utcnow())
    db.session.commit()
    secrets = {
        "refresh token": connection.refresh_token,
        "access token": connection.access_token,
        "feed": feed.token,
        "session": session,
        "password": "a long phrase",
        "what can be undone": SECRET,
    }
    copied = dump()
    assert db.session.scalar(sa.select(sa.func.count(UndoStep.id))) == 1
    assert db.session.scalars(sa.select(Connection)).one().refresh_token == secrets["refresh token"]
    assert [what for what, secret in secrets.items() if not secret or secret in copied] == []
    assert len(re.findall(r"gAAAA[\w-]{60,}", copied)) >= 4, "they are there, encrypted"
    assert "$argon2id$" in copied
