"""Whatever a person or a program sends, the answer is clear, carries the usual headers, and is no crash."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.processes import Portal
from portal.words.errors import error
from tests.conftest import StartPortal
from tests.views.door.headers import lacking
from tests.whole_practice import Practice, changed, digests, open_practice

MEGABYTE = 1_000_000
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def on_both(database_url: str, tmp_path: Path) -> Iterator[Practice]:
    with without_tokens(tmp_path, database_url) as practice:
        yield practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One for all tests of requests that the database never sees."""
    with without_tokens(tmp_path_factory.mktemp("practice"), "sqlite://") as practice:
        yield practice


@contextmanager
def without_tokens(folder: Path, database_url: str) -> Iterator[Practice]:
    with open_practice(folder, database_url) as practice:
        practice.app.config["WTF_CSRF_ENABLED"] = False
        yield practice


@pytest.fixture
def with_tokens(practice: Practice) -> Iterator[Practice]:
    practice.app.config["WTF_CSRF_ENABLED"] = True
    yield practice
    practice.app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def visitor(practice: Practice) -> FlaskClient:
    return practice.sign_in("owner")


def is_plain(answer: TestResponse, status: int) -> None:
    assert answer.status_code == status
    assert lacking(answer.headers) == set()
    assert error(str(status))[0] in answer.text


# Text


@pytest.mark.parametrize("text", ["%00", "a%00b", "%ed%a0%80%00"])
def test_nul_is_refused_wherever_it_stands_in_an_address(practice: Practice, text: str) -> None:
    visitor = practice.sign_in("owner")
    for address in (
        *(f"/calendar?date={text}", f"/calendar?{text}=1", f"/calendar/google/1?on={text}"),
        *(f"/login?next=/{text}", f"/help/{text}", f"/feeds/{text}/calendar.ics", f"/{text}"),
    ):
        is_plain(visitor.get(address), 400)
    without_jar = practice.app.test_client(use_cookies=False)
    is_plain(without_jar.get("/login", headers={"Cookie": 'other="a\\000b"'}), 400)  # how a cookie spells it


def test_nul_in_a_field_is_refused_and_nothing_is_saved(on_both: Practice) -> None:
    visitor, before, ids = on_both.sign_in("owner"), digests(on_both), on_both.ids_of("owner")
    event = {"kind": "other", "title": "Team", "date": "2027-03-03", "start_time": "10:00", "duration": "50"}
    for address, fields in (
        ("/calendar/search", {"q": "a\0b"}),
        ("/clients/search", {"q": "\0"}),
        ("/appointments", {**event, "kind": "oth\0er"}),
        ("/appointments", {**event, "form_key": "\0"}),
        ("/appointments", {**event, "back": "/\0"}),
        ("/appointments", {**event, "a\0b": "1"}),
        (f"/calendar/sync/changes/{ids['card_id']}", {"answer": "keep-mine\0"}),
        ("/settings/time-zone", {"timezone": "America/\0"}),
        ("/calendar/sync", {"mode": "one-way\0"}),
        ("/drafts", {"draft_of": "/clients\0"}),
        ("/login", {"email": "wren\0@example.com", "password": "x"}),
        ("/confirm-password", {"password": "\0"}),
    ):
        is_plain(visitor.post(address, data=fields), 400)
    assert changed(before, digests(on_both)) == set()


def test_nul_in_a_name_or_a_title_is_told_beside_it_and_the_form_is_kept(visitor: FlaskClient) -> None:
    event = {"kind": "other", "date": "2027-03-03", "start_time": "10:00", "duration": "50"}
    for address, fields in (
        ("/clients", {"name": "Rosa\0", "internal_id": "77"}),
        ("/clients", {"name": "Rosa", "internal_id": "7\x007"}),
        ("/appointments", {**event, "title": "Te\0am", "location": "Kept"}),
        ("/appointments", {**event, "title": "Kept", "location": "Room\0"}),
        ("/settings/profile", {"name": "Dr.\0"}),
    ):
        answer = visitor.post(address, data=fields)
        assert answer.status_code == 422, address
        assert "control character" in answer.text


@pytest.mark.parametrize("raw", [b"%ff", b"%c3%28", b"%ed%a0%80", b"%", b"%zz", b"\xff\xfe"])
def test_bytes_that_are_no_text_are_an_answer_like_any_other(visitor: FlaskClient, raw: bytes) -> None:
    text = raw.decode("latin-1")
    for address in (
        f"/calendar?date={text}",
        f"/{text}",
        f"/feeds/{text}/calendar.ics",
        f"/login?next=/{text}",
    ):
        answer = visitor.get(address)
        assert answer.status_code < 500, address
        assert lacking(answer.headers) == set()
    answer = visitor.post("/clients/search", data=b"q=" + raw, content_type=FORM)
    assert answer.status_code == 200


def test_an_argument_of_any_name_leaves_the_sign_in_page_as_it_is(practice: Practice) -> None:
    visitor = practice.app.test_client()
    names = ("endpoint", "_external", "_scheme", "_anchor", "_method", "values", "self", "next")
    assert {visitor.get(f"/login?{name}=1").status_code for name in names} == {200}


