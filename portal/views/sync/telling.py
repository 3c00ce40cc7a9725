"""From rows to words: what templates call to have a line, a card, a proof or figures told (portal/words/).

Here instants become words in the provider's own zone; which sentence fits is decided there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask.sansio.app import App

from portal.calendar.agenda import Entry
from portal.feed.readers import Reader
from portal.models import Appointment, CardKind, Checkup
from portal.standing import full_check
from portal.standing.proof import Proof
from portal.sync.checkup import Line
from portal.sync.duplicates import Duplicate
from portal.sync.health import Act, ConnectionFacts, Story
from portal.views.page import times
from portal.views.page.leaving import safe_link
from portal.views.page.wording import STATUSES, day_span
from portal.views.sync.changes import CardView
from portal.words import counts, help
from portal.words.sync import calendars, changes, comparison, doctor, feed, leaving, problems, proof
from portal.words.sync import story as story_words

# Tables that templates read directly, as words.counts and so on
FOR_TEMPLATES = (calendars, changes, comparison, counts, doctor, feed, help, leaving, problems, story_words)


def register(app: App) -> None:
    app.jinja_env.globals.update(
        doctor_line=doctor_line,
        help_line=help_line,
        duplicate_words=duplicate_words,
        duplicate_when=duplicate_when,
        card_words=card_words,
        proof_words=proof_words,
        sync_figures=sync_figures,
        check_words=check_words,
        outcome_words=outcome_words,
        last_compared=last_compared,
        at_a_glance=at_a_glance,
        next_read=next_read,
    )


def doctor_line(line: Line, context: Mapping[str, Any]) -> doctor.LineWords:
    """A line of the doctor; `context` is what `doctor_context` gathered."""
    facts: ConnectionFacts = context["facts"]
    connection, reader, checkup = context["connection"], context["old_reader"], context["checkup"]
    return doctor.line_words(
        line,
        doctor.Told(
            app_calendar=context["config"].app_calendar_name,
            made=_told(times.day, connection and connection.app_calendar_made_at),
            email=facts.email,
            granted=_told(times.moment_within, connection and connection.granted_at),
            chosen=tuple(context["chosen"]),
            channels=context["checks"].channels,
            linked=facts.counts.linked,
            behind=facts.counts.behind,
            pushed=_told(times.ago, facts.last_pushed_at),
            pulled=_told(times.ago, facts.last_pulled_at),
            retry=_told(times.until, facts.retry_at),
            next_check=_told(times.until, facts.next_check_at),
            old_reader=feed.reader(reader.family) if reader else "",
            old_read=_told(times.moment_within, reader and reader.last_read_at),
            compared=_told(times.moment, checkup and checkup.at),
            needs_consent=context["story"].act is Act.RECONNECT,
        ),
    )


def help_line(line: Line, told: Mapping[str, Any]) -> help.LineWords:
    """A line of the help's own; `told` is what standing.py gathered beside it."""
    latest, coming = told.get("latest"), told.get("next")
    rows = told.get("calendars", ())
    return help.line_words(
        line,
        help.Told(
            by_status=tuple(
                (STATUSES[status].lower(), number)
                for status, number in sorted(told.get("by_status", {}).items())
            ),
            leaving=told.get("leaving", 0),
            latest=latest.id if latest else None,
            begins=_told(times.day, told.get("begins")),
            next_event=(coming.record_id, coming.occurrence_key or None) if coming else None,
            next_when=_when(coming) if coming else "",
            calendars=tuple((row.summary, row.why_not) for row in rows),
            email=told.get("email", ""),
            named=len(told.get("twins", ())),
            codes=tuple(told.get("codes", ())),
        ),
    )


def duplicate_words(found: Duplicate, context: Mapping[str, Any]) -> doctor.FoundWords:
    """What is there twice, by the doctor; `context` is what `doctor_context` gathered."""
    names = {row.id: row.summary for row in context["calendars"]}
    return doctor.found_words(
        doctor.Found(
            kind=found.kind,
            calendar=names.get(found.calendar, ""),
            first_calendar=names.get(found.first_calendar, ""),
            dates=found.dates,
            appointment=found.appointment,
            link=safe_link(found.html_link),
        )
    )


