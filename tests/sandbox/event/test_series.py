"""Recurring events: expansion in the own zone, exceptions, cancelled dates, cutting a series (facts §7)."""

from __future__ import annotations

import pytest

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=6"]


def add(service, start, end, recurrence, zone="America/Chicago", **more):
    body = {
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        "recurrence": recurrence,
        **more,
    }
    return service.events().insert(calendarId="primary", body=body).execute()


def series(service, **more):
    """Six Tuesdays at 10:00 from 1 December 2026."""
    return add(service, "2026-12-01T10:00:00", "2026-12-01T11:00:00", WEEKLY, summary="Weekly", **more)


def instances(service, event_id, **params):
    return service.events().instances(calendarId="primary", eventId=event_id, **params).execute()["items"]


def listed(service, **params):
    return service.events().list(calendarId="primary", **params).execute()


def patch(service, event_id, body):
    return service.events().patch(calendarId="primary", eventId=event_id, body=body).execute()


def starts(items):
    return [item["start"].get("dateTime") or item["start"]["date"] for item in items]


def test_a_weekly_series_keeps_its_clock_time_across_dst(service):
    event = add(service, "2026-10-27T09:00:00", "2026-10-27T10:00:00", ["RRULE:FREQ=WEEKLY;COUNT=3"])
    assert starts(instances(service, event["id"])) == [
        "2026-10-27T09:00:00-05:00",
        "2026-11-03T09:00:00-06:00",
        "2026-11-10T09:00:00-06:00",
    ]


def test_a_series_follows_its_own_zone_not_the_calendars(service):
    event = add(
        service, "2026-10-20T09:00:00", "2026-10-20T10:00:00", ["RRULE:FREQ=WEEKLY;COUNT=2"], "Europe/Berlin"
    )
    found = instances(service, event["id"])
    assert starts(found) == ["2026-10-20T02:00:00-05:00", "2026-10-27T03:00:00-05:00"]
    assert found[0]["start"]["timeZone"] == "Europe/Berlin"


def test_a_skipped_local_time_takes_the_offset_before_the_gap(service):
    event = add(service, "2027-03-13T02:30:00", "2027-03-13T03:00:00", ["RRULE:FREQ=DAILY;COUNT=2"])
    assert starts(instances(service, event["id"]))[1] == "2027-03-14T03:30:00-05:00"


def test_instances_are_named_by_their_original_start(service):
    event = series(service)
    first = instances(service, event["id"])[0]
    assert first["id"] == f"{event['id']}_20261201T160000Z"
    assert first["recurringEventId"] == event["id"]
    assert first["iCalUID"] == event["iCalUID"]
    assert first["originalStartTime"] == first["start"]
    assert "recurrence" not in first
    got = service.events().get(calendarId="primary", eventId=first["id"]).execute()
    assert got["start"] == first["start"]


def test_all_day_instances_have_date_ids(service):
    body = {
        "start": {"date": "2026-12-01"},
        "end": {"date": "2026-12-03"},
        "recurrence": ["RRULE:FREQ=MONTHLY;COUNT=2"],
    }
    event = service.events().insert(calendarId="primary", body=body).execute()
    found = instances(service, event["id"])
    assert [one["id"] for one in found] == [f"{event['id']}_20261201", f"{event['id']}_20270101"]
    assert found[1]["end"]["date"] == "2027-01-03"


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (["RRULE:FREQ=WEEKLY;UNTIL=20261215T160000Z"], [1, 8, 15]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261215T155959Z"], [1, 8]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=America/Chicago:20261208T100000"], [1, 15]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20261208T160000Z"], [1, 15]),
        (["RRULE:FREQ=WEEKLY;COUNT=2", "RDATE;TZID=America/Chicago:20261210T100000"], [1, 8, 10]),
        (["RDATE;TZID=Europe/Berlin:20261203T170000"], [1, 3]),
    ],
)
def test_rules_dates_and_exceptions_to_them(service, lines, days):
    event = add(service, "2026-12-01T10:00:00", "2026-12-01T11:00:00", lines)
    assert starts(instances(service, event["id"])) == [f"2026-12-{day:02}T10:00:00-06:00" for day in days]


def test_a_list_shows_the_master_or_its_instances(service):
    event = series(service)
    assert [item["id"] for item in listed(service)["items"]] == [event["id"]]
    window = {"timeMin": "2026-12-07T00:00:00Z", "timeMax": "2026-12-20T00:00:00Z", "singleEvents": True}
    assert starts(listed(service, **window)["items"]) == [
        "2026-12-08T10:00:00-06:00",
        "2026-12-15T10:00:00-06:00",
    ]
    assert listed(service, timeMin="2027-06-01T00:00:00Z")["items"] == []
    assert len(listed(service, timeMin="2026-12-20T00:00:00Z")["items"]) == 1


