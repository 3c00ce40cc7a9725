"""Who tries too often waits; nobody else does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.people import accounts
from portal.words.errors import error
from tests.scratch_practice import PASSWORD
from tests.views.door.headers import lacking
from tests.whole_practice import Practice, open_practice

HERE, THERE = "192.0.2.1", "198.51.100.7"
WRONG = "not the phrase"


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with open_practice(tmp_path, "sqlite://") as practice:
        practice.app.config["WTF_CSRF_ENABLED"] = False
        yield practice


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost nothing to check, for tests that count."""
    monkeypatch.setattr(accounts, "_verify", lambda _stored, password: (password == PASSWORD, None))


def sign_in(practice: Practice, role: str, password: str, address: str = HERE) -> TestResponse:
    return practice.app.test_client().post(
        "/login",
        data={"email": practice.people[role].email, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    )


def is_too_often(answer: TestResponse) -> None:
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert lacking(answer.headers) == set()
    assert error("429")[0] in answer.text


@pytest.mark.usefixtures("quick")
def test_wrong_passwords_for_an_account_are_refused_after_ten_and_its_owner_gets_in_from_elsewhere(
    practice: Practice,
) -> None:
    tries = [sign_in(practice, "provider", WRONG) for _ in range(11)]
    assert [each.status_code for each in tries[:10]] == [422] * 10
    is_too_often(tries[10])
    is_too_often(sign_in(practice, "provider", PASSWORD))
    assert sign_in(practice, "provider", PASSWORD, THERE).status_code == 303
    assert sign_in(practice, "owner", PASSWORD).status_code == 303


@pytest.mark.usefixtures("quick")
def test_an_account_is_the_same_however_its_address_is_typed(practice: Practice) -> None:
    visitor = practice.app.test_client()
    for spelling in ("provider@example.com", " Provider@Example.com", "PROVIDER@EXAMPLE.COM ") * 4:
        answer = visitor.post("/login", data={"email": spelling, "password": WRONG})
    is_too_often(answer)


@pytest.mark.usefixtures("quick")
def test_a_practice_of_one_address_signs_in_and_a_flood_of_names_from_there_does_not(
    practice: Practice,
) -> None:
    assert {sign_in(practice, "provider", PASSWORD).status_code for _ in range(25)} == {303}
    visitor = practice.app.test_client()
    answers = [
        visitor.post(
            "/login",
            data={"email": f"p{n}@example.com", "password": WRONG},
            environ_overrides={"REMOTE_ADDR": HERE},
        )
        for n in range(40)
    ]
    is_too_often(answers[-1])
    assert sign_in(practice, "provider", PASSWORD, THERE).status_code == 303


@pytest.mark.usefixtures("quick")
def test_addresses_of_one_ipv6_network_count_as_one(practice: Practice) -> None:
    tries = [sign_in(practice, "provider", WRONG, f"2001:db8:1:1::{number:x}") for number in range(11)]
    is_too_often(tries[-1])
    assert sign_in(practice, "provider", PASSWORD, "2001:db8:1:2::1").status_code == 303


@pytest.mark.usefixtures("quick")
def test_without_a_proxy_of_ours_nobody_says_another_address_than_their_own(practice: Practice) -> None:
    visitor = practice.app.test_client()
    for number in range(11):
        answer = visitor.post(
            "/login",
            data={"email": practice.people["owner"].email, "password": WRONG},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
            environ_overrides={"REMOTE_ADDR": HERE},
        )
    is_too_often(answer)


@pytest.mark.usefixtures("quick")
def test_behind_a_proxy_of_ours_visitors_are_told_apart_by_what_it_says(tmp_path: Path) -> None:
    with open_practice(tmp_path, "sqlite://", PROXY_HOPS="1") as practice:
        practice.app.config["WTF_CSRF_ENABLED"] = False
        fields = {"email": practice.people["owner"].email, "password": WRONG}
        last = {}
        for spoofed, seen in ((f"10.0.0.{n}", visitor) for n in range(11) for visitor in ("a", "b")):
            address = HERE if seen == "a" else f"198.51.100.{spoofed.rpartition('.')[2]}"
            headers = {"X-Forwarded-For": f"{spoofed}, {address}"}  # the visitor's own words come first
            last[seen] = practice.app.test_client().post("/login", data=fields, headers=headers)
        is_too_often(last["a"])
        assert last["b"].status_code == 422


@pytest.mark.usefixtures("quick")
def test_the_question_for_the_password_is_not_answered_for_ever(practice: Practice) -> None:
    visitor = practice.sign_in("provider")
    tries = [visitor.post("/confirm-password", data={"password": WRONG}) for _ in range(11)]
    assert [each.status_code for each in tries[:10]] == [422] * 10
    is_too_often(tries[10])
    assert practice.sign_in("owner").post("/confirm-password", data={"password": PASSWORD}).status_code == 303


def test_who_guesses_feeds_or_channels_waits_and_who_has_one_never_does(practice: Practice) -> None:
    visitor: FlaskClient = practice.app.test_client()
    feed = f"/feeds/{practice.people['provider'].feed_token}/calendar.ics"
    for guess in (
        lambda: visitor.get("/feeds/guessed/calendar.ics"),
        lambda: visitor.post("/webhooks/google", headers={"X-Goog-Channel-ID": "guessed"}),
    ):
        answers = [guess() for _ in range(61)]
        assert {each.status_code for each in answers[:60]} == {404}
        is_too_often(answers[60])
    assert {visitor.get(feed).status_code for _ in range(70)} == {200}
    headers = {"X-Goog-Channel-ID": f"channel-{practice.people['provider'].id}"}
    headers |= {"X-Goog-Channel-Token": "secret", "X-Goog-Resource-State": "exists"}
    found = {visitor.post("/webhooks/google", headers=headers).status_code for _ in range(70)}
    assert found == {204}


@pytest.mark.usefixtures("quick")
def test_tries_are_counted_together_in_the_queues_server(tmp_path: Path, redis_url: str) -> None:
    for number in range(2):  # a process each
        (tmp_path / str(number)).mkdir()
        with open_practice(tmp_path / str(number), "sqlite://", REDIS_URL=redis_url) as practice:
            practice.app.config["WTF_CSRF_ENABLED"] = False
            statuses = [sign_in(practice, "provider", WRONG).status_code for _ in range(6)]
    assert statuses == [422, 422, 422, 422, 429, 429]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("listens", [True, False])
def test_without_the_queues_server_people_sign_in_at_once_and_are_counted_all_the_same(
    tmp_path: Path, listens: bool
) -> None:
    """It takes the connection and says nothing; or there is none to be had."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not listens:
            silent.close()
        with open_practice(tmp_path, "sqlite://", REDIS_URL=f"redis://127.0.0.1:{port}/0") as practice:
            practice.app.config["WTF_CSRF_ENABLED"] = False
            began = time.monotonic()
            assert sign_in(practice, "owner", PASSWORD).status_code == 303
            assert time.monotonic() - began < 1.5
            statuses = [sign_in(practice, "provider", WRONG).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_a_hundred_sign_ins_at_once_take_two_processors_and_no_page_waits(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are checked, one waits, the others are told at once, and try again."""
    checking, most, release = [0], [0], threading.Event()

    class Slow:
        def verify(self, _stored: str, _password: str) -> bool:
            checking[0] += 1
            most[0] = max(most[0], checking[0])
            release.wait(5)
            checking[0] -= 1
            return True

        def check_needs_rehash(self, _stored: str) -> bool:
            return False

    monkeypatch.setattr(accounts, "_hasher", Slow())
    statuses: list[tuple[int, TestResponse]] = []

    def try_it(number: int) -> None:
        statuses.append((number, sign_in(practice, "owner", PASSWORD, f"203.0.113.{number}")))

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    visitor = practice.sign_in("provider")
    began = time.monotonic()
    assert visitor.get("/calendar").status_code == 200
    assert visitor.post("/clients", data={"name": "Canary"}).status_code == 303, "no writer waits for a hash"
    assert time.monotonic() - began < 4
    release.set()
    for thread in threads:
        thread.join(10)
    assert most[0] == 2
    told = [answer for _, answer in statuses if answer.status_code == 503]
    assert len(told) >= 9
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in told)
    assert error("busy")[0] in told[0].text
    assert len([answer for _, answer in statuses if answer.status_code == 303]) >= 2
