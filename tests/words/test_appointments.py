"""Appointments: every status has its sign, every choice of a form is one the form reads."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from portal.models import AppointmentStatus
from portal.practice.series import Scope
from portal.views.page.wording import STATUSES
from portal.words import appointments

SPRITE = Path(__file__).resolve().parents[2] / "static" / "icons.svg"


def test_every_status_has_a_sign_and_a_word() -> None:
    assert set(appointments.ICONS) == set(AppointmentStatus)
    assert set(STATUSES) == {status.value for status in AppointmentStatus}


def test_every_sign_is_drawn() -> None:
    drawn = {element.get("id") for element in ElementTree.parse(SPRITE).iter()}
    assert set(appointments.ICONS.values()) <= drawn


def test_an_answer_about_a_series_is_one_of_its_scopes() -> None:
    assert [value for value, _ in appointments.APPLY_TO] == [scope.value for scope in Scope]


def test_the_hint_counts_what_each_answer_is_about() -> None:
    hint = appointments.apply_to_hint(following=3, all_=7)
    assert "This and following: 3 appointments. All that are still to come: 7." in hint


@pytest.mark.parametrize(("number", "words"), [(1, "1 appointment overlaps"), (2, "2 appointments overlap")])
def test_overlaps_are_counted(number: int, words: str) -> None:
    assert appointments.overlapping(number) == words


def test_whatever_may_lie_in_the_way_has_a_word() -> None:
    assert set(appointments.OVERLAPPED) == {"appointment", "google"}
