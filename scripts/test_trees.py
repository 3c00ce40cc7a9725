"""Compares the tests of an earlier commit with those of today, each by its syntax tree.

`python -m scripts.test_trees COMMIT` lists the tests that differ, are gone or are new. Imports are left
aside: a name counts by itself, whichever module it comes from; a move of modules changes nothing here.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    """Exit 0 when every test stands as it did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    commit = parser.parse_args(arguments).commit
    before, after = trees(_at(commit)), trees(_today())
    differing = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    for heading, names in (
        ("differ", differing),
        ("are gone", sorted(before.keys() - after.keys())),
        ("are new", sorted(after.keys() - before.keys())),
    ):
        print(f"{len(names)} {heading}", *names, sep="\n  ")
    print(f"{len(before.keys() & after.keys()) - len(differing)} of {len(before)} stand as they did")
    return 1 if differing else 0


def trees(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The dumped trees of every test function by its name; of several with one name, all of them."""
    found: dict[str, list[str]] = {}
    for text in (text for _, text in sorted(sources)):
        tree = ast.parse(text)
        plain = _WithoutModules(set(_imported(tree)))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.setdefault(node.name, []).append(ast.dump(plain.visit(node)))
    return {name: sorted(dumps) for name, dumps in found.items()}


class _WithoutModules(ast.NodeTransformer):
    """`module.name` becomes `name`, for modules that the file imports."""

    def __init__(self, modules: set[str]) -> None:
        self.modules = modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            return ast.Name(node.attr, node.ctx)
        self.generic_visit(node)
        return node


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            yield from (alias.asname or alias.name for alias in node.names)


def _at(commit: str) -> Iterator[tuple[str, str]]:
    for name in _git("ls-tree", "-r", "--name-only", commit, "tests").split():
        if name.endswith(".py"):
            yield name, _git("show", f"{commit}:{name}")


def _today() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "tests").rglob("*.py"):
        yield str(path.relative_to(ROOT)), path.read_text()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
