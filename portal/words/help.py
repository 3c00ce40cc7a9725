"""The help's own lines in words: what each says of the person's account, and the button that leads on.

Some sentences name an appointment or an event in their middle: the page draws names, and may hide them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from portal.sync.checkup import Line
from portal.words.buttons import Button
from portal.words.counts import counted
from portal.words.sync.calendars import closed

CALENDARS_TOLD = 4  # of those that are closed to us, each with its reason
CALENDARS_NAMED = 6  # of those that are not ticked

Named = Literal["", "latest", "next", "twins"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the sentences speak of. Dates are words already; what is not known is empty."""

    number: int = 0  # how many the line concerns
    by_status: tuple[tuple[str, int], ...] = ()  # "late canceled", 2
    leaving: int = 0  # of the appointments that are left out: still in Google
    latest: int | None = None  # the latest appointment's id
    begins: str = ""  # the first day of what goes to Google
    next_event: tuple[int, str | None] | None = None  # an event's record and, of a series, its date
    next_when: str = ""
    calendars: tuple[tuple[str, str | None], ...] = ()  # the name of each; as a code, why it cannot be read
    email: str = ""
    named: int = 0  # of what stands in Google twice
    codes: tuple[str, ...] = ()  # what the support report points at


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words before and after what is named, if anything is."""

    before: str
    named: Named = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class LineWords:
    """One line as it stands on the page."""

    title: str
    sentence: Sentence
    button: Button | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; what depends on what is told is a function."""

    title: str | Callable[[Told], str]
    sentence: str | Callable[[Told], Sentence]
    button: Button | Callable[[Told], Button | None] | None = None


def line_words(line: Line, told: Told) -> LineWords:
    """The words of one line."""
    row, told = LINES[line.id][line.code], replace(told, number=line.number)
    return LineWords(
        title=row.title if isinstance(row.title, str) else row.title(told),
        sentence=Sentence(row.sentence) if isinstance(row.sentence, str) else row.sentence(told),
        button=row.button(told) if callable(row.button) else row.button,
    )


def _many(one: str, more: str = "", rest: str = "") -> Callable[[Told], str]:
    """A title that begins with the number."""
    return lambda told: counted(told.number, one, more) + rest


def _left_out(told: Told) -> Sentence:
    if told.latest is None:
        return Sentence("In the last 90 days and ahead.")
    counts = ", ".join(f"{number} {status}" for status, number in told.by_status)
    leaving = f" {told.leaving} still on the way out of Google." if told.leaving else ""
    return Sentence(f"{counts}, in the last 90 days and ahead. The latest: ", "latest", f".{leaving}")


def _archived(told: Told) -> Sentence:
    if told.latest is None:
        return Sentence("Archived ones leave Google and stay here.")
    return Sentence("Not in Google. The latest: ", "latest", ".")


def _earlier(told: Told) -> Sentence:
    if told.latest is None:
        return Sentence(f"Google has everything from {told.begins} on.")
    return Sentence(f"They ended before {told.begins}. The latest: ", "latest", ".")


def _locked(told: Told) -> Sentence:
    if told.next_event is None:
        return Sentence("In the next 30 days.")
    return Sentence("In the next 30 days. Next: ", "next", f", {told.next_when}.")


def _closed(told: Told) -> Sentence:
    said = [f"{name}: {closed(code).why}" for name, code in told.calendars[:CALENDARS_TOLD]]
    more = len(told.calendars) - CALENDARS_TOLD
    return Sentence(" ".join([*said, *([f"And {more} more."] if more > 0 else [])]))


def _unticked(told: Told) -> Sentence:
    return Sentence(
        f"{_listed([name for name, _ in told.calendars])}. Only ticked calendars block your time."
    )


def _listed(names: Sequence[str]) -> str:
    """The first few of them, and how many more."""
    more = len(names) - CALENDARS_NAMED
    return ", ".join(names[:CALENDARS_NAMED]) + (f", and {more} more" if more > 0 else "")


def _others(told: Told) -> str:
    if not told.number:
        return "No other provider here has one connected"
    return f"{counted(told.number, 'other provider here has', 'other providers here have')} one connected"


def _yours_alone(told: Told) -> Sentence:
    return Sentence(f"{told.email} is connected to nobody else. {_others(told)}.")


