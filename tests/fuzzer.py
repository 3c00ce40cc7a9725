"""Requests that nobody means: every address with wrong values in real forms, and what they leave behind.

A request that is refused leaves every row as it was; one that is taken changes no row of somebody else; none
is a crash. Three people send by turns, and somebody who is not signed in.
"""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.forms import Element, read_page
from tests.views.door.headers import lacking
from tests.whole_practice import ROLES, Practice, changed, digests

Digests = dict[tuple[str, int | None], str]

VIEWS = Path(__file__).resolve().parent.parent / "portal" / "views"
VISITOR = "visitor"
FIELDS = ("input", "select", "textarea", "button")
FORM = "application/x-www-form-urlencoded"
KEPT_WHEN_SIGNED_OUT = frozenset({"draft"})  # what was typed, though the answer leads to the sign-in
NOTES_OF_READERS = frozenset({"feed_read"})  # whose feed was read, by whomever

NASTY = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\x1f",
        "\x7f",
        "\r\nSet-Cookie: a=b",
        "\ud800",
        "\udfff\ud800",
        "\ufeff",
        "\uffff",
    ),
    *("\uffff", "\u202e", "\u2028", "\x85", "é", "e\u0301" * 50, "👩🏽‍⚕️", "ﷺ" * 100, "İ", "ß"),
    *("0", "-1", "+1", "1", "2", "3", "1_0", "1e3", "1.5", "0x1f", "NaN", "Infinity", "²", "٣", "１２", "½"),
    *("2147483647", "2147483648", "9223372036854775808", "999999999", "9999999999", "9" * 30, "9" * 5000),
    *("10:00", "23:59", "24:00", "10:00+05:00", "10:00Z", "٠٩:٠٠", "10:00:00.5", "1000", "T10", "10"),
    *("2027-03-14", "2027-02-30", "0001-01-01", "9999-12-31", "10000-01-01", "-001-01-01", "20270314"),
    *("2027-W01-1", "1990-01-01", "1989-12-31", "2100-12-31", "2101-01-01", "2027-03-14T02:30"),
    *("UTC", "Etc/GMT+12", "America/Nowhere", "../../etc/passwd", "/etc/localtime", "", "America/Chicago\0"),
    *(
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "https://[",
        "javascript:alert(1)",
        "/calendar",
    ),
    *("/calendar", "' OR 1=1 --", "<script>alert(1)</script>", "{{ 7*7 }}", "%s%n%x", "\\", '"', "'"),
    *("a" * 250, "a" * 20_000, "a b " * 3000, "on", "off", "true", "None", "null", "[]", "{}"),
)
HEADERS = (
    {"HX-Request": "true"},
    {"HX-Request": "true", "HX-Target": "sheet"},
    {"HX-Request": "true", "HX-Current-URL": "http://["},
    {"HX-Request": "true", "HX-History-Restore-Request": "true"},
    {"X-Background": "1"},
    {"Referer": "https://["},
    {"Referer": "http://localhost/calendar?date=9999-12-31"},
    {"User-Agent": "\xff" * 600},
    {"User-Agent": ""},
    {"If-None-Match": "*"},
    {"If-None-Match": '"\xff'},
    {"If-Modified-Since": "Thu, 99 Foo 99999 99:99:99 GMT"},
    {"Range": "bytes=0-0,1-1,-99999999999999999999"},
    {"Accept": "\xff/*;q=²"},
    {"Accept-Language": "x" * 3000},
    {"X-Forwarded-For": "::::, 1.2.3.4"},
    {"X-CSRFToken": "\xff"},
    {"Authorization": "Bearer \xff"},
    {"Cookie": "session=a.b.c; =; a"},
)
SHAPES = ("multipart/form-data; boundary=x", "application/json", "text/plain", "", "multipart/form-data")
METHODS = ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "POST", "GET")


@dataclass(frozen=True)
class Form:
    """As a page draws it."""

    method: str
    address: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sent:
    """One request, as it can be repeated."""

    role: str
    method: str
    address: str
    body: bytes | None
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.role}: {self.method} {self.address!a} {self.body!a:.600} {dict(self.headers)!a}"


