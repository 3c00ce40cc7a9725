"""A person at a browser without script: reads pages, finds things by the name they carry, submits forms.

It knows links, forms, labels and buttons, and nothing else; what it cannot do a person without script
cannot do either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track"}
_VOID |= {"wbr", "use", "path"}
_FIELDS = ("input", "select", "textarea")


@dataclass(eq=False)
class Element:
    """One element, with its words and elements in the order of the page."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes.get(attribute, "")

    def __contains__(self, attribute: str) -> bool:
        return attribute in self.attributes

    def everything(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.everything()

    def find(self, *tags: str) -> list[Element]:
        return [element for element in self.everything() if element.tag in tags]

    def ancestor(self, tag: str) -> Element | None:
        element = self.parent
        while element and element.tag != tag:
            element = element.parent
        return element

    @property
    def text(self) -> str:
        words = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join(" ".join(words).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self._open = Element("document", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.children.append(Element(tag, {name: value or "" for name, value in attrs}, self._open))

    def handle_endtag(self, tag: str) -> None:
        element: Element | None = self._open
        while element and element.tag != tag:
            element = element.parent
        if element and element.parent:
            self._open = element.parent

    def handle_data(self, data: str) -> None:
        if self._open.tag not in ("script", "style"):
            self._open.children.append(data)


def read_page(html: str) -> Element:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class NotOnThePage(AssertionError):
    """Nothing on the page carries this name; the message shows what does."""


class Reader:
    """A person with a browser that runs no script: one page at a time, cookies kept."""

    def __init__(self, address: str, session: requests.Session | None = None) -> None:
        self.address = address
        self._session = session or requests.Session()
        self._session.trust_env = False
        self._answer = requests.Response()
        self.page = Element("document", {})

    @property
    def url(self) -> str:
        return self._answer.url

    @property
    def status(self) -> int:
        return self._answer.status_code

    def open(self, address: str) -> Reader:
        return self._show(self._session.get(urljoin(self.address, address), timeout=60))

    def follow(self, name: str) -> Reader:
        """Follow the link of this name."""
        link = self._named(name, [element for element in self.page.find("a") if "href" in element])
        return self._show(self._session.get(urljoin(self.url, link["href"]), timeout=60))

    def press(self, name: str) -> Reader:
        """Press the button of this name: submit its form with what has been filled in."""
        button = self._named(name, self.buttons())
        form = self._form_of(button)
        target, values = self._sent_by(button, form)
        if (button["formmethod"] or form["method"]).lower() == "post":
            return self._show(
                self._session.post(target, data=values, headers={"Referer": self.url}, timeout=180)
            )
        return self._show(self._session.get(target, params=values, timeout=60))

    def what_would_be_sent(self, name: str) -> tuple[str, list[tuple[str, str]], dict[str, str]]:
        """Pressing the button of this name, for somebody who sends it otherwise: address, fields, cookies."""
        button = self._named(name, self.buttons())
        return (*self._sent_by(button, self._form_of(button)), self._session.cookies.get_dict())

    def fill(self, name: str, value: str) -> Reader:
        """Write into the field of this label, or choose the option of a select that says this."""
        element = self._named(name, [each for each in self.page.find(*_FIELDS) if not _is_tick(each)])
        if element.tag == "select":
            options = element.find("option")
            wanted = _best(value, [(option.text, option) for option in options])
            if wanted is None:
                raise NotOnThePage(f"no option {value!r} among {[option.text for option in options]}")
            for option in options:
                option.attributes.pop("selected", None)
            wanted.attributes["selected"] = ""
        elif element.tag == "textarea":
            element.children = [value]
        else:
            element.attributes["value"] = value
        return self

    def tick(self, name: str, *, on: bool = True) -> Reader:
        """Tick the box, or choose the radio button, of this label."""
        element = self._named(name, [each for each in self.page.find("input") if _is_tick(each)])
        if element["type"] == "radio":
            for other in self._fields_of(self._form_of(element)):
                if other["name"] == element["name"]:
                    other.attributes.pop("checked", None)
        element.attributes.pop("checked", None)
        if on:
            element.attributes["checked"] = ""
        return self

    def buttons(self) -> list[Element]:
        """Those that submit something and are not disabled."""
        inputs = [each for each in self.page.find("input") if each["type"] in ("submit", "image")]
        buttons = [each for each in self.page.find("button") if each["type"] in ("", "submit")]
        return [each for each in buttons + inputs if "disabled" not in each and self._has_form(each)]

    def has_button(self, name: str) -> bool:
        return name in [self.name_of(button) for button in self.buttons()]

    def main(self) -> Element:
        return self.page.find("main")[0]

    def entries(self, kind: str) -> list[Element]:
        """The entries on a calendar page: kind is "appointment" or "google"."""
        return [element for element in self.page.everything() if element["data-entry"] == kind]

    def name_of(self, element: Element) -> str:
        """The accessible name: aria-label, aria-labelledby, the label, the button's words or value."""
        if element["aria-label"]:
            return element["aria-label"]
        if element["aria-labelledby"]:
            return " ".join(self._by_id(part).text for part in element["aria-labelledby"].split())
        if element.tag in _FIELDS and element["type"] not in ("submit", "image"):
            return self._label_of(element)
        return element.text or element["value"] or element["title"]

    def _sent_by(self, button: Element, form: Element) -> tuple[str, list[tuple[str, str]]]:
        """Where the form is sent with this button, and what it holds."""
        values = [pair for element in self._fields_of(form) for pair in _submitted(element)]
        if button["name"]:
            values.append((button["name"], button["value"]))
        return urljoin(self.url, button["formaction"] or form["action"] or self.url), values

    def _show(self, answer: requests.Response) -> Reader:
        self._answer = answer
        self.page = read_page(answer.text)
        return self

    def _named(self, name: str, candidates: list[Element]) -> Element:
        found = _best(name, [(self.name_of(element), element) for element in candidates])
        if found is None:
            names = [self.name_of(element) for element in candidates]
            raise NotOnThePage(f"{name!r} is not on {self.url} ({self.status}); there are {names}")
        return found

    def _label_of(self, element: Element) -> str:
        if element["id"]:
            labels = [each for each in self.page.find("label") if each["for"] == element["id"]]
            if labels:
                return " ".join(label.text for label in labels)
        around = element.ancestor("label")
        return around.text if around else ""

    def _by_id(self, identifier: str) -> Element:
        for element in self.page.everything():
            if element["id"] == identifier:
                return element
        raise NotOnThePage(f"no element has the id {identifier}")

    def _has_form(self, element: Element) -> bool:
        return "form" in element or element.ancestor("form") is not None

    def _form_of(self, element: Element) -> Element:
        form = self._by_id(element["form"]) if "form" in element else element.ancestor("form")
        if form is None:
            raise NotOnThePage(f"{self.name_of(element)!r} belongs to no form")
        return form

    def _fields_of(self, form: Element) -> list[Element]:
        inside = [each for each in form.find(*_FIELDS) if each["form"] in ("", form["id"])]
        outside = [each for each in self.page.find(*_FIELDS) if form["id"] and each["form"] == form["id"]]
        return inside + [each for each in outside if each not in inside]


def _is_tick(element: Element) -> bool:
    return element.tag == "input" and element["type"] in ("radio", "checkbox")


def _submitted(element: Element) -> list[tuple[str, str]]:
    """What this field adds to the form's data."""
    name = element["name"]
    if not name or "disabled" in element or element["type"] in ("submit", "button", "image", "reset"):
        return []
    if element.tag == "select":
        options = [each for each in element.find("option") if "disabled" not in each]
        chosen = [each for each in options if "selected" in each] or options[:1]
        return [(name, each.attributes.get("value", each.text)) for each in chosen]
    if element.tag == "textarea":
        return [(name, "".join(child for child in element.children if isinstance(child, str)))]
    if _is_tick(element):
        return [(name, element.attributes.get("value", "on"))] if "checked" in element else []
    return [(name, element["value"])]


def _best(name: str, named: list[tuple[str, Element]]) -> Element | None:
    """The element of exactly this name, or else the first whose name contains it as words."""
    wanted = " ".join(name.split())
    exact = [element for text, element in named if " ".join(text.split()) == wanted]
    if exact:
        return exact[0]
    pattern = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    containing = [element for text, element in named if pattern.search(" ".join(text.split()))]
    return containing[0] if containing else None
