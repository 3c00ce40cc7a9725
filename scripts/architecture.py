"""Draws the portal's wings and who uses whom, from the imports themselves, into docs/architecture.md.

`python -m scripts.architecture` writes the picture anew; a test holds that it is the one in the document.
An arrow that follows from others is left out: who uses `engine` reaches what `engine` uses.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by `python -m scripts.architecture` -->", "<!-- end of the drawing -->"
EDGES = frozenset({"jobs", "cli", "views"})  # of the portal, not of the graph


def main() -> None:
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{picture()}{END}{after}")


def picture() -> str:
    """The wings as a Mermaid graph, callers above."""
    used = uses()
    direct = {wing: _direct(wing, used) for wing in used}
    lines = [f"    {wing} --> {other}" for wing in sorted(direct) for other in sorted(direct[wing])]
    return "\n".join(["```mermaid", "graph TD", *lines, "```", ""])


def uses() -> dict[str, set[str]]:
    """Which other wings each wing imports from. The files of the ground are one."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "portal").rglob("*.py")):
        inside = path.relative_to(ROOT / "portal").with_suffix("").parts
        if inside != ("__init__",):  # which wires everything
            here = _wing(inside[0])
            found.setdefault(here, set()).update(_imported(ast.parse(path.read_text())) - {here})
    return found


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "portal":
            inside = (node.module or "").split(".")[1:]
            found |= {_wing(inside[0])} if inside else {_wing(alias.name) for alias in node.names}
    return found


def _wing(part: str) -> str:
    return part if (ROOT / "portal" / part).is_dir() or part in EDGES else "ground"


def _direct(wing: str, used: dict[str, set[str]]) -> set[str]:
    """Those it uses that none of the others it uses would bring along."""
    brought: set[str] = set()
    for other in used[wing]:
        brought |= _reached(other, used)
    return used[wing] - brought


def _reached(wing: str, used: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for other in used.get(wing, set()):
        found |= {other} | _reached(other, used)
    return found


if __name__ == "__main__":
    main()
