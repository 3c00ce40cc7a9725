"""The doctor's lines in words: what each is called, what it says, and the button that helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from portal.sync.checkup import Level, Line
from portal.sync.duplicates import Kind
from portal.words.buttons import ANSWER, CHOOSE_AGAIN, CREATE_AGAIN, RECONNECT, SYNC_NOW, Button, post
from portal.words.counts import appointments, calendars, counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the sentences speak of. Instants are words already; what is not known is empty."""

    number: int = 0  # how many the line concerns
    app_calendar: str = ""  # what ours is called
    made: str = ""  # the day on which it was made
    email: str = ""
    granted: str = ""  # when Google's permission was given
    chosen: tuple[str, ...] = ()  # calendars that are read
    channels: int = 0  # calendars that Google tells us about
    linked: int = 0  # appointments in Google
    behind: int = 0  # appointments that wait to go there
    pushed: str = ""  # how long ago
    pulled: str = ""
    retry: str = ""  # how long until
    next_check: str = ""
    old_reader: str = ""  # who still reads the old feed, and when last
    old_read: str = ""
    compared: str = ""
    needs_consent: bool = False  # what is to be done is *Reconnect*


@dataclass(frozen=True, slots=True)
class LineWords:
    """One line as it stands on the page. Without a sentence, the page names the appointments instead."""

    title: str
    state: str
    sentence: str
    button: Button | None


