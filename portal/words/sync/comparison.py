"""A comparison with Google in words: how far it is, what came of it, and the verdict on each entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portal.words.buttons import ANSWER, CHOOSE_AGAIN, Button
from portal.words.counts import calendars, counted, differences

VERDICTS: Mapping[str, str] = {
    "in-step": "In step",
    "waiting": "On its way to Google",
    "unreadable": "Google does not let us read this calendar",
    "asked": "Changed or deleted in Google; waits for your answer",
    "gone-there": "No longer in Google; the next look will ask you",
    "differs": "Google shows something else; the next look puts it right",
    "still-there": "Over here, and still in Google",
    "unknown-here": "Ours, but Lockstep does not know the appointment",
    "shown": "Shown",
    "shown-free": "Shown hollow: marked free in Google",
    "cancelled": "Hidden: canceled in Google",
    "declined": "Hidden: you declined it",
    "birthday": "Hidden: birthdays take up no time",
    "working-location": "Hidden: working locations take up no time",
    "too-old": "Hidden: it ended more than 90 days ago",
    "not-chosen": "Hidden: this calendar is not chosen",
    "not-here": "Not here yet: the next look brings it",
    "not-understood": "Hidden: its times make no sense",
    "differs-here": "Shown as it was before a change; the next look brings the new one",
    "only-here": "Shown here, but gone from Google; the next look removes it",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """A comparison under way. `counted`: how many calendars of how many, once it is known."""

    headline: str
    sentence: str
    counted: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison came to. `code`: Google's, for whoever is asked for help."""

    heading: str
    sentence: str
    is_good: bool = False
    code: str = ""
    found: str = ""  # the differences, counted, that are listed below


def verdict(code: str) -> str:
    """The words for a verdict of compare.py; one that another version stored is told as it is."""
    return VERDICTS.get(code, code)


def progress(
    *, is_overdue: bool, is_begun: bool, done: int, total: int, entries: int, asked: str
) -> Progress:
    """How far it is. `asked`: when it was asked for, in words."""
    so_far = f"{done} of {calendars(total)}" if is_begun and total else ""
    if is_overdue:
        begun = f", {so_far} so far" if so_far else ""
        return Progress(
            "The check is not being worked on",
            f"Asked for {asked}{begun}. The portal’s background worker does not seem to run: tell whoever "
            "runs this portal. It goes on by itself as soon as the worker is back.",
            so_far,
        )
    headline = "Comparing with Google" if is_begun else "The check begins in a moment"
    if so_far:
        read = counted(entries, "entry", "entries")
        stays = "You can close this page; the result stays here."
        return Progress(headline, f"{so_far}, {read} so far. {stays}", so_far)
    what = "Every event of the calendars in step is read, and nothing is changed. You can close this page."
    return Progress(headline, what, so_far)


def outcome(*, error: str | None, number: int, ago: str) -> Outcome:
    """What came of it: an error, so many differences, or none."""
    if error == "given-up":
        return Outcome(
            "The check was given up",
            f"It was interrupted again and again, {ago}. Nothing was changed. Check again; if that ends the "
            "same way, send the support report below.",
        )
    if error:
        return Outcome(
            "Google could not be read",
            f"So nothing was compared, {ago}, and nothing was changed. Check again in a moment.",
            code=error,
        )
    if number:
        return Outcome(f"Compared with Google {ago}", "", found=differences(number))
    return Outcome("", f"Compared with Google {ago}: everything is in step.", is_good=True)


NEVER = "Read-only: a check never changes anything."


def last_compared(*, error: str | None, moment: str, ago: str) -> str:
    """On the page of the sync: when that was, in words."""
    return f"Google could not be read {ago}. {NEVER}" if error else f"Last compared {moment}. {NEVER}"


def at_a_glance(lines: int, trouble: int, *, compared: str) -> str:
    """The doctor's first sentence. `compared`: how long ago, when that went well."""
    looked = f"Compared live {compared}" if compared else "Looked at just now"
    to_look_at = f"{counted(trouble, 'thing')} to look at, " if trouble else ""
    return f"{to_look_at}{lines - trouble} in order. {looked}."


def of_day(total: int, different: int) -> str:
    """One day of the strip."""
    if different:
        return f"{different} of {total} differ"
    return f"{total} in step" if total else "nothing on either side"


def difference_button(code: str, *, appointment: int | None, calendar: int, day: str) -> Button:
    """Where a difference leads on; `day` as in an address."""
    if code == "asked":
        return ANSWER
    if code == "unreadable":
        return CHOOSE_AGAIN
    if appointment is not None:
        return Button("Open", "appointments.show", values={"appointment_id": appointment})
    return Button("See the day", "sync.doctor.index", values={"calendar": calendar, "day": day}, anchor="why")


def entry_button(code: str, *, appointment: int | None, link: str | None) -> Button | None:
    """Where an entry of *Why isn’t it here?* leads on; `link`: Google's own page of it."""
    if code == "asked":
        return ANSWER
    if appointment:
        return Button("Open", "appointments.show", values={"appointment_id": appointment})
    return Button("Open in Google", address=link) if link else None
