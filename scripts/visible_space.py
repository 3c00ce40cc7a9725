"""A page as lines, without the white space that nobody sees.

White space at the edges of a block isn't drawn, nor is it between the items of a flex or grid container.
Between inline elements and words it is: there a run of it counts as one space, shown here as "␣". Which
element is what follows from its tag and from the stylesheets' plain rules (those inside @media aside).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

SPACE = "␣"
VERBATIM = frozenset({"pre", "textarea"})
VOID = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track"),
        *("use", "wbr"),
    }
)
BLOCK = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "col"),
        *("colgroup", "datalist", "dd", "details", "dialog", "div", "dl", "dt", "fieldset"),
        *("figure", "footer", "form", "head", "header", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
        *("html", "legend", "li", "link", "main", "meta", "nav", "ol", "optgroup", "option", "p"),
        *("pre", "script", "search", "section", "style", "summary", "table", "tbody", "td"),
        *("template", "tfoot", "th", "thead", "title", "tr", "ul", "use"),
    }
)
# Inline outside, a block of its own inside.
ATOMIC = frozenset({"button", "img", "input", "select", "svg", "textarea"})
FLEX = ("flex", "inline-flex", "grid", "inline-grid")


@dataclass(frozen=True)
class Rule:
    """`.row > b { display: block }`: the compound selectors from left to right, `>` between them kept."""

    selector: tuple[str, ...]
    display: str

    @property
    def weight(self) -> tuple[int, int]:
        classes = sum(part.count(".") for part in self.selector)
        return classes, sum(part[0] not in ".>" for part in self.selector)


@dataclass
class Element:
    """An open element, with how it is laid out and the line on which it began."""

    tag: str
    classes: frozenset[str]
    parent: Element | None
    display: str = ""
    start: int = 0

    def fits(self, compound: str) -> bool:
        tag, *classes = compound.split(".")
        return tag in ("", self.tag) and self.classes.issuperset(classes)


class Styles:
    """What the stylesheets say about `display`, and which classes they treat otherwise when `:empty`."""

    def __init__(self, text: str) -> None:
        self.rules: list[Rule] = []
        self.empty: set[str] = set(re.findall(r"\.([\w-]+):empty", text))
        for selectors, body in _top_rules(re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
            display = re.search(r"(?<![\w-])display:\s*([\w-]+)", body)
            if display:
                self._add(selectors, display[1])
        self.rules.sort(key=lambda rule: rule.weight)
        self.by_last: dict[str, list[int]] = defaultdict(list)  # places in `rules`
        for place, rule in enumerate(self.rules):
            tag, *classes = rule.selector[-1].split(".")
            self.by_last[f".{classes[0]}" if classes else tag].append(place)

    def _add(self, selectors: str, display: str) -> None:
        for selector in selectors.split(","):
            if re.fullmatch(r"[\w\s.>-]+", selector):
                self.rules.append(Rule(tuple(selector.replace(">", " > ").split()), display))

    @classmethod
    def read(cls, folder: Path) -> Styles:
        sheets = (path for path in sorted(folder.rglob("*.css")) if "vendor" not in path.parts)
        return cls("\n".join(path.read_text() for path in sheets))

    def display(self, element: Element) -> str:
        keys = (element.tag, *(f".{name}" for name in element.classes))
        places = sorted(place for key in keys for place in self.by_last.get(key, ()))
        said = [
            self.rules[place].display for place in places if _matches(element, self.rules[place].selector)
        ]
        if said and said[-1] != "none":
            return said[-1]
        return "block" if element.tag in BLOCK else "inline-block" if element.tag in ATOMIC else "inline"


def _top_rules(text: str) -> list[tuple[str, str]]:
    """Selectors and body of each rule that stands in no other."""
    found, depth, start, head = [], 0, 0, ""
    for brace in re.finditer(r"[{}]", text):
        if brace[0] == "{":
            if depth == 0:
                head = text[start : brace.start()].strip()
                start = brace.end()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                found.append((head, text[start : brace.start()]))
                start = brace.end()
    return [(head, body) for head, body in found if not head.startswith("@")]


def _matches(element: Element | None, selector: tuple[str, ...]) -> bool:
    *rest, last = selector
    if element is None or not element.fits(last):
        return False
    if not rest:
        return True
    if rest[-1] == ">":
        return _matches(element.parent, tuple(rest[:-1]))
    above = element.parent
    while above:
        if _matches(above, tuple(rest)):
            return True
        above = above.parent
    return False


@dataclass
class _Line:
    """The lines so far, and whether a space at this point would be seen."""

    lines: list[str | None] = field(default_factory=list)
    at_edge: bool = True
    last_space: int | None = None

    def edge(self) -> None:
        """A block begins or ends here: the space before isn't seen, nor is one after."""
        if self.last_space is not None:
            self.lines[self.last_space] = None
        self.at_edge, self.last_space = True, None

    def drawn(self) -> None:
        self.at_edge, self.last_space = False, None

    def space(self) -> None:
        if not self.at_edge and self.last_space is None:
            self.last_space = len(self.lines)
            self.lines.append(SPACE)

    def add(self, text: str) -> None:
        self.lines.append(text)