Words = str | Callable[[Told], str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; what depends on what is told is a function."""

    title: Words
    sentence: Words
    button: Button | Callable[[Told], Button] | None = None


STATES = {Level.BAD: "Needs you", Level.WARN: "Look at this", Level.GOOD: "Good"}
UNSENT = {  # why an appointment is not in Google
    "deleted-there": "deleted there, waits for your answer",
    "held": "changed there, waits for your answer",
    "refused": "Google refused it, we go on trying",
}
THE_APPOINTMENTS = ""
ODD_ZONES = (  # the page names them behind it
    "Shown, but a date names a time zone that nobody knows, so the event’s own was taken. "
    "Check the dates in Google."
)
DUPLICATES_NAMED = 20  # on the page; how many more there are is said below them
IN_GOOGLE, GOOGLES_SETTINGS = "Open in Google", "https://calendar.google.com/calendar/r/settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A duplicate, as far as its words depend on it. `link`: Google's own page of the one that is told."""

    kind: Kind
    calendar: str  # what its calendar is called
    first_calendar: str = ""  # the calendar of the other one
    dates: int = 1
    appointment: int | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class FoundWords:
    """A duplicate on the page, after its name and its date."""

    more_dates: str
    sentence: str
    buttons: tuple[Button, ...]


def line_words(line: Line, told: Told) -> LineWords:
    """The words of one line."""
    row, told = LINES[line.id][line.code], replace(told, number=line.number)
    return LineWords(
        title=row.title if isinstance(row.title, str) else row.title(told),
        state=STATES[line.level],
        sentence=row.sentence if isinstance(row.sentence, str) else row.sentence(told),
        button=row.button(told) if callable(row.button) else row.button,
    )


def found_words(found: Found) -> FoundWords:
    """Where a duplicate stands, what Lockstep keeps, what to do, and where that is done."""
    more = found.dates - 1
    return FoundWords(
        more_dates=f", and {counted(more, 'more date')}" if more else "",
        sentence=DUPLICATES[found.kind](found),
        buttons=_found_buttons(found),
    )


def more_found(number: int) -> str:
    """Those that are not named for want of room."""
    return f"And {number} more. They show here as these go."


def _found_buttons(found: Found) -> tuple[Button, ...]:
    if found.kind is Kind.SUBSCRIPTION:
        return (Button("Open Google’s settings", address=GOOGLES_SETTINGS),)
    there = Button(IN_GOOGLE, address=found.link) if found.link else OPEN_GOOGLE
    if found.appointment is None:
        return (there,)
    values = MappingProxyType({"appointment_id": found.appointment})
    return (there, Button("Open the appointment", "appointments.show", values=values))


def _copy(found: Found) -> str:
    return (
        f"A copy of your appointment, in “{found.calendar}”. Lockstep keeps its own event."
        " Delete the copy in Google."
    )


def _in_two(found: Found) -> str:
    return (
        f"In “{found.first_calendar}” and again in “{found.calendar}”. Lockstep keeps both."
        " Delete one in Google, or untick one of the calendars."
    )


def _in_one(found: Found) -> str:
    return f"Twice in “{found.calendar}”. Lockstep keeps both. Delete one in Google."


def _subscription(_: Found) -> str:
    return "Subscribed twice. Lockstep reads neither. Unsubscribe from one in Google’s settings."


DUPLICATES: Mapping[Kind, Callable[[Found], str]] = {
    Kind.COPY: _copy,
    Kind.TWO_CALENDARS: _in_two,
    Kind.ONE_CALENDAR: _in_one,
    Kind.SUBSCRIPTION: _subscription,
}


def _many(one: str, more: str = "", rest: str = "") -> Callable[[Told], str]:
    """Words that begin with the number."""
    return lambda told: counted(told.number, one, more) + rest


def _two_way(told: Told) -> str:
    return f"Since {told.made}." if told.made else "The first sync is under way."


def _email(told: Told) -> str:
    return f"{told.email}."


def _chosen(told: Told) -> str:
    return f"{', '.join(told.chosen)}."


def _no_longer_open(told: Told) -> str:
    return f"{_chosen(told)} What was read stays here, marked as perhaps out of date."


def _still_read(told: Told) -> str:
    return f"By {told.old_reader}, {told.old_read}. It gets an empty calendar."


def _pushed(told: Told) -> str:
    """Of a line that is fine: nothing is said of a next try."""
    waiting = f"{appointments(told.behind)} waiting" if told.behind else "nothing waiting"
    return f"{f'Last pushed {told.pushed}, ' if told.pushed else ''}{waiting}."


def _not_pushed(told: Told) -> str:
    return _pushed(told) + (f" Next try {told.retry}." if told.retry else "")


def _nobody_pushes(told: Told) -> str:
    return f"{_not_pushed(told)} Tell whoever runs this portal."


def _pulled(told: Told) -> str:
    next_check = f", next check {told.next_check}" if told.next_check else ""
    return f"{f'Last pulled {told.pulled}' if told.pulled else 'Not yet'}{next_check}."


def _not_pulled(told: Told) -> str:
    return f"Last pulled {told.pulled}." if told.pulled else "Not yet."


def _compared(told: Told) -> str:
    return f"{told.compared}."


def _what_to_do(told: Told) -> Button:
    return RECONNECT if told.needs_consent else Button("See why", "sync.index")


CHANGE = Button("Change", "sync.index")
OPEN = Button("Open", "sync.index")
FEED_URL = Button("Feed URL", "sync.index")
SWITCH = Button("Switch", "sync.start_over")
COMPARE = post("Compare", "sync.doctor.check_everything")
REMOVE_FEED = Button("Show me how", "help.show", values=MappingProxyType({"slug": "old-feed"}))
REMOVE_TWIN = Button("Show me how", "help.show", values=MappingProxyType({"slug": "duplicates"}))
LOOK_FOR_IT = Button("Look for it", "sync.doctor.index", anchor="why")
OPEN_GOOGLE = Button("Open Google Calendar", address="https://calendar.google.com/")
UNTOUCHED = "No appointment was canceled, nothing here was changed."

LINES: Mapping[str, Mapping[str, Row]] = {
    "mode": {
        "two-way": Row("Two-Way is on", _two_way, CHANGE),
        "one-way": Row(
            "One-Way is on", "Calendar apps read one private link. They cannot change anything here.", CHANGE
        ),
        "off": Row("Sync is off", "Nothing leaves Lockstep, nothing comes in.", CHANGE),
        "removing": Row("Sync is being cleared up", "It goes on by itself; your appointments stay.", OPEN),
        "paused": Row("Sync is paused", "An owner has to say that it goes on.", OPEN),
        "set-up-unfinished": Row(
            "Two-Way is not on yet", "The account is connected, and the setup waits for you.", OPEN
        ),
    },
    "feed": {
        "read": Row("Your feed is read", "In the last two days.", FEED_URL),
        "not-read-yet": Row(
            "Nobody reads your feed yet",
            "Add the link to your calendar app. Google fetches it the first time within minutes.",
            FEED_URL,
        ),
        "address-unreadable": Row(
            "Your feed’s address cannot be shown",
            "The key that locks it was changed or lost. Apps that have the link go on reading it.",
            FEED_URL,
        ),
    },
    "old-feed": {
        "still-read": Row("The old feed is still read", _still_read, REMOVE_FEED),
        "quiet": Row("No old feed is read", "Nothing is shown twice because of one."),
    },
    "account": {
        "connected": Row("Connected account", _email, SWITCH),
        "unknown": Row("No account", _email, SWITCH),
    },
    "app-calendar": {
        "there": Row("Our calendar is in Google", lambda told: f"“{told.app_calendar}”, under My calendars."),
        "calendar-missing": Row("Our calendar in Google is gone", UNTOUCHED, CREATE_AGAIN),
        "calendar-out-of-reach": Row("Our calendar in Google is out of reach", UNTOUCHED, CREATE_AGAIN),
    },
    "calendars": {
        "yours": Row("Chosen calendars are still yours", _chosen, CHOOSE_AGAIN),
        "none-chosen": Row("No calendar of yours is read", "Only your appointments are sent.", CHOOSE_AGAIN),
        "stale": Row("A chosen calendar no longer opens", _no_longer_open, CHOOSE_AGAIN),
        "lost": Row("A chosen calendar is no longer yours", _no_longer_open, CHOOSE_AGAIN),
    },
    "grant": {
        "accepted": Row(
            "Google accepts our sign-in", lambda told: f"Given {told.granted}, all permissions.", RECONNECT
        ),
        "reconnect-required": Row(
            "Google no longer accepts our sign-in",
            "Perhaps after a change of password, or “Remove access” in the account. Nothing was deleted.",
            RECONNECT,
        ),
        "grant-unreadable": Row(
            "Our sign-in at Google cannot be read",
            "The key that locks it was changed or lost. Reconnect, or have the key brought back.",
            RECONNECT,
        ),
        "scope-missing": Row(
            "A permission is missing", "A box on Google’s page was left unticked.", RECONNECT
        ),
        "access-refused": Row(
            "Google refuses our sign-in",
            "For a day now, though the permission was not withdrawn. We go on trying; reconnecting may help.",
            RECONNECT,
        ),
    },
    "channel": {
        "alive": Row(
            "Google tells us about changes",
            lambda told: f"For {calendars(told.channels)}. We also ask regularly.",
            SYNC_NOW,
        ),
        "begins": Row("Google will tell us about changes", "It is asked to within the first sync.", SYNC_NOW),
        "asked-regularly": Row(
            "We ask Google regularly",
            "Google cannot reach this portal, so changes there show here at the next look.",
            SYNC_NOW,
        ),
        "not-alive": Row(
            "Google does not tell us about changes",
            lambda told: f"For {calendars(told.number)}. Changes there still show here, at the next look.",
            SYNC_NOW,
        ),
    },
    "pushed": {
        "up-to-date": Row("To Google", _pushed, SYNC_NOW),
        "begins": Row("To Google", _pushed, SYNC_NOW),
        "on-the-way": Row("To Google", _pushed, SYNC_NOW),
        "behind": Row("Changes wait to go to Google", _not_pushed, SYNC_NOW),
        "delayed": Row("To Google: delayed", _not_pushed, SYNC_NOW),
        "quota": Row("To Google: Google asks us to wait", _not_pushed, SYNC_NOW),
        "waits-for-you": Row("Nothing goes to Google until you act", _not_pushed, _what_to_do),
        "worker-silent": Row("Nobody works on the sync", _nobody_pushes, SYNC_NOW),
    },
    "pulled": {
        "fresh": Row("From Google", _pulled, SYNC_NOW),
        "begins": Row("From Google", _pulled, SYNC_NOW),
        "old": Row("The last look at Google is long ago", _not_pulled, SYNC_NOW),
        "waits-for-you": Row("Nothing comes from Google until you act", _not_pulled, _what_to_do),
        "worker-silent": Row("Nobody looks at Google", _not_pulled, SYNC_NOW),
    },
    "unsent": {
        "all-there": Row("Every appointment is in Google", lambda told: f"{appointments(told.linked)}."),
        "on-the-way": Row("New appointments are on their way", _many("appointment", rest=".")),
        "waits-for-answer": Row(
            _many("appointment is", "appointments are", " not in Google"), THE_APPOINTMENTS, ANSWER
        ),
        "refused": Row(_many("appointment", rest=" could not be written"), THE_APPOINTMENTS, SYNC_NOW),
    },
    "cards": {
        "none": Row("No question is open", "Changes made in Google followed, or were answered."),
        "waiting": Row(
            _many("change waits", "changes wait", " for your answer"),
            "Nothing was changed until then.",
            ANSWER,
        ),
    },
    "names": {
        "as-set": Row(
            "Names appear as you set them", "Google may keep earlier titles in its bin for about 30 days."
        ),
        "still-old": Row(
            _many("event still shows", "events still show", " the earlier names"),
            "They are rewritten first, and read again before this line is green.",
            SYNC_NOW,
        ),
    },
    "duplicates": {
        "none": Row("No duplicates", "No event twice, no calendar subscribed twice, nor your own feed."),
        "own-feed": Row(
            "Your own feed is subscribed in this account",
            "Together with Two-Way every appointment appears twice in Google. Unsubscribe there.",
            REMOVE_FEED,
        ),
        "twice": Row(
            _many("event stands", "events stand", " in Google twice"),
            "Each takes your time twice. Lockstep shows both, and deletes nothing that you made.",
            REMOVE_TWIN,
        ),
        "subscribed": Row(
            _many("calendar is", "calendars are", " subscribed in Google twice"),
            "Two subscriptions of the same name. Lockstep reads neither.",
            REMOVE_TWIN,
        ),
    },
    "quarantine": {
        "none": Row("Every event was understood", "None was left out."),
        "not-understood": Row(
            _many("event", rest=" could not be understood"),
            "Google sent times or rules that make no sense. Open it there and save it again.",
            LOOK_FOR_IT,
        ),
        "odd-zone": Row(_many("repeating event", rest=" with an unknown time zone"), ODD_ZONES, OPEN_GOOGLE),
    },
    "guests": {
        "none": Row("No guests on your appointments", "As far as Google was read."),
        "with-guests": Row(
            _many("appointment has", "appointments have", " guests in Google"),
            "Canceling here takes the event away; guests are not told by us.",
            OPEN_GOOGLE,
        ),
    },
    "compared": {
        "never": Row("Never compared live", "Read-only: a check never changes anything.", COMPARE),
        "equal": Row("Both sides are equal", _compared, COMPARE),
        "differs": Row(_many("difference", rest=" found"), _compared, COMPARE),
        "failed": Row("The last comparison failed", _compared, COMPARE),
    },
}
