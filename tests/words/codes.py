"""Which codes the portal can give, read from its source and not from the tables that answer them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any


def tree_of(*code: ModuleType | Callable[..., Any]) -> ast.Module:
    """One tree of all of these."""
    return ast.parse(
        "\n".join(map(inspect.getsource, code)).replace("from __future__ import annotations\n", "")
    )


def strings(node: ast.AST | None) -> set[str]:
    """Every string that is written in this expression, wherever in it."""
    if node is None:
        return set()
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Calls of functions or methods of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                yield node


def passed(tree: ast.AST, keyword: str, *names: str) -> set[str]:
    """What is handed over by this keyword, in calls of these names, or in all."""
    found = calls(tree, *names) if names else (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        text
        for call in found
        for each in call.keywords
        if each.arg == keyword
        for text in strings(each.value)
    }


def returned(function: Callable[..., Any]) -> set[str]:
    """The strings that a function answers with; not those that it compares."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))
    answers = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None
    ]
    return set().union(*map(results, answers))


def results(node: ast.expr) -> set[str]:
    """The strings that an expression can come to, each by itself or in a tuple."""
    if isinstance(node, ast.IfExp):
        return results(node.body) | results(node.orelse)
    if isinstance(node, ast.Tuple):
        return set().union(*map(results, node.elts))
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