class _Reader(HTMLParser):
    def __init__(self, styles: Styles) -> None:
        super().__init__(convert_charrefs=True)
        self.styles = styles
        self.line = _Line()
        self.inside: Element | None = None
        self.waiting = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._flush()
        classes = frozenset(next((value or "" for name, value in attrs if name == "class"), "").split())
        element = Element(tag, classes, self.inside)
        element.display = self._display(element)
        hidden = tag == "input" and ("type", "hidden") in attrs
        if not hidden:
            self._outer_edge(element)
        element.start = len(self.line.lines)
        self.line.add(_written(tag, attrs))
        if tag not in VOID:
            self.inside = element
            self._inner_edge(element)
        elif not hidden:
            self._after(element)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        element = self.inside
        while element and element.tag != tag:
            element = element.parent
        if element is None:
            return
        only_space = bool(self.waiting) and not self.waiting.strip()
        is_bare = len(self.line.lines) == element.start + 1
        self._flush()
        self._inner_edge(element)
        if is_bare and only_space and element.classes & self.styles.empty:
            self.line.add("(white space, so it is not :empty)")
        self.inside = element.parent
        self.line.add(f"</{tag}>")
        self._after(element)

    def handle_data(self, data: str) -> None:
        self.waiting += data

    def handle_comment(self, data: str) -> None:
        self._flush()

    def close(self) -> None:
        super().close()
        self._flush()
        self.line.edge()

    def _flush(self) -> None:
        text, self.waiting = self.waiting, ""
        if not text:
            return
        if self.inside and self.inside.tag in VERBATIM:
            self.line.add(repr(text))
            self.line.drawn()
            return
        is_item = self._box() in FLEX  # text beside a flex container's items is an item itself
        if text.strip(" \t\n\r\f") == "":
            self._space(is_item)
            return
        if text[0].isspace():
            self._space(is_item)
        self.line.add(" ".join(re.split(r"[ \t\n\r\f]+", text.strip(" \t\n\r\f"))))
        self.line.drawn()
        if text[-1].isspace():
            self._space(is_item)

    def _space(self, is_item: bool) -> None:
        self.line.edge() if is_item else self.line.space()

    def _box(self) -> str:
        """How the container of what comes next is laid out."""
        element = self.inside
        while element and element.display == "contents":
            element = element.parent
        return element.display if element else "block"

    def _display(self, element: Element) -> str:
        display = self.styles.display(element)
        if display != "contents" and self._box() in FLEX:  # its items are blocks, whatever they are elsewhere
            display = {"inline": "block"}.get(display, display.removeprefix("inline-"))
        return display

    def _outer_edge(self, element: Element) -> None:
        if element.display not in ("inline", "contents") and not element.display.startswith("inline-"):
            self.line.edge()

    def _inner_edge(self, element: Element) -> None:
        if element.display not in ("inline", "contents"):
            self.line.edge() if not element.display.startswith("inline-") else self._inside_atomic()

    def _inside_atomic(self) -> None:
        """The edge inside; a space before the element stays seen."""
        start = self.inside.start if self.inside else -1
        if self.line.last_space is not None and self.line.last_space > start:
            self.line.lines[self.line.last_space] = None
        self.line.at_edge, self.line.last_space = True, None

    def _after(self, element: Element) -> None:
        if element.display == "inline" and element.tag not in VOID:
            return
        if element.display == "contents":
            return
        if element.display == "inline" or element.display.startswith("inline-"):
            self.line.drawn()
        else:
            self.line.edge()


def _value(name: str, value: str | None) -> str | None:
    """As it is, except classes, whose space is free, and JSON, whose order is free too."""
    if name == "class":
        return " ".join((value or "").split())
    if value and value.startswith("{"):
        with suppress(ValueError):
            return json.dumps(json.loads(value), sort_keys=True)
    return value


def _written(tag: str, attributes: list[tuple[str, str | None]]) -> str:
    words = []
    for name, value in sorted(attributes, key=lambda each: each[0]):
        shown = _value(name, value)
        words.append(f" {name}" if shown is None else f' {name}="{shown}"')
    return f"<{tag}{''.join(words)}>"


def lines_of(page: str, styles: Styles) -> list[str]:
    """One line for each element's beginning, each end, each text, and each space that is seen between."""
    reader = _Reader(styles)
    reader.feed(page)
    reader.close()
    return [line for line in reader.line.lines if line is not None]
