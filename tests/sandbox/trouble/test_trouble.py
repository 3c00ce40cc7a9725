"""Planned faults and the quota (facts §11, §12, §14)."""

from __future__ import annotations

import pytest
import requests
from requests.exceptions import ConnectionError as Broken
from requests.exceptions import ReadTimeout

ANA = "ana@example.com"


def listed(service):
    return service.events().list(calendarId="primary").execute()["items"]


@pytest.fixture
def raw(google):
    """A raw GET or POST of events with a token, no retries."""
    token = google.authorize(ANA, "calendar")["access_token"]
    url = f"{google.api_endpoint}calendars/primary/events"

    def _raw(method="GET", body=None, timeout=10):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, url, json=body, headers=headers, timeout=timeout)

    return _raw


@pytest.mark.parametrize(
    ("kind", "options", "status", "reason"),
    [
        ("rate_limit", {}, 403, "rateLimitExceeded"),
        ("rate_limit", {"status": 429}, 429, "rateLimitExceeded"),
        ("user_rate_limit", {}, 403, "userRateLimitExceeded"),
        ("quota_exceeded", {}, 403, "quotaExceeded"),
        ("backend_error", {}, 503, "backendError"),
        ("backend_error", {"status": 500}, 500, "backendError"),
        ("full_sync_required", {}, 410, "fullSyncRequired"),
        ("invalid_sync_token", {}, 400, "invalid"),
        ("condition_not_met", {}, 412, "conditionNotMet"),
        ("not_found", {}, 404, "notFound"),
        ("forbidden", {}, 403, "forbidden"),
        ("insufficient_permissions", {}, 403, "insufficientPermissions"),
        ("duplicate", {}, 409, "duplicate"),
    ],
)
def test_a_refusal_strikes_as_often_as_planned(google, service, refused, kind, options, status, reason):
    google.add_fault(kind, method="calendar.events.list", times=2, **options)
    for _ in range(2):
        with refused(status, reason):
            listed(service)
    assert listed(service) == []


def test_a_rate_limit_says_when_to_come_back(google, raw):
    google.add_fault("rate_limit", status=429, retry_after=7)
    assert raw().headers["Retry-After"] == "7"


def test_a_fault_looks_at_account_method_parameters_and_how_many_went_before(
    google, connect, service, refused
):
    google.add_account("bo@example.com")
    other = connect("bo@example.com")
    google.add_fault("backend_error", account="bo@example.com", method="calendar.events.*", skip=1)
    assert listed(service) == []
    assert listed(other) == []
    with refused(503, "backendError"):
        listed(other)
    google.add_fault("invalid_page_token", params=["maxResults"])
    assert listed(service) == []
    with refused(400, "invalid", "Invalid page token value."):
        service.events().list(calendarId="primary", maxResults=1).execute()


def test_a_fault_by_chance_is_the_same_for_the_same_seed(google, raw):
    def run():
        google.clear_faults()
        google.add_fault("backend_error", probability=0.5, seed=3, times=None)
        return [raw().status_code for _ in range(12)]

    first = run()
    assert {200, 503} == set(first)
    assert run() == first


def test_a_lost_answer_was_done_all_the_same(google, raw, at):
    google.add_fault("lost_answer", method="calendar.events.insert")
    with pytest.raises(Broken):
        raw("POST", {"id": "abcde", **at(1)})
    assert [event["id"] for event in google.events(ANA)] == ["abcde"]
    assert raw("POST", {"id": "abcde", **at(1)}).status_code == 409


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_a_broken_connection_did_nothing(google, raw, at, kind):
    google.add_fault(kind)
    with pytest.raises(Broken):
        raw("POST", at(1))
    assert google.events(ANA) == []
    assert raw("POST", at(1)).status_code == 200


def test_a_hang_outlasts_the_callers_patience(google, raw):
    google.add_fault("hang", seconds=1.0)
    with pytest.raises(ReadTimeout):
        raw(timeout=0.2)
    assert raw().status_code == 200


def test_a_late_answer_comes_late_and_does_not_hold_up_others(google, raw):
    google.add_fault("latency", method="calendar.events.insert", seconds=0.3)
    assert (
        raw("POST", {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}).elapsed.total_seconds()
        >= 0.3
    )


def test_malformed_json_comes_as_plain_text_from_googles_client(google, service):
    google.add_fault("malformed_json")
    answer = service.events().list(calendarId="primary").execute()
    assert isinstance(answer, str)


def test_a_batch_loses_its_connection_when_one_part_does(google, service, at):
    google.add_fault("lost_answer", method="calendar.events.insert")
    body = (
        "--x\r\nContent-Type: application/http\r\n\r\n"
        "POST /calendar/v3/calendars/primary/events HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        '{"id":"abcde","start":{"date":"2026-12-01"},"end":{"date":"2026-12-02"}}\r\n--x--\r\n'
    )
    token = google.authorize(ANA, "calendar")["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/mixed; boundary=x"}
    with pytest.raises(Broken):
        requests.post(google.batch_uri, data=body, headers=headers, timeout=10)
    assert len(google.events(ANA)) == 1


def test_a_fault_can_be_seen_and_taken_back(google, raw):
    number = google.add_fault("backend_error", times=None)["id"]
    assert raw().status_code == 503
    assert [(one["kind"], one["struck"]) for one in google.control("GET", "/faults")["items"]] == [
        ("backend_error", 1)
    ]
    google.control("DELETE", f"/faults/{number}")
    assert raw().status_code == 200


def test_the_quota_counts_three_for_a_patch_and_slides(google, service, at, refused):
    google.switch(quota=True, quota_units_per_minute=5, quota_status=429)
    event = service.events().insert(calendarId="primary", body=at(1)).execute()
    service.events().patch(calendarId="primary", eventId=event["id"], body={"summary": "A"}).execute()
    service.events().get(calendarId="primary", eventId=event["id"]).execute()
    with refused(429, "userRateLimitExceeded"):
        listed(service)
    google.control("POST", "/clock", {"advance_seconds": 61})
    assert len(listed(service)) == 1


def test_the_quota_is_each_persons_own(google, connect, service, refused):
    google.add_account("bo@example.com")
    google.switch(quota=True, quota_units_per_minute=1)
    listed(service)
    with refused(403, "userRateLimitExceeded"):
        listed(service)
    assert listed(connect("bo@example.com")) == []
