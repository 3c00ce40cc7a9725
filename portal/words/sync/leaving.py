"""Leaving Two-Way or One-Way: what goes and what stays, the steps of clearing up, and the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.words.counts import appointments, counted, events, google_events
from portal.words.sync.story import Step

Receipt = Mapping[str, Any]  # `Connection.removal`, as disconnect.py wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What goes and stays is told from this."""

    app_calendar: str
    linked: int = 0  # events of ours in Google
    google_events: int = 0  # shown here
    is_open: bool = False  # our calendar in Google can be emptied
    is_closed: bool = False  # it is there, and only the provider can delete it
    can_reconnect: bool = False
    keeps_calendar: bool = False  # starting over uses it again
    is_either: bool = False  # said of starting over and turning off at once


@dataclass(frozen=True, slots=True)
class Stays:
    """`is_trouble`: it stays although it should go."""

    words: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the receipt; `strong` stands in front, in bold."""

    words: str
    strong: str = ""


def goes_from_two_way(told: Leaving) -> tuple[str, ...]:
    """What Two-Way takes with it."""
    ours = f"{events(told.linked)} of ours in the calendar “{told.app_calendar}” in Google"
    if told.keeps_calendar:
        then = "; the calendar stays, to be used again"
    else:
        then = (
            f"; {'on turning off, ' if told.is_either else ''}the calendar too, if nothing of yours is in it"
        )
    here = f"{google_events(told.google_events)} shown here"
    return (f"{ours}{then}", here) if told.is_open else (here,)


def stays_after_two_way(told: Leaving) -> tuple[Stays, ...]:
    """What is not touched, or cannot be."""
    reconnect = ". Reconnect first, and we do" if told.can_reconnect else ""
    closed = Stays(
        f"The calendar “{told.app_calendar}” in Google with our events: it is closed to us, so only you can "
        f"delete it there{reconnect}",
        is_trouble=True,
    )
    kept = (Stays("Your appointments here, with their history"), Stays("Anything of your own in Google"))
    return (*kept, closed) if told.is_closed else kept


def goes_from_one_way(number: int) -> tuple[str, ...]:
    return (f"What the feed shows in calendar apps: {appointments(number)}",)


STAYS_AFTER_ONE_WAY = (
    Stays("Your appointments here, with their history"),
    Stays("The old link, as an empty calendar for 90 days"),
)


@dataclass(frozen=True, slots=True)
class TurningOff:
    """What stands at the top of the page, before anything goes."""

    heading: str
    lead: str


def turning_off(
    *, has_connection: bool, goal: str, is_revoked: bool, is_unreadable: bool = False
) -> TurningOff:
    """`is_revoked`: at Google, the permission is gone already. `is_unreadable`: we cannot give it back."""
    if not has_connection:
        return TurningOff("Turn off One-Way Sync?", "The link stops showing appointments at once.")
    lead = "Syncing stops, and the permission at Google is given back."
    if is_unreadable:
        lead = f"Syncing stops. {NOT_GIVEN_BACK}{AFTER_THAT if goal == 'one-way' else ''}"
    elif goal == "one-way":
        lead = "Two-Way Sync ends first; then One-Way Sync begins with a link of its own."
    elif is_revoked:
        lead = "Syncing stops, and Google has already taken its permission back."
    return TurningOff("Turn off Two-Way Sync?", lead)


def steps(receipt: Receipt) -> tuple[Step, ...]:
    """How far clearing up is."""
    calendar = receipt.get("calendar")
    is_out = bool(calendar or receipt.get("leftover"))
    is_back, is_cleared = "revoked" in receipt, "imported_removed" in receipt
    removed = f"{receipt.get('found') or 0} removed"
    return (
        _step(
            "Our events out of Google",
            removed if calendar and calendar != "out-of-reach" else "Only you can",
            is_done=is_out,
            is_next=False,
        ),
        _step("The permission given back", "Done", is_done=is_back, is_next=not is_out),
        _step(
            "Google events no longer shown here",
            f"{receipt.get('imported_removed') or 0} removed",
            is_done=is_cleared,
            is_next=not is_back,
        ),
    )


def _step(words: str, number: str, *, is_done: bool, is_next: bool) -> Step:
    if is_done:
        return Step("done", words, number)
    return Step("next", words, "Next") if is_next else Step("now", words, "Under way")


# The receipt

OF_CALENDAR: Mapping[str, str] = {  # what became of our calendar in Google
    "deleted": "The calendar “{calendar}” is gone from Google, and was looked for again: {found} of ours "
    "went with it{own_deleted}.",
    "left": "{left} of ours {stay} in Google, as you chose. The calendar’s name says that it is no longer "
    "updated; you can delete it there.",
    "emptied": "The calendar “{calendar}” is empty of ours and kept for reuse: {found} taken out.",
    "kept": "{found} of ours taken out of Google. The calendar “{calendar}” stays, because {own_kept} of "
    "your own are in it.",
    "missing": "The calendar “{calendar}” was no longer in Google.",
    "out-of-reach": "",  # told with what only the provider can delete
}
READ_AGAIN = frozenset({"emptied", "kept", "deleted"})  # where it was looked whether any was left


# A permission under a lost key
NOT_GIVEN_BACK = (
    "The permission at Google cannot be given back, because its key was lost: remove Lockstep in your Google "
    "account, under the connections to other apps."
)

AFTER_THAT = " One-Way Sync can be chosen after that."


def has_receipt(receipt: Receipt) -> bool:
    """Whether there is anything to tell; leaving the wizard took nothing away."""
    return bool(receipt.get("goal")) and receipt["goal"] != "keep"


def receipt_heading(receipt: Receipt) -> str:
    return "Start again from here" if receipt.get("goal") == "start-over" else "Two-Way Sync has ended"


def of_calendar(receipt: Receipt, *, app_calendar: str) -> tuple[Said, ...]:
    """What became of our calendar and our events, as it was verified in Google."""
    state = receipt.get("calendar", "")
    text = OF_CALENDAR.get(state, "").format(**_gaps(receipt, app_calendar))
    lines = (Said(text),) if text else ()
    if "left" not in receipt or state not in READ_AGAIN:
        return lines
    own = f", {receipt['own_kept']} of your own untouched" if receipt.get("own_kept") else ""
    strong = f"{receipt.get('found', '')} removed, {receipt['left']} left"
    return (*lines, Said(f"{own}. Read again in Google to be sure.", strong=strong))


def _gaps(receipt: Receipt, app_calendar: str) -> dict[str, str]:
    own, left = receipt.get("own_deleted"), receipt.get("left", 0)
    return {
        "calendar": app_calendar,
        "found": events(receipt.get("found", 0)),
        "left": events(left),
        "stay": "stays" if left == 1 else "stay",
        "own_kept": str(receipt.get("own_kept", "")),
        "own_deleted": f", and {own} of your own, as you chose" if own else "",
    }


def shut_out(receipt: Receipt) -> str:
    """Why a calendar of ours is still there."""
    if receipt.get("unreadable"):
        return "The key of our permission was lost"
    is_this = receipt.get("leftover") or receipt.get("calendar") == "out-of-reach"
    return "Google no longer let us in" if is_this else "Google had shut us out of an earlier one"


def of_the_rest(receipt: Receipt) -> tuple[str, ...]:
    """What else went, and that nothing of the provider's did."""
    lines = []
    if receipt.get("leftover_gone_at"):
        lines.append("What had stayed in Google is gone, as you said.")
    if "imported_removed" in receipt:
        lines.append(f"{google_events(receipt['imported_removed'])} no longer shown here.")
    if receipt.get("revoked"):
        lines.append("The permission at Google was given back.")
    if receipt.get("unreadable"):
        lines.append(NOT_GIVEN_BACK)
    return (*lines, "Your appointments are all still here.")


# Turning off, and what is left of earlier names


def own_events(number: int, app_calendar: str) -> str:
    return f"Delete the whole calendar “{app_calendar}”, and with it {events(number)} of your own"


def old_names(number: int) -> str:
    return f"{counted(number, 'event still shows', 'events still show')} the earlier names"


def still_there(email: str, mark: str, *, app_calendar: str) -> str:
    """A calendar of ours in an account that is closed to us; its description ends in `mark`, if known."""
    described = f"; its description ends in “{mark}”" if mark else ""
    return f"the calendar “{app_calendar}” with our events is still there, in the account {email}{described}."
