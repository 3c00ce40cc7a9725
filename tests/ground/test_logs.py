"""No record of this process repeats what a person typed, or an address that opens something."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from logging import Formatter, StreamHandler

import pytest
import structlog
from gunicorn.config import Config as GunicornConfig
from gunicorn.glogging import Logger as GunicornLogger
from rq.job_lifecycle import format_exc_info

from portal import logs
from portal.errors import InvalidInput

NAME = "Philomena Nachtigall"
TOKEN = "kP7-dQx2_" * 5  # as long as a real one, and the same in every process that collects these tests
ADDRESS = f"/feeds/{TOKEN}/calendar.ics"


class Written:
    """What reaches a stream from the loggers of this process."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = StreamHandler(self.stream)
        self.handler.setFormatter(Formatter("%(levelname)s %(name)s %(message)s"))

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def written() -> Iterator[Written]:
    logs.install()
    written = Written()
    logging.getLogger().addHandler(written.handler)
    yield written
    logging.getLogger().removeHandler(written.handler)


def fail(error: BaseException) -> None:
    raise error


def test_an_error_is_told_by_kind_and_place_through_all_that_it_was_raised_from(written: Written) -> None:
    try:
        try:
            fail(LookupError(NAME))
        except LookupError as error:
            raise RuntimeError(f"about {NAME}") from error
    except RuntimeError:
        logging.getLogger("somebody").exception("it went wrong")
    assert NAME not in written.text
    assert "it went wrong\nTraceback" in written.text
    assert written.text.index("LookupError") < written.text.index("RuntimeError"), "the cause first"
    assert "tests/ground/test_logs.py:" in written.text
    assert " fail\n" in written.text


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("%s", (ValueError(NAME),)),
        (ValueError(NAME), ()),
        ("twice %s %s", (ValueError(NAME), LookupError(NAME))),
        ("too few %s %s", (ValueError(NAME),)),
        ("not a number %d", (NAME,)),
    ],
)
def test_an_error_within_a_sentence_is_told_by_its_kind(
    written: Written, capfd: pytest.CaptureFixture[str], message: object, arguments: tuple[object, ...]
) -> None:
    logging.getLogger("somebody").error(message, *arguments)
    assert NAME not in written.text + capfd.readouterr().err
    assert written.text.startswith("ERROR somebody ")


def test_the_traceback_that_rq_writes_into_its_sentence_is_left_out(written: Written) -> None:
    try:
        fail(ValueError(NAME))
    except ValueError:
        text = format_exc_info(sys.exc_info())
    assert NAME in text
    logging.getLogger("rq.worker").error("job %s: exception raised\n%s", "1", text)
    assert NAME not in written.text
    assert "job 1" in written.text


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        f"https://calendar.example{ADDRESS}",
        ADDRESS.replace("/feeds/", "/FEEDS/"),
        ADDRESS.replace("/", "%2F"),
        ADDRESS.replace("/feeds/", "//feeds//"),
        f"/feeds/{TOKEN[:20]}/calendar.ics",
        f"/calendar?next={ADDRESS}",
        f"/forgot/{TOKEN}",
    ],
)
def test_an_address_is_written_without_its_secret(written: Written, address: str) -> None:
    logging.getLogger("werkzeug").warning('"GET %s HTTP/1.1" 200', address)
    assert TOKEN[:20] not in written.text
    assert '"GET ' in written.text
    assert written.text.endswith(' HTTP/1.1" 200\n')


def test_what_is_put_into_a_sentence_begins_no_line_of_its_own(written: Written) -> None:
    logging.getLogger("somebody").warning("agent %s", "x\r\nERROR somebody forged")
    assert written.text == "WARNING somebody agent x\\r\\nERROR somebody forged\n"


def test_a_query_is_left_out_and_the_address_stays(written: Written) -> None:
    logging.getLogger("werkzeug").warning('"GET /clients?q=Philomena+Nachtigall HTTP/1.1" 200')
    assert written.text == 'WARNING werkzeug "GET /clients?… HTTP/1.1" 200\n'


def test_gunicorns_access_log_and_its_errors_pass_here(written: Written) -> None:
    gunicorn = GunicornLogger(GunicornConfig())
    gunicorn.error_log.addHandler(written.handler)
    gunicorn.access_log.addHandler(written.handler)
    gunicorn.access_log.setLevel(logging.INFO)
    try:
        fail(ValueError(NAME))
    except ValueError:
        gunicorn.exception("Error handling request %s %s", "GET", ADDRESS)
    gunicorn.warning(f"Invalid request from ip=127.0.0.1: Invalid HTTP method: 'name={NAME}'")
    atoms = {"r": f"GET {ADDRESS}?name={NAME.split()[0]} HTTP/1.1", "s": "200", "f": f"https://x{ADDRESS}"}
    gunicorn.access_log.info('%(r)s %(s)s "%(f)s"', atoms)
    for word in (*NAME.split(), TOKEN):
        assert word not in written.text
    assert "Error handling request GET /feeds/…/calendar.ics" in written.text
    assert "Invalid request from ip=127.0.0.1\n" in written.text
    assert 'GET /feeds/…/calendar.ics?… HTTP/1.1 200 "https://x/feeds/…/calendar.ics"' in written.text


def test_our_own_lines_hold_one_line_each_whatever_they_tell(capfd: pytest.CaptureFixture[str]) -> None:
    logs.install()
    structlog.get_logger().info(
        "noted", why="a\r\nforged\x1b[2J=line\u2028", address=ADDRESS, error=ValueError(NAME)
    )
    structlog.get_logger().debug("too quiet")
    told = capfd.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert "event=noted" in told.err
    assert "error=ValueError" in told.err
    assert "/feeds/…/calendar.ics" in told.err
    assert NAME not in told.err


def test_what_ends_a_thread_or_a_process_is_told_without_its_text(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sys, threading):  # put back after the test
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    logs.tell_uncaught_by_kind()
    thread = threading.Thread(target=fail, args=(ValueError(NAME),))
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(NAME), None)
    told = capfd.readouterr().err
    assert told.count("ValueError") == 2
    assert NAME not in told


def test_an_error_of_ours_is_told_with_its_code_and_one_of_the_system_with_its_number() -> None:
    assert logs.kind(InvalidInput({"name": f"{NAME} is too long"})) == "InvalidInput (name)"
    assert logs.kind(FileNotFoundError(2, "No such file", f"/{NAME}")) == "FileNotFoundError (ENOENT)"
    assert logs.kind(KeyError(NAME)) == "KeyError"
