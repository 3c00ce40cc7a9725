"""Recurring appointments: rule, dates, instances on a rolling twelve-month horizon. No HTTP, no commit.

Each instance is an appointment with a status and a history of its own. One that was changed by itself is an
exception: a change of the series alters in it only what that change alters.
"""

from __future__ import annotations

import calendar
import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

import sqlalchemy as sa

from portal.errors import InvalidInput, Refused, StaleRevision
from portal.extensions import db
from portal.localtime import ONE_DAY, today
from portal.models import (
    Appointment,
    AppointmentHistory,
    AppointmentSeries,
    AppointmentStatus,
    Provider,
    SeriesFrequency,
)
from portal.practice import appointments, spans
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import AllDay, Timed, When

HORIZON_DAYS = 366
MOST_DAYS_BACK = 366
LONGEST_STEP = 52
MOST_OCCURRENCES = 520
OWN_CHANGES = ("changed", "rescheduled")  # verbs of history that make an instance an exception


class Scope(enum.StrEnum):
    """Which instances a change or a cancellation is for."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Rule:
    """Every so many weeks or months, until a date or for a number of times, or on and on."""

    frequency: SeriesFrequency
    every: int = 1
    until: dt.date | None = None
    occurrences: int | None = None
    by_weekday: bool = False  # monthly: on the second Tuesday, not on the 10th

    def dates(self, start: dt.date) -> Iterator[dt.date]:
        """The dates from `start` on. A month without that day is left out, as RFC 5545 §3.3.10 has it."""
        found = self._weekly(start) if self.frequency is SeriesFrequency.WEEKLY else self._monthly(start)
        until = self.until
        if until is not None:
            return takewhile(lambda date: date <= until, found)
        return islice(found, self.occurrences) if self.occurrences is not None else found

    def _weekly(self, start: dt.date) -> Iterator[dt.date]:
        date = start
        while date.year < spans.YEARS.stop:
            yield date
            date += 7 * self.every * ONE_DAY

    def _monthly(self, start: dt.date) -> Iterator[dt.date]:
        month = start.year * 12 + start.month - 1
        while month // 12 < spans.YEARS.stop:
            year, number = month // 12, month % 12 + 1
            if self.by_weekday:
                yield _same_weekday(start, year, number)
            elif start.day <= calendar.monthrange(year, number)[1]:
                yield dt.date(year, number, start.day)
            month += self.every


def week_of_month(date: dt.date) -> int:
    """Which of its weekday in the month a date is: 1 to 4, or -1 for the last where there is a fifth."""
    return (date.day - 1) // 7 + 1 if date.day <= 28 else -1


def _same_weekday(start: dt.date, year: int, month: int) -> dt.date:
    """The same weekday of the same week in another month; the fifth counts as the last."""
    first = dt.date(year, month, 1)
    offset = (start.weekday() - first.weekday()) % 7
    week = week_of_month(start)
    if week > 0:
        return first + (offset + 7 * (week - 1)) * ONE_DAY
    last = calendar.monthrange(year, month)[1]
    return first + (offset + 7 * ((last - 1 - offset) // 7)) * ONE_DAY


def book_series(
    provider: Provider,
    details: AppointmentDetails,
    rule: Rule,
    *,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> Appointment:
    """Book every date up to the horizon and return the first appointment. Raises InvalidInput."""
    check_rule(rule, date_of(details.when))
    _check_start(date_of(details.when), today(now, details.when.timezone))
    first = appointments.book(provider, details, now=now, actor=actor, source=source)
    repeat(first, rule, now=now, actor=actor, source=source)
    return first


def repeat(
    appointment: Appointment, rule: Rule, *, now: dt.datetime, actor: Provider | None, source: str
) -> None:
    """Make a single appointment the first instance of a series. Raises InvalidInput, Refused("repeats")."""
    if appointment.series_id is not None:
        raise Refused("repeats")
    check_rule(rule, appointment.start_date)
    _check_start(appointment.start_date, today(now, appointment.timezone))
    series = _add_series(appointment.provider_id, rule, appointment.start_date, now)
    appointment.series, appointment.series_id = series, series.id
    appointment.original_date = appointment.start_date
    extend(series, pattern=appointment, now=now, actor=actor, source=source)


def extend(
    series: AppointmentSeries,
    *,
    pattern: Appointment,
    now: dt.datetime,
    actor: Provider | None = None,
    source: str = "system",
) -> int:
    """Book the dates that are missing up to twelve months from now, like `pattern`. Returns how many."""
    horizon = today(now, pattern.timezone) + HORIZON_DAYS * ONE_DAY
    done = series.extended_until or series.start_date
    dates = takewhile(lambda date: date <= horizon, _rule_of(series).dates(series.start_date))
    missing = [date for date in dates if date > done]
    details = _details_of(pattern)
    booked = appointments.book_all(
        pattern.provider,
        [replace(details, when=on_date(date, details.when)) for date in missing],
        now=now,
        actor=actor,
        source=source,
        keeps_client=True,
    )
    for made, date in zip(booked, missing, strict=True):
        made.series, made.series_id, made.original_date = series, series.id, date
    series.extended_until = max(horizon, done)
    return len(missing)


def extend_all(*, now: dt.datetime) -> int:
    """Roll the horizon of every series that goes on; once a day is enough. Returns how many were booked."""
    horizon = now.date() + (HORIZON_DAYS - 1) * ONE_DAY
    series = db.session.scalars(
        sa.select(AppointmentSeries).where(
            AppointmentSeries.extended_until < horizon,
            sa.or_(
                AppointmentSeries.until.is_(None), AppointmentSeries.until > AppointmentSeries.extended_until
            ),
        )
    ).all()
    return sum(_extend_like_its_latest(each, now) for each in series)


def affected(appointment: Appointment, scope: Scope, *, now: dt.datetime) -> list[Appointment]:
    """The instances a change or cancellation of this scope is for, in order of date.

    Only what is still scheduled; of the others, only what has not begun: what took place is not rewritten.
    """
    if scope is Scope.THIS or appointment.series_id is None:
        return [appointment]
    query = sa.select(Appointment).where(
        Appointment.series_id == appointment.series_id,
        Appointment.id != appointment.id,
        Appointment.status == AppointmentStatus.SCHEDULED,
        Appointment.archived_at.is_(None),
        Appointment.starts_at >= now,
    )
    if scope is Scope.FOLLOWING:
        query = query.where(Appointment.original_date > appointment.original_date)
    found = [appointment, *db.session.scalars(query).all()]
    return sorted(found, key=lambda each: each.original_date or each.start_date)


def change(
    appointment: Appointment,
    details: AppointmentDetails,
    scope: Scope,
    *,
    revision: int,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> int:
    """Save a form for one instance or several; returns for how many. Raises as `appointments.change`."""
    if scope is Scope.THIS or appointment.series is None:
        appointments.change(appointment, details, revision=revision, now=now, actor=actor, source=source)
        return 1
    if appointment.revision != revision:
        raise StaleRevision
    before = _details_of(appointment)
    before = replace(before, when=spans.in_zone(before.when, details.when.timezone))
    shift = date_of(details.when) - date_of(before.when)
    found = affected(appointment, scope, now=now)
    if shift and scope is Scope.FOLLOWING:
        _split(appointment, found, now)
    appointment.series.start_date += shift
    for each in reversed(found) if shift > dt.timedelta() else found:
        changed = _merged(each, before, details, shift)
        appointments.change_with_series(each, changed, now=now, actor=actor, source=source)
        if shift and each.original_date:
            set_original_date(each, each.original_date + shift)
    return len(found)


def instances(appointment: Appointment) -> list[Appointment]:
    """Every appointment of the series it belongs to, or itself alone."""
    if appointment.series_id is None:
        return [appointment]
    query = sa.select(Appointment).where(Appointment.series_id == appointment.series_id)
    return list(db.session.scalars(query.order_by(Appointment.original_date)).all())


def cancel(
    appointment: Appointment,
    scope: Scope,
    *,
    late: bool,
    reason: str,
    now: dt.datetime,
    actor: Provider | None,
    source: str,
) -> int:
    """Cancel one instance or several, and end the series there; only this one can be late."""
    found = affected(appointment, scope, now=now)
    for each in found:
        appointments.cancel(
            each,
            late=late and each is appointment,
            reason=reason,
            now=now,
            actor=actor,
            source=source,
        )
    if scope is not Scope.THIS and appointment.series is not None:
        _end_before(appointment.series, found[0].original_date or found[0].start_date)
    return len(found)


def _merged(
    each: Appointment, before: AppointmentDetails, after: AppointmentDetails, shift: dt.timedelta
) -> AppointmentDetails:
    """The instance's own details with those values replaced that the change replaces."""
    details = _details_of(each)
    if _time_of(before.when) != _time_of(after.when) or shift:
        date = (each.original_date or each.start_date) + shift
        details = replace(details, when=on_date(date, after.when))
    for field in ("kind", "client", "title", "location", "is_free", "type"):
        if getattr(before, field) != getattr(after, field):
            details = replace(details, **{field: getattr(after, field)})
    return details


