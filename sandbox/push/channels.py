"""All channels, and the courier that delivers their messages from a thread of its own (facts §9).

A message says only "something changed"; it has no body. It may come late, twice, out of order or never.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from queue import Empty, Queue

from sandbox.ground.clock import Clock
from sandbox.ground.model import Account, Calendar
from sandbox.push.channel import Channel, headers_of
from sandbox.push.deliveries import Delivery, deliver
from sandbox.trouble.faults import Faults
from sandbox.trouble.switches import Switches

REORDER_SECONDS = 0.3


class Channels:
    """All channels ever opened, and the queue of messages on their way."""

    def __init__(self, clock: Clock, faults: Faults, switches: Switches) -> None:
        self.clock, self.faults, self.switches = clock, faults, switches
        self.queue: Queue[Delivery] = Queue()
        self.stopping = threading.Event()
        self.open: dict[str, Channel] = {}

    def clear(self) -> None:
        """Forget all channels and messages."""
        self.open = {}
        while True:
            try:
                self.queue.get_nowait()
            except Empty:
                return

    def add(self, channel: Channel) -> None:
        """Open a channel; its first message is `sync`, and may overtake the watch call's answer."""
        self.open[channel.id] = channel
        self._send(channel, "sync")

    def events_changed(self, calendar: Calendar) -> None:
        """Tell everybody who watches this calendar."""
        self._tell(lambda channel: channel.calendar_id == calendar.id)

    def calendar_list_changed(self, account: Account) -> None:
        """Tell those who watch this person's calendar list."""
        self._tell(lambda channel: channel.calendar_id is None and channel.watcher.sub == account.sub)

    def _tell(self, concerned: Callable[[Channel], bool]) -> None:
        now = self.clock.now()
        for channel in self.open.values():
            if concerned(channel) and not channel.stopped and channel.expires_at > now:
                self._send(channel, "exists")

    def _send(self, channel: Channel, state: str) -> None:
        faults = self.faults.strike("push", channel.watcher.email, channel.calendar_id)
        kinds = {fault.kind: fault for fault in faults}
        channel.messages += 1
        if "push_drop" in kinds:
            return
        wait = next((f.seconds or 1.0 for f in faults if f.kind == "push_delay"), 0.0)
        if "push_reorder" in kinds:  # later ones overtake it
            wait += REORDER_SECONDS
        for _ in range(2 if "push_duplicate" in kinds else 1):
            headers = headers_of(channel, state)
            self.queue.put(Delivery(channel, headers, time.monotonic() + wait))

    def run(self) -> None:
        """The courier's life: deliver what is due, until `stopping` is set."""
        waiting: list[Delivery] = []
        while not self.stopping.is_set():
            with contextlib.suppress(Empty):
                waiting.append(self.queue.get(timeout=0.05))
            now = time.monotonic()
            due = [one for one in waiting if one.due_at <= now]
            waiting = [one for one in waiting if one.due_at > now]
            for one in due:
                waiting.extend(deliver(one, obeys_robots=self.switches.push_obeys_robots))
