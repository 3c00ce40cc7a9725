"""A database that was restored, moved or copied: why nothing is sent, and what *Go on* means."""

from __future__ import annotations

HEADING = "Sync is paused"
NOTHING_SENT = "Sync is paused. Nothing was sent to Google and nothing was changed."
GONE_ON = "Sync goes on."
NOT_PAUSED = "Sync is not paused."
FOR_COMMANDS = (
    "Sync is paused: this database was restored, moved or copied. Nothing was sent. "
    "If no other Lockstep runs on the same data, let it go on: flask --app wsgi sync go-on"
)
FOR_OTHERS = "You can work as usual. An owner of the practice has to say that sync goes on."
BEFORE = "No request goes to Google, no mail is sent, and feed links give nothing until you press Go on."
ONLY_ONE = (
    "Press it only if no other Lockstep runs on the same data. Two of them would change the same calendars."
)
AS_OF_THEN = "Passwords are those of that day. Everybody who was signed in has to sign in again."
FEEDS = "Feed links that are on again"
PEOPLE = "People who may sign in"


def because(*, restored: bool, backup_day: str, moved: tuple[str, str] | None, is_copy: bool) -> list[str]:
    """A sentence for each cause. `backup_day`: "November 18, 2027", or nothing where it is not known."""
    found = []
    if restored:
        found.append(f"A backup of {backup_day} was restored." if backup_day else "A backup was restored.")
    if moved is not None:
        found.append(f"The address changed from {moved[0]} to {moved[1]}.")
    if is_copy:
        found.append("This is a copy of another installation.")
    return found
