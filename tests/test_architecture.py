"""The shape of the portal: who imports whom, what things are called, and what guards every address."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from portal.clock import utcnow
from portal.extensions import db
from portal.people import accounts
from portal.views.door.callers import Caller, who_may_call
from portal.views.page.signing_in import SAFE_METHODS
from tests.scratch_practice import add_provider, in_context, make_app

ROOT = Path(__file__).resolve().parent.parent
OURS = ("portal", "sandbox", "demo", "bench", "scripts")

GROUND = frozenset(
    {
        *("settings", "config", "errors", "logs", "outward"),
        *("extensions", "columns", "clock", "localtime", "queued", "reading"),
    }
)
# From the ground up. A wing may use every wing before it, and nothing behind it.
WINGS: tuple[frozenset[str], ...] = (
    GROUND,
    frozenset({"models"}),
    frozenset({"sync"}),
    frozenset({"google", "ical"}),
    frozenset({"rows"}),
    frozenset({"people"}),
    frozenset({"practice"}),
    frozenset({"calendar"}),
    frozenset({"feed"}),
    frozenset({"connection"}),
    frozenset({"engine"}),
    frozenset({"standing"}),
    frozenset({"words"}),
    frozenset({"jobs", "cli", "views"}),
    frozenset({"portal"}),  # portal/__init__.py wires them together
)
MOST_MODULES = 14  # beside each other in one package
MOST_LINES = 400  # of a module

# Packages that only one place may know.
AT_ONE_PLACE = {
    "googleapiclient": "portal/google/",
    "google": "portal/google/",
    "google_auth_httplib2": "portal/google/",
    "httplib2": "portal/outward.py",
    "smtplib": "portal/outward.py",
    "socket": "portal/outward.py",
    "ssl": "portal/outward.py",
    "requests": "portal/outward.py",
    "authlib": "portal/google/",
    "joserfc": "portal/google/",
    "rq": "portal/jobs.py",
    "redis": "portal/jobs.py",
    "argon2": "portal/people/accounts.py",
    "click": "portal/cli/",
    "flask_limiter": "portal/views/door/throttling.py",
}
CORE_MAY_IMPORT = {"portal.errors", "portal.sync"} | set(sys.stdlib_module_names)
BANNED_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "stuff"}


@cache
def files(*folders: str) -> dict[str, ast.Module]:
    """Every Python file of these folders, by its path in the repository."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths}


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names, those of `from x import y` as `x.y`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of_portal(name: str) -> str | None:
    """`portal.google.codec` → `google`; `portal.create_app` and `portal.models` → as they are."""
    root, _, rest = name.partition(".")
    if root != "portal":
        return None
    first = rest.partition(".")[0]
    is_module = (ROOT / "portal" / first).is_dir() or (ROOT / "portal" / f"{first}.py").is_file()
    return first if first and is_module else "portal"


def floor(part: str) -> int:
    return next(number for number, parts in enumerate(WINGS) if part in parts)


