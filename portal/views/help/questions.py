"""Help: questions people ask about the sync, each answered beside how it stands with the one who asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    get_template_attribute,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.config import Config
from portal.connection import current
from portal.extensions import db
from portal.models import Connection, Provider
from portal.standing import help_lines
from portal.sync.checkup import Line, pick
from portal.sync.modes import Link
from portal.views.door import callers
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider
from portal.views.sync import connecting
from portal.views.sync.doctor import doctor_context

blueprint = Blueprint("help", __name__)


@dataclass(frozen=True, slots=True)
class Question:
    """`lines`: the doctor's and our own that show how it stands. `words`: what people type who mean this."""

    slug: str
    title: str
    group: str
    lines: tuple[str, ...]
    words: str = ""

    @property
    def answer(self) -> Any:
        """The answer in our own words, from help/_answers.html, as markup."""
        config: Config = current_app.extensions["config"]
        return get_template_attribute("help/_answers.html", self.slug.replace("-", "_"))(config)

    def rank(self, word: str) -> int:
        """How much the question is about this word; 0 when it does not stand in it at all."""
        stem = re.compile(rf"\b{re.escape(_stem(word))}")
        texts = (self.answer.striptags(), self.words, self.title)
        return max(weight * bool(stem.search(text.casefold())) for weight, text in enumerate(texts, 1))


# Words that tell no question from another
SMALL = """
    a about all an and any are as at be been but by can can’t can't could did do does doesn’t
    doesn't don’t don't for from get has have how i i’m i'm if in into is isn’t isn't it its just me
    mine my no of on or our please so some still that the their them then there they this to too up
    want was we what when where which why will with would you your
"""
SMALL_WORDS = frozenset(SMALL.split())
BEGIN, SEE, CHANGE, OTHERS = "Set up and leave", "What you see", "When something is off", "Other calendars"
ALL_TWO_WAY = ("mode", "grant", "app-calendar", "calendars", "pushed", "pulled")

QUESTIONS = (
    Question("set-up", "How do I set up the sync?", BEGIN, ("mode", "grant"), "start begin connect install"),
    Question("really-on", "Am I really on Two-Way?", BEGIN, ALL_TWO_WAY, "works active check sure"),
    Question(
        "one-way",
        "How do I add the One-Way link to Google, Apple or Outlook?",
        BEGIN,
        ("feed",),
        "subscribe ics ical url",
    ),
    Question(
        "start-over",
        "How do I remove the sync, or start over?",
        BEGIN,
        ("mode", "app-calendar", "grant"),
        "disconnect stop delete uninstall off",
    ),
    Question(
        "reset",
        "How do I reset everything?",
        BEGIN,
        ("mode", "unsent", "cards", "pulled"),
        "broken clean fresh",
    ),
    Question(
        "changed-login",
        "I changed my Google login or password",
        BEGIN,
        ("grant", "account"),
        "email address reconnect",
    ),
    Question(
        "several-accounts",
        "I have several Google accounts",
        BEGIN,
        ("account", "calendars", "closed"),
        "second merge personal work",
    ),
    Question(
        "several-providers",
        "Can several providers use one Google account?",
        BEGIN,
        ("account", "alone"),
        "share colleague group",
    ),
    Question(
        "where-calendar",
        "Where is the new calendar in Google?",
        SEE,
        ("app-calendar", "shown"),
        "my calendars find hidden list",
    ),
    Question(
        "canceled-vanish",
        "Why do canceled appointments vanish in Google?",
        SEE,
        ("left-out", "pushed"),
        "cancelled no-show gone disappear",
    ),
    Question(
        "history",
        "Where is the history of canceled and no-show appointments?",
        SEE,
        ("left-out", "archived"),
        "record past",
    ),
    Question(
        "old-archived",
        "Why are old or archived appointments not in Google?",
        SEE,
        ("earlier", "archived"),
        "past earlier",
    ),
    Question(
        "locked", "Why can’t I change Google events here?", SEE, ("locked", "pulled"), "lock edit read only"
    ),
    Question(
        "colour",
        "Why is the colour of Google events fixed?",
        SEE,
        ("locked", "pulled"),
        "color violet purple",
    ),
    Question("names", "Who can see client names?", SEE, ("names",), "privacy title baa hipaa initials"),
    Question(
        "late",
        "Why are updates late?",
        CHANGE,
        ("channel", "pulled", "pushed", "old-feed"),
        "slow delay hours wait fast faster quick",
    ),
    Question(
        "by-hand", "Can I refresh by hand?", CHANGE, ("pulled", "pushed", "locked"), "sync now force manual"
    ),
    Question(
        "outdated",
        "A title or a time is outdated",
        CHANGE,
        ("compared", "pulled", "pushed", "names"),
        "wrong old different",
    ),
    Question(
        "not-in-google",
        "An appointment is not in Google",
        CHANGE,
        ("unsent", "cards", "left-out", "earlier", "pushed"),
        "missing absent",
    ),
    Question(
        "duplicates",
        "Everything is there twice",
        CHANGE,
        ("duplicates", "twins", "old-feed"),
        "double duplicate copies",
    ),
    Question(
        "old-feed",
        "How do I remove my old One-Way feed?",
        CHANGE,
        ("old-feed", "duplicates"),
        "unsubscribe url link",
    ),
    Question("support", "What do I send to support?", CHANGE, ("tells", "compared"), "report help contact"),
    Question(
        "missing",
        "Events from Outlook, Alma or Rula are missing",
        OTHERS,
        ("calendars", "closed", "unticked", "quarantine"),
        "not shown import subscription",
    ),
    Question(
        "other-ehr",
        "How do I block time booked in another EHR?",
        OTHERS,
        ("calendars", "closed", "unticked"),
        "practice software therapy",
    ),
    Question("headway", "Bring in Headway", OTHERS, ("calendars", "closed", "unticked")),
    Question("alma", "Bring in Alma", OTHERS, ("calendars", "closed", "unticked")),
    Question("rula", "Bring in Rula", OTHERS, ("calendars", "closed", "unticked")),
    Question(
        "outlook",
        "Bring in Outlook",
        OTHERS,
        ("calendars", "closed", "unticked"),
        "microsoft exchange office",
    ),
    Question(
        "apple", "Bring in Apple Calendar", OTHERS, ("calendars", "closed", "unticked"), "icloud iphone mac"
    ),
)
BY_SLUG = {question.slug: question for question in QUESTIONS}
GROUPS = (BEGIN, SEE, CHANGE, OTHERS)


