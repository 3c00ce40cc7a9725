"""The reader without script does what a browser does with links, labels, forms and buttons."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.forms import NotOnThePage, Reader, read_page

FORM = """<!doctype html><main data-mode="off"><form method="post" action="/answer">
<label for="who">Client</label><select id="who" name="client"><option value="7">Ann (1001)</option>
<option value="8">Bo (1002)</option></select>
<label>Title <input name="title" value="old"></label><label for="why">Reason</label>
<textarea id="why" name="why">because</textarea><fieldset><legend>Mode</legend>
<label><input type="radio" name="mode" value="a" checked>One-Way Sync</label>
<label><input type="radio" name="mode" value="b"><b>Two-Way</b> Sync</label></fieldset>
<input type="checkbox" name="off" aria-label="Late cancellation"><input name="gone" value="x" disabled>
<button name="do" value="save">Save</button><button name="do" value="drop">Drop it</button></form>
<button form="second">Outside</button><form id="second" method="get" action="/answer"><input type="hidden"
name="q" value="1"></form><a href="/form?again=1">Next</a></main>"""


class Echo(http.server.BaseHTTPRequestHandler):
    """The form, and at any other address what was sent there."""

    def do_GET(self) -> None:
        self._answer(FORM if self.path.startswith("/form") else self.path)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, body: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def reader(address: str) -> Reader:
    return Reader(address).open("/form")


def test_a_form_is_sent_as_it_stands_on_the_page(reader: Reader) -> None:
    reader.press("Save")
    assert reader.page.text == "client=7&title=old&why=because&mode=a&do=save"


def test_a_form_is_sent_as_it_was_filled_in(reader: Reader) -> None:
    reader.fill("Client", "Bo (1002)").fill("Title", "new").fill("Reason", "none").tick("Two-Way Sync")
    reader.tick("Late cancellation").press("Drop it")
    assert reader.page.text == "client=8&title=new&why=none&mode=b&off=on&do=drop"


def test_a_button_may_belong_to_a_form_elsewhere(reader: Reader) -> None:
    assert reader.press("Outside").page.text == "/answer?q=1"


def test_a_link_is_followed_by_its_words(reader: Reader) -> None:
    assert reader.follow("Next").url.endswith("/form?again=1")


def test_what_is_not_on_the_page_is_reported_with_what_is(reader: Reader) -> None:
    with pytest.raises(NotOnThePage, match="Drop it"):
        reader.press("Save all")
    with pytest.raises(NotOnThePage, match="Bo"):
        reader.fill("Client", "Cy")


def test_text_is_read_without_scripts_and_spaces() -> None:
    assert (
        read_page("<p>One <b>two</b>\n three<script>four</script><br>five</p>").text == "One two three five"
    )
