"""The address that Google delivers to: it believes a known channel with its secret, and nobody else."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from portal.extensions import db
from portal.models import Connection, ConnectionPhase, PushChannel
from tests.office import NOW, Office

SECRET = "the secret of this channel alone"
GOOD = {
    "X-Goog-Channel-ID": "channel-1",
    "X-Goog-Channel-Token": SECRET,
    "X-Goog-Resource-ID": "resource-1",
    "X-Goog-Resource-State": "exists",
    "X-Goog-Message-Number": "12",
}


@pytest.fixture
def channel(office: Office) -> PushChannel:
    connection = office.connection()
    channel = PushChannel(
        connection_id=connection.id,
        google_calendar_id=office._google_calendar(office.provider).id,
        channel_id="channel-1",
        secret_hash=hashlib.sha256(SECRET.encode()).hexdigest(),
        resource_id="resource-1",
        created_at=NOW,
        expires_at=NOW + dt.timedelta(days=2),
    )
    db.session.add(channel)
    db.session.commit()
    return channel


def send(office: Office, headers: dict[str, str], body: bytes = b"") -> int:
    answer = office.app.test_client().post("/webhooks/google", headers=headers, data=body)
    assert answer.data == b""
    assert "Set-Cookie" not in answer.headers
    return answer.status_code


def asked_for(office: Office) -> int:
    db.session.expire_all()
    return office.connection().requested


def test_a_message_with_the_secret_asks_for_a_look_at_google(office: Office, channel: PushChannel) -> None:
    assert send(office, GOOD) == 204
    connection = office.connection()
    assert connection.requested == 1
    assert connection.next_check_at is not None
    db.session.refresh(channel)
    assert channel.last_message_at is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Goog-Channel-ID": "channel-2"},
        {"X-Goog-Channel-ID": None},
        {"X-Goog-Channel-Token": "a guess"},
        {"X-Goog-Channel-Token": ""},
        {"X-Goog-Channel-Token": None},
        {"X-Goog-Channel-Token": hashlib.sha256(SECRET.encode()).hexdigest()},
        {"X-Goog-Resource-ID": "resource-2"},
        {"X-Goog-Resource-ID": None},
    ],
)
def test_anything_else_is_not_found_and_leaves_no_trace(
    office: Office, channel: PushChannel, changes: dict[str, str | None]
) -> None:
    """Failure 36: a forged message."""
    headers = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    assert send(office, headers) == 404
    assert asked_for(office) == 0
    assert office.connection().next_check_at is None
    assert office.connection().queued_at is None
    assert channel.last_message_at is None
    assert send(office, GOOD) == 204
    assert asked_for(office) == 1


def test_what_stands_in_the_body_is_not_read(office: Office, channel: PushChannel) -> None:
    """Failure 36: the contract misread."""
    body = b'{"id": "channel-1", "token": "' + SECRET.encode() + b'"}'
    assert send(office, {}, body) == 404
    assert send(office, GOOD, b"not json \xff") == 204


def test_the_secret_of_another_channel_opens_nothing(office: Office, channel: PushChannel) -> None:
    """Failure 36: one secret shared by all channels."""
    db.session.add(
        PushChannel(
            connection_id=channel.connection_id,
            google_calendar_id=channel.google_calendar_id,
            channel_id="channel-2",
            secret_hash=hashlib.sha256(b"another").hexdigest(),
            resource_id="resource-1",
            created_at=NOW,
        )
    )
    db.session.commit()
    assert send(office, {**GOOD, "X-Goog-Channel-ID": "channel-2"}) == 404


def test_the_first_message_marks_the_channel_alive_and_asks_for_nothing(
    office: Office, channel: PushChannel
) -> None:
    assert send(office, {**GOOD, "X-Goog-Resource-State": "sync"}) == 204
    assert asked_for(office) == 0
    assert channel.last_message_at is not None


def test_the_first_message_tells_the_resource_when_the_answer_has_not_come(
    office: Office, channel: PushChannel
) -> None:
    channel.resource_id = None
    db.session.commit()
    assert send(office, {**GOOD, "X-Goog-Resource-State": "sync"}) == 204
    assert send(office, {**GOOD, "X-Goog-Resource-ID": "resource-2"}) == 404
    db.session.refresh(channel)
    assert channel.resource_id == "resource-1"


def test_a_channel_that_was_stopped_is_noted_and_asks_for_nothing(
    office: Office, channel: PushChannel
) -> None:
    channel.stopped_at = NOW
    db.session.commit()
    assert send(office, GOOD) == 204
    assert asked_for(office) == 0
    db.session.refresh(channel)
    assert channel.last_message_at is not None


@pytest.mark.parametrize("phase", [ConnectionPhase.CHOOSING, ConnectionPhase.REMOVING, ConnectionPhase.ENDED])
def test_a_connection_that_does_not_sync_is_not_woken(
    office: Office, channel: PushChannel, phase: ConnectionPhase
) -> None:
    connection = office.connection()
    connection.phase = phase
    db.session.commit()
    assert send(office, GOOD) == 204
    db.session.expire_all()
    assert db.session.get_one(Connection, connection.id).requested == 0


def test_the_address_takes_posts_only(office: Office) -> None:
    assert office.app.test_client().get("/webhooks/google").status_code == 405
