"""A whole request has a deadline: its sending, its answer byte by byte, and the token that it needs."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from portal.errors import TIMED_OUT, CalendarUnavailable
from portal.google import transport
from portal.google.client import GoogleClient, Write
from portal.google.tokens import Tokens
from portal.google.transport import Deadline, bound

WHOLE, STEP = 0.3, 0.2
MARGIN = 1.5  # for a machine with other things to do
Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[str]:
    """A server that does this with each connection."""
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(talk, connection), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        is_over.set()


def _quietly(talk: Talk, connection: socket.socket) -> None:
    with connection:
        try:
            talk(connection)
        except OSError:
            return  # whoever asked went away


def trickle(first: bytes, rest: bytes) -> Talk:
    """Say the first at once and the rest in single bytes: no read waits long, and all take for ever."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first)
        for _ in range(200):
            for begin in range(len(rest)):
                connection.sendall(rest[begin : begin + 1])
                time.sleep(STEP / 4)

    return talk


def silent(connection: socket.socket) -> None:
    connection.recv(65536)
    time.sleep(5)


def never_read(connection: socket.socket) -> None:
    """Take the connection, and none of what is sent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
SLOW: dict[str, Talk] = {
    "says nothing": silent,
    "trickles its status": trickle(b"", b"HTTP/1.1 200 O"),
    "trickles its head": trickle(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "goes on and on with a continue": trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "trickles its body": trickle(HEAD, b" "),
    "trickles a body in chunks": trickle(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"
    ),
}


def client_of(endpoint: str, *, expires_at: dt.datetime | None = None) -> GoogleClient:
    tokens = Tokens(
        refresh_token="r", access_token="a", token_uri=f"{endpoint}/token", client_id="i", client_secret="s",
        expires_at=expires_at,
    )  # fmt: skip
    return GoogleClient(tokens, endpoint=endpoint, deadline=Deadline(WHOLE, STEP))


def seconds_until_given_up(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    with pytest.raises(CalendarUnavailable) as caught:
        call()
    assert caught.value.code == TIMED_OUT
    return time.monotonic() - begun


@pytest.mark.parametrize("talk", SLOW.values(), ids=SLOW.keys())
def test_a_slow_answer_is_given_up_as_a_whole(talk: Talk) -> None:
    """Failure 51: a time-out of one read begins anew with each byte, and the lease does not."""
    with listening(talk) as endpoint, client_of(endpoint) as client:
        assert seconds_until_given_up(client.list_calendars) < WHOLE + MARGIN


def test_a_token_endpoint_that_trickles_is_within_the_same_deadline() -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    with listening(SLOW["trickles its body"]) as endpoint:
        with client_of(endpoint, expires_at=past) as client:
            assert seconds_until_given_up(client.list_calendars) < WHOLE + MARGIN
        with client_of(endpoint, expires_at=past) as client:
            batch = [Write(verb="delete", event_id="abcde1")]
            assert seconds_until_given_up(lambda: client.write_events("c", batch)) < WHOLE + MARGIN


def test_a_body_that_nobody_takes_is_given_up() -> None:
    with listening(never_read) as endpoint, client_of(endpoint) as client:
        long = "x" * 8_000_000
        assert seconds_until_given_up(lambda: client.patch_calendar("c", summary=long)) < WHOLE + MARGIN


def test_each_request_has_a_deadline_of_its_own() -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{"items": []}'
    with listening(trickle(answer, b"")) as endpoint, client_of(endpoint) as client:
        for _ in range(3):
            time.sleep(WHOLE / 2)
            assert client.list_calendars() == []


def test_once_the_time_is_over_nothing_is_sent() -> None:
    deadline = Deadline(0.0, STEP)
    assert deadline.step() == STEP, "nothing has begun"
    deadline.begin()
    with pytest.raises(TimeoutError):
        deadline.step()


def test_what_speaks_requests_has_the_same_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "Deadline", lambda: Deadline(WHOLE, STEP))
    begun = time.monotonic()
    with (
        listening(SLOW["trickles its body"]) as address,
        bound(requests.Session()) as out,
        pytest.raises(requests.ConnectionError),
    ):
        out.post(address, data={"token": "t"})
    assert time.monotonic() - begun < WHOLE + MARGIN


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_what_speaks_requests_follows_no_redirect(status: int) -> None:
    """A secret goes to the address that was meant and to no other."""
    asked: list[bytes] = []

    def elsewhere(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))

    with listening(elsewhere) as other:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {other}/\r\nContent-Length: 0\r\n\r\n"
        with (
            listening(trickle(head.encode(), b"")) as address,
            bound(requests.Session()) as out,
            pytest.raises(requests.TooManyRedirects),
        ):
            out.post(address, data={"token": "t"})
    assert asked == []


def test_what_speaks_requests_gets_its_answer() -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a": "b"}'
    with listening(trickle(answer, b"")) as address, bound(requests.Session()) as out:
        found = out.get(address)
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.json() == {"a": "b"}