def module_name(path: str) -> str:
    """`portal/sync/event.py` → `portal.sync.event`; a package by its own name."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def functions(*folders: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, tree in files(*folders).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


# Imports


def upward_imports(trees: Mapping[str, ast.Module]) -> list[str]:
    """Imports of a wing from a wing above its own floor."""
    upward = []
    for path, tree in trees.items():
        here = part_of_portal(module_name(path))
        assert here is not None
        for name in imported(tree):
            there = part_of_portal(name)
            if there is not None and floor(there) > floor(here):
                upward.append(f"{path} ({here}) imports {name}")
    return upward


def arrows(trees: Mapping[str, ast.Module], name_of: Callable[[str], str | None]) -> dict[str, set[str]]:
    """Who imports whom, by the names that `name_of` gives to modules; imports of oneself left out."""
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        here = name_of(module_name(path))
        if here is None:
            continue
        there = {other for name in imported(tree) if (other := name_of(name)) is not None}
        found.setdefault(here, set()).update(there - {here})
    return found


def circles(found: Mapping[str, set[str]]) -> list[set[str]]:
    """Groups that import each other, directly or by way of others."""
    try:
        tuple(TopologicalSorter(found).static_order())
    except CycleError as error:
        return [set(error.args[1])]
    return []


def known_module(known: Collection[str]) -> Callable[[str], str | None]:
    """The module that an imported name comes from: itself, or the one that holds it."""
    return lambda name: next((each for each in (name, name.rpartition(".")[0]) if each in known), None)


def test_a_wing_uses_the_wings_below_it_alone() -> None:
    assert upward_imports(files("portal")) == []


def test_no_two_wings_and_no_two_modules_import_each_other() -> None:
    trees = files("portal")
    assert circles(arrows(trees, part_of_portal)) == []
    assert circles(arrows(trees, known_module({module_name(path) for path in trees}))) == []


def test_an_import_upward_and_a_circle_are_noticed_when_there_is_one() -> None:
    planted = {
        "portal/feed/addresses.py": ast.parse("from portal.engine import run"),
        "portal/engine/run.py": ast.parse("from portal.feed.addresses import new_feed"),
    }
    assert upward_imports(planted) == ["portal/feed/addresses.py (feed) imports portal.engine.run"]
    assert circles(arrows(planted, part_of_portal)) == [{"feed", "engine"}]


def test_every_wing_and_room_says_what_it_is_for_what_it_may_import_and_where_to_begin() -> None:
    packages = {path: tree for path, tree in files("portal").items() if path.endswith("/__init__.py")}
    del packages["portal/__init__.py"]
    silent = []
    for path, tree in packages.items():
        lines = (ast.get_docstring(tree) or "").splitlines()
        begins = any(line.startswith("Begin") for line in lines)
        if len(lines) < 4 or "import" not in lines[2].lower() or not begins:
            silent.append(path)
    assert len(packages) > 20
    assert silent == []


def test_every_part_of_the_portal_has_its_floor() -> None:
    parts = {part_of_portal(module_name(path)) for path in files("portal")}
    assert parts == {part for wing in WINGS for part in wing}


def test_no_package_holds_more_than_one_can_look_over_and_no_module_is_long() -> None:
    beside: dict[str, int] = {}
    for path in files("portal", "sandbox"):
        beside[str(Path(path).parent)] = beside.get(str(Path(path).parent), 0) + 1
    assert {package for package, count in beside.items() if count > MOST_MODULES + 1} == set()  # and __init__
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in files("portal", "sandbox")}
    assert {path for path, lines in lengths.items() if lines > MOST_LINES} == set()


def test_templates_views_and_their_tests_stand_in_rooms_of_the_same_name() -> None:
    rooms = {path.name for path in (ROOT / "portal" / "views").iterdir() if (path / "__init__.py").is_file()}
    assert {path.name for path in (ROOT / "templates").iterdir() if path.is_dir()} <= rooms
    tested = {path.name for path in (ROOT / "tests" / "views").iterdir() if path.is_dir()} - {"__pycache__"}
    assert tested == rooms


def test_the_core_imports_the_standard_library_and_the_errors_alone() -> None:
    foreign = [
        f"{path}: {name}"
        for path, tree in files("portal/sync").items()
        for name in imported(tree)
        if not {name.partition(".")[0], ".".join(name.split(".")[:2])} & CORE_MAY_IMPORT
    ]
    assert foreign == []


def test_dateutil_follows_no_rule_of_ours_and_judges_none() -> None:
    """It has errors of its own: the portal, the sandbox and the tests would share them."""
    users = [
        path
        for path, tree in files("portal", "sandbox", "tests", "demo", "bench").items()
        if any(name.partition(".")[0] == "dateutil" for name in imported(tree))
    ]
    assert users == []


def test_the_core_reads_no_clock_no_file_and_no_environment() -> None:
    calls = re.compile(r"\b(?:utcnow|now|today|time|monotonic|open|getenv|print|random)\(")
    impure = [
        f"{path}: {ast.unparse(node)}"
        for path, tree in files("portal/sync").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and calls.search(ast.unparse(node.func) + "(")
    ]
    assert [line for line in impure if "dt.time(" not in line and ".time()" not in line] == []


def test_only_edges_read_the_clock() -> None:
    readers = {
        path
        for path, tree in files("portal").items()
        if any(name.startswith("portal.clock") for name in imported(tree))
    }
    edges = ("portal/views/", "portal/jobs.py", "portal/cli/")
    # Retry-After may be a date, and a token's life begins when it comes: both need the clock
    by_google = {"portal/google/errors.py", "portal/google/tokens.py"}
    assert {path for path in readers if not path.startswith(edges)} == by_google


@pytest.mark.parametrize(("package", "place"), AT_ONE_PLACE.items())
def test_a_foreign_package_is_known_at_one_place(package: str, place: str) -> None:
    users = {
        path
        for path, tree in files("portal").items()
        if any(name.partition(".")[0] == package for name in imported(tree))
    }
    assert users, f"{package} is used nowhere: take it off this list"
    assert {path for path in users if not path.startswith(place)} == set()


def test_the_sandbox_and_the_portal_never_import_each_other() -> None:
    crossed = [
        f"{path}: {name}"
        for folder, other in (("portal", "sandbox"), ("sandbox", "portal"))
        for path, tree in files(folder).items()
        for name in imported(tree)
        if name.partition(".")[0] in (other, "demo", "tests", "bench")
    ]
    assert crossed == []


# Names and sizes


def test_nothing_is_called_by_a_name_that_says_nothing() -> None:
    names = [(path, Path(path).stem) for path in files(*OURS)]
    names += [
        (path, node.name)
        for path, tree in files(*OURS).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert [f"{path}: {name}" for path, name in names if words(name) & BANNED_WORDS] == []


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def test_functions_are_short() -> None:
    """docs and style: median under 10 lines, nine in ten under 30, none over 60, docstrings not counted."""
    lengths = {f"{path}:{node.name}": length(node) for path, node in functions("portal")}
    assert statistics.median(lengths.values()) < 10
    assert statistics.quantiles(lengths.values(), n=10)[-1] < 30
    assert {name for name, lines in lengths.items() if lines > 60} == set()


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    text = ast.get_docstring(node, clean=False)
    docstring = node.body[0].end_lineno - node.body[0].lineno + 1 if text is not None else 0  # type: ignore[operator]
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1 - docstring


def test_every_module_of_the_portal_says_what_lives_in_it() -> None:
    said = {path: ast.get_docstring(tree) or "" for path, tree in files("portal", "sandbox").items()}
    said["portal/errors.py"], _, tree = said["portal/errors.py"].partition("\n\n")
    assert tree.startswith("PortalError"), "the tree of errors is drawn there"
    assert [path for path, text in said.items() if not 1 <= len(text.splitlines()) <= 6] == []


# Addresses


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The portal as it runs: forms need their token, and an error is a page."""
    app = make_app(tmp_path)
    app.config.update(WTF_CSRF_ENABLED=True, PROPAGATE_EXCEPTIONS=False)
    app.add_url_rule("/crash", "crash", crash, methods=["GET", "POST"])
    yield app
    with in_context(app):
        db.session.remove()


