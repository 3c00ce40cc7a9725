"""Words that must not leave, planted everywhere, and looked for in everything that left."""

from __future__ import annotations

import base64
import datetime as dt
import json
import urllib.request
import zlib
from typing import Any

import redis
import sqlalchemy as sa

from portal.extensions import db
from portal.models import AppointmentKind, Client, NameDisplay
from portal.practice import appointments, clients
from portal.practice.appointments import AppointmentDetails
from portal.practice.spans import Timed
from tests.engine.conftest import EMAIL, ZONE
from tests.engine.test_pull import timed
from tests.forms import Reader
from tests.scenarios.conftest import Scene, reading, writing
from tests.wizard import connect_google

NAME = "Philomena Nachtigall"
TITLE = "Supervision with Kestrelmann"  # of another event here
THEIRS = "Biopsy Wryneckovich"  # in Google
PLACE = "Hoopoegasse 9"
GUEST = "bittern@example.org"
OF_CLIENTS = ("Philomena", "Nachtigall")
OF_GOOGLE = ("Wryneckovich", "Hoopoegasse", "bittern")
CANARIES = (*OF_CLIENTS, "Kestrelmann", *OF_GOOGLE)


def found(text: str, *words: str) -> list[str]:
    """Which of these words, in any case, stand in the text."""
    lower = text.lower()
    return [word for word in words if word.lower() in lower]


def everything_google_got(scene: Scene) -> str:
    """Path and body of every request and of every part of a batch."""
    requests = scene.google.requests()["requests"]
    return "\n".join(f"{each['path']} {each['body']}" for each in requests)


def everything_in_valkey(scene: Scene) -> str:
    """Every key with its value, whatever its kind."""
    with redis.Redis.from_url(scene.valkey.url) as store:
        readers: dict[bytes, Any] = {
            b"string": store.get,
            b"hash": store.hgetall,
            b"set": store.smembers,
            b"list": lambda key: store.lrange(key, 0, -1),
            b"zset": lambda key: store.zrange(key, 0, -1, withscores=True),
            b"stream": store.xrange,
            b"none": lambda key: "",  # it ran out between the two questions
        }
        return "\n".join(f"{key!r} {readers[store.type(key)](key)!r}" for key in store.keys("*"))


def failures_in_valkey(scene: Scene) -> list[str]:
    """What RQ keeps of jobs that failed, unpacked."""
    with redis.Redis.from_url(scene.valkey.url) as store:
        packed = [
            fields[b"exc_string"]
            for key in store.keys("rq:results:*")
            for _, fields in store.xrange(key)
            if b"exc_string" in fields
        ]
    return [zlib.decompress(base64.b64decode(each)).decode() for each in packed]