def _split(appointment: Appointment, found: Sequence[Appointment], now: dt.datetime) -> None:
    """From here on it is a series of its own: another day of the week, or of the month."""
    old = appointment.series
    assert old is not None
    assert appointment.original_date is not None
    rule = _rule_of(old)
    if rule.occurrences is not None:
        passed = sum(1 for date in rule.dates(old.start_date) if date < appointment.original_date)
        rule = replace(rule, occurrences=max(rule.occurrences - passed, 1))
    new = _add_series(old.provider_id, rule, appointment.original_date, now)
    new.extended_until = old.extended_until
    _end_before(old, appointment.original_date)
    for each in found:
        each.series, each.series_id = new, new.id
    new.start_date = appointment.original_date
    db.session.flush()


def set_original_date(each: Appointment, date: dt.date) -> None:
    """Say which date of its series it is. No two can be the same one; a past one may have it already."""
    db.session.flush()
    taken = db.session.scalar(
        sa.select(Appointment.id).where(
            Appointment.series_id == each.series_id, Appointment.original_date == date
        )
    )
    each.original_date = None if taken else date
    db.session.flush()


def _end_before(series: AppointmentSeries, date: dt.date) -> None:
    series.until, series.occurrences = date - ONE_DAY, None


def _extend_like_its_latest(series: AppointmentSeries, now: dt.datetime) -> int:
    """The latest instance that has no change of its own shows how the series goes on."""
    own_change = sa.exists().where(
        AppointmentHistory.appointment_id == Appointment.id, AppointmentHistory.verb.in_(OWN_CHANGES)
    )
    pattern = db.session.scalar(
        sa.select(Appointment)
        .where(Appointment.series_id == series.id)
        .order_by(own_change, Appointment.original_date.desc())
        .limit(1)
    )
    return extend(series, pattern=pattern, now=now) if pattern else 0