def duplicate_when(found: Duplicate) -> str:
    """The date that is told of it; nothing of a calendar."""
    if found.starts_at is None or found.ends_at is None:
        return ""
    if found.all_day:
        return times.whole_day(found.starts_at.date())  # midnight of UTC
    return times.stretch(found.starts_at, found.ends_at)


def card_words(view: CardView) -> changes.CardWords:
    """A card of Changes from Google."""
    card, one = view.card, view.appointments[0] if view.appointments else None
    return changes.card_words(
        changes.Told(
            kind=card.kind,
            reason=view.reason,
            needs_answer=card.needs_answer,
            is_taken_over=card.kind is not CardKind.GROUPED and bool(card.detail.get("taken_over")),
            is_resized=view.is_resized,
            calendar=view.calendar,
            number=len(view.appointments),
            choices=view.choices,
            status=STATUSES[one.status.value].lower() if one else "",
            why=view.why,
        )
    )


def proof_words(appointment: Appointment, known: Proof) -> proof.ProofWords:
    """Whether an appointment is in Google; `known` is what `google_proof` gave."""
    is_archived = appointment.archived_at is not None
    return proof.proof_words(
        proof.Told(
            verdict=known.verdict,
            appointment_id=appointment.id,
            needs_a_person=known.needs_a_person,
            can_push_again=known.can_push_again,
            when=times.span(appointment),
            status="archived" if is_archived else STATUSES[appointment.status.value].lower(),
            confirmed=_told(times.ago, known.confirmed_at),
            error=known.error or "",
        )
    )


def sync_figures(story: Story, facts: ConnectionFacts, *, is_syncing: bool) -> tuple[story_words.Figure, ...]:
    """When the sync pushed, pulled, and looks next."""
    return story_words.figures(
        story,
        facts,
        story_words.Told(
            pushed=_told(times.ago, facts.last_pushed_at),
            pulled=_told(times.ago, facts.last_pulled_at),
            retry=_told(times.until, facts.retry_at),
            next_check=_told(times.until, facts.next_check_at),
            is_syncing=is_syncing,
        ),
    )


def check_words(checking: full_check.Standing) -> comparison.Progress:
    """A comparison under way."""
    return comparison.progress(
        is_overdue=checking.is_overdue,
        is_begun=checking.is_begun,
        done=checking.done,
        total=checking.total,
        entries=checking.entries,
        asked=times.moment_within(checking.asked_at),
    )


def outcome_words(checkup: Checkup) -> comparison.Outcome:
    """What a comparison came to."""
    ago = times.ago(checkup.at)
    return comparison.outcome(error=checkup.error, number=len(checkup.differences), ago=ago)


def last_compared(checkup: Checkup | None) -> str:
    """When both sides were compared last, if ever."""
    if checkup is None:
        return comparison.NEVER
    moment, ago = times.moment_within(checkup.at), times.ago(checkup.at)
    return comparison.last_compared(error=checkup.error, moment=moment, ago=ago)


def at_a_glance(lines: Sequence[Line], checkup: Checkup | None) -> str:
    """The doctor's first sentence."""
    went_well = checkup is not None and not checkup.error
    return comparison.at_a_glance(
        len(lines),
        sum(not line.ok for line in lines),
        compared=_told(times.ago, checkup.at if checkup and went_well else None),
    )


def next_read(reader: Reader) -> str:
    """When the feed is read next."""
    return feed.soonest(
        reader.family,
        next_read=_told(times.moment, reader.next_read_at),
        last_read=times.ago(reader.last_read_at),
    )


def _told(words: Callable[[dt.datetime], str], instant: dt.datetime | None) -> str:
    return words(instant) if instant else ""


def _when(entry: Entry) -> str:
    if entry.all_day:
        return day_span(entry.first_day, entry.end_day)
    return times.moment_within(entry.starts_at)
