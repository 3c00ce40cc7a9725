"""The style sheets keep to their own rules."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from portal.calendar import layout
from scripts import grid_css

STATIC = Path(__file__).parent.parent / "static"
MOST_SCRIPT_BYTES = 15_000
SHEETS = ("app.css", "settings.css")


def rules(sheet: str) -> list[tuple[str, str]]:
    """(selector, declarations) of every rule, those inside media queries too."""
    text = re.sub(r"/\*.*?\*/", "", (STATIC / sheet).read_text(), flags=re.S)
    return [(found[0].strip(), found[1]) for found in re.findall(r"([^{}]+)\{([^{}]*)\}", text)]


def test_the_grid_is_what_its_script_writes() -> None:
    assert (STATIC / "grid.css").read_text() == "\n".join(grid_css.rules())


def test_the_grid_offers_what_the_layout_asks_for() -> None:
    assert grid_css.SLOTS_PER_DAY == layout.SLOTS_PER_DAY
    assert grid_css.MOST_LANES == layout.MOST_LANES
    assert grid_css.MOST_COLUMNS == layout.MOST_COLUMNS
    assert grid_css.LATEST_OPENING == layout.LATEST_OPENING
    assert grid_css.EARLIEST_CLOSING == layout.EARLIEST_CLOSING


def test_our_scripts_are_small() -> None:
    """As they travel; what is vendored is not ours."""
    assert sum(len(gzip.compress(path.read_bytes())) for path in STATIC.glob("*.js")) < MOST_SCRIPT_BYTES


@pytest.mark.parametrize("sheet", SHEETS)
def test_colours_come_from_the_tokens_alone(sheet: str) -> None:
    raw = [pair for pair in rules(sheet) if re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", pair[1], re.I)]
    assert raw == []


@pytest.mark.parametrize("sheet", SHEETS)
def test_the_google_colour_is_used_for_google_events_alone(sheet: str) -> None:
    users = [selector for selector, declarations in rules(sheet) if "var(--google" in declarations]
    assert [selector for selector in users if "google" not in selector] == []
