"""Writing events: ids, etags, patches, and what is corrected without a word (facts §6, §8)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from portal.errors import Conflict, EtagMismatch, EventNotFound
from portal.google.client import Write
from portal.google.codec import from_google
from portal.sync.event import Content, EventTime, Tag
from tests.google_contract.account import ZONE, Account, at

NOON = dt.datetime(2031, 3, 18, 18, 0, tzinfo=dt.UTC)


def write(verb: str, event_id: str, *, hours: int = 0, if_match: str | None = None) -> Write:
    content = Content(
        summary=f"{hours} hours after noon",
        start=EventTime(datetime=NOON + dt.timedelta(hours=hours), tzid=ZONE),
        end=EventTime(datetime=NOON + dt.timedelta(hours=hours + 1), tzid=ZONE),
    )
    tag = Tag(
        installation="contract", appointment="a1", event_id=event_id, revision=1,
        times_hash=content.times_hash(),
    )  # fmt: skip
    return Write(verb=verb, event_id=event_id, content=content, tag=tag, if_match=if_match)


def refused_as(account: Account, request: Any, *, etag: str | None = None) -> tuple[int, str]:
    refused = account.refusal(request, etag=etag)
    return refused.status, refused.reason


# Ids


def test_what_the_portal_writes_is_read_back_as_it_was_meant(account: Account) -> None:
    sent = write("insert", account.new_id())
    account.owe(sent.event_id)
    (outcome,) = account.client.write_events(account.calendar_id, [sent])
    assert isinstance(outcome, dict)
    for resource in (outcome, account.client.get_event(account.calendar_id, sent.event_id)):
        event = from_google(resource)
        assert event.content is not None and sent.content is not None
        assert event.content.content_hash() == sent.content.content_hash()
        assert event.tag == sent.tag


def test_the_parts_of_a_batch_have_outcomes_of_their_own(account: Account) -> None:
    old, new = account.insert(**at(18))["id"], account.new_id()
    account.owe(new)
    writes = [
        write("insert", new),
        write("insert", old),
        write("patch", old, hours=1, if_match='"stale"'),
        write("delete", account.new_id()),
    ]
    outcomes = account.client.write_events(account.calendar_id, writes)
    assert [type(one) for one in outcomes] == [dict, Conflict, EtagMismatch, EventNotFound]


@pytest.mark.parametrize("event_id", ["abcd", "ABCDEF", "wxyz0", "with-hyphen"])
def test_an_id_outside_base32hex_is_refused(account: Account, event_id: str) -> None:
    refused = account.refusal(account.inserting(id=event_id, **at(18)))
    assert (refused.status, refused.reason) == (400, "invalid")


def test_an_id_stays_taken_when_its_event_is_deleted(account: Account) -> None:
    event = account.insert(**at(18))
    assert refused_as(account, account.inserting(id=event["id"], **at(18))) == (409, "duplicate")
    account.delete(event["id"])
    assert refused_as(account, account.inserting(id=event["id"], **at(18))) == (409, "duplicate")


def test_a_uid_stays_taken_when_its_event_is_deleted(account: Account) -> None:
    uid = f"{account.new_id()}@contract.example"
    event = account.insert(iCalUID=uid, **at(18))
    assert event["iCalUID"] == uid
    assert refused_as(account, account.inserting(iCalUID=uid, **at(18))) == (409, "duplicate")
    account.delete(event["id"])
    assert refused_as(account, account.inserting(iCalUID=uid, **at(18))) == (409, "duplicate")


def test_a_deleted_event_is_still_there_as_cancelled(account: Account) -> None:
    event = account.insert(**at(18))
    account.delete(event["id"])
    assert account.get(event["id"])["status"] == "cancelled"
    assert account.client.get_event(account.calendar_id, event["id"])["status"] == "cancelled"


def test_deleting_twice_is_410_the_second_time(account: Account) -> None:
    event = account.insert(**at(18))
    account.delete(event["id"])
    assert refused_as(account, account.deleting(event["id"])) == (410, "deleted")


def test_an_event_that_never_was_is_not_found(account: Account) -> None:
    event_id = account.new_id()
    assert refused_as(account, account.getting(event_id)) == (404, "notFound")
    assert refused_as(account, account.patching(event_id, summary="x")) == (404, "notFound")
    assert refused_as(account, account.deleting(event_id)) == (404, "notFound")


# Etags


def test_a_write_with_an_old_etag_is_refused_and_changes_nothing(account: Account) -> None:
    old = account.insert(summary="First", **at(19))
    account.patch(old["id"], summary="Second")
    stale = (412, "conditionNotMet")
    assert refused_as(account, account.patching(old["id"], summary="Third"), etag=old["etag"]) == stale
    assert refused_as(account, account.updating(old["id"], **at(19)), etag=old["etag"]) == stale
    assert refused_as(account, account.deleting(old["id"]), etag=old["etag"]) == stale
    left = account.get(old["id"])
    assert (left["summary"], left["status"]) == ("Second", "confirmed")


def test_the_current_etag_and_a_star_let_a_write_pass(account: Account) -> None:
    event = account.insert(summary="First", **at(19))
    newer = account.call(account.patching(event["id"], summary="Second"), etag=event["etag"])
    assert newer["etag"] != event["etag"]
    assert account.call(account.patching(event["id"], summary="Third"), etag="*")["summary"] == "Third"


# What a write does


def test_a_patch_merges_removes_with_null_and_replaces_arrays(account: Account) -> None:
    event = account.insert(
        location="Here",
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=America/Chicago:20310327T100000"],
        extendedProperties={"private": {"a": "1", "b": "2"}},
        **at(20),
    )
    account.patch(
        event["id"],
        summary="Named",
        location=None,
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"],
        extendedProperties={"private": {"a": None, "c": "3"}},
    )
    after = account.get(event["id"])
    assert after["summary"] == "Named"
    assert "location" not in after
    assert after["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=2"]
    assert after["extendedProperties"]["private"] == {"b": "2", "c": "3"}
    assert after["start"] == event["start"]


def test_an_update_clears_what_it_does_not_name(account: Account) -> None:
    event = account.insert(summary="Named", location="Here", **at(20))
    after = account.call(account.updating(event["id"], **at(20, 12)))
    assert "summary" not in after
    assert "location" not in after
    assert after["iCalUID"] == event["iCalUID"]


def test_an_update_without_times_is_refused(account: Account) -> None:
    event = account.insert(**at(20))
    assert account.refusal(account.updating(event["id"], summary="Named")).status == 400


def test_a_timed_event_becomes_all_day_when_the_other_kind_is_nulled(account: Account) -> None:
    event = account.insert(**at(20))
    whole = {"dateTime": None, "timeZone": None}
    after = account.patch(
        event["id"], start={"date": "2031-03-20", **whole}, end={"date": "2031-03-22", **whole}
    )
    assert (after["start"]["date"], after["end"]["date"]) == ("2031-03-20", "2031-03-22")
    assert "dateTime" not in after["start"]


def test_a_date_on_one_side_and_a_moment_on_the_other_are_refused(account: Account) -> None:
    body = {**at(20), "end": {"date": "2031-03-21"}}
    assert account.refusal(account.inserting(id=account.new_id(), **body)).status == 400


def test_an_event_that_ends_before_it_starts_is_refused(account: Account) -> None:
    times = at(20)
    body = {"start": times["end"], "end": times["start"]}
    assert account.refusal(account.inserting(id=account.new_id(), **body)).status == 400


def test_a_busy_event_without_special_visibility_and_a_free_private_one(account: Account) -> None:
    plain = account.insert(**at(20))
    assert plain.get("transparency", "opaque") == "opaque"
    assert plain.get("visibility", "default") == "default"
    special = account.insert(transparency="transparent", visibility="private", **at(20))
    assert (special["transparency"], special["visibility"]) == ("transparent", "private")


def test_a_property_with_too_long_a_name_is_dropped_without_a_word(account: Account) -> None:
    event = account.insert(extendedProperties={"private": {"n" * 44: "kept", "n" * 45: "dropped"}}, **at(21))
    assert account.get(event["id"])["extendedProperties"]["private"] == {"n" * 44: "kept"}


def test_a_property_with_too_long_a_value_is_cut_without_a_word(account: Account) -> None:
    event = account.insert(extendedProperties={"private": {"long": "v" * 1025}}, **at(21))
    assert account.get(event["id"])["extendedProperties"]["private"] == {"long": "v" * 1024}


def test_reminders_do_not_change_when_the_event_was_updated(account: Account) -> None:
    event = account.insert(**at(21))
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 15}]}
    after = account.patch(event["id"], reminders=reminders)
    assert after["reminders"] == reminders
    assert after["updated"] == event["updated"]


def test_more_than_five_reminders_are_refused(account: Account) -> None:
    overrides = [{"method": "popup", "minutes": minutes} for minutes in range(6)]
    body = {"reminders": {"useDefault": False, "overrides": overrides}, **at(21)}
    assert account.refusal(account.inserting(id=account.new_id(), **body)).status == 400


def test_a_lower_sequence_than_the_stored_one_is_refused(account: Account) -> None:
    event = account.insert(sequence=5, **at(21))
    assert event["sequence"] == 5
    assert account.refusal(account.updating(event["id"], sequence=3, **at(21))).status == 400


def test_a_conference_is_dropped_without_a_word_unless_its_version_is_named(account: Account) -> None:
    request = {"requestId": account.run, "conferenceSolutionKey": {"type": "hangoutsMeet"}}
    event = account.insert(conferenceData={"createRequest": request}, **at(21))
    assert "conferenceData" not in event


def test_the_kind_of_an_event_cannot_be_one_of_the_primary_calendars_own(account: Account) -> None:
    body = {"eventType": "outOfOffice", "outOfOfficeProperties": {}, **at(21)}
    assert account.refusal(account.inserting(id=account.new_id(), **body)).status in (400, 403)


def test_only_the_fields_that_are_asked_for_come_back(account: Account) -> None:
    event = account.insert(summary="Named", location="Here", **at(21))
    assert account.call(account.getting(event["id"], fields="id,summary")) == {
        "id": event["id"],
        "summary": "Named",
    }
