"""Writing events: ids, etags, patches, tombstones, and what Google quietly corrects (facts §6, §8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from googleapiclient.errors import HttpError

DAY = {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}


def insert(service, body, **more):
    return service.events().insert(calendarId="primary", body=body, **more).execute()


def patch(service, event_id, body, etag=None, **more):
    request = service.events().patch(calendarId="primary", eventId=event_id, body=body, **more)
    if etag:
        request.headers["If-Match"] = etag
    return request.execute()


def get(service, event_id, **more):
    return service.events().get(calendarId="primary", eventId=event_id, **more).execute()


def delete(service, event_id):
    return service.events().delete(calendarId="primary", eventId=event_id).execute()


def test_an_event_comes_back_with_what_google_adds(service, at):
    event = insert(service, {"summary": "Lunch", **at(1)})
    assert event["status"] == "confirmed"
    assert event["iCalUID"] == f"{event['id']}@google.com"
    assert event["etag"].startswith('"')
    assert event["organizer"] == {"email": "ana@example.com", "self": True}
    assert event["reminders"] == {"useDefault": True}
    assert event["start"] == {"dateTime": "2026-12-01T10:00:00-06:00", "timeZone": "America/Chicago"}
    assert event["created"] <= event["updated"]


def test_times_come_back_in_the_calendars_zone_and_in_another_on_request(service):
    times = {side: {"dateTime": f"2026-12-01T1{n}:00:00Z"} for n, side in enumerate(("start", "end"))}
    event = insert(service, times)
    assert event["start"]["dateTime"] == "2026-12-01T04:00:00-06:00"
    shown = get(service, event["id"], timeZone="Asia/Tokyo")
    assert shown["start"]["dateTime"] == "2026-12-01T19:00:00+09:00"


@pytest.mark.parametrize("event_id", ["ab", "ABCDEF", "wxyz0", "with-hyphen"])
def test_an_id_outside_base32hex_is_refused(service, refused, event_id):
    with refused(400, "invalid", "Invalid resource id value."):
        insert(service, {"id": event_id, **DAY})


def test_an_id_can_be_used_once_even_after_its_event_is_deleted(service, refused):
    insert(service, {"id": "abcde12345", **DAY})
    with refused(409, "duplicate", "The requested identifier already exists."):
        insert(service, {"id": "abcde12345", **DAY})
    delete(service, "abcde12345")
    with refused(409, "duplicate"):
        insert(service, {"id": "abcde12345", **DAY})


def test_an_ical_uid_can_be_used_once_even_after_its_event_is_deleted(service, refused):
    event = insert(service, {"iCalUID": "one@elsewhere.example", **DAY})
    with refused(409, "duplicate"):
        insert(service, {"iCalUID": "one@elsewhere.example", **DAY})
    delete(service, event["id"])
    with refused(409, "duplicate"):
        insert(service, {"iCalUID": "one@elsewhere.example", **DAY})


def test_a_patch_merges_removes_with_null_and_replaces_arrays(service, at):
    event = insert(
        service,
        {
            "summary": "A",
            "location": "Here",
            "attendees": [{"email": "one@example.com"}, {"email": "two@example.com"}],
            "extendedProperties": {"private": {"a": "1", "b": "2"}},
            **at(1),
        },
    )
    patched = patch(
        service,
        event["id"],
        {
            "location": None,
            "attendees": [{"email": "three@example.com"}],
            "extendedProperties": {"private": {"a": None, "c": "3"}},
        },
    )
    assert patched["summary"] == "A"
    assert "location" not in patched
    assert [one["email"] for one in patched["attendees"]] == ["three@example.com"]
    assert patched["extendedProperties"]["private"] == {"b": "2", "c": "3"}


def test_an_update_clears_what_it_does_not_name_and_needs_times(service, at, refused):
    event = insert(service, {"summary": "A", "location": "Here", **at(1)})
    updated = service.events().update(calendarId="primary", eventId=event["id"], body=at(2)).execute()
    assert "summary" not in updated
    assert "location" not in updated
    assert (updated["id"], updated["created"]) == (event["id"], event["created"])
    with refused(400, "required"):
        service.events().update(calendarId="primary", eventId=event["id"], body={"summary": "B"}).execute()


def test_a_write_with_an_old_etag_is_refused_and_a_star_forces_it(service, at, refused):
    event = insert(service, at(1))
    newer = patch(service, event["id"], {"summary": "B"}, event["etag"])
    assert newer["etag"] != event["etag"]
    with refused(412, "conditionNotMet", "Precondition Failed"):
        patch(service, event["id"], {"summary": "C"}, event["etag"])
    for verb in ("update", "delete", "move"):
        extra = {"update": {"body": at(2)}, "delete": {}, "move": {"destination": "primary"}}[verb]
        request = getattr(service.events(), verb)(calendarId="primary", eventId=event["id"], **extra)
        request.headers["If-Match"] = event["etag"]
        with refused(412, "conditionNotMet"):
            request.execute()
    assert patch(service, event["id"], {"summary": "D"}, "*")["summary"] == "D"


def test_a_deleted_event_is_a_bare_tombstone_and_a_second_delete_is_gone(service, refused):
    event = insert(service, {"summary": "Secret", **DAY})
    assert delete(service, event["id"]) == ""
    tombstone = get(service, event["id"])
    assert tombstone["status"] == "cancelled"
    assert set(tombstone) == {"kind", "etag", "id", "status"}
    with refused(410, "deleted", "Resource has been deleted"):
        delete(service, event["id"])
    with refused(404, "notFound"):
        delete(service, "neverwas0")


def test_writing_to_a_deleted_event_is_forbidden_or_stale(service, refused):
    event = insert(service, DAY)
    delete(service, event["id"])
    with refused(403, "forbidden"):
        patch(service, event["id"], {"summary": "B"})
    with refused(412, "conditionNotMet"):
        patch(service, event["id"], {"summary": "B"}, event["etag"])


def test_an_update_undeletes_when_the_switch_says_so(google, service):
    google.switch(undelete_by_update=True)
    event = insert(service, {"summary": "A", **DAY})
    delete(service, event["id"])
    body = {"summary": "A", "status": "confirmed", **DAY}
    service.events().update(calendarId="primary", eventId=event["id"], body=body).execute()
    assert get(service, event["id"])["status"] == "confirmed"


def test_a_patch_to_cancelled_deletes(service, refused):
    event = insert(service, DAY)
    assert patch(service, event["id"], {"status": "cancelled"})["status"] == "cancelled"
    with refused(410, "deleted"):
        delete(service, event["id"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"start": {"date": "2026-12-01"}}, "required"),
        ({"start": {"date": "2026-12-01"}, "end": {"dateTime": "2026-12-02T00:00:00Z"}}, "invalid"),
        ({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-01"}}, "timeRangeEmpty"),
        (
            {"start": {"dateTime": "2026-12-01T10:00:00Z"}, "end": {"dateTime": "2026-12-01T09:00:00Z"}},
            "timeRangeEmpty",
        ),
        (
            {"start": {"dateTime": "2026-12-01T10:00:00"}, "end": {"dateTime": "2026-12-01T11:00:00"}},
            "invalid",
        ),
        ({"start": {"dateTime": "tomorrow"}, "end": {"dateTime": "2026-12-01T11:00:00Z"}}, "invalid"),
        ({**DAY, "visibility": "secret"}, "invalid"),
        ({**DAY, "colorId": "99"}, "invalid"),
        ({**DAY, "attendees": [{"displayName": "no address"}]}, "required"),
        ({**DAY, "eventType": "fromGmail"}, "eventTypeRestriction"),
        ({**DAY, "eventType": "birthday"}, "invalid"),
        (
            {**DAY, "end": {"date": "2026-12-03"}, "eventType": "workingLocation"},
            "malformedWorkingLocationEvent",
        ),
        ({**DAY, "recurrence": ["RRULE:FREQ=SOMETIMES"]}, "invalid"),
        ({**DAY, "recurrence": ["DTSTART:20261201"]}, "invalid"),
        (
            {
                "start": {"dateTime": "2026-12-01T10:00:00Z"},
                "end": {"dateTime": "2026-12-01T11:00:00Z"},
                "recurrence": ["RRULE:FREQ=DAILY"],
            },
            "invalid",
        ),
    ],
)
def test_an_impossible_event_is_refused(service, refused, body, reason):
    with refused(400, reason):
        insert(service, body)


def test_a_series_without_a_zone_is_told_so(service, refused):
    body = {side: {"dateTime": f"2026-12-01T1{n}:00:00Z"} for n, side in enumerate(("start", "end"))}
    with refused(400, "invalid", "Missing time zone definition for start time."):
        insert(service, body | {"recurrence": ["RRULE:FREQ=DAILY"]})


def test_private_properties_are_dropped_or_cut_without_a_word(service):
    private = {"k" * 44: "kept", "k" * 45: "dropped", "long": "v" * 1025}
    event = insert(service, {"extendedProperties": {"private": private}, **DAY})
    assert event["extendedProperties"]["private"] == {"k" * 44: "kept", "long": "v" * 1024}


def test_what_is_true_anyway_is_left_out(service):
    event = insert(service, {"transparency": "opaque", "visibility": "default", **DAY})
    assert "transparency" not in event
    assert "visibility" not in event
    assert insert(service, {"transparency": "transparent", **DAY})["transparency"] == "transparent"


def test_a_conference_without_version_one_vanishes_silently(service):
    conference = {"conferenceData": {"createRequest": {"requestId": "r"}}}
    assert "conferenceData" not in insert(service, conference | DAY)
    assert "conferenceData" in insert(service, conference | DAY, conferenceDataVersion=1)


def test_changing_reminders_does_not_touch_updated(google, service):
    event = insert(service, DAY)
    reminders = {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}}
    patched = patch(service, event["id"], reminders)
    assert patched["updated"] == event["updated"]
    assert patched["etag"] != event["etag"]
    google.switch(reminders_change_etag=False)
    again = patch(service, event["id"], {"reminders": {"useDefault": True, "overrides": None}})
    assert again["etag"] == patched["etag"]


def test_a_sequence_below_the_stored_one_is_refused(service, at, refused):
    event = insert(service, {"sequence": 3, **at(1)})
    with refused(400, "invalid"):
        patch(service, event["id"], {"sequence": 2})
    assert patch(service, event["id"], at(2))["sequence"] == 4


def test_identical_values_keep_the_etag_when_the_switch_says_so(google, service, at):
    event = insert(service, {"summary": "A", **at(1)})
    assert patch(service, event["id"], {"summary": "A"})["etag"] != event["etag"]
    google.switch(identical_writes_keep_etag=True)
    before = get(service, event["id"])
    assert patch(service, event["id"], {"summary": "A"})["etag"] == before["etag"]
    assert patch(service, event["id"], {"summary": "B"})["etag"] != before["etag"]


def test_only_the_own_row_says_self_and_only_on_the_primary_calendar(google, service, at):
    guests = {
        "attendees": [{"email": "ana@example.com", "responseStatus": "declined"}, {"email": "b@example.com"}]
    }
    rows = insert(service, guests | at(1))["attendees"]
    assert [row.get("self") for row in rows] == [True, None]
    assert rows[1]["responseStatus"] == "needsAction"
    other = google.add_calendar("ana@example.com", "Other")["id"]
    rows = service.events().insert(calendarId=other, body=guests | at(1)).execute()["attendees"]
    assert [row.get("self") for row in rows] == [None, None]


def test_max_attendees_leaves_only_the_own_row(service, at):
    guests = [{"email": f"{name}@example.com"} for name in ("ana", "b", "c")]
    event = insert(service, {"attendees": guests, **at(1)})
    shown = get(service, event["id"], maxAttendees=1)
    assert [row["email"] for row in shown["attendees"]] == ["ana@example.com"]
    assert shown["attendeesOmitted"] is True


def test_a_guest_may_not_change_what_all_guests_share(google, service, at, refused):
    imported = {
        "iCalUID": "x@y.example",
        "organizer": {"email": "boss@example.com"},
        "summary": "Talk",
        **at(1),
    }
    event = service.events().import_(calendarId="primary", body=imported).execute()
    with refused(403, "forbiddenForNonOrganizer"):
        patch(service, event["id"], {"summary": "My talk"})
    assert patch(service, event["id"], {"colorId": "5"})["colorId"] == "5"


def test_a_moved_event_is_a_tombstone_here_and_alive_there(google, service, at):
    other = google.add_calendar("ana@example.com", "Other")["id"]
    event = insert(service, {"summary": "A", **at(1)})
    answer = service.events().move(calendarId="primary", eventId=event["id"], destination=other).execute()
    assert answer["status"] == "cancelled"  # seen live, though all is well
    there = service.events().get(calendarId=other, eventId=event["id"]).execute()
    assert (there["status"], there["organizer"]["email"]) == ("confirmed", other)
    assert get(service, event["id"])["status"] == "cancelled"


def test_only_default_events_move(google, service, refused):
    other = google.add_calendar("ana@example.com", "Other")["id"]
    place = {"workingLocationProperties": {"type": "homeOffice", "homeOffice": {}}}
    home = insert(service, {"eventType": "workingLocation", **place, **DAY})
    with refused(400, "eventTypeRestriction"):
        service.events().move(calendarId="primary", eventId=home["id"], destination=other).execute()


def test_importing_again_is_a_conflict_or_an_update_by_the_switch(google, service, at, refused):
    body = {"iCalUID": "x@y.example", "summary": "A", **at(1)}
    first = service.events().import_(calendarId="primary", body=body).execute()
    with refused(409, "duplicate"):
        service.events().import_(calendarId="primary", body=body).execute()
    google.switch(reimport_updates=True)
    second = service.events().import_(calendarId="primary", body=body | {"summary": "B"}).execute()
    assert (second["id"], second["summary"]) == (first["id"], "B")


def test_a_line_of_text_becomes_an_event(service):
    assert service.events().quickAdd(calendarId="primary", text="Tea").execute()["summary"] == "Tea"


def test_the_type_of_an_event_never_changes(service, refused):
    event = insert(service, DAY)
    with refused(400, "eventTypeRestriction"):
        patch(service, event["id"], {"eventType": "workingLocation"})


def test_of_two_inserts_of_one_id_at_once_exactly_one_wins(connect):
    def attempt(own_service):
        try:
            insert(own_service, {"id": "abcde", **DAY})
        except HttpError as refusal:
            return refusal.status_code
        return 200

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, [connect() for _ in range(4)]))
    assert outcomes == [200, 409, 409, 409]


def test_no_write_changes_the_id_the_uid_or_the_organizer(service, at):
    event = insert(service, {"summary": "A", **at(1)})
    other = {"id": "zzzzz", "iCalUID": "other", "organizer": {"email": "x@example.com"}, "status": None}
    for changed in (
        patch(service, event["id"], other),
        service.events().update(calendarId="primary", eventId=event["id"], body=other | at(2)).execute(),
    ):
        assert {name: changed[name] for name in ("id", "iCalUID", "organizer", "status")} == {
            name: event[name] for name in ("id", "iCalUID", "organizer", "status")
        }


def test_attachments_stay_unless_the_caller_says_it_knows_them(service):
    paper = {"attachments": [{"fileUrl": "https://files.example/1"}]}
    event = insert(service, paper | DAY, supportsAttachments=True)
    kept = patch(service, event["id"], {"summary": "B", "attachments": []})
    assert kept["attachments"] == event["attachments"]
    gone = patch(service, event["id"], {"attachments": []}, supportsAttachments=True)
    assert gone["attachments"] == []


def test_an_event_can_move_away_and_back(google, service, at):
    other = google.add_calendar("ana@example.com", "Other")["id"]
    event = insert(service, {"summary": "A", **at(1)})
    service.events().move(calendarId="primary", eventId=event["id"], destination=other).execute()
    service.events().move(calendarId=other, eventId=event["id"], destination="primary").execute()
    assert get(service, event["id"])["status"] == "confirmed"


def test_a_series_moves_with_its_exceptions(google, service, at):
    other = google.add_calendar("ana@example.com", "Other")["id"]
    event = insert(service, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"], **at(1)})
    patch(service, f"{event['id']}_20261208T160000Z", at(9, 15))
    delete(service, f"{event['id']}_20261215T160000Z")
    service.events().move(calendarId="primary", eventId=event["id"], destination=other).execute()
    there = service.events().instances(calendarId=other, eventId=event["id"]).execute()["items"]
    assert sorted(one["start"]["dateTime"] for one in there) == [
        "2026-12-01T10:00:00-06:00",
        "2026-12-09T15:00:00-06:00",
    ]
