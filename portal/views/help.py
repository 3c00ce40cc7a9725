"""Help: questions people ask about the sync, each answered beside how it stands with the one who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    get_template_attribute,
    make_response,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.config import Config
from portal.sync.checkup import pick
from portal.views import connecting
from portal.views.doctor import doctor_context
from portal.views.signing_in import signed_in_provider

blueprint = Blueprint("help", __name__)


@dataclass(frozen=True, slots=True)
class Question:
    """`words`: what people type who mean this. `lines`: the doctor's lines that show how it stands."""

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

    @property
    def text(self) -> str:
        """Everything that a search looks through."""
        return f"{self.title} {self.words} {self.answer.striptags()}".casefold()


BEGIN, SEE, CHANGE, OTHERS = "Set up and leave", "What you see", "When something is off", "Other calendars"
ALL_TWO_WAY = ("grant", "app-calendar", "calendars", "pushed", "pulled")

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
        ("mode", "app-calendar"),
        "disconnect stop delete uninstall off",
    ),
    Question(
        "reset", "How do I reset everything?", BEGIN, ("mode", "unsent", "pulled"), "broken clean fresh"
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
        ("account", "calendars"),
        "second merge personal work",
    ),
    Question(
        "several-providers",
        "Can several providers use one Google account?",
        BEGIN,
        ("account",),
        "share colleague group",
    ),
    Question(
        "where-calendar",
        "Where is the new calendar in Google?",
        SEE,
        ("app-calendar",),
        "my calendars find hidden list",
    ),
    Question(
        "canceled-vanish",
        "Why do canceled appointments vanish in Google?",
        SEE,
        ("unsent", "pushed"),
        "cancelled no-show gone disappear",
    ),
    Question(
        "history", "Where is the history of canceled and no-show appointments?", SEE, ("mode",), "record past"
    ),
    Question(
        "old-archived",
        "Why are old or archived appointments not in Google?",
        SEE,
        ("unsent",),
        "past earlier",
    ),
    Question("locked", "Why can’t I change Google events here?", SEE, ("pulled",), "lock edit read only"),
    Question("colour", "Why is the colour of Google events fixed?", SEE, ("pulled",), "color violet purple"),
    Question("names", "Who can see client names?", SEE, ("names",), "privacy title baa hipaa initials"),
    Question(
        "late",
        "Why are updates late?",
        CHANGE,
        ("channel", "pulled", "pushed", "old-feed"),
        "slow delay hours wait",
    ),
    Question("by-hand", "Can I refresh by hand?", CHANGE, ("pulled", "pushed"), "sync now force manual"),
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
        ("unsent", "cards", "pushed"),
        "missing absent",
    ),
    Question(
        "duplicates",
        "Everything is there twice",
        CHANGE,
        ("duplicates", "old-feed"),
        "double duplicate copies",
    ),
    Question(
        "old-feed",
        "How do I remove my old One-Way feed?",
        CHANGE,
        ("old-feed", "duplicates"),
        "unsubscribe url link",
    ),
    Question("support", "What do I send to support?", CHANGE, ("compared",), "report help contact"),
    Question(
        "missing",
        "Events from Outlook, Alma or Rula are missing",
        OTHERS,
        ("calendars", "quarantine"),
        "not shown import subscription",
    ),
    Question(
        "other-ehr",
        "How do I block time booked in another EHR?",
        OTHERS,
        ("calendars",),
        "practice software therapy",
    ),
    Question("headway", "Bring in Headway", OTHERS, ("calendars",)),
    Question("alma", "Bring in Alma", OTHERS, ("calendars",)),
    Question("rula", "Bring in Rula", OTHERS, ("calendars",)),
    Question("outlook", "Bring in Outlook", OTHERS, ("calendars",), "microsoft exchange office"),
    Question("apple", "Bring in Apple Calendar", OTHERS, ("calendars",), "icloud iphone mac"),
)
BY_SLUG = {question.slug: question for question in QUESTIONS}
GROUPS = (BEGIN, SEE, CHANGE, OTHERS)


@blueprint.get("/help")
def index() -> ResponseReturnValue:
    return _index("")


@blueprint.post("/help")
def search() -> ResponseReturnValue:
    """What is typed may name a person, so it travels in the body and not in the address."""
    return _index(request.form.get("q", "")[:200].strip())


@blueprint.get("/help/<slug>")
def show(slug: str) -> ResponseReturnValue:
    question = BY_SLUG.get(slug)
    if question is None:
        abort(404)
    doctor = doctor_context(signed_in_provider(), now=utcnow())
    lines = pick(doctor["lines"], *question.lines) or pick(doctor["lines"], "mode")
    page = make_response(
        render_template(
            "help/show.html",
            question=question,
            doctor=doctor,
            lines=lines,
            near=[other for other in QUESTIONS if other.group == question.group and other is not question],
            config=doctor["config"],
        )
    )
    return connecting.allow_google(page)


def find(typed: str) -> list[Question]:
    """The questions in which every typed word is found; those that have one in the title come first."""
    words = typed.casefold().split()
    found = [question for question in QUESTIONS if all(word in question.text for word in words)]
    in_title = [any(word in question.title.casefold() for word in words) for question in found]
    order = sorted(range(len(found)), key=lambda place: (not in_title[place], place))
    return [found[place] for place in order]


def _index(typed: str) -> str:
    return render_template(
        "help/index.html",
        typed=typed,
        found=find(typed) if typed else None,
        groups=[(group, [each for each in QUESTIONS if each.group == group]) for group in GROUPS],
        config=current_app.extensions["config"],
    )
