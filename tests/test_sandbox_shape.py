"""The shape of the sandbox: its wings, who imports whom, how much stands beside each other."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SANDBOX = ROOT / "sandbox"

# From the ground up. A wing may import those before it; what stands beside the wings may import them all.
WINGS = (
    "ground",
    "trouble",
    "push",
    "state",
    "sign_in",
    "calls",
    "event",
    "resources",
    "api",
    "people",
    "control",
    "pages",
)
TOP = "sandbox"
MOST_MODULES = 14
MOST_LINES = 400


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its dotted name; a package's `__init__` by the package's."""
    return {_name(path): ast.parse(path.read_text("utf-8")) for path in sorted(SANDBOX.rglob("*.py"))}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules of the sandbox that this one imports, wherever in it, for types only or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names = {name if name in modules() else str(node.module) for name in whole}
        else:
            continue
        yield from names & set(modules())


def wing(module: str) -> str:
    """`sandbox.push.channels` → `push`; what stands beside the wings → `sandbox`."""
    first = module.removeprefix("sandbox").removeprefix(".").partition(".")[0]
    return first if (SANDBOX / first).is_dir() and first else TOP


def height(wing_: str) -> int:
    return len(WINGS) if wing_ == TOP else WINGS.index(wing_)


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle in the graph, its first name again at the end; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def graph_of_modules() -> dict[str, set[str]]:
    return {name: set(imported(tree)) - {name} for name, tree in modules().items()}


def graph_of_wings(of_modules: dict[str, set[str]]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for name, others in of_modules.items():
        graph.setdefault(wing(name), set()).update({wing(other) for other in others} - {wing(name)})
    return graph


def upward(of_modules: dict[str, set[str]]) -> list[str]:
    return [
        f"{name} imports {other}"
        for name, others in of_modules.items()
        for other in sorted(others)
        if height(wing(other)) > height(wing(name))
    ]


def said_to_be_imported(wing_: str) -> list[str]:
    """The wings that the docstring's sentence `May import a, b and c.` names, in its order."""
    text = ast.get_docstring(modules()[f"sandbox.{wing_}"]) or ""
    sentence = re.search(r"^May import (.+)\.$", text, re.M)
    assert sentence, wing_
    return [word for word in re.findall(r"\w+", sentence[1]) if word in WINGS]


def test_a_wing_imports_only_those_before_it() -> None:
    assert upward(graph_of_modules()) == []


def test_no_circle_joins_wings() -> None:
    assert circle(graph_of_wings(graph_of_modules())) == []


def test_no_circle_joins_modules() -> None:
    assert circle(graph_of_modules()) == []


def test_an_import_upward_and_a_circle_would_be_noticed() -> None:
    source = "def later():\n    from sandbox.calls.access import Call\n"
    planted = graph_of_modules() | {"sandbox.push.channel": set(imported(ast.parse(source)))}
    assert upward(planted) == ["sandbox.push.channel imports sandbox.calls.access"]
    assert set(circle(graph_of_wings(planted))) == {"push", "state", "calls"}
    assert "sandbox.calls.access" in circle(planted)


def test_the_order_of_the_wings_is_written_down_as_it_is_held() -> None:
    packages = {path.parent.name for path in SANDBOX.glob("*/__init__.py")}
    assert packages == set(WINGS)
    said = " ".join((ast.get_docstring(modules()[TOP]) or "").split())
    assert f": {', '.join(WINGS)}." in said
    table = re.findall(r"^\| `(\w+)/` \|", (SANDBOX / "README.md").read_text("utf-8"), re.M)
    assert tuple(table) == WINGS


def test_every_wing_says_what_it_is_for_what_it_may_import_and_where_to_begin() -> None:
    for one in WINGS:
        lines = (ast.get_docstring(modules()[f"sandbox.{one}"]) or "").splitlines()
        purpose, empty, may_import, begin = lines
        assert len(purpose) > 30
        assert empty == ""
        assert may_import.startswith("May import ")
        place = re.fullmatch(r"Begin reading in `(\w+\.py)`\.", begin)
        assert place, one
        assert (SANDBOX / one / place[1]).is_file()


def test_a_wing_imports_what_it_says_and_nothing_else() -> None:
    graph = graph_of_wings(graph_of_modules())
    for one in WINGS:
        assert said_to_be_imported(one) == sorted(graph[one], key=height), one


def test_at_most_fourteen_modules_stand_beside_each_other() -> None:
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in SANDBOX.rglob("*.py"))
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in SANDBOX.rglob("*.py")}
    lengths = {path: len(text.splitlines()) for path, text in texts.items()}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_the_tests_of_the_sandbox_stand_in_folders_named_after_its_wings() -> None:
    folders = {path.parent.name for path in (ROOT / "tests" / "sandbox").glob("*/test_*.py")}
    assert folders
    assert folders <= set(WINGS)
