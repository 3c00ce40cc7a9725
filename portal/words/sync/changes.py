"""Cards of *Changes from Google*: what happened, what became of it, and how each answer is called."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from portal.models import CardKind
from portal.words.counts import counted


class Case(enum.Enum):
    """What a card about one appointment tells."""

    RESTORED = enum.auto()  # brought back in Google, where it no longer belongs
    IS_BACK = enum.auto()  # deleted in Google, but changed here
    DELETED = enum.auto()
    DELETED_BEGUN = enum.auto()  # and its time has come
    MOVED_AWAY = enum.auto()  # to another calendar of the account
    MOVED_AWAY_BEGUN = enum.auto()
    EDITED = enum.auto()
    RESIZED = enum.auto()  # and it follows here
    MOVED = enum.auto()
    KEPT = enum.auto()  # moved in Google; what is here holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a card is told from. `reason` is its code; `calendar` the one it concerns."""

    kind: CardKind
    reason: str = ""
    needs_answer: bool = False
    is_taken_over: bool = False
    is_resized: bool = False
    calendar: str = ""
    number: int = 1  # of appointments
    choices: tuple[str, ...] = ()
    status: str = ""  # the appointment's, in words
    why: str = ""  # a change could not be followed, as a code of sync.inbound.WHY_KEPT


@dataclass(frozen=True, slots=True)
class Heading:
    """Words before and after the appointment's name, if it is named: the page draws it, and may hide it."""

    before: str
    is_named: bool
    after: str


@dataclass(frozen=True, slots=True)
class CardWords:
    """One card as it stands on the page. `answers`: each choice and how its button is called."""

    heading: Heading
    story: str
    seen: str  # "Noticed", "Deleted": in front of when
    answers: tuple[tuple[str, str], ...]


WHO = "{who}"
NOBODY = "An appointment was changed in Google"

OF_ONE: Mapping[Case, tuple[str, str]] = {
    Case.RESTORED: (
        "The event for {who} was brought back in Google",
        "The appointment is {status} here, so the event was taken out again.",
    ),
    Case.IS_BACK: (
        "The event for {who} was deleted in Google, and is back",
        "You deleted it in Google; it was changed here, so it is back.",
    ),
    Case.DELETED: (
        "The event for {who} was deleted in Google",
        "The appointment is untouched here. What did you mean?",
    ),
    Case.DELETED_BEGUN: (
        "The event for {who} was deleted in Google",
        "Its time has come and the appointment is untouched here. How did it go?",
    ),
    Case.MOVED_AWAY: (
        "The event for {who} was moved to your calendar “{calendar}”",
        "There it is an event of your own, which Lockstep only reads. The appointment is untouched here. "
        "What did you mean?",
    ),
    Case.MOVED_AWAY_BEGUN: (
        "The event for {who} was moved to your calendar “{calendar}”",
        "Its time has come and the appointment is untouched here. How did it go?",
    ),
    Case.EDITED: (
        "{who} was changed in Google in a way that cannot follow",
        "{why}",
    ),
    Case.RESIZED: ("{who} has another length now", "It follows here."),
    Case.MOVED: ("{who} was moved", "It follows here."),
    Case.KEPT: (
        "{who} was moved in Google; the time here was kept",
        "{why}",
    ),
}

WHY_KEPT: Mapping[str, str] = {  # why a change in Google could not be followed, by the code of sync.inbound
    "not-scheduled": "It could not follow: it is marked {status} here.",
    "changed-here": "It could not follow: it was changed here meanwhile.",
    "made-all-day": "It could not follow: it was made all-day there, and here it has a time.",
    "made-timed": "It could not follow: it was given a time there, and here it lasts all day.",
    "begun": "It could not follow: its time here had come already.",
    "moved-to-past": "It could not follow: the new time had passed already.",
    "too-short": "It could not follow: the new length was less than 5 minutes.",
    "too-long": "It could not follow: the new length was more than 24 hours.",
    "odd-length": "It could not follow: the new length was not in whole minutes.",
    "made-recurring": (
        "It was made to repeat there. Only its time can be changed in Google, so it is single again."
    ),
}
WRITTEN_BACK = "What Lockstep knows was written back."  # a code of another version

OF_MANY: Mapping[str, tuple[str, str]] = {  # by the card's reason
    "many-deleted": (
        "{number} events of yours were deleted in Google at once",
        "Your appointments are untouched here. What did you mean?",
    ),
    "many-moved": (
        "{number} appointments were moved in Google at once",
        "So many at once are rarely meant, so nothing was moved here. Which times hold?",
    ),
    "older-database": (
        "Google holds newer versions than Lockstep",
        "This happens after Lockstep was restored from a backup. Nothing is written to Google until you say "
        "which side holds.",
    ),
    "many-deletes": (
        "{number} events would be deleted in Google",
        "The history here does not say why, so nothing was deleted. Should they go?",
    ),
    "calendar-empty": (
        "The calendar “{calendar}” came back empty",
        "Its events stay here until you say that it is so.",
    ),
    "unknown-calendar": (
        "Google holds the calendar “{calendar}”, which Lockstep made and does not know",
        "This happens after a backup was put back. Use it, and what is in it is found again: each "
        "appointment has its one event. Leave it, and it stays in Google as it is, beside a new one.",
    ),
    "unknown-appointment": (
        "Google holds an event of ours that Lockstep does not know",
        "It may come from a database that was restored. It was left alone.",
    ),
}
OTHERWISE = ("Many changes at once", "Nothing was changed until you answer.")  # a reason of another version

