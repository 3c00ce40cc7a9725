"""Style sheets and scripts keep to their own rules, and reach a page in few requests."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.calendar import layout
from portal.views.page import assets
from scripts import grid_css
from tests.scratch_practice import Browser, add_provider, in_context, make_app

STATIC = Path(__file__).parent.parent / "static"
MOST_SCRIPT_BYTES = 15_000
MOST_SCRIPT_LINES = 149
MOST_REQUESTS = 8
YEAR_SECONDS = 31_536_000
HAIRLINE_PIXELS = 3
SIZES = "font|font-size|border-radius|padding[a-z-]*|margin[a-z-]*|gap|row-gap|column-gap"
# Made of a word of ours and a state: `disc-{{ tone }}`.
PREFIXES = ("disc-", "is-no-show", "key-", "notice-", "seen-", "status-")
SHEETS = tuple(name for name in assets.SHEETS if name not in ("tokens", "grid"))


def without_comments(sheet: str) -> str:
    return re.sub(r"/\*.*?\*/", "", (STATIC / "css" / f"{sheet}.css").read_text(), flags=re.S)


def rules(sheet: str) -> list[tuple[str, str]]:
    """(selector, declarations) of every rule, those inside media queries too."""
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", without_comments(sheet))
    return [(selector.strip(), declarations) for selector, declarations in found]


def heads(sheet: str) -> list[tuple[str, str]]:
    """(media query or nothing, selector) of every rule."""
    found, media = [], ""
    for head, end in re.findall(r"([^{}]*)([{}])", without_comments(sheet)):
        if end == "{" and head.strip().startswith("@media"):
            media = head.strip()
        elif end == "{":
            found.append((media, head.strip()))
        elif not head.strip():
            media = ""  # the end of the query: that of a rule has its declarations before it
    return found


def without_sums(declarations: str) -> str:
    """What is reckoned from other sizes is no size of its own."""
    return re.sub(r"calc\([^()]*\)", "", re.sub(r"var\(.*?\)", "", declarations))


def lengths(declarations: str, properties: str) -> list[tuple[float, str]]:
    """Every raw length among these properties' values."""
    values = re.findall(rf"(?:^|[;{{\s])(?:{properties}): ([^;]*)", declarations)
    return [(float(size), unit) for size, unit in re.findall(r"(\d*\.?\d+)(rem|px)\b", " ".join(values))]


def script(name: str) -> str:
    return (STATIC / "js" / f"{name}.js").read_text()


def imports(name: str) -> dict[str, list[str]]:
    """What a script imports, by the script it imports from."""
    found = re.findall(r'^import \{ (.+) \} from "\./(\w+)\.js";$', script(name), re.M)
    return {source: names.split(", ") for names, source in found}


def declared(name: str) -> list[str]:
    """What a script declares at its top level."""
    return re.findall(r"^(?:export )?(?:async )?(?:const|let|function|class) ([\w$]+)", script(name), re.M)


def exported(name: str) -> set[str]:
    return set(re.findall(r"^export (?:async )?(?:const|let|function|class) ([\w$]+)", script(name), re.M))


@pytest.fixture
def browser(tmp_path: Path) -> FlaskClient:
    app = make_app(tmp_path)
    with in_context(app):
        email = add_provider().email
    return Browser(app.test_client()).sign_in(email).client


def test_the_grid_is_what_its_script_writes() -> None:
    assert (STATIC / "css" / "grid.css").read_text() == "\n".join(grid_css.rules())


def test_the_grid_offers_what_the_layout_asks_for() -> None:
    assert grid_css.SLOTS_PER_DAY == layout.SLOTS_PER_DAY
    assert grid_css.MOST_LANES == layout.MOST_LANES
    assert grid_css.MOST_COLUMNS == layout.MOST_COLUMNS
    assert grid_css.LATEST_OPENING == layout.LATEST_OPENING
    assert grid_css.EARLIEST_CLOSING == layout.EARLIEST_CLOSING


def test_our_scripts_are_small() -> None:
    """As they travel; what is vendored is not ours."""
    assert len(gzip.compress(assets.join_scripts(STATIC).encode())) < MOST_SCRIPT_BYTES


def test_each_script_can_be_read_at_one_sitting() -> None:
    long = {name: len(script(name).splitlines()) for name in assets.SCRIPTS}
    assert {name: lines for name, lines in long.items() if lines > MOST_SCRIPT_LINES} == {}


@pytest.mark.parametrize(("kind", "listed"), [("css", assets.SHEETS), ("js", assets.SCRIPTS)])
def test_every_file_in_the_folder_is_listed_once_and_the_other_way_round(
    kind: str, listed: tuple[str, ...]
) -> None:
    assert sorted(listed) == sorted(path.stem for path in (STATIC / kind).iterdir())


def test_a_script_imports_from_earlier_ones_what_they_export() -> None:
    """So they may stand in one file in the order of the list, and none goes round in a circle."""
    for place, name in enumerate(assets.SCRIPTS):
        assert script(name).count("import") == len(imports(name)), name
        for source, names in imports(name).items():
            assert source in assets.SCRIPTS[:place], (name, source)
            assert set(names) <= exported(source), (name, source)