def feed_of(person: Reader) -> str:
    """The file that a subscriber gets in One-Way Sync."""
    person.open("/calendar/sync").tick("One-Way Sync").press("Continue")
    while person.main()["data-mode"] != "one-way":
        person.press("Continue")
    with urllib.request.urlopen(feed_address(person), timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def feed_address(person: Reader) -> str:
    return next(each["value"] for each in person.page.find("input") if person.name_of(each) == "Feed URL")


def error_pages(person: Reader) -> str:
    """What a signed-in person and a stranger see of addresses that lead nowhere."""
    stranger = Reader(person.address)
    nowhere = ("/appointments/999999", "/clients/999999", "/no-such-page", "/webhooks/google")
    return "\n".join(
        f"{address} {reader.open(address).page.text}" for reader in (person, stranger) for address in nowhere
    )


def plant(scene: Scene) -> Client:
    """A client, an event with a title and a place here; an event with a title, a place and a guest there."""
    office = scene.office
    with writing():
        client = clients.add_client(office.provider, NAME, now=office.clock())
        db.session.commit()
    office.book(days=2, client=client)
    day = (office.clock() + dt.timedelta(days=3)).date()
    details = AppointmentDetails(AppointmentKind.OTHER, Timed(day, dt.time(9), ZONE, 60), title=TITLE)
    with writing():
        appointments.book(office.provider, details, now=office.clock(), actor=office.provider, source="web")
        db.session.commit()
    guests = [{"email": GUEST}]
    scene.google.add_event(
        EMAIL, summary=THEIRS, location=PLACE, description=THEIRS, attendees=guests, **timed(office)
    )
    return client


def make_trouble(scene: Scene) -> None:
    """Errors are where words slip out: a run that fails, a garbled answer, an odd event."""
    scene.google.add_fault("backend_error", method="calendar.events.list", times=1)
    scene.google.add_fault("malformed_json", method="calendar.events.insert", times=1)
    odd = scene.google.add_event(EMAIL, summary=THEIRS, **timed(scene.office, days=4))
    scene.google.act_on_event(EMAIL, "primary", odd["id"], "distort", end=None)
    scene.office.book(days=6)


def show_full_names(scene: Scene) -> None:
    office = scene.office
    with writing():
        clients.change_display(
            office.provider,
            NameDisplay.FULL_NAME,
            confirmed=True,
            sends_other_titles=False,
            now=office.clock(),
        )
        db.session.commit()


def refuse_one_event(scene: Scene) -> None:
    """The database refuses a row with a canary in it: the run crashes, and its error holds the statement."""
    with writing():
        db.session.execute(
            sa.text(
                "CREATE TRIGGER trouble BEFORE INSERT ON google_event WHEN NEW.summary LIKE 'Biopsy again %' "
                "BEGIN SELECT RAISE(ABORT, 'trouble'); END"
            )
        )
        db.session.commit()
    scene.google.add_event(EMAIL, summary=f"Biopsy again {THEIRS}", **timed(scene.office, days=5))
    scene.wait(lambda: "event=job.failed" in scene.portal.printed(), "the run crashes")


def test_no_name_address_or_title_leaves_but_as_it_was_chosen(scene: Scene) -> None:
    """Failure 47."""
    client = plant(scene)
    scene.portal.start_worker()
    person = scene.sign_in()
    feed = feed_of(person)
    assert client.internal_id in feed
    token = feed_address(person).split("/")[-2]
    assert found(feed, *CANARIES, EMAIL) == []

    connect_google(person)
    make_trouble(scene)
    scene.rest()
    with reading():
        assert THEIRS in scene.shown(), "it was read"
    sent = everything_google_got(scene)
    assert f'"summary": "{client.internal_id}"' in json.dumps(sent).replace("\\", "")
    assert found(sent, *CANARIES) == []
    inserts = scene.google.requests(method="calendar.events.insert")["requests"]
    assert inserts
    assert all("sendUpdates=none" in each["path"] for each in inserts)
    assert found("".join(each["body"] for each in inserts), "attendees", "description", "location") == []

    show_full_names(scene)
    scene.rest()
    scene.rest()
    sent = everything_google_got(scene)
    assert found(sent, *OF_CLIENTS) == list(OF_CLIENTS), "as it was chosen"
    assert found(sent, "Kestrelmann", *OF_GOOGLE) == []

    refuse_one_event(scene)
    assert "JobFailed" in str(failures_in_valkey(scene)), "RQ keeps what a failed job said"
    assert found(everything_in_valkey(scene) + str(failures_in_valkey(scene)), *CANARIES, EMAIL) == []
    assert found(error_pages(person), *CANARIES) == []
    report = scene.portal.flask("sync", "doctor", EMAIL).stdout + json.dumps(scene.doctor())
    assert found(report, *CANARIES, EMAIL) == []
    logs = scene.portal.printed()
    assert "sync.run" in logs, "there are logs to look into"
    assert "GET /feeds/…/calendar.ics" in logs, "gunicorn's among them"
    assert found(logs, *CANARIES, EMAIL, token) == []
