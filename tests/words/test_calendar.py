"""The calendar: each filter, view, shortcut and display of names has its words, none is unused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.models import NameDisplay
from portal.views.calendar.calendar import SHOWN
from portal.views.calendar.windows import VIEWS
from portal.words import calendar

ROOT = Path(__file__).resolve().parents[2]


def test_every_filter_has_its_words_and_its_key() -> None:
    assert tuple(name for name, _, _ in calendar.FILTERS) == SHOWN
    styles = "\n".join(path.read_text() for path in (ROOT / "static").rglob("*.css"))
    assert [key for _, _, key in calendar.FILTERS if not re.search(rf"\.key-{key}\b", styles)] == []


def test_every_view_but_the_agenda_says_when_it_is_empty() -> None:
    assert set(calendar.NOTHING_BOOKED) == set(VIEWS) - {"agenda"}


def test_every_way_to_show_a_name_outside_is_told() -> None:
    assert set(calendar.NAMES_OUTSIDE) == set(NameDisplay)


def test_no_key_means_two_things() -> None:
    keys = [key for key, _ in calendar.SHORTCUTS]
    assert len(keys) == len(set(keys)) == 12


@pytest.mark.parametrize(("hour", "words"), [(0, "12 AM"), (9, "9 AM"), (12, "12 PM"), (23, "11 PM")])
def test_an_hour_is_told_by_the_twelve_hour_clock(hour: int, words: str) -> None:
    assert calendar.hour_name(hour) == words
