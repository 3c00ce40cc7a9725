"""Write static/css/grid.css: rows of five minutes, lanes, folded hours, day spans and columns as classes.

An entry says where it stands by class, because the pages allow no inline style. After a change here, run
`python -m scripts.grid_css`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SLOTS_PER_HOUR = 12
SLOTS_PER_DAY = 24 * SLOTS_PER_HOUR
COLUMNS = 60  # of one day; divides evenly by 1 to 6 lanes
MOST_LANES = 8
MOST_COLUMNS = 12  # providers side by side
LATEST_OPENING = 12  # hour; the hours shown begin no later
EARLIEST_CLOSING = 13
TARGET = Path(__file__).parent.parent / "static" / "css" / "grid.css"


def rules() -> Iterator[str]:
    yield "/* Written by scripts/grid_css.py: five-minute rows, lanes, folded hours, day spans, columns. */"
    yield from (f".from-{slot}{{grid-row-start:{slot + 1}}}" for slot in range(SLOTS_PER_DAY))
    yield from (f".to-{slot}{{grid-row-end:{slot + 1}}}" for slot in range(1, SLOTS_PER_DAY + 1))
    yield from _lanes()
    yield from _hours()
    for first in range(1, 8):
        yield from (f".days-{first}-{last}{{grid-column:{first + 1}/{last + 2}}}" for last in range(first, 8))
    yield from (f".days-{n}-{n}{{grid-column:{n + 1}/{n + 2}}}" for n in range(8, MOST_COLUMNS + 1))
    for count in range(2, MOST_COLUMNS + 1):
        yield f".week.cols-{count}{{grid-template-columns:3.5rem repeat({count},minmax(0,1fr))}}"
    yield ""


def _lanes() -> Iterator[str]:
    for lanes in range(1, MOST_LANES + 1):
        for lane in range(1, lanes + 1):
            left, right = (lane - 1) * COLUMNS // lanes, lane * COLUMNS // lanes
            yield f".lane-{lane}-of-{lanes}{{grid-column:{left + 1}/{right + 1}}}"


def _hours() -> Iterator[str]:
    """Rows outside the hours shown have no height."""
    for first in range(LATEST_OPENING + 1):
        for last in range(EARLIEST_CLOSING, 25):
            bands = (
                (first * SLOTS_PER_HOUR, "0"),
                ((last - first) * SLOTS_PER_HOUR, "var(--slot)"),
                (SLOTS_PER_DAY - last * SLOTS_PER_HOUR, "0"),
            )
            rows = " ".join(f"repeat({count},{height})" for count, height in bands if count)
            yield f".hours-{first}-{last}{{grid-template-rows:{rows}}}"


if __name__ == "__main__":
    TARGET.write_text("\n".join(rules()))
