"""Whether an appointment is in Google: every verdict has its title, its sentence and what can be done."""

from __future__ import annotations

import dataclasses

import pytest

from portal.standing import proof as portal_proof
from portal.words.buttons import ANSWER
from portal.words.sync import proof
from portal.words.sync.proof import Told, proof_words
from tests.words.codes import returned


def verdicts() -> set[str]:
    return returned(portal_proof._judge)


def test_every_verdict_has_its_words_and_no_words_are_unused() -> None:
    assert set(proof.TITLES) == set(proof.SENTENCES) == verdicts()


def test_what_is_told_apart_is_told_apart_by_verdicts_that_come() -> None:
    assert verdicts() >= proof.ON_ITS_WAY | proof.WORTH_A_LOOK | proof.WITH_TITLE


@pytest.mark.parametrize("verdict", sorted(verdicts()))
def test_no_proof_shows_a_gap(verdict: str) -> None:
    told = Told(verdict=verdict, when="Thu", status="canceled", confirmed="just now", error="400")
    said = proof_words(told)
    assert "{" not in said.title + said.sentence and said.sentence


def test_what_is_in_google_is_said_with_when_it_was_confirmed() -> None:
    said = proof_words(
        Told(
            verdict="in-google",
            appointment_id=7,
            when="Thu, Nov 19, 9:00 – 9:50 AM",
            confirmed="2 min ago",
            can_push_again=True,
        )
    )
    assert said.sentence == "Thu, Nov 19, 9:00 – 9:50 AM, confirmed 2 min ago"
    assert said.is_fine and said.shows_title
    assert said.button and (said.button.label, said.button.values) == ("Push again", {"appointment_id": 7})


@pytest.mark.parametrize("verdict", ["waiting", "leaving"])
def test_what_is_on_its_way_is_fine_unless_somebody_has_to_act(verdict: str) -> None:
    moving = Told(verdict=verdict, status="canceled")
    assert proof_words(moving).is_fine
    assert not proof_words(dataclasses.replace(moving, needs_a_person=True)).is_fine


def test_what_waits_for_a_person_leads_to_the_page_that_says_why() -> None:
    said = proof_words(Told(verdict="waiting", needs_a_person=True, can_push_again=True))
    assert (said.sentence, said.button) == (proof.WAITS_FOR_THE_SYNC, proof.SEE_SYNC)


@pytest.mark.parametrize("verdict", ["deleted-there", "held"])
def test_what_is_asked_about_is_answered_and_never_pushed_again(verdict: str) -> None:
    assert proof_words(Told(verdict=verdict, can_push_again=True)).button == ANSWER