# Where to go next

OUTSIDE = [
    *("//evil.example", "/\\evil.example", "\\\\evil.example", "/\tevil.example", "/\t/evil.example"),
    *("/\n/evil.example", "/\r\nSet-Cookie: a=b", "/%0d%0a\r\n", " //evil.example", "https:/evil.example"),
    *("https://evil.example", "javascript:alert(1)", "///evil.example", "/a\x85b", "/\u2028", "calendar", ""),
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_no_address_leads_out_of_the_portal(practice: Practice, visitor: FlaskClient, target: str) -> None:
    from tests.scratch_practice import PASSWORD

    email, draft = practice.people["owner"].email, practice.ids_of("owner")["draft_id"]
    visitor.post(f"/drafts/{draft}/discard")  # a sign-in would lead to it
    asked = {"query_string": {"next": target}, "data": {"email": email, "password": PASSWORD}}
    for answer in (
        practice.app.test_client().post("/login", **asked),
        visitor.post("/confirm-password", data={"password": PASSWORD, "next": target}),
        visitor.post("/privacy", data={"back": target}),
        visitor.post("/undo/dismiss", data={"back": target}),
    ):
        where = urlsplit(answer.location)
        assert answer.status_code == 303
        assert (where.netloc, where.path) in {("", "/calendar"), ("", "/calendar/sync")}
        assert "Set-Cookie: a=b" not in str(answer.headers)


# Times, dates and numbers


@pytest.mark.parametrize("time", ["10:00+05:00", "10:00Z", "٠٩:٠٠", "24:00", "25:61"])
def test_a_time_of_another_clock_is_refused(visitor: FlaskClient, time: str) -> None:
    event = {"kind": "other", "title": "Team", "date": "2027-03-03", "start_time": time, "duration": "50"}
    assert visitor.post("/appointments", data=event).status_code == 422
    for hours in ((time, "17:00"), ("09:00", time), (time, time)):
        fields = dict(zip(("opens-0", "closes-0"), hours, strict=True))
        answer = visitor.post("/settings/office-hours", data=fields)
        assert answer.status_code == 422
        assert "Monday: give two times" in answer.text
    assert visitor.get("/appointments/new", query_string={"time": time}).status_code == 200


@pytest.mark.parametrize("number", ["²", "٣", "１", "1_0", "-1", "+1", "1e3", "0x1", " ", "9" * 5000])
def test_what_is_no_number_is_refused(practice: Practice, visitor: FlaskClient, number: str) -> None:
    event = {"kind": "other", "title": "Team", "date": "2027-03-03", "start_time": "10:00", "duration": "50"}
    series = {**event, "repeats": "weekly", "every": "1", "ends": "after", "occurrences": "3"}
    before = digests(practice)
    for address, fields in (
        ("/appointments", {**event, "duration": number}),
        ("/appointments", {**series, "occurrences": number}),
        ("/calendar/locations-and-types/types", {"type": "Long", "minutes": number}),
        ("/clients/numbering", {"next_id": number}),
        ("/calendar/sync/calendars", {"calendar": number}),
    ):
        assert visitor.post(address, data=fields).status_code == 422, address
    assert changed(before, digests(practice)) == set()
    for address in (
        f"/calendar?provider={number}",
        f"/appointments/new?minutes={number}",
        f"/appointments/quick?minutes={number}",
    ):
        assert visitor.get(address).status_code == 200


# Size and shape


def large(size: int) -> bytes:
    return b"name=" + b"a" * size


def test_a_body_over_the_limit_is_told_so(with_tokens: Practice, visitor: FlaskClient) -> None:
    before = digests(with_tokens)
    for each in (visitor, with_tokens.app.test_client()):
        for address in ("/clients", "/appointments", "/login", "/webhooks/google", "/nowhere", "/drafts"):
            is_plain(each.post(address, data=large(MEGABYTE), content_type=FORM), 413)
        is_plain(each.get("/calendar", data=large(MEGABYTE), content_type=FORM), 413)
    assert changed(before, digests(with_tokens)) == set()


def test_a_form_of_very_many_parts_or_one_very_long_field_is_told_so(visitor: FlaskClient) -> None:
    many = {f"field-{number}": "1" for number in range(1_100)}
    is_plain(visitor.post("/clients", data=many, content_type="multipart/form-data"), 413)
    part = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n%s\r\n--x--\r\n'
    long = part % (b"a" * 600_000)
    is_plain(visitor.post("/clients", data=long, content_type="multipart/form-data; boundary=x"), 413)


SHAPES = [
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nRosa'),
    ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="a\0b"',
    ),
    ("multipart/form-data; boundary=\xff", b"--x--"),
    ("application/json", b'{"name": "\\ud800"}'),
    ("application/json", b"{"),
    ("text/plain", b"name=Rosa"),
    ("", b"name=Rosa"),
    ("application/x-www-form-urlencoded; charset=utf-7", b"name=+AAA-"),
    ("///;;;=", b"name=Rosa"),
]