def _add_series(provider_id: int, rule: Rule, start: dt.date, now: dt.datetime) -> AppointmentSeries:
    series = AppointmentSeries(
        provider_id=provider_id,
        frequency=rule.frequency,
        every=rule.every,
        by_weekday=rule.by_weekday,
        until=rule.until,
        occurrences=rule.occurrences,
        start_date=start,
        extended_until=start,
        created_at=now,
    )
    db.session.add(series)
    db.session.flush()
    return series


def check_rule(rule: Rule, start: dt.date) -> None:
    problems = {}
    if not 1 <= rule.every <= LONGEST_STEP:
        problems["every"] = f"Give a number between 1 and {LONGEST_STEP}."
    if rule.until is not None and rule.until < start:
        problems["until"] = "The last date has to be the first one or later."
    if rule.occurrences is not None and not 1 <= rule.occurrences <= MOST_OCCURRENCES:
        problems["occurrences"] = f"Give a number between 1 and {MOST_OCCURRENCES}."
    if problems:
        raise InvalidInput(problems)


def _check_start(start: dt.date, now: dt.date) -> None:
    """A form's transaction keeps other writers out: it books two years of dates at the most."""
    if start < now - MOST_DAYS_BACK * ONE_DAY:
        raise InvalidInput({"date": "A series can begin a year ago at the earliest. Choose a later date."})


def _rule_of(series: AppointmentSeries) -> Rule:
    return Rule(series.frequency, series.every, series.until, series.occurrences, series.by_weekday)


def _details_of(appointment: Appointment) -> AppointmentDetails:
    return AppointmentDetails(
        kind=appointment.kind,
        when=spans.when_of(appointment),
        client=appointment.client,
        title=appointment.title or "",
        location=appointment.location or "",
        is_free=appointment.is_free,
        type=appointment.type,
    )


def on_date(date: dt.date, when: When) -> When:
    """The same time on another date."""
    match when:
        case Timed():
            return replace(when, date=date)
        case AllDay():
            return replace(when, start_date=date, end_date=date + (when.end_date - when.start_date))


def date_of(when: When) -> dt.date:
    return when.date if isinstance(when, Timed) else when.start_date


def _time_of(when: When) -> object:
    """What of a time does not depend on the date."""
    if isinstance(when, Timed):
        return when.time, when.minutes, when.timezone
    return when.end_date - when.start_date, when.timezone
