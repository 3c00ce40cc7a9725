"""The settings' own pages: mail that was sent or kept, and what a change of the time zone asks."""

from __future__ import annotations

from typing import NamedTuple

MAIL_LEAD = "What Lockstep wrote to providers about their sync, the latest first."
MAIL_LEAD_WITHOUT_SERVER = (
    "This portal has no mail server (SMTP_URL), so what would have been sent is kept here for you to pass on."
)
ALL_DAY_KEEPS = "All-day entries keep their dates."


class MailWords(NamedTuple):
    """How a mail stands: the tone of its sign, and the sentence without its full stop."""

    tone: str
    said: str


def mail(*, sent: str, written: str, error: str | None, tries: int, has_server: bool) -> MailWords:
    """`sent` and `written` are moments in words; `sent` is empty for a mail that has not left."""
    if sent:
        return MailWords("good", f"Sent {sent}")
    if error:
        return MailWords(
            "warn", f"Not sent yet, tried {tries} time{'' if tries == 1 else 's'} (code {error})"
        )
    if has_server:
        return MailWords("quiet", "About to be sent")
    return MailWords("quiet", f"Not sent, written {written}")


def what_to_keep(number: int) -> str:
    """The question, when the zone changes and `number` appointments lie ahead."""
    if number == 1:
        return "What does the one appointment that lies ahead keep?"
    return f"What do the {number} appointments that lie ahead keep?"


def clock_times_kept(date: str, time: str, place: str, *, hours_apart: float) -> str:
    """What keeping the clock times does to an example; `hours_apart` is how much later it begins."""
    return f"{date}, {time} stays {time}, in {place} time. {_seen_elsewhere(hours_apart)}"


def _seen_elsewhere(hours_apart: float) -> str:
    if not hours_apart:
        return "That is the same moment."
    hours = abs(hours_apart)
    later = "later" if hours_apart > 0 else "earlier"
    return f"Everybody else sees it begin {hours:g} hour{'' if hours == 1 else 's'} {later}."


def moments_kept(date: str, time: str, *, new_date: str, new_time: str) -> str:
    """What keeping the moments does to the example; its new date is told when it is another."""
    becomes = new_time if new_date == date else f"{new_date}, {new_time}"
    return f"{date}, {time} becomes {becomes}. For everybody else nothing moves."


def in_the_way(number: int) -> str:
    """How many appointments would overlap something of Google's."""
    if number == 1:
        return "1 appointment overlaps an event"
    return f"{number} appointments overlap events"