# How each answer is called; the accessible names are the contract's.
ANSWERS: Mapping[str, str] = {
    "cancel": "Cancel appointment",
    "put-back": "Put it back",
    "undo": "Undo",
    "use-theirs": "Use Google’s time",
    "completed": "Completed",
    "no-show": "No-show",
    "reinstate": "Reinstate",
    "take-over": "Use what Google shows",
    "use-calendar": "Use this calendar",
    "leave-calendar": "Leave it and make a new one",
    "keep": "Keep mine",
    "put-away": "Put away",
}
ANSWERS_OF_MANY: Mapping[tuple[str, str], str] = {
    ("many-deletes", "delete"): "Delete them in Google",
    ("many-deletes", "keep"): "Leave them in Google",
    ("calendar-empty", "delete"): "It is empty, remove them here",
    ("calendar-empty", "keep"): "Keep them and look again",
    ("unknown-appointment", "delete"): "Delete it in Google",
    ("unknown-appointment", "keep"): "Leave it in Google",
}
KEEP_THEIRS = "Keep Google’s time"
FOR_ALL = frozenset({"cancel", "put-back"})  # answers that say of how many, on a card about many

OUTCOMES: Mapping[str, str] = {
    "cancel": "Canceled",
    "put-back": "Put back",
    "keep": "Kept",
    "undo": "Undone",
    "use-theirs": "Google’s time used",
    "completed": "Completed",
    "no-show": "No-show",
    "reinstate": "Reinstated",
    "take-over": "Google’s times used",
    "delete": "Deleted",
    "use-calendar": "Used",
    "leave-calendar": "Left in Google",
    "put-away": "Put away",
    "changed-here": "Changed here since, so it is back in Google",
    "moved-back": "Moved back in Google",
    "deleted-in-google": "Deleted in Google",
    "came-back": "Its events are back",
    "over-here": "Over here too, nothing left to ask",
    "restored-in-google": "Restored in Google by itself",
    "grouped": "Joined with others",
    "sync-ended": "Sync ended",
}


def card_words(told: Told) -> CardWords:
    """The words of one card."""
    heading, story = _sentences(told)
    before, who, after = heading.partition(WHO)
    return CardWords(
        heading=Heading(_filled(before, told), bool(who), _filled(after, told)),
        story=_filled(story, told),
        seen="Deleted" if told.kind is CardKind.DELETED else "Noticed",
        answers=tuple((choice, answer(choice, told)) for choice in told.choices),
    )


def _sentences(told: Told) -> tuple[str, str]:
    """Heading and story, with gaps."""
    if told.kind is CardKind.GROUPED:
        return OF_MANY.get(told.reason, OTHERWISE)
    heading, story = OF_ONE[case_of(told)]
    return heading if told.number else NOBODY, story


def _filled(text: str, told: Told) -> str:
    why = WHY_KEPT.get(told.why, WRITTEN_BACK).format(status=told.status)
    return text.format(number=told.number, calendar=told.calendar or "in Google", status=told.status, why=why)


def case_of(told: Told) -> Case:
    """What a card about one appointment tells."""
    match told.kind:
        case CardKind.EDITED:
            return Case.EDITED
        case CardKind.DELETED:
            return _case_of_deletion(told)
        case _:
            if told.is_taken_over:
                return Case.RESIZED if told.is_resized else Case.MOVED
            return Case.KEPT


def _case_of_deletion(told: Told) -> Case:
    if told.reason == "restored-in-google":
        return Case.RESTORED
    if not told.needs_answer:
        return Case.IS_BACK
    has_begun = "completed" in told.choices
    if told.calendar:
        return Case.MOVED_AWAY_BEGUN if has_begun else Case.MOVED_AWAY
    return Case.DELETED_BEGUN if has_begun else Case.DELETED


def answer(choice: str, told: Told) -> str:
    """How the button of a choice is called."""
    if choice == "keep" and told.is_taken_over:
        return KEEP_THEIRS
    words = ANSWERS_OF_MANY.get((told.reason, choice)) or ANSWERS[choice]
    is_for_all = told.kind is CardKind.GROUPED and choice in FOR_ALL
    return f"{words}, all {told.number}" if is_for_all else words


def outcome(code: str | None) -> str:
    """How a closed card was settled."""
    return OUTCOMES.get(code or "", "Settled")


def lead(*, is_waiting: bool) -> str:
    """The sentences below the page's heading."""
    follows = "When someone edits your appointments in Google, most changes simply follow."
    rest = "The ones below need your word first." if is_waiting else "Nothing waits for your word."
    return f"{follows} {rest}"


def nothing(*, is_connected: bool) -> str:
    """Where there is no card."""
    if is_connected:
        return "If you move or delete one of your appointments in Google, it shows up here."
    return "Changes from Google appear here once Two-Way Sync is on."


def chip(number: int) -> str:
    """On the calendar, while any wait."""
    return f"{counted(number, 'change')} from Google"
