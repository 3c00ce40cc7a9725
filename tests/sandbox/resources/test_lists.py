"""events.list: pages, sync tokens, filters (facts §5)."""

from __future__ import annotations

import datetime as dt

import pytest

from sandbox.event import changes
from sandbox.ground.model import Stored


def add(service, day, at, **more):
    return service.events().insert(calendarId="primary", body={**at(day), **more}).execute()


def listed(service, **params):
    return service.events().list(calendarId="primary", **params).execute()


def everything(service, **params):
    """All items of all pages, and the last page."""
    items, page = [], {}
    while True:
        answer = listed(service, **params, **page)
        items += answer["items"]
        if "nextPageToken" not in answer:
            return items, answer
        assert "nextSyncToken" not in answer
        page = {"pageToken": answer["nextPageToken"]}


def ids(answer):
    return [item["id"] for item in answer["items"]]


def test_the_sync_token_comes_on_the_last_page_only(service, at):
    made = [add(service, day, at)["id"] for day in range(1, 6)]
    items, last = everything(service, maxResults=2)
    assert sorted(item["id"] for item in items) == sorted(made)
    assert last["nextSyncToken"]


def test_a_delta_holds_what_changed_and_what_was_deleted(service, at):
    kept, changed, gone = (add(service, day, at) for day in (1, 2, 3))
    token = listed(service)["nextSyncToken"]
    assert listed(service, syncToken=token)["items"] == []
    service.events().patch(calendarId="primary", eventId=changed["id"], body={"summary": "B"}).execute()
    service.events().delete(calendarId="primary", eventId=gone["id"]).execute()
    delta = listed(service, syncToken=token)
    assert {item["id"]: item["status"] for item in delta["items"]} == {
        changed["id"]: "confirmed",
        gone["id"]: "cancelled",
    }
    assert listed(service, syncToken=delta["nextSyncToken"])["items"] == []
    assert kept["id"] not in ids(delta)


def test_an_edit_made_while_paging_is_not_lost(service, at):
    made = [add(service, day, at) for day in range(1, 5)]
    first = listed(service, maxResults=2)
    service.events().patch(calendarId="primary", eventId=made[0]["id"], body={"summary": "B"}).execute()
    service.events().delete(calendarId="primary", eventId=made[1]["id"]).execute()
    last = first
    while "nextPageToken" in last:
        last = listed(service, maxResults=2, pageToken=last["nextPageToken"])
    assert {made[0]["id"], made[1]["id"]} <= set(
        ids(listed(service, maxResults=2, syncToken=last["nextSyncToken"]))
    )


def test_a_paged_delta_needs_the_sync_token_beside_the_page_token(service, at, refused):
    token = listed(service, maxResults=1)["nextSyncToken"]
    for day in (1, 2, 3):
        add(service, day, at)
    first = listed(service, maxResults=1, syncToken=token)
    second = listed(service, maxResults=1, syncToken=token, pageToken=first["nextPageToken"])
    assert len(second["items"]) == 1
    with refused(400, "invalid"):
        listed(service, maxResults=1, pageToken=first["nextPageToken"])


def test_an_empty_page_may_have_a_next_page(google, service, at):
    event = add(service, 1, at)
    google.add_fault("empty_page", method="calendar.events.list")
    first = listed(service)
    assert first["items"] == []
    assert ids(listed(service, pageToken=first["nextPageToken"])) == [event["id"]]


def test_an_expired_token_is_gone_and_a_made_up_one_is_invalid(google, service, refused):
    token = listed(service)["nextSyncToken"]
    google.control("POST", "/sync-tokens/expire", {"account": "ana@example.com"})
    with refused(410, "fullSyncRequired"):
        listed(service, syncToken=token)
    with refused(400, "invalid", "Invalid sync token value."):
        listed(service, syncToken="made-up")
    with refused(400, "invalid", "Invalid sync token value."):
        listed(service, syncToken=token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))


def test_a_token_of_another_calendar_is_invalid(google, service, refused):
    token = listed(service)["nextSyncToken"]
    other = google.add_calendar("ana@example.com", "Other")["id"]
    with refused(400, "invalid"):
        service.events().list(calendarId=other, syncToken=token).execute()


def yesterday(google):
    return (google.state.clock.now() - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "extra",
    [
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"q": "x"},
        {"sharedExtendedProperty": "a=b"},
        {"timeMin": "2026-01-01T00:00:00Z"},
        {"timeMax": "2027-01-01T00:00:00Z"},
        {"showDeleted": False},
    ],
)
def test_some_parameters_exclude_a_sync_token(service, refused, extra):
    token = listed(service)["nextSyncToken"]
    with refused(400, "invalid"):
        listed(service, syncToken=token, **extra)


def test_no_least_time_of_change_goes_with_a_sync_token(google, service, refused):
    token = listed(service)["nextSyncToken"]
    with refused(400, "invalid"):
        listed(service, syncToken=token, updatedMin=yesterday(google))


def test_the_rest_of_the_query_must_stay_the_same(google, service, refused):
    token = listed(service)["nextSyncToken"]
    with refused(400, "invalid"):
        listed(service, syncToken=token, singleEvents=True)
    google.switch(sync_query_must_match=False)
    assert listed(service, syncToken=token, singleEvents=True)["items"] == []


