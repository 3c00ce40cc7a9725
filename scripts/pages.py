"""Are the pages what they were? Keeps every page that the tests draw, and compares two such folders.

Keep, as a plugin of pytest, before and after a change that must not be seen:

    PAGES_KEPT_IN=/tmp/before python -m pytest -p scripts.pages -p no:randomly tests/views

Compare (exit status 1 when a page differs):

    python -m scripts.pages /tmp/before /tmp/after

White space counts where a reader would see it, and nowhere else (`scripts/visible_space.py`). What
differs from run to run is replaced: tokens, marks of assets, the digits of clock times.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient

from scripts.visible_space import Styles, lines_of

FOLDER = "PAGES_KEPT_IN"
STYLESHEETS = Path(__file__).resolve().parent.parent / "static"

# What a run makes anew, and what stands in its place. The first that fits a place is used.
CHANGES_WITH_THE_RUN = (
    (re.compile(r"(?<=[?&]v=)[0-9a-f]{8,}|(?<=\.)[0-9a-f]{8,}(?=\.(?:css|js|svg))"), "MARK"),
    (re.compile(r"(?<![\w-])(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])[\w.-]{20,}(?![\w-])"), "TOKEN"),
    (re.compile(r"(?<![\w-])[A-Za-z_]{32,}(?![\w-])"), "TOKEN"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:]+\.\d+(?:\+[\d:]+)?"), "INSTANT"),
    (re.compile(r"\b\d{1,2}(?::\d\d)+\b"), "N:NN"),
    (re.compile(r"\b\d+(?= (?:seconds?|minutes?|min|s)\b ago)"), "N"),
    (re.compile(r"(?<=data-version=\")[^\"]*"), "VERSION"),
    (re.compile(r"(?<=data-now-row=\")\d+|(?<=now from-)\d+|(?<=now-dot from-)\d+"), "N"),
    (re.compile(r"(?<=//)(?:127\.0\.0\.1|localhost)(?::\d+)?"), "HOST"),
)


# Keeping


class Keeper:
    """Writes the pages of the test that runs, numbered in the order in which they were asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.test = "outside"
        self.number = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.test, self.number = item.nodeid, 0
        return (yield)

    def keep(self, response: Response) -> None:
        if response.mimetype != "text/html":
            return
        self.number += 1
        place = self.folder / _folder_name(self.test)
        place.mkdir(parents=True, exist_ok=True)
        request = response.request  # type: ignore[attr-defined]  # the test client's answers carry it
        first = f"<!-- {request.method} {request.path} {response.status_code} -->\n"
        (place / f"{self.number:03}.html").write_text(first + response.get_data(as_text=True))


def _folder_name(test: str) -> str:
    """Readable, and one test's own even where the readable part is cut."""
    readable = re.sub(r"[^\w.-]+", "-", test.removeprefix("tests/")).strip("-")
    return f"{readable[:120]}-{hashlib.sha256(test.encode()).hexdigest()[:6]}"


def pytest_configure(config: pytest.Config) -> None:
    folder = os.environ.get(FOLDER)
    if not folder:
        raise pytest.UsageError(f"scripts.pages needs {FOLDER}, the folder to keep the pages in")
    keeper = Keeper(Path(folder))
    config.pluginmanager.register(keeper)
    ask = FlaskClient.open

    def ask_and_keep(browser: FlaskClient, *arguments: Any, **values: Any) -> Any:
        response = ask(browser, *arguments, **values)
        keeper.keep(response)  # type: ignore[arg-type]
        return response

    FlaskClient.open = ask_and_keep  # type: ignore[method-assign, assignment]


# Comparing


def normal(page: str, styles: Styles) -> list[str]:
    """The page's lines: one for each element's beginning and end and for each text between."""
    lines = lines_of(page, styles)
    for pattern, instead in CHANGES_WITH_THE_RUN:
        lines = [pattern.sub(instead, line) for line in lines]
    return lines


def differences(before: Path, after: Path) -> dict[str, list[str]]:
    """Each different change, as the lines of a short diff, with the pages that show it."""
    styles = Styles.read(STYLESHEETS)
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(_pages(before) | _pages(after)):
        if not (before / name).exists() or not (after / name).exists():
            found["only " + ("before" if (before / name).exists() else "after")].append(name)
            continue
        ours, theirs = (normal((folder / name).read_text(), styles) for folder in (before, after))
        if ours != theirs:
            shown = list(difflib.unified_diff(ours, theirs, lineterm="", n=1))[2:]
            found["\n".join(re.sub(r"^@@.*", "@@", line) for line in shown)].append(name)
    return found


def _pages(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.html")}


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare two folders of kept pages")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--lines", type=int, default=40, help="how much of each diff is shown")
    asked = parser.parse_args()
    found = differences(asked.before, asked.after)
    for change, names in sorted(found.items(), key=lambda each: -len(each[1])):
        print(f"{len(names)} pages, such as {', '.join(names[:3])}")
        print("\n".join("    " + line for line in change.splitlines()[: asked.lines]), end="\n\n")
    pages = len(_pages(asked.before) | _pages(asked.after))
    print(f"{pages} pages compared, {sum(map(len, found.values()))} differ, in {len(found)} ways")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
