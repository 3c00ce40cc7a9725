"""Scopes per method, what `app.created` and `owned` open, roles per calendar (facts §3, §4)."""

from __future__ import annotations

import json

import pytest
import requests
from googleapiclient.errors import HttpError

ANA = "ana@example.com"
LEAST = (
    "openid",
    "email",
    "calendar.app.created",
    "calendar.calendarlist.readonly",
    "calendar.events.owned.readonly",
)


def test_the_least_scopes_make_fill_and_delete_an_app_calendar(connect, at):
    app = connect(ANA, *LEAST)
    own = app.calendars().insert(body={"summary": "Lockstep"}).execute()["id"]
    event = app.events().insert(calendarId=own, body=at(1)).execute()
    app.events().patch(calendarId=own, eventId=event["id"], body={"summary": "A"}).execute()
    assert len(app.events().list(calendarId=own).execute()["items"]) == 1
    app.calendarList().patch(calendarId=own, body={"selected": True}).execute()
    app.events().delete(calendarId=own, eventId=event["id"]).execute()
    app.calendars().delete(calendarId=own).execute()
    assert app.calendarList().list().execute()["items"][0]["id"] == ANA


def test_the_least_scopes_read_owned_calendars_and_write_to_none(connect, at, refused):
    app = connect(ANA, *LEAST)
    assert app.events().list(calendarId="primary").execute()["items"] == []
    with refused(403, "insufficientPermissions"):
        app.events().insert(calendarId="primary", body=at(1)).execute()
    with refused(403, "insufficientPermissions"):
        app.calendars().get(calendarId="primary").execute()
    with refused(403, "insufficientPermissions"):
        app.events().move(calendarId="primary", eventId="abcde", destination="x").execute()
    with refused(403, "insufficientPermissions"):
        app.acl().list(calendarId="primary").execute()
    with refused(403, "insufficientPermissions"):
        app.freebusy().query(body={}).execute()


def test_app_created_alone_cannot_list_calendars_and_opens_only_its_own(google, connect, service, refused):
    foreign = google.add_calendar(ANA, "By hand")["id"]
    app = connect(ANA, "calendar.app.created")
    own = app.calendars().insert(body={"summary": "Mine"}).execute()["id"]
    assert app.calendarList().get(calendarId=own).execute()["id"] == own
    with refused(403, "insufficientPermissions"):
        app.calendarList().list().execute()
    with refused(403, "insufficientPermissions"):
        app.events().list(calendarId=foreign).execute()
    google.switch(app_created_refusal_is_404=True)
    with refused(404, "notFound"):
        app.events().list(calendarId=foreign).execute()


@pytest.mark.parametrize("survives", [True, False])
def test_an_app_calendar_survives_a_new_grant_or_not(google, connect, refused, survives):
    google.switch(app_created_survives_regrant=survives)
    own = connect(ANA, "calendar.app.created").calendars().insert(body={"summary": "Mine"}).execute()["id"]
    google.control("POST", "/grants/revoke", {"account": ANA})
    again = connect(ANA, "calendar.app.created")
    if survives:
        assert again.calendars().get(calendarId=own).execute()["id"] == own
    else:
        with refused(403, "insufficientPermissions"):
            again.calendars().get(calendarId=own).execute()


@pytest.mark.parametrize("only_data_owner", [False, True])
def test_owned_means_role_owner_or_the_data_owner(google, connect, refused, only_data_owner):
    google.switch(owned_means_data_owner=only_data_owner)
    google.add_account("bo@example.com")
    shared = google.add_calendar("bo@example.com", "Bo's")["id"]
    google.add_calendar(ANA, "Bo's", id=shared, accessRole="owner")
    app = connect(ANA, "calendar.events.owned.readonly")
    if only_data_owner:
        with refused(403, "insufficientPermissions"):
            app.events().list(calendarId=shared).execute()
    else:
        assert app.events().list(calendarId=shared).execute()["accessRole"] == "owner"


def test_owned_does_not_open_a_calendar_shared_for_reading(google, connect, refused):
    shared = google.add_calendar(ANA, "Headway", accessRole="reader")["id"]
    with refused(403, "insufficientPermissions"):
        connect(ANA, *LEAST).events().list(calendarId=shared).execute()


def test_a_missing_scope_is_told_with_details(connect):
    with pytest.raises(HttpError) as caught:
        connect(ANA, "openid").events().list(calendarId="primary").execute()
    error = json.loads(caught.value.content)["error"]
    assert error["status"] == "PERMISSION_DENIED"
    assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert error["errors"][0]["reason"] == "insufficientPermissions"


def test_a_reader_cannot_write_and_a_stranger_sees_nothing(google, connect, service, at, refused):
    shared = google.add_calendar(ANA, "Headway", accessRole="reader")["id"]
    with refused(403, "requiredAccessLevel", "You need to have writer access to this calendar."):
        service.events().insert(calendarId=shared, body=at(1)).execute()
    google.add_account("bo@example.com")
    with refused(404, "notFound"):
        connect("bo@example.com").events().list(calendarId=shared).execute()


def test_a_free_busy_reader_sees_times_only_and_no_series(google, service, at):
    shared = google.add_calendar(ANA, "Team", accessRole="freeBusyReader")["id"]
    google.add_event(
        ANA, shared, summary="Secret", description="More", recurrence=["RRULE:FREQ=DAILY;COUNT=2"], **at(1)
    )
    items = service.events().list(calendarId=shared).execute()["items"]
    assert len(items) == 2
    assert all("summary" not in item and "description" not in item for item in items)


def test_a_reader_sees_private_events_as_busy(google, service, at):
    shared = google.add_calendar(ANA, "Team", accessRole="reader")["id"]
    google.add_event(ANA, shared, summary="Secret", visibility="private", **at(1))
    google.add_event(ANA, shared, summary="Open", **at(2))
    items = service.events().list(calendarId=shared).execute()["items"]
    assert [item.get("summary") for item in items] == [None, "Open"]


def test_the_free_busy_scope_hides_details_on_own_calendars_too(google, connect, at):
    google.add_event(ANA, summary="Secret", **at(1))
    items = connect(ANA, "calendar.events.freebusy").events().list(calendarId="primary").execute()["items"]
    assert "summary" not in items[0]


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic eDp5"])
def test_without_a_good_token_the_answer_is_401(google, header):
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{google.api_endpoint}users/me/calendarList", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["error"]["errors"][0]["reason"] == "authError"


def test_an_access_token_dies_of_age_on_request_and_with_its_grant(google):
    def status(token):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(
            f"{google.api_endpoint}users/me/calendarList", headers=headers, timeout=10
        ).status_code

    one = google.authorize(ANA, "calendar")["access_token"]
    assert status(one) == 200
    google.control("POST", "/access-tokens/expire", {"account": ANA})
    assert status(one) == 401
    two = google.authorize(ANA, "calendar")["access_token"]
    google.control("POST", "/clock", {"advance_seconds": 3600})
    assert status(two) == 401
    three = google.authorize(ANA, "calendar")["access_token"]
    google.control("POST", "/grants/revoke", {"account": ANA})
    assert status(three) == 401
