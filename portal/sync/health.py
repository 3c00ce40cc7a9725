"""One connection, one story: what every surface (sync page, chip, banner, doctor) says about it. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from portal.sync.instants import ago, until
from portal.sync.trouble import HEAL_DAYS, READABLE_AGAIN, UNREADABLE, is_refused_for_long

ACTIVE = "Two-Way Sync with Google is active"
OVERDUE_SECONDS = 600  # a check this late means that nobody is working
IMPORTS_KEPT_DAYS = HEAL_DAYS  # without a working grant; then imported events are removed here
ANNOUNCED_AFTER_DAYS = 7
KEY_LOST = "Lockstep cannot read the permission that it keeps: the key that locks it was changed or lost."
GRANT_REVOKED = (
    "Google no longer accepts our permission. This happens after a password change, after “Remove access” in "
    "the Google account, or when an administrator blocks the app."
)
BUSY_PHASES = frozenset({"choosing", "preview"})


class Tone(enum.StrEnum):
    """How a story looks; every tone comes with its own icon and words."""

    QUIET = "quiet"
    BUSY = "busy"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Act(enum.StrEnum):
    """The one thing to do about it; the label is the button's name."""

    NOTHING = ""
    CONTINUE = "Continue"
    RECONNECT = "Reconnect"
    SYNC_NOW = "Sync now"
    CREATE_AGAIN = "Create again"
    ANSWER = "Changes from Google"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers about one provider's sync."""

    live: int = 0  # appointments that belong in Google
    linked: int = 0  # of these, how many are there
    behind: int = 0  # waiting to go out
    google_events: int = 0
    quarantined: int = 0
    held: int = 0
    cards: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """All that a story is told from. Without a connection `phase` is None."""

    mode: str
    is_paused: bool = False  # this database may be a copy; nothing is sent
    phase: str | None = None
    email: str = ""
    problem: str | None = None
    problem_detail: str | None = None
    problem_since: dt.datetime | None = None
    retry_at: dt.datetime | None = None
    failures: int = 0
    last_pushed_at: dt.datetime | None = None
    last_pulled_at: dt.datetime | None = None
    next_check_at: dt.datetime | None = None
    progress_done: int = 0
    progress_total: int = 0
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is the case, why, what follows, what to do. `state`: the page's data-state."""

    state: str
    tone: Tone
    headline: str
    cause: str
    consequence: str = ""
    act: Act = Act.NOTHING
    chip: str
    code: str
    since: dt.datetime | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether nothing goes on until somebody acts."""
        return self.tone is Tone.BAD or self.state == "question"


PAUSED = Story(
    state="paused",
    tone=Tone.WARN,
    headline="Sync is paused",
    cause="This database was restored, moved or copied. Until an owner presses Go on, nothing is sent.",
    consequence="What you change here is kept and sent after that. Nothing was deleted.",
    chip="Sync is paused",
    code="PAUSED",
)
ONE_WAY = Story(
    state="one-way",
    tone=Tone.GOOD,
    headline="One-Way Sync is on",
    cause="Calendar apps read your appointments from one private link.",
    consequence="Anyone who has the link can read it.",
    chip="One-Way Sync",
    code="ONE-WAY",
)
OFF = Story(
    state="off",
    tone=Tone.QUIET,
    headline="Sync is off",
    cause="Nothing leaves Lockstep, nothing comes in.",
    act=Act.CONTINUE,
    chip="Sync is off",
    code="OFF",
)


def tell(facts: ConnectionFacts, *, now: dt.datetime) -> Story:
    """The story of a provider's sync."""
    if facts.is_paused:
        return PAUSED
    if facts.phase is None or facts.phase == "ended":
        return ONE_WAY if facts.mode == "one-way" else OFF
    if facts.phase == "removing":
        return _removing(facts, now=now)
    if facts.phase in BUSY_PHASES:
        return _reconnect_required(facts, now) if facts.problem == UNREADABLE else _in_wizard(facts)
    problem = facts.problem or _silence(facts, now=now)
    if problem is not None:
        return _TELLERS.get(problem, _delayed)(facts, now)
    return _first_sync(facts) if facts.phase == "first-sync" else _active(facts, now=now)


def _silence(facts: ConnectionFacts, *, now: dt.datetime) -> str | None:
    """A check that is long overdue: no worker is running, so no error can have been noted."""
    due = facts.retry_at or facts.next_check_at
    late = due is not None and (now - due).total_seconds() > OVERDUE_SECONDS
    return "silent" if late else None


