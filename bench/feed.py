"""The feed of 5,000 appointments, against Radicale serving the same file."""

from __future__ import annotations

import base64
import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import requests

from bench import ground, peers
from bench.report import Row, median
from demo.processes import Portal, Process, answers, free_port, plain_environment
from portal.clock import utcnow
from portal.extensions import db
from portal.feed import addresses
from portal.models import AppointmentKind, SyncMode
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed

APPOINTMENTS, ROUNDS = 5_000, 9
SOMEBODY = {"Authorization": "Basic " + base64.b64encode(b"bench:any").decode()}


class Took(NamedTuple):
    """Seconds of one request."""

    clock: float
    cpu: float


def measure(folder: Path) -> list[Row]:
    with ground.portal_app(folder):
        path = _practice_with_a_feed()
    environment = ground.settings(f"sqlite:///{folder / 'portal.db'}", "http://127.0.0.1:9")
    portal = Portal(folder / "web", environment)
    portal.start_web()
    try:
        first = requests.get(portal.url + path, timeout=60)
        assert first.content.count(b"BEGIN:VEVENT") == APPOINTMENTS
        known = {"If-None-Match": first.headers["ETag"]}
        with _radicale(folder, first.content) as peer:
            ours, theirs = _alternating(lambda: _get(portal.web, portal.url + path), peer)
        unchanged = [_get(portal.web, portal.url + path, known, status=304) for _ in range(3 * ROUNDS)]
    finally:
        portal.stop()
    return [_changed(ours, theirs), _unchanged(unchanged)]


def _practice_with_a_feed() -> str:
    """The address of a feed that holds every appointment."""
    provider, now = ground.add_provider(), utcnow()
    client = clients.add_client(provider, "Canary Birdsong", now=now)
    for number in range(APPOINTMENTS):
        date = now.date() + dt.timedelta(days=number % 360 - 30)
        when = Timed(date, dt.time(7 + number // 360), ground.ZONE, 50)
        details = AppointmentDetails(AppointmentKind.SESSION, when, client=client)
        appointments.book(provider, details, now=now, actor=provider, source="system")
    provider.sync_mode = SyncMode.ONE_WAY
    path = addresses.feed_url("", addresses.new_feed(provider, now=now))
    assert path is not None
    db.session.commit()
    return path


def _get(
    server: Process | None, url: str, headers: dict[str, str] | None = None, *, status: int = 200
) -> Took:
    """What one request took: by the clock, and of the server's processor time."""
    assert server is not None
    began, cpu = time.perf_counter(), _processor_seconds(server)
    answer = requests.get(url, headers=headers, timeout=120)
    took = Took(time.perf_counter() - began, _processor_seconds(server) - cpu)
    assert answer.status_code == status, answer.status_code
    return took


def _processor_seconds(server: Process) -> float:
    """Of the program and of all that it started; the kernel counts in hundredths."""
    process = psutil.Process(server.pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _alternating(
    ours: Callable[[], Took], theirs: Callable[[], Took] | None
) -> tuple[list[Took], list[Took]]:
    """By turns, so that both meet the same weather."""
    if theirs is not None:
        theirs()  # its own cache is filled by the first request
    rounds = [(ours(), theirs() if theirs else None) for _ in range(ROUNDS)]
    return [each[0] for each in rounds], [each[1] for each in rounds if each[1] is not None]


@contextmanager
def _radicale(folder: Path, content: bytes) -> Iterator[Callable[[], Took] | None]:
    """Radicale with the same events as one collection; None when it cannot be installed."""
    try:
        python = peers.python()
    except peers.NoPeers:
        yield None
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(python), "-m", "radicale", "--config", "", "--server-hosts", f"127.0.0.1:{port}"]
    command += ["--auth-type", "none", "--storage-filesystem-folder", str(folder / "radicale")]
    command += ["--server-max-content-length", "100000000", "--logging-level", "warning"]
    server = Process("radicale", command, plain_environment(), folder / "radicale.log").start()
    try:
        server.wait_until(lambda: answers(f"{url}/.web/"))
        target = f"{url}/bench/feed/"
        headers = {**SOMEBODY, "Content-Type": "text/calendar"}
        put = requests.put(target, content, headers=headers, timeout=300)
        assert put.ok, f"{put.status_code} {put.text}"
        held = requests.get(target, headers=SOMEBODY, timeout=300).content
        assert held.count(b"BEGIN:VEVENT") == APPOINTMENTS
        yield lambda: _get(server, target, SOMEBODY)
    finally:
        server.stop()


def _changed(ours: list[Took], theirs: list[Took]) -> Row:
    """Judged by processor time, which others at work on the machine disturb less."""
    clock, cpu = _medians(ours)
    against, factor = "Radicale could not be installed", None
    if theirs:
        their_clock, their_cpu = _medians(theirs)
        factor = their_cpu / cpu
        against = f"Radicale 3.9 with the same events, already read, {1000 * their_clock:.0f} ms, "
        against += f"{1000 * their_cpu:.0f} ms: {their_clock / clock:.1f} × and {factor:.1f} × slower"
    return Row(
        what=f"Feed of {APPOINTMENTS:,} appointments, made anew for the request",
        measured=f"{1000 * clock:.0f} ms, {1000 * cpu:.0f} ms of processor time",
        against=against,
        budget="≥ 4 × faster",
        is_kept=None if factor is None else factor >= 4,
    )


def _unchanged(times: list[Took]) -> Row:
    clock = median([each.clock for each in times])
    cpu = sum(each.cpu for each in times) / len(times)  # single ones are too short for the kernel's count
    return Row(
        what="The same feed unchanged: 304",
        measured=f"{1000 * clock:.1f} ms, {1000 * cpu:.1f} ms of processor time",
        against="through gunicorn, a connection each",
        budget="≤ 10 ms",
        is_kept=cpu <= 0.010,
    )


def _medians(times: list[Took]) -> tuple[float, float]:
    return median([each.clock for each in times]), median([each.cpu for each in times])
