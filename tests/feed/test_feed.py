"""The one-way feed of a provider: its address, its contents, its readers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import icalendar
import pytest
import sqlalchemy as sa

from portal.extensions import db
from portal.feed import addresses, document, readers
from portal.models import AppointmentStatus, Feed, FeedRead, NameDisplay, Provider, SyncMode
from portal.practice import clients
from tests.scratch_practice import NOW, add_provider, book, in_context, make_app

DAY = dt.timedelta(days=1)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with in_context(make_app(tmp_path)):
        provider = add_provider()
        provider.sync_mode = SyncMode.ONE_WAY
        yield provider


def opened(feed: Feed, *, now: dt.datetime = NOW) -> document.FeedFile:
    db.session.flush()
    return document.open_feed(feed, app_calendar_name="Lockstep", now=now)


def titles(feed: Feed, *, now: dt.datetime = NOW) -> list[str]:
    calendar = icalendar.Calendar.from_ical(opened(feed, now=now).render())
    return [str(event["SUMMARY"]) for event in calendar.walk("VEVENT")]


def test_the_token_is_long_found_by_its_hash_and_encrypted_in_the_database(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    assert len(feed.token) == 43
    assert addresses.find_feed(feed.token) is feed
    assert addresses.find_feed(feed.token + "x") is None
    stored = db.session.execute(sa.text("SELECT token, token_hash FROM feed")).one()
    assert feed.token not in stored.token and feed.token not in stored.token_hash


def test_a_new_feed_url_ends_the_one_before(provider: Provider) -> None:
    book(provider)
    old = addresses.new_feed(provider, now=NOW)
    new = addresses.new_feed(provider, now=NOW + DAY)
    db.session.refresh(old)
    assert addresses.live_feed(provider) is new and new.token != old.token
    assert (titles(old), titles(new)) == ([], ["Busy"])


def test_the_feed_holds_live_appointments_of_its_window(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    client = clients.add_client(provider, "Jane Smith", now=NOW)
    book(provider, client)
    book(provider, client, status=AppointmentStatus.COMPLETED, start=NOW - 59 * DAY)
    for status in (AppointmentStatus.CANCELED, AppointmentStatus.LATE_CANCELED, AppointmentStatus.NO_SHOW):
        book(provider, client, status=status)
    book(provider, client, archived_at=NOW)
    book(provider, client, start=NOW - 62 * DAY)
    book(provider, client, start=NOW + 366 * DAY)
    assert titles(feed) == ["1001", "1001"]
    assert document.count_in_feed(provider, now=NOW) == 2


def test_nobody_elses_appointments_are_in_it(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    book(add_provider("sol.ortiz@example.com", name="Sol Ortiz"))
    assert titles(feed) == []


@pytest.mark.parametrize("mode", [SyncMode.OFF, SyncMode.TWO_WAY])
def test_in_any_other_mode_the_feed_is_empty(provider: Provider, mode: SyncMode) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    book(provider)
    provider.sync_mode = mode
    assert titles(feed) == []


def test_a_closed_account_shows_nothing(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    book(provider)
    provider.deactivated_at = NOW
    assert titles(feed) == []


def test_the_uid_stays_while_the_sequence_rises(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    appointment = book(provider)

    def event() -> tuple[str, str]:
        (found,) = icalendar.Calendar.from_ical(opened(feed).render()).walk("VEVENT")
        return str(found["UID"]), str(found["SEQUENCE"])

    uid, sequence = event()
    appointment.revision += 1
    assert (sequence, event()) == ("1", (uid, "2"))


def test_every_change_changes_the_validator_and_nothing_else_does(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    client = clients.add_client(provider, "Jane Smith", now=NOW)
    appointment = book(provider, client)
    seen = [opened(feed).etag]
    assert opened(feed, now=NOW + dt.timedelta(hours=5)).etag == seen[0]

    appointment.revision += 1
    seen.append(opened(feed).etag)
    book(provider, client)
    seen.append(opened(feed).etag)
    clients.change_display(provider, NameDisplay.INITIALS, confirmed=True, sends_other_titles=False, now=NOW)
    seen.append(opened(feed).etag)
    seen.append(opened(feed, now=NOW + DAY).etag)
    addresses.replace(provider, now=NOW)
    db.session.refresh(feed)
    seen.append(opened(feed).etag)
    assert len(set(seen)) == len(seen)


def test_a_replaced_feed_is_empty_for_ninety_days_and_then_gone(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    assert not addresses.is_gone(feed, now=NOW + 400 * DAY)
    addresses.replace(provider, now=NOW)
    db.session.refresh(feed)
    assert not addresses.is_gone(feed, now=NOW + 90 * DAY)
    assert addresses.is_gone(feed, now=NOW + 90 * DAY + dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        ("Google-Calendar-Importer", "google"),
        ("iOS/17.5 (21F79) dataaccessd/1.0", "apple"),
        ("macOS/14.5 (23F79) dataaccessd/1.0", "apple"),
        ("Microsoft Exchange/15.20 (Exchange)", "outlook"),
        ("curl/8.5.0", "other"),
        ("", "other"),
    ],
)
def test_readers_are_known_by_family_only(user_agent: str, family: str) -> None:
    assert readers.reader_family(user_agent) == family


def test_the_feed_clock_says_who_comes_how_often_and_next(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    for hours in (0, 11, 22):
        at = NOW + dt.timedelta(hours=hours)
        readers.record_read(feed, user_agent="Google-Calendar-Importer", status=200, now=at)
    readers.record_read(feed, user_agent="curl", status=304, now=NOW)
    google, other = readers.readers(feed)
    assert (google.family, google.reads, google.interval) == ("google", 3, dt.timedelta(hours=11))
    assert google.next_read_at == NOW + dt.timedelta(hours=33)
    assert (other.family, other.interval, other.next_read_at, other.last_status) == ("other", None, None, 304)


def test_old_notes_of_reads_are_dropped(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    readers.record_read(feed, user_agent="", status=200, now=NOW - 40 * DAY)
    readers.record_read(feed, user_agent="", status=200, now=NOW)
    assert db.session.scalar(sa.select(sa.func.count(FeedRead.id))) == 1


def test_an_old_feed_that_is_still_read_is_told_of(provider: Provider) -> None:
    feed = addresses.new_feed(provider, now=NOW)
    readers.record_read(feed, user_agent="Google-Calendar-Importer", status=200, now=NOW)
    assert readers.old_feed_reader(provider, now=NOW) is None
    addresses.replace(provider, now=NOW + DAY)
    assert readers.old_feed_reader(provider, now=NOW + DAY) is None, "it was read before, not after"
    readers.record_read(feed, user_agent="Google-Calendar-Importer", status=200, now=NOW + 2 * DAY)
    reader = readers.old_feed_reader(provider, now=NOW + 2 * DAY)
    assert reader is not None and reader.family == "google"
    assert readers.old_feed_reader(provider, now=NOW + 30 * DAY) is None