def _removing(facts: ConnectionFacts, *, now: dt.datetime) -> Story:
    trouble = ""
    if facts.problem == UNREADABLE:
        trouble = f" {KEY_LOST} Its key is waited for, a day at most; then this ends here alone."
    elif facts.failures and facts.retry_at is not None:
        trouble = f" Google could not be reached; we try again {until(facts.retry_at, now)}."
    return Story(
        state="removing",
        tone=Tone.BUSY,
        headline="Clearing up",
        cause=f"What sync has made is being taken away, step by step.{trouble}",
        consequence="Your appointments stay, and so does everything of your own in Google.",
        chip="Clearing up",
        code="REMOVING",
        since=facts.problem_since,
    )


def _in_wizard(facts: ConnectionFacts) -> Story:
    works_on = facts.mode == "one-way"
    return Story(
        state=facts.phase or "choosing",
        tone=Tone.QUIET,
        headline="Two-Way Sync is not set up yet",
        cause=f"Google account {facts.email} is connected; the setup waits for you.",
        consequence="One-Way Sync works on until then." if works_on else "Nothing is sent until then.",
        act=Act.CONTINUE,
        chip="One-Way Sync" if works_on else "Setup unfinished",
        code="SET-UP",
    )


def _first_sync(facts: ConnectionFacts) -> Story:
    done, total = facts.progress_done, facts.progress_total
    return Story(
        state="first-sync",
        tone=Tone.BUSY,
        headline="First sync is under way",
        cause=f"{done} of {total} appointments are in Google." if total else "The calendar is being made.",
        consequence="You can close this page; the work goes on.",
        act=Act.CANCEL,
        chip="First sync",
        code="FIRST-SYNC",
    )


def _active(facts: ConnectionFacts, *, now: dt.datetime) -> Story:
    latest = max((at for at in (facts.last_pulled_at, facts.last_pushed_at) if at), default=None)
    behind = facts.counts.behind
    return Story(
        state="active",
        tone=Tone.GOOD,
        headline=ACTIVE,
        cause=f"Connected as {facts.email}",
        consequence=f"{behind} on the way to Google." if behind else "There is nothing you need to do.",
        act=Act.SYNC_NOW,
        chip=" · ".join([ACTIVE, ago(latest, now)] if latest else [ACTIVE]),
        code="ACTIVE",
    )


def _reconnect_required(facts: ConnectionFacts, now: dt.datetime) -> Story:
    is_unreadable = facts.problem == UNREADABLE
    return Story(
        state="reconnect-required",
        tone=Tone.BAD,
        headline="Reconnect to go on syncing",
        cause=KEY_LOST if is_unreadable else GRANT_REVOKED,
        consequence=_nothing_deleted(facts) + _imports_age(facts, now),
        act=Act.RECONNECT,
        chip="Reconnect Google",
        code="GRANT-UNREADABLE" if is_unreadable else "GRANT-REVOKED",
        since=facts.problem_since,
    )