@dataclass
class Tally:
    """What came of all requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)  # by the endpoints' names
    faults: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return sum(count for status, count in self.statuses.items() if status < 400)

    def add(self, other: Tally) -> None:
        self.statuses += other.statuses
        self.reached += other.reached
        self.faults += other.faults


class Fuzzer:
    """Sends at random; the same seed sends the same to the same practice."""

    def __init__(self, practice: Practice, seed: int) -> None:
        self.practice, self.random, self.tally = practice, random.Random(seed), Tally()
        self.rules = sorted(practice.app.url_map.iter_rules(), key=lambda rule: rule.rule)
        self.browsers = {role: practice.sign_in(role) for role in ROLES}
        self.browsers[VISITOR] = practice.app.test_client()
        self.forms = {role: list(self._forms_of(role)) for role in (*ROLES, VISITOR)}
        drawn = [form for forms in self.forms.values() for form in forms]
        self.names = sorted({name for form in drawn for name, _ in form.fields} | read_by_the_views())
        self.values = sorted({value for form in drawn for _, value in form.fields if len(value) < 60})
        self.before = digests(practice)

    def run(self, requests: int) -> Tally:
        """Send so many. Faults are told in the tally, with the request that shows each."""
        for _ in range(requests):
            self.send(self._make())
        return self.tally

    # Sending and judging

    def send(self, sent: Sent) -> None:
        """Send it and judge what came of it."""
        browser = self.browsers[sent.role]
        with browser.open(
            sent.address, method=sent.method, data=sent.body, headers=list(sent.headers.items())
        ) as answer:
            status = answer.status_code
            self.tally.statuses[status] += 1
            self.tally.reached[self._endpoint(sent)] += 1
            after = digests(self.practice)
            self.tally.faults += [f"{sent}: {fault}" for fault in self._faults(sent, answer, after)]
            self.before = after
            if self._is_signed_out(answer) and sent.role != VISITOR:
                self.browsers[sent.role] = self.practice.sign_in(sent.role)

    def _faults(
        self, sent: Sent, answer: TestResponse, after: dict[tuple[str, int | None], str]
    ) -> Iterator[str]:
        status, own = answer.status_code, self._own(sent.role)
        if status >= 500 and not self._says_how_it_is(sent, status):
            yield f"answered {status}"
        missing = lacking(answer.headers, cached=sent.address.startswith("/static/"))
        if missing:
            yield f"answered {status} without {sorted(missing)}"
        location = urlsplit(answer.headers.get("Location", ""))
        if location.netloc not in ("", "localhost"):
            yield f"led to {location.netloc}"
        touched = changed(self.before, after)
        foreign = {table for table, whose in touched if whose not in (None, own)} - NOTES_OF_READERS
        if foreign:
            yield f"answered {status} and changed rows of others in {sorted(foreign)}"
        kept = KEPT_WHEN_SIGNED_OUT if self._is_signed_out(answer) else frozenset()
        left = {table for table, _ in touched} - kept
        if status >= 400 and left:
            yield f"refused with {status} and changed {sorted(left)}"

    def _says_how_it_is(self, sent: Sent, status: int) -> bool:
        """No queue and no worker is up here, and the address that is asked for it says so."""
        return status == 503 and self._endpoint(sent) == "system.readyz"

    def _own(self, role: str) -> int | None:
        return self.practice.people[role].id if role in self.practice.people else None

    def _is_signed_out(self, answer: TestResponse) -> bool:
        leads = answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", "")
        return urlsplit(leads).path == "/login"

    def _endpoint(self, sent: Sent) -> str:
        adapter = self.practice.app.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(urlsplit(sent.address).path, method=sent.method, return_rule=True)
        except HTTPException:
            return "nothing"
        return str(rule.endpoint)

    # Making

    def _make(self) -> Sent:
        role = self.random.choice((*ROLES, VISITOR))
        form = self._mutated(self._form(role))
        headers = dict(self.random.choice(HEADERS)) if self._once_in(4) else {}
        method = self.random.choice(METHODS) if self._once_in(25) else form.method
        if method in ("GET", "HEAD", "OPTIONS"):
            query = self._encoded(form.fields)
            return Sent(
                role, method, f"{form.address}?{query.decode()}" if query else form.address, None, headers
            )
        body, kind = self._body(form.fields)
        return Sent(role, method, form.address, body, {"Content-Type": kind, **headers})

    def _form(self, role: str) -> Form:
        """One that a page draws for this person, or for another; or an address as it is in the map."""
        if self._once_in(2):
            forms = self.forms[
                role if self._once_in(2) or not self._once_in(3) else self.random.choice(ROLES)
            ]
            if forms:
                return self.random.choice(forms)
        rule = self.random.choice(self.rules)
        method = self.random.choice(sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}))
        names = self.random.sample(self.names, self.random.choice((0, 0, 1, 1, 2, 4, 8)))
        return Form(method, self._filled(rule, role), tuple((name, self._value()) for name in names))

    def _filled(self, rule: Rule, role: str) -> str:
        ids = self.practice.ids_of(
            role if role in ROLES and not self._once_in(3) else self.random.choice(ROLES)
        )
        feeds = [person.feed_token for person in self.practice.people.values()]

        def fill(gap: re.Match[str]) -> str:
            if self._once_in(5):
                return quote(self._nasty().encode("utf-8", "surrogatepass")[:500], safe="") or "0"
            if gap["kind"] == "int:":
                return str(ids[gap["name"]])
            return self.random.choice(feeds) if gap["name"] == "token" else "where-calendar"

        return re.sub(r"<(?P<kind>\w+:)?(?P<name>\w+)>", fill, rule.rule)

    def _mutated(self, form: Form) -> Form:
        fields = list(form.fields)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):
            where = self.random.randrange(len(fields)) if fields else -1
            match self.random.choice(("worse", "worse", "worse", "gone", "more", "twice")):
                case "worse" if fields:
                    fields[where] = (fields[where][0], self._value())
                case "gone" if fields:
                    del fields[where]
                case "twice" if fields:
                    fields.append((fields[where][0], self._value()))
                case _:
                    fields.append((self.random.choice(self.names), self._value()))
        return Form(form.method, form.address, tuple(fields))

    def _body(self, fields: Sequence[tuple[str, str]]) -> tuple[bytes, str]:
        if not self._once_in(12):
            return self._encoded(fields), FORM
        kind = self.random.choice(SHAPES)
        parts = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
            % (name.encode(), b'; filename="a"' if self._once_in(4) else b"", _bytes(value))
            for name, value in fields
        )
        body = parts + (b"--x--\r\n" if self._once_in(2) else b"")
        return (body if kind.startswith("multipart") else b'{"name": "\\ud800"'), kind

    def _encoded(self, fields: Sequence[tuple[str, str]]) -> bytes:
        return "&".join(
            f"{quote_plus(_bytes(name))}={quote_plus(_bytes(value))}" for name, value in fields
        ).encode()

    def _value(self) -> str:
        if self._once_in(3):
            return self.random.choice(self.values)
        if self._once_in(6):
            return self._nasty() + self._nasty()
        if self._once_in(6):
            return str(self.random.choice(list(self.practice.ids_of(self.random.choice(ROLES)).values())))
        return self._nasty()

    def _nasty(self) -> str:
        return self.random.choice(NASTY)

    def _once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0

    # Reading pages

    def _forms_of(self, role: str) -> Iterator[Form]:
        browser, ids = self.browsers[role], self.practice.ids_of(role) if role in ROLES else {}
        seen: set[Form] = set()
        for rule in self.rules:
            names = re.findall(r"<int:(\w+)>", rule.rule)
            other = re.search(r"<(?!int:)", rule.rule)
            if "GET" not in (rule.methods or ()) or other or not set(names) <= ids.keys():
                continue
            address = re.sub(r"<int:(\w+)>", lambda gap: str(ids[gap[1]]), rule.rule)
            for form in forms_on(browser, address):
                if form not in seen and not form.address.startswith("/logout"):
                    seen.add(form)
                    yield form


def forms_on(browser: FlaskClient, address: str) -> Iterator[Form]:
    """The forms of a page with what they would send, and with all their buttons."""
    with browser.get(address) as answer:
        if answer.status_code != 200 or answer.mimetype != "text/html":
            return
        page = read_page(answer.text)
    for form in page.find("form"):
        target = urlsplit(form["action"] or address)
        if target.netloc in ("", "localhost") and target.path.startswith("/"):
            yield Form((form["method"] or "get").upper(), target.path, tuple(_fields(form)))


def _fields(form: Element) -> Iterator[tuple[str, str]]:
    for element in form.find(*FIELDS):
        if not element["name"]:
            continue
        if element.tag == "select":
            options = [option.attributes.get("value", option.text) for option in element.find("option")]
            yield element["name"], next(iter(options), "")
        elif element.tag == "textarea":
            yield element["name"], element.text
        elif element["type"] not in ("radio", "checkbox") or "checked" in element:
            yield element["name"], element["value"]


def read_by_the_views() -> set[str]:
    """Names that views look for in a form or an address."""
    found = set()
    for path in VIEWS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _is_read(node.func) and node.args:
                found |= {each.value for each in node.args[:1] if isinstance(each, ast.Constant)}
    return {name for name in found if isinstance(name, str)}


def _is_read(function: ast.expr) -> bool:
    words = ast.unparse(function)
    return re.search(r"(request\.(form|args|values)\.get(list)?|bounds\.\w+)$", words) is not None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
