"""Whatever the portal connects to in a day goes through its one way out, or is its own database or queue."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from portal.connection import mail
from portal.errors import MailNotSent
from portal.google import oauth
from tests.engine.conftest import Office
from tests.google.test_odd_consent import consent

ROOT = Path(__file__).resolve().parent.parent.parent
PORTAL = str(ROOT / "portal")
WAY_OUT = str(ROOT / "portal" / "outward.py")
OWN_SERVERS = ("/redis/", "/psycopg/")  # the queue and the database, whose addresses are settings


class Connects:
    """Hears of every socket that connects, and by which files it came there, while it is told to."""

    def __init__(self) -> None:
        self.is_listening = False
        self.through: list[list[str]] = []
        sys.addaudithook(self._hear)  # for the life of this process: none can be taken away

    def _hear(self, event: str, _arguments: tuple[object, ...]) -> None:
        if self.is_listening and event == "socket.connect":
            self.through.append(list(_files(sys._getframe())))

    @property
    def of_portal(self) -> list[list[str]]:
        return [files for files in self.through if any(file.startswith(PORTAL) for file in files)]

    @property
    def past_the_way_out(self) -> list[list[str]]:
        return [
            files
            for files in self.of_portal
            if WAY_OUT not in files and not any(own in file for own in OWN_SERVERS for file in files)
        ]


def _files(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


CONNECTS = Connects()


@pytest.fixture
def connects() -> Iterator[Connects]:
    CONNECTS.through.clear()
    CONNECTS.is_listening = True
    yield CONNECTS
    CONNECTS.is_listening = False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_days_requests_to_google_and_its_mail_take_the_one_way_out(
    office: Office, connects: Connects
) -> None:
    assert consent(office.app, {"code": "unknown to Google"}) == "consent-failed"
    asked_to_consent = len(connects.of_portal)
    assert asked_to_consent >= 2, "the metadata and the token endpoint"
    office.book(days=1)
    office.connect()
    office.run()
    oauth.revoke("a token")
    synced = len(connects.of_portal)
    assert synced > asked_to_consent + 3
    with pytest.raises(MailNotSent):
        mail.send(
            "smtp://127.0.0.1:9", sender="a@example.com", recipient="b@example.com", subject="", body=""
        )
    assert len(connects.of_portal) == synced + 1
    assert connects.past_the_way_out == []


def test_a_socket_that_somebody_opens_beside_it_is_seen(connects: Connects) -> None:
    """As it would be by a module of the portal."""
    source = compile(
        "import socket\nwith socket.socket() as out: out.connect_ex(('127.0.0.1', 9))",
        str(ROOT / "portal" / "elsewhere.py"),
        "exec",
    )
    exec(source, {})
    assert len(connects.past_the_way_out) == 1
