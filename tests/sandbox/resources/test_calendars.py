"""Calendars and calendar lists (facts §4)."""

from __future__ import annotations

ANA = "ana@example.com"


def entries(service, **params):
    return service.calendarList().list(**params).execute()


def test_a_new_calendar_is_in_its_makers_list_and_owned(service):
    made = service.calendars().insert(body={"summary": "Lockstep", "description": "nonce"}).execute()
    assert made["id"].endswith("@group.calendar.google.com")
    assert made["dataOwner"] == ANA
    entry = service.calendarList().get(calendarId=made["id"]).execute()
    assert (entry["accessRole"], entry["summary"], entry["description"]) == ("owner", "Lockstep", "nonce")
    assert entry["etag"] != made["etag"]


def test_primary_is_an_alias_for_the_address(service):
    assert service.calendars().get(calendarId="primary").execute()["id"] == ANA
    entry = service.calendarList().get(calendarId="primary").execute()
    assert entry["primary"] is True
    assert "hidden" not in entry


def test_a_calendar_needs_a_name(service, refused):
    with refused(400, "required"):
        service.calendars().insert(body={"description": "x"}).execute()


def test_a_patch_with_identical_values_keeps_the_etag(service, refused):
    made = service.calendars().insert(body={"summary": "A"}).execute()
    same = service.calendars().patch(calendarId=made["id"], body={"summary": "A"}).execute()
    other = service.calendars().patch(calendarId=made["id"], body={"summary": "B"}).execute()
    assert same["etag"] == made["etag"] != other["etag"]
    request = service.calendars().patch(calendarId=made["id"], body={"summary": "C"})
    request.headers["If-Match"] = service.calendarList().get(calendarId=made["id"]).execute()["etag"]
    with refused(412, "conditionNotMet"):
        request.execute()


def test_a_deleted_calendar_is_unknown_afterwards(service, refused):
    made = service.calendars().insert(body={"summary": "A"}).execute()
    token = entries(service)["nextSyncToken"]
    assert service.calendars().delete(calendarId=made["id"]).execute() == ""
    with refused(404, "notFound"):
        service.events().list(calendarId=made["id"]).execute()
    delta = entries(service, syncToken=token)["items"]
    assert [(one["id"], one["deleted"]) for one in delta] == [(made["id"], True)]


def test_the_primary_calendar_cannot_be_deleted_but_cleared(service, at, refused):
    other = service.calendars().insert(body={"summary": "A"}).execute()["id"]
    service.events().insert(calendarId="primary", body=at(1)).execute()
    with refused(403, "cannotDeletePrimaryCalendar"):
        service.calendars().delete(calendarId="primary").execute()
    with refused(400, "badRequest"):
        service.calendars().clear(calendarId=other).execute()
    service.calendars().clear(calendarId="primary").execute()
    assert service.events().list(calendarId="primary").execute()["items"] == []


def test_the_data_owner_cannot_leave_their_calendar(google, service, refused):
    own = service.calendars().insert(body={"summary": "A"}).execute()["id"]
    with refused(403, "cannotUnsubscribeFromOwnedCalendar"):
        service.calendarList().delete(calendarId=own).execute()
    shared = google.add_calendar(ANA, "Shared", accessRole="reader")["id"]
    service.calendarList().delete(calendarId=shared).execute()
    assert shared not in [one["id"] for one in entries(service)["items"]]


def test_only_the_data_owner_deletes_a_shared_calendar(google, connect, service, refused):
    own = service.calendars().insert(body={"summary": "A"}).execute()["id"]
    google.add_account("bo@example.com")
    google.add_calendar("bo@example.com", "A", id=own, accessRole="owner")
    with refused(403, "forbidden"):
        connect("bo@example.com").calendars().delete(calendarId=own).execute()


def test_hidden_calendars_show_on_request_and_in_deltas(service):
    own = service.calendars().insert(body={"summary": "A"}).execute()["id"]
    token = entries(service)["nextSyncToken"]
    service.calendarList().patch(calendarId=own, body={"hidden": True, "summaryOverride": "Mine"}).execute()
    assert own not in [one["id"] for one in entries(service)["items"]]
    shown = {one["id"]: one for one in entries(service, showHidden=True)["items"]}[own]
    assert (shown["hidden"], shown["summaryOverride"], shown["summary"]) == (True, "Mine", "A")
    assert [one["id"] for one in entries(service, syncToken=token)["items"]] == [own]


def test_a_new_title_or_role_alone_does_not_resurface_an_entry(google, service):
    own = service.calendars().insert(body={"summary": "A"}).execute()["id"]
    token = entries(service)["nextSyncToken"]
    service.calendars().patch(calendarId=own, body={"summary": "B"}).execute()
    google.change_calendar(ANA, own, accessRole="reader")
    assert entries(service, syncToken=token)["items"] == []