@blueprint.get("/help")
@callers.signed_in
def index() -> ResponseReturnValue:
    return _index("")


@blueprint.post("/help")
@callers.signed_in
def search() -> ResponseReturnValue:
    """What is typed may name a person, so it travels in the body and not in the address."""
    return _index(request.form.get("q", "")[:200].strip())


@blueprint.get("/help/<slug>")
@callers.signed_in
def show(slug: str) -> ResponseReturnValue:
    question = BY_SLUG.get(slug)
    if question is None:
        abort(404)
    provider, now = signed_in_provider(), utcnow()
    list_state = help_lines.look_at_list(connection) if (connection := _asked_to_look(provider)) else None
    doctor = doctor_context(provider, now=now)
    page = make_response(
        render_template(
            "help/show.html",
            question=question,
            doctor=doctor,
            rows=_rows(question, doctor, list_state),
            near=[other for other in QUESTIONS if other.group == question.group and other is not question],
            config=doctor["config"],
        )
    )
    return connecting.allow_google(page)


@blueprint.post("/help/where-calendar")
@callers.signed_in
def show_calendar() -> ResponseReturnValue:
    """Have our calendar listed in Google again; the page then looks whether it is."""
    provider, now = signed_in_provider(), utcnow()
    connection = current.live_connection(provider)
    if connection is not None and current.link_of(connection) is Link.RUNNING:
        was_shown = help_lines.show_in_list(connection)
        note("sync.calendar-shown", provider, now=now, outcome="done" if was_shown else "refused")
        db.session.commit()
        if not was_shown:
            flash("Google did not do it just now. Tick it in Google, or try again in a moment.", "warn")
    return redirect(url_for("help.show", slug="where-calendar", look=1), 303)


def _asked_to_look(provider: Provider) -> Connection | None:
    """The connection, if this page is to ask Google for its list."""
    if "look" not in request.args:
        return None
    connection = current.live_connection(provider)
    return connection if current.link_of(connection) is Link.RUNNING else None


def _rows(
    question: Question, doctor: dict[str, Any], list_state: str | None
) -> list[tuple[Line, dict[str, Any] | None]]:
    """The lines of this question, the worst first. The doctor's have nothing told beside them."""
    asked = help_lines.Asked(
        provider=doctor["provider"],
        connection=doctor["connection"],
        now=doctor["now"],
        trouble=[line for line in doctor["lines"] if not line.ok],
        duplicates=doctor["checks"].duplicates,
        list_state=list_state or "not-looked",
    )
    standings = help_lines.tell(question.lines, asked)
    lines = pick(doctor["lines"], *question.lines)
    if not lines and not (standings and doctor["is_running"]):
        lines = pick(doctor["lines"], "mode")
    rows: list[tuple[Line, dict[str, Any] | None]] = [(line, None) for line in lines]
    rows += [(each.line, each.told) for each in standings]
    places = {name: place for place, name in enumerate(question.lines)}
    return sorted(rows, key=lambda row: (row[0].level, places.get(row[0].id, 0)))


def find(typed: str) -> tuple[list[Question], bool]:
    """The questions for what was typed, the nearest first, and whether they have all of its words.

    If none has all of them: those that have the most.
    """
    words = [word for word in re.findall(r"[\w’'-]+", typed.casefold()) if word not in SMALL_WORDS]
    ranks = {question: [question.rank(word) for word in words] for question in QUESTIONS}
    most = max((sum(map(bool, ranked)) for ranked in ranks.values()), default=0)
    nearest = [question for question, ranked in ranks.items() if sum(map(bool, ranked)) == most > 0]
    return sorted(nearest, key=lambda question: -sum(ranks[question])), most == len(words)


def _stem(word: str) -> str:
    """So that "vanishes" finds "vanish", and "duplicated" "duplicates"."""
    return re.sub(r"(?<=\w{3})(ing|ed|es|s|e)$", "", word)


def _index(typed: str) -> str:
    found, has_all = find(typed) if typed else (None, True)
    return render_template(
        "help/index.html",
        typed=typed,
        found=found,
        has_all=has_all,
        groups=[(group, [each for each in QUESTIONS if each.group == group]) for group in GROUPS],
        config=current_app.extensions["config"],
    )