@pytest.mark.parametrize(("keeps", "seen"), [(True, 0), (False, 1)])
def test_a_delta_keeps_or_leaves_the_first_calls_window(google, service, at, keeps, seen):
    google.switch(deltas_keep_window=keeps)
    token = listed(service, timeMin="2026-12-10T00:00:00Z")["nextSyncToken"]
    add(service, 1, at)
    assert len(listed(service, syncToken=token)["items"]) == seen


def test_the_window_is_exclusive_on_both_sides(service, at):
    event = add(service, 1, at)  # 10:00 to 11:00 in Chicago
    assert ids(listed(service, timeMin="2026-12-01T10:59:59-06:00")) == [event["id"]]
    assert ids(listed(service, timeMin="2026-12-01T11:00:00-06:00")) == []
    assert ids(listed(service, timeMax="2026-12-01T10:00:01-06:00")) == [event["id"]]
    assert ids(listed(service, timeMax="2026-12-01T10:00:00-06:00")) == []


def test_an_empty_window_is_refused(service, refused):
    with refused(400, "timeRangeEmpty"):
        listed(service, timeMin="2026-12-02T00:00:00Z", timeMax="2026-12-01T00:00:00Z")
    with refused(400, "invalid"):
        listed(service, timeMin="2026-12-02T00:00:00")


def test_order_by_start_needs_single_events(service, at, refused):
    later, sooner = add(service, 5, at), add(service, 2, at)
    with refused(400, "invalid", "The requested ordering is not available for the particular query."):
        listed(service, orderBy="startTime")
    answer = listed(service, orderBy="startTime", singleEvents=True)
    assert ids(answer) == [sooner["id"], later["id"]]


def test_order_by_updated_and_pages_of_a_sorted_list(service, at):
    first, second, third = (add(service, day, at) for day in (3, 2, 1))
    service.events().patch(calendarId="primary", eventId=first["id"], body={"summary": "B"}).execute()
    items, _ = everything(service, orderBy="updated", maxResults=1)
    assert [item["id"] for item in items] == [second["id"], third["id"], first["id"]]


def test_deleted_events_are_listed_on_request_and_with_updated_min(google, service, at):
    event = add(service, 1, at)
    service.events().delete(calendarId="primary", eventId=event["id"]).execute()
    assert listed(service)["items"] == []
    assert listed(service, showDeleted=True)["items"][0]["status"] == "cancelled"
    assert ids(listed(service, updatedMin=yesterday(google))) == [event["id"]]


def test_an_updated_min_too_long_ago_is_gone(service, refused):
    with refused(410, "updatedMinTooLongAgo"):
        listed(service, updatedMin="2020-01-01T00:00:00Z")


def test_filters_by_property_uid_text_and_type(google, service, at):
    one = add(service, 1, at, summary="Red apple", extendedProperties={"private": {"a": "1", "b": "1"}})
    two = add(service, 2, at, summary="Green pear", extendedProperties={"private": {"a": "1", "b": "2"}})
    assert ids(listed(service, privateExtendedProperty="b=2")) == [two["id"]]
    assert ids(listed(service, privateExtendedProperty=["b=1", "b=2"])) == []
    google.switch(extended_property_repeats_or=True)
    assert len(ids(listed(service, privateExtendedProperty=["b=1", "b=2"]))) == 2
    assert ids(listed(service, iCalUID=one["iCalUID"])) == [one["id"]]
    assert ids(listed(service, q="pear")) == [two["id"]]
    assert ids(listed(service, eventTypes=["birthday"])) == []


def test_a_new_event_may_be_late_in_lists_but_not_in_get(google, service, at):
    token = listed(service)["nextSyncToken"]
    google.add_fault("delayed_visibility", method="calendar.events.insert", seconds=60)
    event = add(service, 1, at)
    assert service.events().get(calendarId="primary", eventId=event["id"]).execute()["id"] == event["id"]
    late = listed(service, syncToken=token)
    assert late["items"] == []
    google.control("POST", "/clock", {"advance_seconds": 61})
    assert ids(listed(service, syncToken=late["nextSyncToken"])) == [event["id"]]


def test_a_partial_response_has_the_fields_asked_for(service, at):
    event = add(service, 1, at, summary="A")
    answer = listed(service, fields="items(id,start/dateTime),nextSyncToken")
    assert set(answer) == {"items", "nextSyncToken"}
    assert answer["items"] == [{"id": event["id"], "start": {"dateTime": event["start"]["dateTime"]}}]


def test_a_query_too_long_for_a_url_works_as_a_post_and_pages_on(service, at):
    for day in (1, 2):
        add(service, day, at, summary="needle")
    events = service.events()
    request = events.list(calendarId="primary", q="needle " * 400, maxResults=1)
    answer = request.execute()
    assert len(answer["items"]) == 1
    following = events.list_next(request, answer).execute()
    assert len(following["items"]) == 1
    assert following["items"][0]["id"] != answer["items"][0]["id"]


def test_ten_thousand_events_come_in_pages_of_2500(google, service, at):
    template = add(service, 1, at)
    with google.state.lock:
        calendar = google.state.calendars["ana@example.com"]
        kept = calendar.events[template["id"]]
        for n in range(9_999):
            body = kept.body | {"id": f"bulk{n:05}", "iCalUID": f"bulk{n}@google.com"}
            changes.record(calendar, Stored(body, 0, kept.start_at, kept.end_at))
    items, last = everything(service, maxResults=5000)
    assert len(items) == len({item["id"] for item in items}) == 10_000
    assert listed(service, maxResults=5000, syncToken=last["nextSyncToken"])["items"] == []
    assert google.requests()["counters"]["by_method"]["calendar.events.list"] == 5