def _no_account(told: Told) -> Sentence:
    return Sentence(f"{_others(told)}; an account that somebody has connected is refused.")


def _twins(told: Told) -> Sentence:
    more = told.number - told.named
    return Sentence("", "twins", f"; and {more} more." if more > 0 else ".")


def _points_at(told: Told) -> Sentence:
    return Sentence(f"Codes: {', '.join(told.codes)}. No name is in it.")


def _open_latest(told: Told) -> Button | None:
    if told.latest is None:
        return None
    return Button("Open", "appointments.show", values={"appointment_id": told.latest})


def _open_next(told: Told) -> Button | None:
    if told.next_event is None:
        return None
    record, date = told.next_event
    return Button("Open", "calendar.google_event", values={"event_id": record, "on": date})


SEE_WHY = Button("See why", "sync.connecting.calendars", values={"again": 1})
CHOOSE = Button("Choose", "sync.connecting.calendars")
CONNECT = Button("Connect", "sync.index")
LOOK = Button("Look", method="get", values={"look": 1})
SHOW_IT = Button("Show it", "help.show_calendar", "post")
SEE_EACH = Button("See each", "sync.doctor.index", anchor="line-duplicates")
REPORT = Button("Report", "sync.doctor.report_text")
MISSED = _many("canceled or missed appointment is", "canceled or missed appointments are", " kept here")
ONLY_HIDDEN = "Its events are all there; only the list leaves it out."

LINES: Mapping[str, Mapping[str, Row]] = {
    "left-out": {
        "none": Row("Nothing was canceled or missed lately", _left_out),
        "here-only": Row(MISSED, _left_out, _open_latest),
        "leaving": Row(MISSED, _left_out, _open_latest),
    },
    "archived": {
        "none": Row("Nothing is archived", _archived),
        "here-only": Row(
            _many("archived appointment is", "archived appointments are", " kept here"),
            _archived,
            _open_latest,
        ),
    },
    "earlier": {
        "none": Row("Nothing here is too old for Google", _earlier),
        "here-only": Row(
            _many("appointment is", "appointments are", " too old for Google"), _earlier, _open_latest
        ),
    },
    "locked": {
        "none": Row("No Google event is shown here", _locked),
        "locked": Row(
            _many("Google event is", "Google events are", " shown here, locked"), _locked, _open_next
        ),
    },
    "closed": {
        "none": Row(
            "No calendar of the account is closed to us", "Every one of them is yours and can be ticked."
        ),
        "cannot-be-read": Row(_many("calendar", rest=" of the account can’t be read"), _closed, SEE_WHY),
    },
    "unticked": {
        "none": Row("Every calendar you own is read", "Only ticked calendars block your time."),
        "not-read": Row(
            _many("calendar you own is", "calendars you own are", " not ticked"), _unticked, CHOOSE
        ),
    },
    "alone": {
        "yours-alone": Row("Your Google account serves you alone", _yours_alone),
        "no-account": Row("No Google account is connected with you", _no_account, CONNECT),
    },
    "twins": {"there-twice": Row("These stand in Google twice", _twins, SEE_EACH)},
    "shown": {
        "not-looked": Row("Is it shown in Google’s list?", "Nothing is changed by looking.", LOOK),
        "shown": Row("Google’s list shows it", "Under My calendars and ticked, asked just now.", LOOK),
        "hidden": Row("Google’s list hides it", ONLY_HIDDEN, SHOW_IT),
        "unticked": Row("It is listed in Google, but not ticked", ONLY_HIDDEN, SHOW_IT),
        "failed": Row(
            "Google could not be asked just now", "Nothing was changed. Try again in a moment.", LOOK
        ),
    },
    "tells": {
        "none": Row(
            "The support report finds nothing wrong", "Say in a sentence what you expected to see.", REPORT
        ),
        "points-at": Row(
            lambda told: f"The support report points at {counted(told.number, 'thing')}",
            _points_at,
            REPORT,
        ),
    },
}


def answers(number: int, *, has_all: bool) -> str:
    """How many questions were found; `has_all`: whether they have every word that was typed."""
    nearest = ", the nearest ones" if number and not has_all else ""
    return f"{counted(number, 'answer')}{nearest}"
