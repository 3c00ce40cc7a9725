"""The comparison of pages sees what a reader sees: `scripts/pages.py` and `scripts/visible_space.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import pages
from scripts.visible_space import Styles, lines_of

STYLES = Styles(".row { display: flex; } .place:empty { display: none; } .row > b { margin: 0; }")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<div><p>a</p></div>", "<div>\n  <p>\n    a\n  </p>\n</div>"),
        ("<p>a <b>b</b></p>", "<p>\n  a\n  <b>b</b>\n</p>"),
        ('<p class="row"><i>a</i>b</p>', '<p class="row">\n  <i>a</i>\n  b\n</p>'),
        ("<p>a <button>b</button> c</p>", "<p>a <button> b </button> c</p>"),
        ('<a href="x">a</a>', '<a\n  href="x"\n>a</a>'),
        ('<p>a<input type="hidden"> b</p>', '<p>a <input type="hidden">b</p>'),
        ('<p class="a b">', '<p class="a  b ">'),
        ('<a id="x" href="y">', '<a href="y" id="x">'),
        ("""<p data-x='{"a": 1, "b": 2}'>""", """<p data-x='{"b":2,"a":1}'>"""),
    ],
)
def test_space_that_nobody_sees_does_not_count(one: str, other: str) -> None:
    without_place = [[line for line in lines_of(page, STYLES) if line != "␣"] for page in (one, other)]
    assert without_place[0] == without_place[1]
    assert lines_of(one, STYLES).count("␣") == lines_of(other, STYLES).count("␣")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p><b>a</b><i>b</i></p>", "<p><b>a</b> <i>b</i></p>"),
        ("<p>a<b>b</b></p>", "<p>a <b>b</b></p>"),
        ("<p>a<button>b</button></p>", "<p>a <button>b</button></p>"),
        ("<pre>a b</pre>", "<pre>a  b</pre>"),
        ('<p class="place"></p>', '<p class="place">\n</p>'),
        ('<p title="a b">', '<p title="a  b">'),
        ("<p>a</p>", "<p>b</p>"),
    ],
)
def test_space_and_words_that_are_seen_count(one: str, other: str) -> None:
    assert lines_of(one, STYLES) != lines_of(other, STYLES)


def test_what_a_run_makes_anew_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = '<a href="/app.css?v=%s">At %s, key %s, %s</a>'
    for folder, values in {
        "before": ("0a1b2c3d4e", "9:41", "aB3dE5gH7jK9mN1pQ3sT5", "Monday"),
        "after": ("ffeeddccbb", "11:02", "zY8xW6vU4tS2rQ0pO8nM6", "Tuesday"),
    }.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "day.html").write_text(page % values)
        (tmp_path / folder / "same.html").write_text(page % (*values[:3], "a day"))
    found = pages.differences(tmp_path / "before", tmp_path / "after")
    assert list(found.values()) == [["day.html"]]
    (change,) = found
    assert "-At N:NN, key TOKEN, Monday" in change
    assert "+At N:NN, key TOKEN, Tuesday" in change


def test_a_page_that_only_one_folder_holds_is_named(tmp_path: Path) -> None:
    for folder in ("before", "after"):
        (tmp_path / folder).mkdir()
    (tmp_path / "after" / "new.html").write_text("<p>a</p>")
    assert pages.differences(tmp_path / "before", tmp_path / "after") == {"only after": ["new.html"]}