def test_a_moved_date_is_an_exception_beside_its_master(service, at):
    event = series(service)
    second = instances(service, event["id"])[1]
    token = listed(service)["nextSyncToken"]
    moved = patch(service, second["id"], at(9, 15))
    assert moved["originalStartTime"] == second["originalStartTime"]
    assert moved["start"]["dateTime"] == "2026-12-09T15:00:00-06:00"
    assert [item["id"] for item in listed(service, syncToken=token)["items"]] == [second["id"]]
    assert len(listed(service)["items"]) == 2
    assert "2026-12-09T15:00:00-06:00" in starts(instances(service, event["id"]))
    assert len(instances(service, event["id"])) == 6


@pytest.mark.parametrize("way", ["delete", "patch"])
def test_a_cancelled_date_is_listed_bare_even_without_show_deleted(service, way):
    event = series(service)
    second = instances(service, event["id"])[1]
    if way == "delete":
        service.events().delete(calendarId="primary", eventId=second["id"]).execute()
    else:
        patch(service, second["id"], {"status": "cancelled"})
    bare = next(item for item in listed(service)["items"] if item["id"] == second["id"])
    assert bare["status"] == "cancelled"
    assert set(bare) == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    assert len(listed(service, singleEvents=True)["items"]) == 5
    assert len(instances(service, event["id"])) == 5
    assert len(instances(service, event["id"], showDeleted=True)) == 6
    assert instances(service, second["id"]) == []


def test_a_cancelled_date_can_come_back(service):
    event = series(service)
    second = instances(service, event["id"])[1]
    service.events().delete(calendarId="primary", eventId=second["id"]).execute()
    assert patch(service, second["id"], {"status": "confirmed"})["start"] == second["start"]
    assert len(instances(service, event["id"])) == 6


def test_instances_of_an_instance_is_that_one(service):
    event = series(service)
    second = instances(service, event["id"])[1]
    assert [one["id"] for one in instances(service, second["id"])] == [second["id"]]
    found = instances(service, event["id"], originalStart=second["originalStartTime"]["dateTime"])
    assert [one["id"] for one in found] == [second["id"]]


def test_deleting_the_master_leaves_its_tombstone_and_no_instances(service, refused):
    event = series(service)
    second = instances(service, event["id"])[1]
    service.events().delete(calendarId="primary", eventId=second["id"]).execute()
    token = listed(service)["nextSyncToken"]
    service.events().delete(calendarId="primary", eventId=event["id"]).execute()
    assert [item["id"] for item in listed(service, syncToken=token)["items"]] == [event["id"]]
    assert listed(service)["items"] == []
    with refused(404, "notFound"):
        service.events().get(calendarId="primary", eventId=f"{event['id']}_20261215T160000Z").execute()


def test_a_deleted_series_shows_as_cancelled_instances_in_a_delta_of_single_events(service):
    event = series(service)
    token = listed(service, singleEvents=True)["nextSyncToken"]
    service.events().delete(calendarId="primary", eventId=event["id"]).execute()
    told = listed(service, singleEvents=True, syncToken=token)["items"]
    assert {item["status"] for item in told} == {"cancelled"}
    assert event["id"] not in {item["id"] for item in told}
    assert len(told) == 6


def test_this_and_following_is_a_shorter_master_and_a_new_series(service, at):
    event = series(service)
    late = instances(service, event["id"])[4]
    patch(service, late["id"], at(30, 15))
    token = listed(service)["nextSyncToken"]
    patch(service, event["id"], {"recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20261215T155959Z"]})
    add(service, "2026-12-15T12:00:00", "2026-12-15T13:00:00", ["RRULE:FREQ=WEEKLY;COUNT=4"])
    delta = {item["id"]: item["status"] for item in listed(service, syncToken=token)["items"]}
    assert delta[event["id"]] == "confirmed"
    assert delta[late["id"]] == "cancelled"  # the exception after the cut goes
    assert len(delta) == 3
    assert len(instances(service, event["id"])) == 2


def test_a_single_event_can_be_made_recurring_and_back(service, at):
    event = service.events().insert(calendarId="primary", body=at(1)).execute()
    patch(service, event["id"], {"recurrence": WEEKLY})
    assert len(instances(service, event["id"])) == 6
    patch(service, event["id"], {"recurrence": None})
    assert "recurrence" not in service.events().get(calendarId="primary", eventId=event["id"]).execute()
    assert len(listed(service, singleEvents=True)["items"]) == 1


def test_an_instance_id_that_the_series_does_not_have_is_unknown(service, refused):
    event = series(service)
    for moment in ("20261202T160000Z", "20261201", "nonsense"):
        with refused(404, "notFound"):
            service.events().get(calendarId="primary", eventId=f"{event['id']}_{moment}").execute()


def test_an_endless_series_is_listed_to_a_horizon(service):
    add(service, "2026-12-01T10:00:00", "2026-12-01T11:00:00", ["RRULE:FREQ=MONTHLY"])
    items = listed(service, singleEvents=True)["items"]
    assert 24 <= len(items) <= 48
