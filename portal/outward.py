"""The only way out. Who sends says under which policy, and no request leaves for a host that is not in it.

Google: the hosts that the settings and its metadata name, no redirects, each request within a deadline,
however slowly its answer comes: a time-out of a socket bounds one read, and a lease is bounded as a whole.
Mail: the server of SMTP_URL, and a password over TLS alone.
"""

from __future__ import annotations

import http.client
import io
import math
import smtplib
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import SplitResult, unquote, urlsplit

import httplib2
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from portal.errors import HostNotAllowed, MailNotSent

STEP_SECONDS = 15.0  # one connect, one send, one read
WHOLE_SECONDS = 25.0  # all of them together, a refreshed token and what the library repeats included
PIECE_BYTES = 64 * 1024  # what is sent under one time-out
WEB_PORTS = {"http": 80, "https": 443}
MAIL_PORTS = {"smtp": 25, "smtps": 465}
MAIL_SECONDS = 15

# What a request may end with when no answer came
FAILURES = (httplib2.HttpLib2Error, http.client.HTTPException, OSError)
NO_ANSWER = requests.RequestException  # the same, of a session

S = TypeVar("S", bound=requests.Session)


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom a request may go to: scheme, host and port, all three."""

    name: str
    origins: frozenset[tuple[str, str, int]]

    def check(self, address: str) -> None:
        """Raises HostNotAllowed, before anything is looked up or sent."""
        if _origin(address) not in self.origins:
            raise HostNotAllowed(self.name)


def google(addresses: Iterable[str]) -> Policy:
    """Google as the settings and its metadata name it: the origins of these addresses."""
    return Policy("google", frozenset(origin for each in addresses if (origin := _origin(each))))


def _origin(address: str) -> tuple[str, str, int] | None:
    """None for what is no address of the web."""
    try:
        parts = urlsplit(address)
        port = parts.port or WEB_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


class Deadline:
    """By when the request under way must be over."""

    def __init__(self, whole_seconds: float = WHOLE_SECONDS, step_seconds: float = STEP_SECONDS) -> None:
        self.whole_seconds, self.step_seconds = whole_seconds, step_seconds
        self._ends_at = math.inf

    def begin(self) -> None:
        """A request begins now."""
        self._ends_at = time.monotonic() + self.whole_seconds

    def step(self) -> float:
        """How long the next wait may be, in seconds. Raises TimeoutError when the time is over."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return min(left, self.step_seconds)


class BoundedHttp(httplib2.Http):
    """httplib2 under a policy and within a deadline. No redirect is followed: a token goes nowhere else."""

    def __init__(self, policy: Policy, deadline: Deadline) -> None:
        super().__init__(timeout=deadline.step_seconds)
        self.follow_redirects = False
        self.policy, self.deadline = policy, deadline

    def request(self, uri: str, *arguments: Any, **options: Any) -> tuple[httplib2.Response, bytes]:
        """As httplib2's, over connections of ours. `deadline.begin()` is the caller's to call.

        Raises HostNotAllowed, and FAILURES.
        """
        self.policy.check(uri)
        options["connection_type"] = CONNECTIONS.get(urlsplit(uri).scheme)
        return cast("tuple[httplib2.Response, bytes]", super().request(uri, *arguments, **options))

    def _conn_request(self, conn: Any, *arguments: Any) -> Any:
        conn.deadline = self.deadline
        return super()._conn_request(conn, *arguments)  # type: ignore[misc]  # unknown to its stubs


class _Bounded:
    """What is bounded about a connection: connecting, sending and reading. For http.client's classes."""

    deadline = Deadline()
    sock: socket.socket | None

    @property
    def timeout(self) -> float:
        """Asked anew by each address of a host that is tried."""
        return self.deadline.step()

    @timeout.setter
    def timeout(self, _: float | None) -> None:
        """The deadline says, not whoever makes the connection."""

    def send(self, data: bytes) -> None:
        for begin in range(0, len(data), PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(self.deadline.step())
            super().send(data[begin : begin + PIECE_BYTES])  # type: ignore[misc]

    def response_class(
        self, sock: socket.socket, *arguments: Any, **options: Any
    ) -> http.client.HTTPResponse:
        source = cast("socket.socket", _Source(sock, self.deadline))
        return http.client.HTTPResponse(source, *arguments, **options)


class _PlainConnection(_Bounded, httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]
    pass


class _SecureConnection(_Bounded, httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]
    pass


CONNECTIONS = {"http": _PlainConnection, "https": _SecureConnection}


class _Source:
    """All that http.client wants of a socket when it reads."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, _: str) -> BinaryIO:
        return io.BufferedReader(_Reads(self._sock, self._deadline))


class _Reads(io.RawIOBase):
    """Reads of a socket, each within what is left."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.step())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def session(policy: Policy) -> requests.Session:
    """A session of `requests` under this policy."""
    return bind(requests.Session(), policy)


def bind(session: S, policy: Policy) -> S:
    """Have a session send through BoundedHttp, each request within a deadline of its own."""
    session.adapters.clear()
    for scheme in CONNECTIONS:
        session.mount(f"{scheme}://", _Adapter(policy))
    session.max_redirects = 0  # a redirect raises: what is sent is meant for the address that was asked
    return session


class _Adapter(BaseAdapter):
    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Raises HostNotAllowed, and requests.ConnectionError whatever else happened on the way."""
        deadline = Deadline()
        deadline.begin()
        transport = BoundedHttp(self.policy, deadline)
        headers = {name: value for name, value in request.headers.items() if name != "Accept-Encoding"}
        try:
            answer, body = transport.request(
                str(request.url), str(request.method), body=request.body, headers=headers
            )
        except FAILURES as error:
            raise requests.ConnectionError(type(error).__name__, request=request) from error
        finally:
            transport.close()
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.status_code, response.reason = answer.status, answer.reason
        response.headers = CaseInsensitiveDict(answer)
        response.raw = io.BytesIO(body)
        return response

    def close(self) -> None:
        """Each request has closed its own."""


# Mail


def send_mail(smtp_url: str, message: EmailMessage) -> None:
    """Hand one mail to the server: `smtps://` speaks TLS at once, `smtp://` when it is offered.

    A password is sent over TLS alone. Raises MailNotSent. The answer of the server is not kept: it may repeat
    addresses.
    """
    try:
        with _open_mail_server(urlsplit(smtp_url)) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailNotSent(type(error).__name__) from error


def _open_mail_server(url: SplitResult) -> smtplib.SMTP:
    """A connection, encrypted and signed in as far as the URL says."""
    host, port = url.hostname or "localhost", url.port or MAIL_PORTS.get(url.scheme, 25)
    context = ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=MAIL_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=MAIL_SECONDS)
    try:
        is_private = url.scheme == "smtps" or _start_tls(server, context)
        if url.username and not is_private:
            raise MailNotSent("no-tls")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _start_tls(server: smtplib.SMTP, context: ssl.SSLContext) -> bool:
    """Whether the server offered TLS, which holds from now on."""
    server.ehlo()
    if not server.has_extn("starttls"):
        return False
    server.starttls(context=context)
    return True