@pytest.mark.parametrize(("kind", "body"), SHAPES)
def test_a_body_of_another_shape_is_an_answer_like_any_other(
    practice: Practice, visitor: FlaskClient, kind: str, body: bytes
) -> None:
    for address in ("/clients", "/login", "/appointments", "/webhooks/google", "/settings/office-hours"):
        answer = visitor.post(address, data=body, headers={"Content-Type": kind})
        assert answer.status_code < 500, address
        assert lacking(answer.headers) == set()


# Headers

ODD_HEADERS = [
    ("Referer", "https://["),
    ("Referer", "http://["),
    ("If-None-Match", '"'),
    ("If-Modified-Since", "Thu, 99 Foo 99999"),
    ("Range", "bytes=9999999999999999999-1"),
    ("Range", "bytes=-"),
    ("Accept-Language", "²;q=x"),
    ("User-Agent", "\xff" * 900),
    ("X-Forwarded-For", "not an address" * 20),
    ("X-Forwarded-Proto", "javascript"),
    ("X-CSRFToken", "\xff"),
    ("HX-Request", "true"),
    ("HX-Current-URL", "http://["),
    ("X-Goog-Channel-ID", "a" * 5000),
    ("X-Goog-Resource-ID", "\xff\xfe"),
    ("Authorization", "Basic \xff"),
    ("Cookie", "session=; session=x.y.z; =; ;;; a=\xff"),
    ("Content-Length", "-1"),
    ("Host", "[::1"),
]


@pytest.mark.parametrize(("name", "value"), ODD_HEADERS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_odd_headers_are_an_answer_like_any_other(
    with_tokens: Practice, scheme: str, name: str, value: str
) -> None:
    visitor, feed = with_tokens.sign_in("provider"), with_tokens.people["provider"].feed_token
    asked = {"headers": {name: value}, "base_url": f"{scheme}://localhost"}
    for method, address in (
        *(("GET", "/calendar"), ("GET", "/login"), ("POST", "/login"), ("POST", "/clients")),
        *(("GET", "/static/app.css"), ("GET", f"/feeds/{feed}/calendar.ics"), ("POST", "/webhooks/google")),
    ):
        with visitor.open(address, method=method, **asked) as answer:
            assert answer.status_code < 500, (method, address)
            assert lacking(answer.headers, cached=address.startswith("/static/")) == set()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"])
def test_a_wrong_method_is_told_so(visitor: FlaskClient, method: str) -> None:
    for address in ("/calendar", "/clients/1", "/login", "/webhooks/google", "/healthz"):
        answer = visitor.open(address, method=method)
        assert answer.status_code in (400, 405), address
        assert lacking(answer.headers) == set()


@pytest.mark.parametrize(
    "address", ["//calendar", "/calendar//sync", "///", "//evil.example/..", "/./calendar"]
)
def test_doubled_slashes_lead_nowhere_else(visitor: FlaskClient, address: str) -> None:
    answer = visitor.get("/x", environ_overrides={"PATH_INFO": address, "RAW_URI": address})
    assert answer.status_code < 500
    assert urlsplit(answer.location or "").netloc in ("", "localhost")
    assert lacking(answer.headers) == set()


# What only a server with a socket can be sent


def send(portal: Portal, *pieces: bytes) -> bytes:
    """The answer to these bytes, as they are."""
    parts = urlsplit(portal.url)
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while piece := connection.recv(65_536):
            found += piece
    return found


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *lines, "", "")).encode()


def chunks(*bodies: bytes) -> Sequence[bytes]:
    return [b"%x\r\n%s\r\n" % (len(body), body) for body in bodies]


def test_chunked_large_and_broken_bodies_over_a_socket(start_portal: StartPortal, sqlite_url: str) -> None:
    portal = start_portal(sqlite_url, workers=0)
    form, chunked = f"Content-Type: {FORM}", "Transfer-Encoding: chunked"
    for path in ("/login", "/webhooks/google", "/clients"):
        post = head("POST", path, form, chunked)
        assert send(portal, post, *chunks(b"email=a"), b"0\r\n\r\n")[9:12] in (b"400", b"404"), path
        assert send(portal, post, b"zz\r\nbroken\r\n")[9:12] in (b"400", b"404", b""), path
        assert send(portal, post, b"5\r\nab")[9:12] in (b"400", b"404", b""), path
    large_chunks = chunks(*[b"a" * 100_000] * 11)
    answer = send(
        portal, head("POST", "/login", form, chunked), b"6\r\nemail=\r\n", *large_chunks, b"0\r\n\r\n"
    )
    assert answer[9:12] == b"413"
    assert b"Content-Security-Policy" in answer
    declared = head("POST", "/webhooks/google", f"Content-Length: {MEGABYTE + 1}")
    assert send(portal, declared, b"a" * (MEGABYTE + 1))[9:12] == b"413"
    huge = send(portal, head("GET", "/login", "Cookie: session=" + "a" * 20_000))
    assert huge[9:12] in (b"400", b"431")
    assert b"Traceback" not in portal.printed().encode()
