"""Changes from Google: each card in words, its answers as buttons, and how many wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from portal.clock import utcnow
from portal.connection import answers, current
from portal.connection.marks import end_of
from portal.errors import Refused
from portal.extensions import begin_writing, db
from portal.models import Appointment, CardKind, ChangeCard, GoogleCalendar, Provider
from portal.standing import facts
from portal.sync import health
from portal.sync.event import EventTime
from portal.views.door import callers
from portal.views.page import times
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("changes", __name__)

SETTLED_SHOWN = dt.timedelta(days=30)
MOST_SETTLED = 20
MOST_NAMED = 8  # appointments named on a card about many
REFUSALS = {
    "too-late": "That was more than 30 days ago. Open the appointment to move it.",
    "not-a-choice": "This was settled meanwhile. Nothing was changed.",
}
DONE = {
    "cancel": "Canceled.",
    "put-back": "It goes back to Google.",
    "keep": "Kept as it is.",
    "undo": "Undone: it is where it was, here and in a moment in Google.",
    "use-theirs": "Moved to the time from Google.",
    "completed": "Marked as completed.",
    "no-show": "Marked as no-show.",
    "reinstate": "Reinstated. It goes back to Google.",
    "take-over": "Google’s times are taken over.",
    "delete": "Understood.",
    "put-away": "Put away.",
    "use-calendar": "It is in use again. Its events are looked at now.",
    "leave-calendar": "It stays in Google. A new calendar is made now.",
}
ABOUT_THE_CALENDAR = frozenset({"use-calendar", "leave-calendar"})


@dataclass(frozen=True, slots=True)
class CardView:
    """A card with what it speaks of. Names are put together here, for the provider's own page alone."""

    card: ChangeCard
    choices: tuple[str, ...]
    appointments: tuple[Appointment, ...]
    reason: str
    before: str = ""
    after: str = ""
    there: str = ""
    is_resized: bool = False
    calendar: str = ""
    mark: str = ""  # how the description of that calendar ends, where it is about one of ours
    why: str = ""  # a change could not be followed, as a code of sync.inbound.WHY_KEPT

    @property
    def shown(self) -> tuple[Appointment, ...]:
        return self.appointments[:MOST_NAMED]

    @property
    def ids(self) -> str:
        """For data-appointment: as the entries of the calendar are called in their data-id."""
        return " ".join(f"appointment-{appointment.id}" for appointment in self.appointments)


@blueprint.app_template_global()
def changes_waiting() -> int:
    """How many questions wait for the signed-in provider: one query a page."""
    return _count_waiting(signed_in_provider())


@blueprint.get("/changes")
@callers.signed_in
def index() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    views = _views(answers.open_cards(provider), now=now)
    story = health.tell(facts.gather_facts(provider, now=now, with_counts=False), now=now)
    return render_template(
        "sync/changes.html",
        provider=provider,
        story=story,
        is_connected=current.live_connection(provider) is not None,
        waiting=[view for view in views if view.card.needs_answer],
        done_ones=[view for view in views if not view.card.needs_answer],
        settled=_views(_settled(provider, now=now), now=now),
    )


@blueprint.post("/changes/<int:card_id>")
@callers.signed_in
def answer(card_id: int) -> ResponseReturnValue:
    """Take one answer. The card closes; what follows from it goes out with the next run."""
    provider, now = signed_in_provider(), utcnow()
    begin_writing()
    card = db.session.get(ChangeCard, card_id, populate_existing=True)
    if card is None or card.provider_id != provider.id:
        abort(404)
    choice = request.form.get("answer", "")
    try:
        answers.answer(card, choice, actor=provider, now=now)
    except Refused as refused:
        db.session.rollback()
        flash(REFUSALS.get(refused.code, "The appointment changed meanwhile. Nothing was done."), "warn")
        return redirect(url_for("sync.changes.index"), 303)
    note("sync.change-answered", provider, now=now, about=card, outcome=choice)
    db.session.commit()
    flash(DONE.get(choice, "Done."), "good")
    return redirect(url_for("sync.index" if choice in ABOUT_THE_CALENDAR else "sync.changes.index"), 303)


def _count_waiting(provider: Provider) -> int:
    return (
        db.session.scalar(
            sa.select(sa.func.count(ChangeCard.id)).where(
                ChangeCard.provider_id == provider.id, ChangeCard.closed_at.is_(None), ChangeCard.needs_answer
            )
        )
        or 0
    )


def _settled(provider: Provider, *, now: dt.datetime) -> list[ChangeCard]:
    return list(
        db.session.scalars(
            sa.select(ChangeCard)
            .where(ChangeCard.provider_id == provider.id, ChangeCard.closed_at > now - SETTLED_SHOWN)
            .order_by(ChangeCard.closed_at.desc(), ChangeCard.id.desc())
            .limit(MOST_SETTLED)
        )
    )


def _views(cards: Sequence[ChangeCard], *, now: dt.datetime) -> list[CardView]:
    appointments = _appointments(cards)
    return [_view(card, appointments, now=now) for card in cards]


def view_of(card: ChangeCard, *, now: dt.datetime) -> CardView:
    (view,) = _views([card], now=now)
    return view


def _appointments(cards: Sequence[ChangeCard]) -> dict[int, Appointment]:
    ids = {number for card in cards for number in _ids(card)}
    rows = db.session.scalars(
        sa.select(Appointment).options(joinedload(Appointment.client)).where(Appointment.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _ids(card: ChangeCard) -> list[int]:
    return [card.appointment_id] if card.appointment_id else list(card.detail.get("appointments", []))


def _view(card: ChangeCard, appointments: dict[int, Appointment], *, now: dt.datetime) -> CardView:
    found = [appointments[number] for number in _ids(card) if number in appointments]
    found.sort(key=lambda appointment: appointment.starts_at)
    return CardView(
        card=card,
        choices=answers.choices(card, now=now),
        appointments=tuple(found),
        reason=str(card.detail.get("reason", "")),
        why=str(card.detail.get("why", "")),
        mark=end_of(card.detail.get("nonce")),
        calendar=_calendar_name(card) or answers.moved_to(card),
        **_words_of_times(card, found),
    )


def _words_of_times(card: ChangeCard, found: Sequence[Appointment]) -> dict[str, Any]:
    """What was when, in words, as far as the card tells."""
    detail, words = card.detail, {}
    if card.kind is CardKind.GROUPED or not found:
        return {}
    before, after = detail.get("before") or detail.get("here"), detail.get("after")
    for name, stored in (("before", before), ("after", after)):
        if stored:
            words[name] = times.stretch(*_instants(stored), all_day=found[0].all_day)
    if detail.get("there"):
        start, end = (EventTime.from_json(text) for text in detail["there"])
        words["there"] = (
            times.whole_day(start.date) if start.date else times.stretch(start.instant, end.instant)
        )
    return {**words, "is_resized": bool(before and after and before[0] == after[0])}


def _instants(stored: Sequence[str]) -> tuple[dt.datetime, dt.datetime]:
    first, last = (dt.datetime.fromisoformat(text) for text in stored)
    return first, last


def _calendar_name(card: ChangeCard) -> str:
    if "google_id" in card.detail:
        return str(card.detail["name"])
    number = card.detail.get("calendar_id")
    calendar = db.session.get(GoogleCalendar, number) if number else None
    return calendar.summary if calendar is not None and calendar.connection_id == card.connection_id else ""
