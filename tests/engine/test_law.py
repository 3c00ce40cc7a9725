"""Sentences of the law that no other file proves, each by a test that failed before it was kept."""

from __future__ import annotations

import datetime as dt

from tests.engine.conftest import EMAIL, Office
from tests.engine.test_machine import google_shows
from tests.engine.test_pull import timed

# Inward


def test_a_first_date_that_its_rule_passes_by_is_shown_as_google_shows_it(office: Office) -> None:
    """COUNT counts the rule's own dates, and the first one stands beside them (facts §7)."""
    times = timed(office, days=2)
    weekday = dt.datetime.fromisoformat(times["start"]["dateTime"]).weekday()
    next_day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[(weekday + 1) % 7]
    rule = [f"RRULE:FREQ=WEEKLY;BYDAY={next_day};COUNT=3"]
    office.google.add_event(EMAIL, summary="Choir", recurrence=rule, **times)
    office.connect_and_rest()
    starts = [occurrence.starts_at for occurrence in office.occurrences()]
    assert starts == google_shows(office)
    assert len(starts) == 4