def crash() -> str:
    """A bug in a view."""
    raise ZeroDivisionError


@pytest.fixture
def signed_in(app: Flask) -> FlaskClient:
    """A browser with an open session."""
    with in_context(app):  # and out of it: a request inside would share its `g`, and who is signed in
        token = accounts.open_session(add_provider(), now=utcnow())
        db.session.commit()
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return browser


def address(rule: Rule) -> str:
    """An address of this rule, with something that does not exist in every gap."""
    return re.sub(r"<(?:int:)?\w+>", "999", re.sub(r"<path:\w+>", "none.css", rule.rule))


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))


def unsafe(rule: Rule) -> set[str]:
    return (rule.methods or set()) - SAFE_METHODS


def test_every_address_is_behind_the_door_unless_its_route_says_otherwise(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser, open_doors, tried = app.test_client(), [], 0
    for rule in rules(app):
        if who_may_call(app, rule.endpoint) in (Caller.ANYBODY, Caller.MACHINE):
            continue
        for method in (rule.methods or set()) - {"OPTIONS"}:
            tried += 1
            answer = browser.open(address(rule), method=method)
            if answer.status_code != 303 or not answer.location.startswith("/login"):
                open_doors.append(f"{method} {rule.rule}: {answer.status_code}")
    assert open_doors == []
    assert tried > 40


def test_every_unsafe_address_wants_a_token_except_the_webhook(app: Flask, signed_in: FlaskClient) -> None:
    answers = {
        f"{method} {rule.rule}": signed_in.open(address(rule), method=method).status_code
        for rule in rules(app)
        for method in unsafe(rule)
    }
    assert answers.pop("POST /webhooks/google") == 404
    assert set(answers.values()) == {400}
    assert len(answers) > 15


def test_every_answer_carries_the_headers(app: Flask, signed_in: FlaskClient) -> None:
    """Pages, redirects, refusals and crashes alike; signed in or not."""
    seen: set[int] = set()
    bare: list[str] = []
    for browser in (signed_in, app.test_client()):
        for where, method in every_request(app):
            with browser.open(where, method=method) as answer:
                seen.add(answer.status_code)
                lacks = missing(answer.headers) - ({"cache"} if where.startswith("/static/") else set())
                bare += [f"{method} {where} {answer.status_code}: {what}" for what in sorted(lacks)]
    assert bare == []
    assert seen >= {200, 303, 400, 404, 405, 500}


def every_request(app: Flask) -> list[tuple[str, str]]:
    """Each address by each of its methods, one that does not exist, and one by a method it does not know."""
    known = [(address(rule), method) for rule in rules(app) for method in sorted(rule.methods or set())]
    return [*known, ("/nowhere", "GET"), ("/healthz", "DELETE"), ("/static/app.css", "GET")]


def missing(headers: object) -> set[str]:
    """What an answer lacks."""
    values = dict(headers)  # type: ignore[call-overload]
    policy = values.get("Content-Security-Policy", "")
    checks = {
        "default-src": policy.startswith("default-src 'none'"),
        "inline": "unsafe" not in policy,
        "frames": "frame-ancestors 'none'" in policy,
        "nosniff": values.get("X-Content-Type-Options") == "nosniff",
        "referrer": values.get("Referrer-Policy") in ("same-origin", "no-referrer"),
        "robots": "noindex" in values.get("X-Robots-Tag", ""),
        "cache": "Cache-Control" in values,
        "permissions": "Permissions-Policy" in values,
    }
    return {name for name, holds in checks.items() if not holds}


def test_a_crash_is_a_plain_page(signed_in: FlaskClient) -> None:
    answer = signed_in.get("/crash?name=Canary")
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    assert not [word for word in ("ZeroDivisionError", "Traceback", "Canary") if word in text]


def test_a_cookie_without_its_session_opens_nothing(app: Flask, signed_in: FlaskClient) -> None:
    assert signed_in.get("/calendar").status_code == 200
    with signed_in.session_transaction() as cookie:
        cookie["_user_id"] = "guessed"
    assert signed_in.get("/calendar").status_code == 303
