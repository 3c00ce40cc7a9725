"""What leaves goes where its policy says and nowhere else; and a whole request has a deadline."""

from __future__ import annotations

import datetime as dt
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal import outward
from portal.errors import TIMED_OUT, CalendarUnavailable, HostNotAllowed, MailNotSent
from portal.google.client import GoogleClient, Write
from portal.google.tokens import Tokens
from portal.outward import BoundedHttp, Deadline, google, session

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
    monkeypatch.setattr(outward, "Deadline", lambda: Deadline(WHOLE, STEP))
    begun = time.monotonic()
    with (
        listening(SLOW["trickles its body"]) as address,
        session(google((address,))) as out,
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
            session(google((address,))) as out,
            pytest.raises(requests.TooManyRedirects),
        ):
            out.post(address, data={"token": "t"})
    assert asked == []


def test_what_speaks_requests_gets_its_answer() -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a": "b"}'
    with listening(trickle(answer, b"")) as address, session(google((address,))) as out:
        found = out.get(address)
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.json() == {"a": "b"}


# Policies


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/token",  # another port
        "https://127.0.0.1:{port}/token",  # another scheme
        "http://localhost:{port}/token",  # another name
        "http://127.0.0.1:{port}@192.0.2.1/token",
        "http://[::1]:{port}/token",
        "ftp://127.0.0.1:{port}/token",
        "//127.0.0.1:{port}/token",
        "/token",
        "",
        "http://",
        "http://127.0.0.1:x/token",
    ],
)
def test_a_request_for_a_host_that_is_not_named_is_refused_before_anything_is_sent(address: str) -> None:
    asked: list[bytes] = []
    with listening(lambda connection: asked.append(connection.recv(65536))) as named:
        policy = google((f"{named}/calendar/v3/",))
        address = address.format(port=named.rpartition(":")[2])
        http = BoundedHttp(policy, Deadline(WHOLE, STEP))
        with pytest.raises(HostNotAllowed):
            http.request(address)
        with session(policy) as out, pytest.raises((HostNotAllowed, requests.RequestException)):
            out.get(address)
    assert asked == []


def test_an_address_of_the_policys_own_host_is_allowed_however_it_is_written() -> None:
    policy = google(("https://www.googleapis.com", "https://oauth2.googleapis.com/token"))
    for address in (
        "https://www.googleapis.com/batch",
        "https://WWW.googleapis.com:443/",
        "https://oauth2.googleapis.com",
    ):
        policy.check(address)
    with pytest.raises(HostNotAllowed):
        policy.check("https://www.googleapis.com.example/")


def test_a_client_reaches_its_endpoint_and_its_token_endpoint_alone() -> None:
    with client_of("http://127.0.0.1:9") as client, pytest.raises(HostNotAllowed):
        client._transport.request("http://127.0.0.1:10/calendar/v3/")


# Mail


class MailServer(socketserver.ThreadingTCPServer):
    """Says what it is told to about TLS, and keeps every line that it was sent in the clear."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None, *, at_once: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Lines)
        self.tls, self.at_once = tls, at_once
        self.in_the_clear: list[str] = []
        self.encrypted: list[str] = []


class _Lines(socketserver.BaseRequestHandler):
    server: MailServer

    def handle(self) -> None:
        tls, sock = self.server.tls, self.request
        heard = self.server.in_the_clear
        try:
            if tls and self.server.at_once:
                sock, heard = tls.wrap_socket(sock, server_side=True), self.server.encrypted
            sock.sendall(b"220 ready\r\n")
            file = sock.makefile("rb")
            while line := file.readline().decode().strip():
                heard.append(line)
                verb = line.split()[0].upper()
                sock.sendall(self._answer(verb, offers=tls is not None and sock is self.request))
                if tls and verb == "STARTTLS":
                    sock, heard = tls.wrap_socket(sock, server_side=True), self.server.encrypted
                    file = sock.makefile("rb")
                elif verb == "DATA":
                    while file.readline().strip() != b".":
                        pass
                    sock.sendall(b"250 taken\r\n")
        except OSError:
            return  # whoever sent does not trust it
        finally:
            sock.close()

    def _answer(self, verb: str, *, offers: bool) -> bytes:
        match verb:
            case "EHLO":
                return b"250-here\r\n" + (b"250-STARTTLS\r\n" if offers else b"") + b"250 AUTH PLAIN\r\n"
            case "AUTH":
                return b"235 welcome\r\n"
            case "DATA":
                return b"354 go on\r\n"
            case "QUIT":
                return b"221 bye\r\n"
            case "STARTTLS":
                return b"220 go ahead\r\n"
        return b"250 fine\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, key and all."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(pem))
    return path


@contextmanager
def mail_server(certificate: Path | None, *, at_once: bool = False) -> Iterator[MailServer]:
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    with MailServer(tls, at_once=at_once) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def send_through(server: MailServer, scheme: str, *, password: str = "sparrow") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "x"
    message.set_content("words")
    user = f"somebody:{password}@" if password else ""
    outward.send_mail(f"{scheme}://{user}127.0.0.1:{server.server_address[1]}", message)


def passwords_in(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("AUTH")]


def test_no_password_is_sent_to_a_mail_server_that_offers_no_tls() -> None:
    with mail_server(None) as server, pytest.raises(MailNotSent, match="no-tls"):
        send_through(server, "smtp")
    assert passwords_in(server.in_the_clear) == []
    with mail_server(None) as server:
        send_through(server, "smtp", password="")
    assert "data" in server.in_the_clear


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_password_goes_over_tls_and_only_to_a_server_that_is_trusted(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = scheme == "smtps"
    with mail_server(certificate, at_once=at_once) as server, pytest.raises(MailNotSent, match="SSL"):
        send_through(server, scheme)
    assert passwords_in(server.in_the_clear + server.encrypted) == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate, at_once=at_once) as server:
        send_through(server, scheme)
    assert passwords_in(server.in_the_clear) == []
    assert len(passwords_in(server.encrypted)) == 1
    assert "data" in server.encrypted