def test_what_a_script_imports_is_used_and_what_it_exports_is_imported() -> None:
    asked = {
        (source, each) for name in assets.SCRIPTS for source, names in imports(name).items() for each in names
    }
    assert {(name, each) for name in assets.SCRIPTS for each in exported(name)} == asked
    for name in assets.SCRIPTS:
        body = re.sub(r"^import .*$", "", script(name), flags=re.M)
        for each in (each for names in imports(name).values() for each in names):
            assert re.search(rf"(?<![\w$.]){re.escape(each)}(?![\w$])", body), (name, each)


def test_no_two_scripts_declare_the_same_name() -> None:
    names = [each for name in assets.SCRIPTS for each in declared(name)]
    assert sorted(names) == sorted(set(names))


def test_the_joined_scripts_ask_for_nothing_more() -> None:
    assert not re.search(r"^\s*(import|export)\b", assets.join_scripts(STATIC), re.M)


def test_the_sheets_are_joined_in_the_order_of_the_cascade() -> None:
    in_order = " ".join(without_comments(name) for name in assets.SHEETS)
    assert assets.join_sheets(STATIC).split() == in_order.split()
    assert (assets.SHEETS[0], assets.SHEETS[-1]) == ("tokens", "print")


def test_a_joined_file_may_be_kept_for_a_year_under_an_address_of_its_content(browser: FlaskClient) -> None:
    page = browser.get("/calendar").text
    for name, kind in assets.JOINED.items():
        [where] = re.findall(rf'"(/static/{re.escape(name)}\?v=[0-9a-f]{{10}})"', page)
        answer = browser.get(where)
        assert answer.mimetype == kind
        assert answer.cache_control.max_age == YEAR_SECONDS
        assert where.endswith(hashlib.sha256(answer.data).hexdigest()[:10])
        assert browser.get(where, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_other_files_are_served_as_they_are(browser: FlaskClient) -> None:
    with browser.get("/static/icons.svg") as answer:
        assert answer.data == (STATIC / "icons.svg").read_bytes()
        assert answer.cache_control.max_age == YEAR_SECONDS
    assert browser.get("/static/nothing.css").status_code == 404


def test_a_first_visit_of_the_calendar_makes_few_requests(browser: FlaskClient) -> None:
    """The page, what it names, and what its sheets and icons name in turn."""
    page = browser.get("/calendar").text
    named = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))
    sheets = "".join(browser.get(each).text for each in named if "/app.css" in each)
    assert sheets
    assert re.findall(r"url\(|@import|src:", sheets) == []
    assert len(named) + 1 <= MOST_REQUESTS


@pytest.mark.parametrize("sheet", SHEETS)
def test_colours_come_from_the_tokens_alone(sheet: str) -> None:
    raw = [pair for pair in rules(sheet) if re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", pair[1], re.I)]
    assert raw == []


@pytest.mark.parametrize("sheet", SHEETS)
def test_the_google_colour_is_used_for_google_events_alone(sheet: str) -> None:
    users = [selector for selector, declarations in rules(sheet) if "var(--google" in declarations]
    assert [selector for selector in users if "google" not in selector] == []


def test_no_selector_stands_twice() -> None:
    """In one query, over all the sheets: who looks for what holds finds it in one place."""
    counted = Counter(head for sheet in SHEETS for head in heads(sheet))
    assert [head for head, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("sheet", SHEETS)
def test_type_space_and_corners_come_from_the_tokens(sheet: str) -> None:
    """Hairlines apart, and the numbers of a drawing, which are in its own units."""
    raw = [
        (selector, size, unit)
        for selector, declarations in rules(sheet)
        if not selector.startswith(".dial")
        for size, unit in lengths(without_sums(declarations), SIZES)
        if unit == "rem" or size > HAIRLINE_PIXELS
    ]
    assert raw == []


def test_the_bar_and_the_foot_have_their_height_in_one_place() -> None:
    tokens = (STATIC / "css" / "tokens.css").read_text()
    heights = [re.escape(height) for height in re.findall(r"--(?:bar|foot): ([\d.]+rem);", tokens)]
    assert len(heights) == 2
    raw = re.compile(rf"(?<![\d.])(?:{'|'.join(heights)})")
    assert [sheet for sheet in SHEETS if raw.search(without_comments(sheet))] == []


def test_every_class_of_the_sheets_is_on_a_page() -> None:
    root = STATIC.parent
    sources = [*root.glob("templates/**/*.html"), *root.glob("portal/**/*.py"), *root.glob("static/js/*.js")]
    words = set(re.findall(r"[A-Za-z][\w-]*", "\n".join(path.read_text() for path in sources)))
    styled = {
        name for sheet in SHEETS for _, head in heads(sheet) for name in re.findall(r"\.([a-z][\w-]*)", head)
    }
    made = {f"is-{word}" for word in words}  # of a state that the core names
    assert {name for name in styled - words - made if not name.startswith(PREFIXES)} == set()
