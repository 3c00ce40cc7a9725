"""Delivering one push message: what is success, what is tried again, what robots.txt forbids (facts §9)."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.robotparser
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from sandbox.push.channel import Channel

TIMEOUT_SECONDS = 10
RETRY_AFTER_SECONDS = (0.5, 1.0, 2.0, 4.0)  # much shorter than Google's, so that a test can wait for it
RETRIED = (500, 502, 503, 504)
ROBOTS_KEPT_SECONDS = 30.0

_robots: dict[str, tuple[float, urllib.robotparser.RobotFileParser]] = {}


@dataclass(frozen=True)
class Delivery:
    """A message on its way. `due_at` counts on the monotonic clock."""

    channel: Channel
    headers: dict[str, str]
    due_at: float
    attempt: int = 0


def deliver(delivery: Delivery, *, obeys_robots: bool) -> Iterator[Delivery]:
    """Post the message; yields it again when Google would retry. Any other answer means it is lost."""
    channel = delivery.channel
    if channel.stopped:
        return
    address = urlsplit(channel.address)
    if obeys_robots and not _allowed(address):
        _note(channel, "robots")
        return
    outcome = _post(address, delivery.headers)
    _note(channel, outcome)
    again = outcome == "unreachable" or (outcome.isdigit() and int(outcome) in RETRIED)
    if again and delivery.attempt < len(RETRY_AFTER_SECONDS):
        wait = RETRY_AFTER_SECONDS[delivery.attempt]
        yield replace(delivery, due_at=time.monotonic() + wait, attempt=delivery.attempt + 1)


def _note(channel: Channel, outcome: str) -> None:
    channel.results.append(outcome)
    del channel.results[:-50]


def _post(address: SplitResult, headers: dict[str, str]) -> str:
    """The status as text, or `unreachable`."""
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    connection = _connect(address)
    try:
        connection.request("POST", target, headers=headers)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return "unreachable"
    finally:
        connection.close()


def _connect(address: SplitResult) -> http.client.HTTPConnection:
    host, port = address.hostname or "", address.port
    if address.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)


def _allowed(address: SplitResult) -> bool:
    """What the host's robots.txt says to `APIs-Google`; without one everything is allowed."""
    kept = _robots.get(address.netloc)
    if kept is None or kept[0] < time.monotonic():
        rules = urllib.robotparser.RobotFileParser()
        rules.parse(_robots_txt(address).splitlines())
        kept = _robots[address.netloc] = (time.monotonic() + ROBOTS_KEPT_SECONDS, rules)
    return kept[1].can_fetch("APIs-Google", address.geturl())


def _robots_txt(address: SplitResult) -> str:
    connection = _connect(address)
    try:
        connection.request("GET", "/robots.txt", headers={"User-Agent": "APIs-Google"})
        response = connection.getresponse()
        return response.read().decode(errors="replace") if response.status == 200 else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
