"""A support desk's questions about one sync, each answered by a line: fine, worth a look, or bad. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.sync.duplicates import Duplicate, Kind
from portal.sync.health import ConnectionFacts, Story
from portal.sync.trouble import ACCESS_REFUSED, CALENDAR_TROUBLE, READABLE_AGAIN, RECONNECT, UNREADABLE

PULL_IS_OLD = dt.timedelta(minutes=45)  # three times the longest pause between two looks
PUSH_IS_OLD = dt.timedelta(minutes=10)  # a change goes out within seconds; this is long
GRANT_TROUBLE = frozenset({RECONNECT, UNREADABLE, "scope-missing"})
SILENT = "WORKER-SILENT"
ACCESS_REFUSED_FOR_LONG = "ACCESS-REFUSED"


class Level(enum.IntEnum):
    """How a line reads, worst first."""

    BAD = 0
    WARN = 1
    GOOD = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One answer. `code` is a word of ours, `number` how many it concerns; neither names a person."""

    id: str
    level: Level
    code: str
    number: int = 0

    @property
    def ok(self) -> bool:
        return self.level is Level.GOOD

    @property
    def full_code(self) -> str:
        return f"{self.code}-{self.number}" if self.number else self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What the lines are told from, besides the facts of the story."""

    missing_scopes: int = 0
    chosen: int = 0
    stale: int = 0  # of the chosen calendars: those that no longer open
    lost: int = 0  # of the chosen calendars: no longer owned, or gone from the account
    channels: int = 0  # alive
    watchable: int = 0  # calendars that Google could tell us about
    can_push: bool = False  # whether Google can reach this portal at all
    feed_reads: int = 0  # of the live feed, in the last two days
    feed_unreadable: bool = False  # no key opens its address: it is read, and cannot be shown
    old_feed_reads: int = 0
    own_feed_entries: int = 0  # subscriptions to our own feed in the account's list
    duplicates: tuple[Duplicate, ...] = ()  # what stands in Google twice
    odd_zones: int = 0  # series with a date under a zone name that nobody knows
    unsent: dict[str, int] = field(default_factory=dict)  # appointments not in Google, by reason
    compared_at: dt.datetime | None = None
    compare_error: str | None = None
    differences: int = 0
    with_guests: int = 0
    showing_old_names: int = 0  # events that still show more than the names are set to


def examine(facts: ConnectionFacts, story: Story, checks: Checks, *, now: dt.datetime) -> tuple[Line, ...]:
    """Every line that applies, the worst first. Of a sync that is paused no other says what is so now."""
    if facts.is_paused:
        return (Line("mode", Level.WARN, "paused"),)
    lines = [_mode(facts), *_feed_lines(facts, checks)]
    if facts.mode == "two-way" and facts.phase in ("first-sync", "active"):
        lines += [
            _account(facts),
            _app_calendar(facts),
            _calendars(checks),
            _grant(facts, story, checks),
            _channel(facts, checks),
            _pushed(facts, story, now=now),
            _pulled(facts, story, now=now),
            _unsent(checks),
            _cards(facts),
            _names(checks),
            _duplicates(checks),
            _quarantine(facts, checks),
            _guests(checks),
            _compared(checks),
        ]
    return tuple(sorted(lines, key=lambda line: line.level))


def pick(lines: Iterable[Line], *ids: str) -> tuple[Line, ...]:
    """The lines of these questions, the worst first."""
    return tuple(line for line in lines if line.id in ids)


def _judge(
    identifier: str, code: str | None, fine: str, *, number: int = 0, level: Level = Level.WARN
) -> Line:
    return Line(identifier, level, code, number) if code else Line(identifier, Level.GOOD, fine)


def _mode(facts: ConnectionFacts) -> Line:
    if facts.phase == "removing":
        return Line("mode", Level.WARN, "removing")
    if facts.phase in ("choosing", "preview"):
        return Line("mode", Level.WARN, "set-up-unfinished")
    return Line("mode", Level.GOOD, facts.mode)


def _feed_lines(facts: ConnectionFacts, checks: Checks) -> list[Line]:
    old = _judge(
        "old-feed", "still-read" if checks.old_feed_reads else None, "quiet", number=checks.old_feed_reads
    )
    if facts.mode != "one-way":
        return [old]
    if checks.feed_unreadable:
        return [Line("feed", Level.WARN, "address-unreadable"), old]
    return [Line("feed", Level.GOOD, "read" if checks.feed_reads else "not-read-yet"), old]


def _account(facts: ConnectionFacts) -> Line:
    return Line("account", Level.GOOD, "connected" if facts.email else "unknown")


def _app_calendar(facts: ConnectionFacts) -> Line:
    problem = facts.problem if facts.problem in CALENDAR_TROUBLE else None
    return _judge("app-calendar", problem, "there", level=Level.BAD)


def _calendars(checks: Checks) -> Line:
    if checks.lost:
        return Line("calendars", Level.WARN, "lost", checks.lost)
    if checks.stale:
        return Line("calendars", Level.WARN, "stale", checks.stale)
    return Line("calendars", Level.GOOD, "yours" if checks.chosen else "none-chosen")


def _grant(facts: ConnectionFacts, story: Story, checks: Checks) -> Line:
    if story.code == ACCESS_REFUSED_FOR_LONG:
        return Line("grant", Level.WARN, "access-refused")
    problem = facts.problem if facts.problem in GRANT_TROUBLE else None
    if problem is None and checks.missing_scopes:
        problem = "scope-missing"
    return _judge("grant", problem, "accepted", level=Level.BAD)


def _channel(facts: ConnectionFacts, checks: Checks) -> Line:
    if not checks.can_push or not checks.watchable:
        return Line("channel", Level.GOOD, "asked-regularly")
    missing = checks.watchable - checks.channels
    if missing > 0 and facts.phase == "first-sync":
        return Line("channel", Level.GOOD, "begins")
    return _judge("channel", "not-alive" if missing > 0 else None, "alive", number=max(missing, 0))


def _pushed(facts: ConnectionFacts, story: Story, *, now: dt.datetime) -> Line:
    behind = facts.counts.behind
    if story.code == SILENT:
        return Line("pushed", Level.BAD, "worker-silent")
    if story.needs_a_person and behind:
        return Line("pushed", Level.BAD, "waits-for-you", behind)
    if facts.problem in ("delayed", "quota", ACCESS_REFUSED, READABLE_AGAIN):
        return Line("pushed", Level.WARN, "quota" if facts.problem == "quota" else "delayed", behind)
    if not behind:
        return Line("pushed", Level.GOOD, "up-to-date" if facts.last_pushed_at else "begins")
    is_late = facts.last_pushed_at is not None and now - facts.last_pushed_at > PUSH_IS_OLD
    return Line(
        "pushed", Level.WARN if is_late else Level.GOOD, "behind" if is_late else "on-the-way", behind
    )


def _pulled(facts: ConnectionFacts, story: Story, *, now: dt.datetime) -> Line:
    if story.code == SILENT:
        return Line("pulled", Level.BAD, "worker-silent")
    if story.needs_a_person:
        return Line("pulled", Level.BAD, "waits-for-you")
    if facts.last_pulled_at is None:
        return Line("pulled", Level.GOOD, "begins")
    is_old = now - facts.last_pulled_at > PULL_IS_OLD
    return _judge("pulled", "old" if is_old else None, "fresh")


def _unsent(checks: Checks) -> Line:
    asked = sum(checks.unsent.get(reason, 0) for reason in ("deleted-there", "held"))
    if asked:
        return Line("unsent", Level.BAD, "waits-for-answer", asked)
    refused = checks.unsent.get("refused", 0)
    if refused:
        return Line("unsent", Level.BAD, "refused", refused)
    waiting = checks.unsent.get("waiting", 0)
    return Line("unsent", Level.GOOD, "on-the-way" if waiting else "all-there", waiting)


def _cards(facts: ConnectionFacts) -> Line:
    cards = facts.counts.cards
    return _judge("cards", "waiting" if cards else None, "none", number=cards)


def _names(checks: Checks) -> Line:
    old = checks.showing_old_names
    return _judge("names", "still-old" if old else None, "as-set", number=old)


def _duplicates(checks: Checks) -> Line:
    if checks.own_feed_entries:
        return Line("duplicates", Level.WARN, "own-feed", checks.own_feed_entries)
    subscribed = sum(each.kind is Kind.SUBSCRIPTION for each in checks.duplicates)
    events = len(checks.duplicates) - subscribed
    if subscribed and not events:
        return Line("duplicates", Level.WARN, "subscribed", subscribed)
    return _judge("duplicates", "twice" if events else None, "none", number=events)


def _quarantine(facts: ConnectionFacts, checks: Checks) -> Line:
    if odd := facts.counts.quarantined:
        return Line("quarantine", Level.WARN, "not-understood", odd)
    odd = checks.odd_zones
    return _judge("quarantine", "odd-zone" if odd else None, "none", number=odd)


def _guests(checks: Checks) -> Line:
    guests = checks.with_guests
    return _judge("guests", "with-guests" if guests else None, "none", number=guests)


def _compared(checks: Checks) -> Line:
    if checks.compared_at is None:
        return Line("compared", Level.GOOD, "never")
    if checks.compare_error:
        return Line("compared", Level.WARN, "failed")
    return _judge("compared", "differs" if checks.differences else None, "equal", number=checks.differences)
