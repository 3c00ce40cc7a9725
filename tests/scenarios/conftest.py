"""A provider's day through real processes: web, workers, Valkey, and the sandbox's Google over HTTP."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo.processes import Portal, Process, Sandbox, Valkey, wait_until
from portal import create_app
from portal.clock import utcnow
from portal.config import load_config
from portal.extensions import begin_reading, begin_writing, db
from portal.models import Appointment, ChangeCard, Connection, SyncRun
from portal.people import accounts
from portal.rows import event_links
from sandbox.client import Json, SandboxClient
from tests.engine.conftest import EMAIL, ZONE, Office
from tests.forms import Reader
from tests.processes import PASSWORD, make_settings
from tests.wizard import sign_in

TOLD = {
    *("phase", "problem", "problem_detail", "failures", "retry_at", "requested", "handled", "queued_at"),
    *("next_check_at", "last_pushed_at", "last_pulled_at", "lease_owner", "lease_expires_at", "unwanted"),
}


class BusyOffice(Office):
    """The same verbs, while other processes work on the same database."""

    def book(self, **when: Any) -> Appointment:
        with writing():
            return super().book(**when)

    def book_all_day(self, **when: Any) -> Appointment:
        with writing():
            return super().book_all_day(**when)

    def move(self, appointment: Appointment, *, hours: float) -> None:
        with writing():
            super().move(appointment, hours=hours)

    def cancel(self, appointment: Appointment) -> None:
        with writing():
            super().cancel(appointment)

    def reinstate(self, appointment: Appointment) -> None:
        with writing():
            super().reinstate(appointment)

    def connect(self) -> Connection:
        with writing():
            return super().connect()


class Scene:
    """The processes, and the two sides of the sync as seen from outside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.valkey = Valkey(folder / "valkey").start()
        self.sandbox = Sandbox(folder).start()
        self.google = SandboxClient(self.sandbox.url)
        self.google.add_account(EMAIL, hd="example.com", time_zone=ZONE)
        self.database = folder / "portal.db"
        settings = make_settings(
            database_url=f"sqlite:///{self.database}",
            redis_url=self.valkey.url,
            google=self.sandbox.settings(),
        )
        # every request with its address: what is masked there has to be seen masked
        self.portal = Portal(folder, {**settings, "GUNICORN_CMD_ARGS": "--access-logfile -"})
        self.portal.upgrade_database()

    def stop(self) -> None:
        self.portal.stop()
        self.sandbox.stop()
        self.valkey.stop()

    def open_office(self) -> Office:
        """The provider, whose appointments are changed by the portal's own verbs in this process."""
        with writing():
            office = BusyOffice(self.app, self.google)
            accounts.set_password(office.provider, PASSWORD)
            db.session.commit()
        self.office = office
        return office

    def sign_in(self) -> Reader:
        return sign_in(Reader(self.portal.url))

    def worker(self) -> Process:
        """The last worker that was started."""
        return self.portal.workers[-1]

    # Waiting for the worker

    def connection(self) -> Connection:
        """As it is in the database now."""
        with reading():
            return db.session.scalars(sa.select(Connection).order_by(Connection.id.desc()).limit(1)).one()

    def rest(self, *, seconds: float = 40) -> None:
        """Until the worker has looked at Google after this call, and nothing is behind."""
        begun = utcnow()
        self.wait(lambda: self._is_at_rest(begun), "the worker comes to rest", seconds=seconds)

    def _is_at_rest(self, begun: dt.datetime) -> bool:
        """A run that began later has read Google to its end: one under way may have read before `begun`."""
        with reading():
            connection = db.session.scalars(
                sa.select(Connection).where(Connection.ended_at.is_(None))
            ).one_or_none()
            if connection is None or connection.last_pulled_at is None:
                return False
            has_read = sa.exists().where(
                SyncRun.connection_id == connection.id,
                SyncRun.started_at > begun,
                SyncRun.started_at < connection.last_pulled_at,
            )
            looked = db.session.scalar(sa.select(has_read)) and connection.lease_owner is None
            return bool(looked) and connection.problem is None and event_links.count_behind(connection) == 0

    def wait(self, is_so: Callable[[], bool], what: str, *, seconds: float = 40) -> None:
        try:
            wait_until(is_so, seconds=seconds, what=what)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self._situation()}") from error

    def _situation(self) -> str:
        """What somebody needs to know who reads that something never happened."""
        found = {key: str(value) for key, value in vars(self.connection()).items() if key in TOLD}
        with reading():
            behind = event_links.count_behind(self.connection())
        return f"now {utcnow()}, behind {behind}, {found}\n{self.worker().printed()[-3000:]}"

    def let_the_lease_run_out(self) -> None:
        """As a minute would."""
        with writing():
            db.session.execute(sa.update(Connection).values(lease_expires_at=utcnow()))
            db.session.commit()

    # What both sides hold

    def refreshed(self, appointment: Appointment) -> Appointment:
        with reading():
            return db.session.get_one(Appointment, appointment.id, populate_existing=True)

    def cards(self) -> list[ChangeCard]:
        with reading():
            return list(db.session.scalars(sa.select(ChangeCard)))

    def shown(self) -> list[str]:
        """Summaries of the Google events here."""
        with reading():
            return self.office.shown()

    def app_events(self) -> list[Json]:
        with reading():
            return self.office.app_events()

    def event_of(self, appointment: Appointment) -> Json:
        with reading():
            return self.office.event_of(appointment)

    def app_calendar_id(self) -> str:
        with reading():
            return self.office.app_calendar_id

    def asked_of_google(self, method: str) -> int:
        """How many calls of this method came in since the log was reset."""
        return int(self.google.requests(after=10**12)["counters"]["by_method"].get(method, 0))

    def doctor(self) -> dict[str, Any]:
        answer = self.portal.flask("sync", "doctor", EMAIL, "--json").or_fail()
        (report,) = json.loads(answer.stdout)
        return dict(report)

    # Backups

    def back_up(self) -> Path:
        copy = self.folder / "backup.db"
        self._copy(self.database, copy)
        return copy

    def restore(self, backup: Path) -> None:
        db.session.rollback()
        db.session.expire_all()
        db.engine.dispose()
        self._copy(backup, self.database)

    def can_be_written(self) -> bool:
        """Whether nobody is in the middle of a writing transaction."""
        with closing(sqlite3.connect(self.database, timeout=0.1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
            return True

    def _copy(self, source: Path, target: Path) -> None:
        with sqlite3.connect(source) as origin, sqlite3.connect(target) as copy:
            origin.backup(copy)
        origin.close()
        copy.close()


@contextmanager
def reading() -> Iterator[None]:
    """Look into the database as it is now. This process never keeps a writer out but inside `writing`."""
    db.session.rollback()
    db.session.expire_all()
    yield


@contextmanager
def writing() -> Iterator[None]:
    """Change the database; what happens inside commits."""
    db.session.rollback()
    db.session.expire_all()
    begin_writing()
    try:
        yield
    finally:
        db.session.rollback()
        begin_reading()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Started with a web server, and without a worker; shared by the tests of one file."""
    scene = Scene(tmp_path_factory.mktemp("scene"))
    try:
        scene.portal.start_web()
        scene.app = create_app(load_config(scene.portal.environment), TESTING=True)
        with scene.app.app_context():
            begin_reading()
            scene.open_office()
            yield scene
            begin_writing()
            db.session.remove()
            db.engine.dispose()
    finally:
        scene.stop()


@pytest.fixture(autouse=True)
def _no_worker_is_left(scene: Scene) -> Iterator[None]:
    """Tests of a file share the world in any order: each begins without workers, faults or a lease."""
    yield
    for worker in scene.portal.workers:
        if worker.is_running():
            worker.kill_everything()
    scene.google.clear_faults()
    scene.let_the_lease_run_out()
