"""Partial responses: the `fields` parameter, e.g. `items(id,start/dateTime),nextSyncToken`."""

from __future__ import annotations

import re
from typing import Any

from sandbox.ground.errors import Json, invalid

Tree = dict[str, "Tree"]


def select_fields(resource: Json, text: str) -> Json:
    """The resource reduced to the fields named. Raises 400 for a mask that cannot be read."""
    words = re.findall(r"[\w*]+|[(),/]", text)
    if "".join(words) != text.replace(" ", ""):
        raise invalid("Invalid field selection", "fields")
    tree, rest = _list(words)
    if rest:
        raise invalid("Invalid field selection", "fields")
    selected: Json = _pick(resource, tree)
    return selected


def _list(words: list[str]) -> tuple[Tree, list[str]]:
    tree: Tree = {}
    while words and words[0] != ")":
        name, words = words[0], words[1:]
        branch, words = _branch(words)
        tree.setdefault(name, {}).update(branch)
        if words and words[0] == ",":
            words = words[1:]
    return tree, words


def _branch(words: list[str]) -> tuple[Tree, list[str]]:
    if words[:1] == ["/"] and len(words) > 1:
        below, rest = _branch(words[2:])
        return {words[1]: below}, rest
    if words[:1] == ["("]:
        tree, rest = _list(words[1:])
        if rest[:1] != [")"]:
            raise invalid("Invalid field selection", "fields")
        return tree, rest[1:]
    return {}, words


def _pick(value: Any, tree: Tree) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_pick(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    if "*" in tree:
        return {name: _pick(item, tree["*"]) for name, item in value.items()}
    return {name: _pick(value[name], branch) for name, branch in tree.items() if name in value}
