"""Mails to a provider who has to reconnect, and what becomes of imported events meanwhile."""

from __future__ import annotations

import datetime as dt
import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from portal.connection import mail, reminders
from portal.errors import MailNotSent
from portal.extensions import db
from portal.models import Connection, GoogleCalendar, GoogleEvent, Mail
from tests.office import NOW, Office, get, open_office

DAY = dt.timedelta(days=1)


class PostOffice(socketserver.ThreadingTCPServer):
    """A mail server that takes everything, or refuses every recipient."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.taken: list[str] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Counter(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as smtplib needs."""

    server: PostOffice

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                letter = email.message_from_string(self._letter())
                words = letter.get_payload(decode=True)
                assert isinstance(words, bytes)
                self.server.taken.append(f"To: {letter['To']}\n{words.decode()}")
                self._say("250 taken")
            elif verb == "RCPT" and self.server.refuses:
                self._say("550 nobody here")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _letter(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with PostOffice() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as office:
        yield office


def use_server(app: Flask, url: str) -> None:
    """As if SMTP_URL had been set when the app was made."""
    config = app.extensions["config"]
    app.extensions["config"] = replace(config, smtp_url=url, mail_from="lockstep@example.com")


def breaks(office: Office, problem: str = "reconnect-required") -> Connection:
    connection = office.connection()
    connection.problem, connection.problem_since = problem, NOW
    db.session.commit()
    return connection


def mails() -> list[tuple[int, bool]]:
    db.session.expire_all()
    return [
        (row.day, row.sent_at is not None) for row in db.session.scalars(db.select(Mail).order_by(Mail.id))
    ]


def test_mails_go_out_on_days_0_3_7_and_14_once_each(office: Office, post_office: PostOffice) -> None:
    use_server(office.app, post_office.url)
    breaks(office)
    for hour in range(0, 24 * 20, 12):
        reminders.remind(NOW + dt.timedelta(hours=hour))
    assert mails() == [(0, True), (3, True), (7, True), (14, True)]
    assert len(post_office.taken) == 4
    first, _, third, _ = post_office.taken
    assert "To: wren.hale@example.com" in first
    assert "/calendar/sync" in first
    assert "will be removed" not in first
    assert "December 18, 2026" in third


def test_they_stop_when_it_is_mended_and_begin_anew_with_the_next_trouble(
    office: Office, post_office: PostOffice
) -> None:
    use_server(office.app, post_office.url)
    connection = breaks(office)
    reminders.remind(NOW)
    connection.problem = connection.problem_since = None
    db.session.commit()
    reminders.remind(NOW + 3 * DAY)
    assert len(post_office.taken) == 1
    connection.problem, connection.problem_since = "scope-missing", NOW + 5 * DAY
    db.session.commit()
    reminders.remind(NOW + 5 * DAY)
    assert mails() == [(0, True), (0, True)]


def test_after_days_without_a_worker_only_the_latest_mail_goes_out(office: Office) -> None:
    breaks(office)
    reminders.remind(NOW + 8 * DAY)
    assert mails() == [(7, False)]


def test_a_mail_that_was_refused_is_tried_again_later_and_says_no_address(
    office: Office, post_office: PostOffice
) -> None:
    use_server(office.app, post_office.url)
    post_office.refuses = True
    breaks(office)
    reminders.remind(NOW)
    reminders.remind(NOW + dt.timedelta(minutes=1))
    row = db.session.scalars(db.select(Mail)).one()
    assert (row.tries, row.error) == (1, "SMTPRecipientsRefused")
    post_office.refuses = False
    reminders.remind(NOW + dt.timedelta(minutes=6))
    assert mails() == [(0, True)]


def test_a_server_out_of_reach_raises_only_its_kind() -> None:
    with pytest.raises(MailNotSent) as raised:
        mail.send(
            "smtp://127.0.0.1:9", sender="a@example.com", recipient="canary@example.com", subject="", body=""
        )
    assert str(raised.value) == "ConnectionRefusedError"


def test_without_a_server_the_owner_reads_the_mails_in_the_app(office: Office) -> None:
    breaks(office)
    reminders.remind(NOW)
    assert mails() == [(0, False)]
    page = get(office.sign_in(), "/settings/mail")
    assert "please reconnect Google" in page.text
    assert "no mail server" in page.text
    get(office.sign_in(office.other), "/settings/mail", status=403)


def test_no_client_stands_in_a_mail(office: Office) -> None:
    office.book()
    breaks(office)
    reminders.remind(NOW)
    row = db.session.scalars(db.select(Mail)).one()
    assert "Rosa" not in row.body + row.subject


def test_imported_events_go_after_thirty_days_and_are_read_anew_later(office: Office) -> None:
    office.add_google_event(NOW, 50, "Gym")
    breaks(office)
    calendar = db.session.scalars(db.select(GoogleCalendar)).one()
    calendar.sync_token = "token"
    db.session.commit()
    assert reminders.expire_imports(NOW + 29 * DAY) == 0
    assert reminders.expire_imports(NOW + 30 * DAY) == 1
    db.session.expire_all()
    assert db.session.scalars(db.select(GoogleEvent)).all() == []
    assert (calendar.sync_token, calendar.is_full_pass) == (None, True)


def test_events_of_a_working_connection_never_age(office: Office) -> None:
    office.add_google_event(NOW, 50, "Gym")
    assert reminders.expire_imports(NOW + 90 * DAY) == 0
