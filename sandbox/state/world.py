"""The whole state of the sandbox, and the few operations that touch several parts of it at once.

Everything is in memory. Whoever reads or writes holds `world.lock`.
"""

from __future__ import annotations

import secrets
import threading

from sandbox.ground.clock import Clock, stamp
from sandbox.ground.errors import Json
from sandbox.ground.model import Account, Calendar, Entry
from sandbox.push.channels import Channels
from sandbox.state.grants import Client, Grants
from sandbox.state.request_log import RequestLog
from sandbox.trouble.faults import Faults
from sandbox.trouble.quota import Quota
from sandbox.trouble.switches import Switches

FIRST_ETAG = 3_400_000_000_000_000
DEFAULT_REMINDERS: list[Json] = [{"method": "popup", "minutes": 10}]


class World:
    """Accounts, calendars, grants, channels, faults, switches and the request log of one sandbox."""

    def __init__(self, clients: list[Client]) -> None:
        self.lock = threading.RLock()
        self.base_url = ""
        self.clock = Clock()
        self.switches = Switches()
        self.grants = Grants(self.clock, clients)
        self.faults = Faults()
        self.quota = Quota()
        self.log = RequestLog()
        self.channels = Channels(self.clock, self.faults, self.switches)
        self.forget()

    def forget(self) -> None:
        """Back to an empty Google: no accounts, grants, faults; clients, switches and the clock stay."""
        self.accounts: dict[str, Account] = {}
        self.calendars: dict[str, Calendar] = {}
        self.token_key = secrets.token_bytes(32)
        self.etag_number = FIRST_ETAG
        self.grants.forget()
        self.faults.clear()
        self.quota.clear()
        self.log.clear()
        self.channels.clear()

    def next_etag(self) -> str:
        """A new etag; quotes are part of the value (facts §8)."""
        self.etag_number += 2
        return f'"{self.etag_number}"'

    def now_stamp(self) -> str:
        """The current time as Google prints `updated`."""
        return stamp(self.clock.now())

    def add_account(
        self,
        email: str,
        *,
        name: str | None = None,
        hd: str | None = None,
        time_zone: str = "America/Chicago",
        sub: str | None = None,
    ) -> Account:
        """A new account with its primary calendar, whose id is the address."""
        sub = sub or "1" + "".join(secrets.choice("0123456789") for _ in range(20))
        account = Account(sub, email, name or email.split("@")[0], hd, time_zone)
        self.accounts[sub] = account
        primary = self.add_calendar(account, email, kind="primary", summary=email)
        account.entries[primary.id].default_reminders = list(DEFAULT_REMINDERS)
        return account

    def account_by_email(self, email: str) -> Account | None:
        """The account that signs in with this address now."""
        return next((a for a in self.accounts.values() if a.email.lower() == email.lower()), None)

    def add_calendar(
        self, account: Account, calendar_id: str, *, kind: str, summary: str, role: str = "owner"
    ) -> Calendar:
        """A new calendar that shows in the account's list."""
        owner = account.sub if role == "owner" and kind in ("primary", "secondary") else None
        calendar = Calendar(calendar_id, kind, summary, account.time_zone, self.next_etag(), owner)
        calendar.updated = self.now_stamp()
        self.calendars[calendar_id] = calendar
        self.share(calendar, account, role)
        return calendar

    def share(self, calendar: Calendar, account: Account, role: str) -> None:
        """Give a person a role and put the calendar into their list; an ACL change ends sync tokens."""
        if calendar.roles.get(account.sub) not in (None, role):
            calendar.acl_epochs[account.sub] = calendar.acl_epochs.get(account.sub, 0) + 1
        calendar.roles[account.sub] = role
        entry = account.entries.get(calendar.id)
        if entry is None:
            account.entries[calendar.id] = Entry(calendar.id, self.next_etag(), 0)
        elif entry.deleted:
            entry.deleted = False
        else:
            return  # a change of role alone does not resurface the entry in deltas (facts §4)
        self.touch_entry(account, calendar.id)

    def touch_entry(self, account: Account, calendar_id: str) -> None:
        """Record a change of one entry of a person's calendar list."""
        entry = account.entries.pop(calendar_id)
        account.list_seq += 1
        entry.seq, entry.etag = account.list_seq, self.next_etag()
        account.entries[calendar_id] = entry
        self.channels.calendar_list_changed(account)

    def remove_from_list(self, account: Account, calendar_id: str) -> None:
        """Leave a tombstone in the person's calendar list."""
        if calendar_id in account.entries:
            account.entries[calendar_id].deleted = True
            self.touch_entry(account, calendar_id)

    def delete_calendar(self, calendar: Calendar) -> None:
        """Remove a calendar for everybody; later calls on its id answer 404 (facts §4)."""
        del self.calendars[calendar.id]
        for account in self.accounts.values():
            self.remove_from_list(account, calendar.id)

    def expire_sync_tokens(self, accounts: list[Account]) -> None:
        """Make every sync token of these people's lists and calendars answer 410."""
        for account in accounts:
            account.list_epoch += 1
            for calendar_id in account.entries:
                if calendar_id in self.calendars:
                    self.calendars[calendar_id].epoch += 1

    def rename_account(self, account: Account, email: str) -> None:
        """Change the login address. `sub` stays; the primary calendar's id becomes the new address."""
        old, account.email = account.email, email
        primary = self.calendars.pop(old)
        primary.id = email
        self.calendars[email] = primary
        for person in self.accounts.values():
            if old in person.entries:
                self._rename_entry(person, old, email)
        for stored in primary.events.values():
            for who in ("organizer", "creator"):
                if stored.body.get(who, {}).get("email") == old:
                    stored.body[who]["email"] = email

    def _rename_entry(self, person: Account, old: str, new: str) -> None:
        entry = person.entries.pop(old)
        entry.calendar_id = new
        person.entries[new] = entry
        self.touch_entry(person, new)
