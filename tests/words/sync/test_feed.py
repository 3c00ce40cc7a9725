"""The one-way feed: every family of readers has its name, and times read as people say them."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.feed import readers
from portal.words.sync import feed


def families() -> set[str]:
    return {family for _, family in readers.READERS} | {readers.reader_family("something else")}


def test_every_family_has_its_name_and_no_name_is_unused() -> None:
    assert set(feed.READERS) == families()


def test_the_soonest_read_is_named_when_it_can_be_expected() -> None:
    assert feed.soonest("google", next_read="Today, 6:08 PM", last_read="2 h ago") == (
        "A change you make now shows in Google Calendar around Today, 6:08 PM"
    )
    assert feed.soonest("apple", next_read="", last_read="2 h ago") == (
        "Apple Calendar has read your feed once, 2 h ago"
    )


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (None, "Once"),
        (dt.timedelta(minutes=15, seconds=20), "About every 15 min"),
        (dt.timedelta(hours=1), "About every 1.0 h"),
        (dt.timedelta(hours=11, minutes=24), "About every 11.4 h"),
    ],
)
def test_how_often_a_reader_comes(interval: dt.timedelta | None, words: str) -> None:
    assert feed.how_often(interval) == words


def test_what_a_reader_got() -> None:
    assert feed.got(304) == "Unchanged"
    assert feed.got(200) == "The whole feed"