def test_the_list_pages_and_filters_by_role(google, service):
    for number in range(3):
        google.add_calendar(ANA, f"Shared {number}", accessRole="reader")
    first = entries(service, maxResults=3)
    second = entries(service, maxResults=3, pageToken=first["nextPageToken"])
    assert len(first["items"]) + len(second["items"]) == 4
    assert "nextSyncToken" not in first
    assert [one["id"] for one in entries(service, minAccessRole="writer")["items"]] == [ANA]


def test_sync_tokens_of_the_list_are_as_strict_as_those_of_events(google, service, refused):
    token = entries(service)["nextSyncToken"]
    with refused(400, "invalid"):
        entries(service, syncToken=token, minAccessRole="owner")
    with refused(400, "invalid"):
        entries(service, syncToken=token, showHidden=False)
    with refused(400, "invalid", "Invalid sync token value."):
        entries(service, syncToken="x")
    google.control("POST", "/sync-tokens/expire", {})
    with refused(410, "fullSyncRequired"):
        entries(service, syncToken=token)


def test_a_changed_role_ends_the_events_sync_tokens(google, service, refused):
    shared = google.add_calendar(ANA, "Shared", accessRole="owner")["id"]
    token = service.events().list(calendarId=shared).execute()["nextSyncToken"]
    google.change_calendar(ANA, shared, accessRole="reader")
    with refused(410, "fullSyncRequired"):
        service.events().list(calendarId=shared, syncToken=token).execute()


def test_a_changed_login_address_renames_the_primary_calendar_and_keeps_its_tokens(google, service, at):
    event = service.events().insert(calendarId="primary", body=at(1)).execute()
    token = service.events().list(calendarId="primary").execute()["nextSyncToken"]
    before = google.control("GET", "/accounts")["items"][0]["sub"]
    google.control("PATCH", f"/accounts/{ANA}", {"email": "ana.new@example.com"})
    assert google.control("GET", "/accounts")["items"][0]["sub"] == before
    assert service.calendars().get(calendarId="primary").execute()["id"] == "ana.new@example.com"
    assert service.events().list(calendarId="primary", syncToken=token).execute()["items"] == []
    kept = service.events().get(calendarId="primary", eventId=event["id"]).execute()
    assert kept["organizer"]["email"] == "ana.new@example.com"


def test_there_is_a_limit_for_new_calendars_and_deleting_gives_nothing_back(google, service, refused):
    google.switch(max_calendars=2)
    for _ in range(2):
        made = service.calendars().insert(body={"summary": "A"}).execute()
    service.calendars().delete(calendarId=made["id"]).execute()
    with refused(403, "quotaExceeded", "Calendar usage limits exceeded."):
        service.calendars().insert(body={"summary": "A"}).execute()


def test_free_busy_merges_and_leaves_free_events_out(google, service, at):
    for day, hour, more in ((1, 10, {}), (1, 11, {}), (1, 15, {"transparency": "transparent"})):
        service.events().insert(calendarId="primary", body=at(day, hour) | more).execute()
    query = {
        "timeMin": "2026-12-01T00:00:00Z",
        "timeMax": "2026-12-02T00:00:00Z",
        "items": [{"id": ANA}, {"id": "x"}],
    }
    found = service.freebusy().query(body=query).execute()["calendars"]
    assert found[ANA]["busy"] == [{"start": "2026-12-01T16:00:00Z", "end": "2026-12-01T18:00:00Z"}]
    assert found["x"]["errors"][0]["reason"] == "notFound"


def test_settings_colours_and_rules_can_be_read(service):
    assert service.settings().get(setting="timezone").execute()["value"] == "America/Chicago"
    assert service.settings().list().execute()["items"]
    assert service.colors().get().execute()["event"]["1"]["background"].startswith("#")
    rules = service.acl().list(calendarId="primary").execute()["items"]
    assert [(rule["role"], rule["scope"]["value"]) for rule in rules] == [("owner", ANA)]


def test_a_calendar_is_shared_with_a_person_and_taken_back(google, connect, service, refused):
    google.add_account("bo@example.com")
    own = service.calendars().insert(body={"summary": "A"}).execute()["id"]
    rule = {"role": "reader", "scope": {"type": "user", "value": "bo@example.com"}}
    made = service.acl().insert(calendarId=own, body=rule).execute()
    bo = connect("bo@example.com")
    assert bo.events().list(calendarId=own).execute()["accessRole"] == "reader"
    service.acl().patch(calendarId=own, ruleId=made["id"], body={"role": "writer"}).execute()
    assert service.acl().get(calendarId=own, ruleId=made["id"]).execute()["role"] == "writer"
    service.acl().delete(calendarId=own, ruleId=made["id"]).execute()
    with refused(404, "notFound"):
        bo.events().list(calendarId=own).execute()
    with refused(403, "cannotChangeOwnerAcl"):
        service.acl().delete(calendarId=own, ruleId=f"user:{ANA}").execute()
