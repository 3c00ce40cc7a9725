"""`make demo`: the whole of Lockstep on this machine, with an invented practice and a stand-in for Google.

Everything starts through the commands an operator would use; only the settings differ. Ctrl-C ends it all.
"""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from cryptography.fernet import Fernet

from demo.practice import PROVIDERS, SOL, TIMEZONE, WREN
from demo.processes import DidNotStart, Portal, Process, Sandbox, Valkey, free_port, run

PASSWORD = "along juniper street"
PREFERRED_PORT, PREFERRED_SANDBOX_PORT = 5000, 5001


class Stopped(BaseException):
    """Somebody asked the demo to end."""


def main() -> int:
    """Run until told to stop (0), or until a program fails (1)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    exit_code = 0
    with tempfile.TemporaryDirectory(prefix="lockstep-demo-") as scratch:
        demo = Demo(Path(scratch))
        try:
            demo.start()
            demo.watch()
        except Stopped:
            print("\nStopping …", flush=True)
        except (DidNotStart, RuntimeError) as error:
            print(f"\nThe demo could not go on: {error}", file=sys.stderr)
            exit_code = 1
        finally:
            _ignore_further_signals()
            demo.stop()
    print("Everything the demo started has ended; its scratch database is gone.")
    return exit_code


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _ignore_further_signals() -> None:
    """A second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class Demo:
    """The programs of the demo, in the order in which they need each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.valkey = Valkey(folder / "valkey")
        self.sandbox = Sandbox(folder, "--seed", "demo", port=free_port(PREFERRED_SANDBOX_PORT))
        self.portal: Portal | None = None

    def start(self) -> None:
        print("Starting Lockstep …", flush=True)
        started = time.monotonic()
        self._step("queue (Valkey)", self.valkey.start)
        self._step("sandbox, the stand-in for Google", self.sandbox.start)
        portal = self.portal = Portal(self.folder, self._settings(), port=free_port(PREFERRED_PORT))
        self._step("database", portal.upgrade_database)
        self._step("the practice and its week", lambda: _invent_practice(portal))
        self._step("web server", portal.start_web)
        self._step("worker", portal.start_worker)
        self._say_where(portal, seconds=time.monotonic() - started)

    def watch(self) -> None:
        """Return never; raise DidNotStart when a program ends by itself."""
        while True:
            for process in self._processes():
                if not process.is_running():
                    raise DidNotStart(f"{process.name} ended by itself:\n{process.printed()[-2000:]}")
            time.sleep(0.5)

    def stop(self) -> None:
        if self.portal:
            self.portal.stop()
        self.sandbox.stop()
        self.valkey.stop()

    def _step(self, what: str, start: Callable[[], object]) -> None:
        print(f"  {what}", flush=True)
        start()

    def _processes(self) -> list[Process]:
        portal = self.portal
        of_portal = [portal.web, *portal.workers] if portal else []
        return [process for process in (self.valkey.process, self.sandbox.process, *of_portal) if process]

    def _settings(self) -> dict[str, str]:
        return {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": f"sqlite:///{self.folder / 'portal.db'}",
            "REDIS_URL": self.valkey.url,
            "SYNC_POLL_SECONDS": "5",
            **self.sandbox.settings(),
        }

    def _say_where(self, portal: Portal, *, seconds: float) -> None:
        print(
            f"""
Lockstep is running ({seconds:.0f} s).

  Calendar        {portal.url}
  Sign in         {WREN.email}
  Password        {PASSWORD}
  (a colleague)   {SOL.email}, the same password

  Google's side   {self.sandbox.url}   accounts, calendars, faults to try
  Logs            {self.folder}

  Try: More options → Sync Calendar → Two-Way Sync with Google

Ctrl-C stops everything and forgets it.
""",
            flush=True,
        )


def _invent_practice(portal: Portal) -> None:
    for person in PROVIDERS:
        portal.add_provider(
            person.email, name=person.name, password=PASSWORD, timezone=TIMEZONE, owner=person.is_owner
        )
    run([sys.executable, "-m", "demo.seed"], portal.environment).or_fail()


if __name__ == "__main__":
    sys.exit(main())
