"""watch and push messages (facts §9)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sandbox.push.deliveries import Delivery, deliver

ANA = "ana@example.com"


class Mailbox(ThreadingHTTPServer):
    """Collects push messages; `answers` are the next statuses, then 200."""

    robots = ""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Letter)
        self.messages, self.answers = [], []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    def wait(self, wanted: Callable[[list], bool]) -> list:
        deadline = time.monotonic() + 5
        while not wanted(self.messages) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert wanted(self.messages), self.messages
        return self.messages

    def states(self, count: int) -> list[str]:
        return [one["X-Goog-Resource-State"] for one in self.wait(lambda all_: len(all_) >= count)]


class Letter(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.robots.encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.messages.append(dict(self.headers) | {"body": body})
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    thread = Thread(target=box.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield box
    box.shutdown()
    box.server_close()
    thread.join()


def watch(service, address, channel="channel-1", calendar="primary", **more):
    body = {"id": channel, "type": "web_hook", "address": address, **more}
    return service.events().watch(calendarId=calendar, body=body).execute()


def test_the_first_message_says_sync_and_later_ones_say_exists(google, service, mailbox, at):
    channel = watch(service, mailbox.url, token="secret")
    assert channel["kind"] == "api#channel"
    google.add_event(ANA, summary="A", **at(1))
    assert mailbox.states(2) == ["sync", "exists"]
    first, second = mailbox.messages
    assert first["X-Goog-Message-Number"] == "1"
    assert int(second["X-Goog-Message-Number"]) > 1
    for message in (first, second):
        assert message["body"] == b""
        assert message["X-Goog-Channel-ID"] == "channel-1"
        assert message["X-Goog-Channel-Token"] == "secret"
        assert message["X-Goog-Resource-ID"] == channel["resourceId"]
        assert message["X-Goog-Resource-URI"] == channel["resourceUri"]
        assert message["X-Goog-Channel-Expiration"].endswith("GMT")
        assert message["User-Agent"].startswith("APIs-Google")


def test_own_writes_echo_and_other_calendars_are_silent(google, service, mailbox, at):
    other = google.add_calendar(ANA, "Other")["id"]
    watch(service, mailbox.url)
    service.events().insert(calendarId=other, body=at(1)).execute()
    service.events().insert(calendarId="primary", body=at(1)).execute()
    assert mailbox.states(2) == ["sync", "exists"]
    assert google.control("GET", "/channels")["items"][0]["messages"] == 2


def test_the_calendar_list_can_be_watched(google, service, mailbox):
    body = {"id": "list", "type": "web_hook", "address": mailbox.url}
    service.calendarList().watch(body=body).execute()
    google.add_calendar(ANA, "Other")
    assert mailbox.states(2) == ["sync", "exists"]


def test_a_channel_ends_with_its_expiration_in_milliseconds(google, service, mailbox, at):
    now = google.state.clock.now().timestamp()
    channel = watch(service, mailbox.url, expiration=str(int((now + 3600) * 1000)))
    assert abs(int(channel["expiration"]) / 1000 - now - 3600) < 1
    mailbox.states(1)
    google.control("POST", "/clock", {"advance_seconds": 3601})
    google.add_event(ANA, **at(1))
    assert google.control("GET", "/channels")["items"][0]["messages"] == 1


def test_an_expiration_is_a_week_by_default_and_capped(google, service, mailbox):
    now = google.state.clock.now().timestamp()
    week = watch(service, mailbox.url, "a")
    assert abs(int(week["expiration"]) / 1000 - now - 604_800) < 5
    day = watch(service, mailbox.url, "b", params={"ttl": "86400"})
    assert abs(int(day["expiration"]) / 1000 - now - 86_400) < 5
    ever = watch(service, mailbox.url, "c", expiration="99999999999999")
    assert int(ever["expiration"]) / 1000 < now + 40 * 86_400


def test_a_stopped_channel_is_silent_and_needs_both_ids(google, service, connect, mailbox, at, refused):
    channel = watch(service, mailbox.url)
    mailbox.states(1)
    with refused(404, "notFound"):
        service.channels().stop(body={"id": "channel-1", "resourceId": "wrong"}).execute()
    google.add_account("bo@example.com")
    ids = {"id": "channel-1", "resourceId": channel["resourceId"]}
    with refused(404, "notFound"):
        connect("bo@example.com").channels().stop(body=ids).execute()
    assert service.channels().stop(body=ids).execute() == ""
    google.add_event(ANA, **at(1))
    assert google.control("GET", "/channels")["items"][0]["messages"] == 1


def test_watch_refuses_what_google_refuses(google, service, mailbox, refused):
    watch(service, mailbox.url)
    with refused(400, "channelIdNotUnique"):
        watch(service, mailbox.url)
    with refused(400, "push.webhookUrlNotHttps"):
        watch(service, "http://portal.example/hook", "b")
    google.switch(push_http_on_loopback=False)
    with refused(400, "push.webhookUrlNotHttps"):
        watch(service, mailbox.url, "c")
    for kind in ("holidays", "import"):
        calendar = google.add_calendar(ANA, kind, kind=kind, accessRole="reader")["id"]
        with refused(400, "pushNotSupportedForRequestedResource"):
            watch(service, "https://portal.example/hook", "d", calendar)
    with refused(400, "required"):
        service.events().watch(calendarId="primary", body={"id": "e"}).execute()


def test_a_message_can_be_dropped_doubled_and_overtaken(google, service, mailbox, at):
    watch(service, mailbox.url)
    mailbox.states(1)
    google.add_fault("push_drop", method="push")
    google.add_event(ANA, **at(1))
    google.add_fault("push_duplicate", method="push")
    google.add_event(ANA, **at(2))
    google.add_fault("push_reorder", method="push")
    google.add_event(ANA, **at(3))
    google.add_event(ANA, **at(4))
    seen = mailbox.wait(lambda all_: len(all_) >= 5)
    assert [one["X-Goog-Message-Number"] for one in seen] == ["1", "3", "3", "5", "4"]


def test_a_message_refused_for_the_moment_comes_again(service, mailbox):
    mailbox.answers = [503]
    watch(service, mailbox.url)
    assert mailbox.states(2) == ["sync", "sync"]


@pytest.mark.parametrize(
    ("status", "again"),
    [(200, 0), (204, 0), (302, 0), (404, 0), (429, 0), (500, 1), (501, 0), (502, 1), (503, 1), (504, 1)],
)
def test_only_some_refusals_are_tried_again(google, service, mailbox, status, again):
    watch(service, mailbox.url)
    mailbox.states(1)
    channel = google.state.channels.open["channel-1"]
    mailbox.answers = [status]
    assert len(list(deliver(Delivery(channel, {}, 0.0), obeys_robots=False))) == again
    assert channel.results[-1] == str(status)


def test_robots_txt_is_obeyed_unless_the_switch_is_off(google, service, mailbox, at):
    mailbox.robots = "User-agent: *\nAllow: /elsewhere\nDisallow: /\n"
    watch(service, mailbox.url)
    mailbox.wait(lambda _: google.control("GET", "/channels")["items"][0]["results"] == ["robots"])
    google.switch(push_obeys_robots=False)
    google.add_event(ANA, **at(1))
    assert mailbox.states(1) == ["exists"]