def _readable_again(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return replace(
        _delayed(facts, now),
        cause="The last try could not read our permission; the key that locks it is here. If this stays, the "
        "portal’s background worker has other keys: tell whoever runs this portal.",
        code="KEYS-DIFFER",
    )


def _scope_missing(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return replace(
        _reconnect_required(facts, now),
        headline="Google did not give every permission",
        cause="A box on Google’s page was left unticked, so part of the sync is not allowed.",
        code="SCOPE-MISSING",
    )


def _calendar_missing(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return Story(
        state="calendar-missing",
        tone=Tone.BAD,
        headline="Our calendar in Google is gone",
        cause="The calendar that Lockstep made in your Google account was deleted there.",
        consequence="No appointment was canceled. Create it again and they return to Google, or turn off.",
        act=Act.CREATE_AGAIN,
        chip="Calendar missing in Google",
        code="CALENDAR-MISSING",
        since=facts.problem_since,
    )


def _calendar_out_of_reach(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return replace(
        _calendar_missing(facts, now),
        state="calendar-out-of-reach",
        headline="Our calendar in Google is out of reach",
        cause="The calendar is still in your account, but Google no longer lets Lockstep open it.",
        consequence="Nothing was deleted or changed. Create it again, or turn off; "
        "the old one only you can delete.",
        chip="Calendar out of reach",
        code="CALENDAR-OUT-OF-REACH",
    )


QUESTIONS = {
    "older-database": (
        "Google holds newer versions than Lockstep",
        "This happens after Lockstep was restored from a backup. Which side holds is for you to say.",
        "A question about a backup",
    ),
    "unknown-calendar": (
        "Google holds a calendar that Lockstep made and does not know",
        "Whether that calendar is to go on is for you to say.",
        "A question about a backup",
    ),
    "many-deletes": (
        "Many events would be deleted in Google",
        "The history here does not say why, so they wait for your word.",
        "A question about many deletions",
    ),
}
LARGE_CHANGE = (
    "Google shows an unusually large change",
    "So many changes at once are rarely meant, so they wait for your word.",
    "A question about a large change",
)


def _question(facts: ConnectionFacts, now: dt.datetime) -> Story:
    is_all_held = facts.problem_detail in QUESTIONS
    headline, cause, chip = QUESTIONS.get(facts.problem_detail or "", LARGE_CHANGE)
    until_then = "Nothing is written to Google until then" if is_all_held else "Everything else goes on"
    return Story(
        state="question",
        tone=Tone.WARN,
        headline=headline,
        cause=cause,
        consequence=f"{until_then}. Nothing was deleted.",
        act=Act.ANSWER,
        chip=chip,
        code="HELD",
        since=facts.problem_since,
    )


def _delayed(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return Story(
        state="delayed",
        tone=Tone.WARN,
        headline="Sync is delayed",
        cause="Google could not be reached, or answered with an error of its own.",
        consequence=_next_try(facts, now),
        act=Act.SYNC_NOW,
        chip="Sync is delayed",
        code="DELAYED",
        since=facts.problem_since,
    )


def _quota(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return replace(
        _delayed(facts, now),
        headline="Google asks us to wait",
        cause="The account has reached a limit that Google sets; it opens again by itself within hours.",
        chip="Waiting for Google",
        code="QUOTA",
    )


def _access_refused(facts: ConnectionFacts, now: dt.datetime) -> Story:
    """Trouble like any other for a day; then a new consent is worth a try, though nothing waits for it."""
    delayed = _delayed(facts, now)
    if not is_refused_for_long(facts.problem, facts.problem_since, now):
        return delayed
    return replace(
        delayed,
        headline="Google refuses our sign-in",
        cause="Our permission was not withdrawn, and yet Google has answered for a day as if it were. "
        "Reconnecting may help.",
        consequence=delayed.consequence + _imports_age(facts, now),
        act=Act.RECONNECT,
        chip="Reconnect Google",
        code="ACCESS-REFUSED",
    )


def _silent(facts: ConnectionFacts, now: dt.datetime) -> Story:
    return replace(
        _delayed(facts, now),
        headline="Sync is not being worked on",
        cause="A check is long overdue: the portal’s background worker does not seem to run.",
        consequence="Nothing is lost. Tell whoever runs this portal.",
        code="WORKER-SILENT",
        since=facts.next_check_at,
    )


def _nothing_deleted(facts: ConnectionFacts) -> str:
    waiting = f"{facts.counts.behind} waiting to go out. " if facts.counts.behind else ""
    return f"{waiting}Nothing was deleted, here or in Google."


def _imports_age(facts: ConnectionFacts, now: dt.datetime) -> str:
    """From the seventh day on: what becomes of the Google events that nobody can renew."""
    days = (now - (facts.problem_since or now)).days
    if days < ANNOUNCED_AFTER_DAYS:
        return ""
    if days >= IMPORTS_KEPT_DAYS:
        return " Google events are no longer shown here; reconnecting brings them back."
    left = "1 day" if IMPORTS_KEPT_DAYS - days == 1 else f"{IMPORTS_KEPT_DAYS - days} days"
    return f" Google events shown here are removed in {left} unless you reconnect."


def _next_try(facts: ConnectionFacts, now: dt.datetime) -> str:
    when = f"We try again {until(facts.retry_at, now)}. " if facts.retry_at else ""
    return f"{when}Nothing was deleted, here or in Google."


_TELLERS: dict[str, Callable[[ConnectionFacts, dt.datetime], Story]] = {
    "reconnect-required": _reconnect_required,
    UNREADABLE: _reconnect_required,
    READABLE_AGAIN: _readable_again,
    "scope-missing": _scope_missing,
    "calendar-missing": _calendar_missing,
    "calendar-out-of-reach": _calendar_out_of_reach,
    "question": _question,
    "quota": _quota,
    "delayed": _delayed,
    "access-refused": _access_refused,
    "silent": _silent,
}
