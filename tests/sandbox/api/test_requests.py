"""Requests checked against the discovery document, and batches (facts §1, §13, §14)."""

from __future__ import annotations

import pytest
import requests
from googleapiclient.http import BatchHttpRequest

ANA = "ana@example.com"


@pytest.fixture
def call(google):
    """One raw request with a token for everything."""
    token = google.authorize(ANA, "calendar")["access_token"]

    def _call(method, path, **options):
        headers = {"Authorization": f"Bearer {token}"} | options.pop("headers", {})
        return requests.request(method, google.api_endpoint + path, headers=headers, timeout=10, **options)

    return _call


def reason(answer):
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1",
        "maxResults=many",
        "maxResults=0",
        "singleEvents=perhaps",
        "orderBy=title",
        "timeMin=now",
        "alt=xml",
    ],
)
def test_parameters_are_checked(call, query):
    assert reason(call("GET", f"calendars/primary/events?{query}")) == (400, "invalid")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{not json", "parseError"),
        (b"[]", "parseError"),
        (b'{"summary": 5}', "invalid"),
        (b'{"start": "today"}', "invalid"),
        (b'{"attendees": {}}', "invalid"),
        (b'{"start": {"date": "01.12.2026"}, "end": {"date": "2026-12-02"}}', "invalid"),
        (b'{"guestsCanModify": "yes"}', "invalid"),
        (b'{"sequence": 1.5}', "invalid"),
    ],
)
def test_bodies_are_checked(call, body, expected):
    assert reason(call("POST", "calendars/primary/events", data=body)) == (400, expected)


def test_unknown_fields_of_a_body_are_dropped(call, at):
    answer = call("POST", "calendars/primary/events", json={"shoeSize": 43, **at(1)})
    assert answer.status_code == 200
    assert "shoeSize" not in answer.json()


def test_required_parameters_are_required(call):
    assert reason(call("POST", "calendars/primary/events/abcde/move")) == (400, "required")


@pytest.mark.parametrize("path", ["calendars/primary/meetings", "users/you/calendarList", "nothing"])
def test_unknown_paths_are_not_found(call, path):
    assert reason(call("GET", path)) == (404, "notFound")


def test_percent_encoded_ids_are_decoded_once(google, call):
    google.control(
        "POST", f"/accounts/{ANA}/calendars", {"summary": "H", "kind": "holidays", "id": "a#b/c@x.example"}
    )
    assert call("GET", "calendars/a%23b%2Fc%40x.example/events").json()["summary"] == "H"
    assert call("GET", "calendars/ana%40example.com/events").status_code == 200


def test_the_method_can_be_overridden(call, at):
    made = call("POST", "calendars/primary/events", json=at(1)).json()
    headers = {"X-HTTP-Method-Override": "PATCH"}
    answer = call("POST", f"calendars/primary/events/{made['id']}", json={"summary": "A"}, headers=headers)
    assert answer.json()["summary"] == "A"


def test_a_delete_answers_204_without_a_body(call, at):
    made = call("POST", "calendars/primary/events", json=at(1)).json()
    answer = call("DELETE", f"calendars/primary/events/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")


def batch(google, requests_, callback):
    together = BatchHttpRequest(batch_uri=google.batch_uri)
    for request in requests_:
        together.add(request, callback=callback)
    together.execute()


def test_a_batch_answers_each_call_on_its_own(google, service, at):
    outcomes = []
    events = service.events()
    bodies = [
        {"id": "aaaaa", **at(1)},
        {"id": "aaaaa", **at(1)},
        {"id": "bbbbb", "start": {}},
        {"id": "ccccc", **at(2)},
    ]
    calls = [events.insert(calendarId="primary", body=body) for body in bodies]
    calls.append(events.delete(calendarId="primary", eventId="aaaaa"))
    batch(google, calls, lambda _id, _answer, error: outcomes.append(error.status_code if error else 200))
    assert outcomes == [200, 409, 400, 200, 200]


def test_if_match_works_per_part(google, service, at):
    event = service.events().insert(calendarId="primary", body=at(1)).execute()
    stale = service.events().patch(calendarId="primary", eventId=event["id"], body={"summary": "B"})
    stale.headers["If-Match"] = '"1"'
    good = service.events().patch(calendarId="primary", eventId=event["id"], body={"summary": "C"})
    good.headers["If-Match"] = event["etag"]
    outcomes = []
    batch(
        google,
        [stale, good],
        lambda _id, _answer, error: outcomes.append(error.status_code if error else 200),
    )
    assert outcomes == [412, 200]


def test_a_batch_holds_fifty_calls_and_no_more(google, service, at):
    calls = [service.events().insert(calendarId="primary", body=at(1)) for _ in range(50)]
    errors = []
    google.reset_requests()
    batch(google, calls, lambda _id, _answer, error: errors.append(error))
    assert errors == [None] * 50
    counters = google.requests()["counters"]
    assert (counters["writes"], counters["batches"], counters["http"]) == (50, 1, 1)
    with pytest.raises(Exception, match="too many calls"):
        batch(google, [*calls, calls[0]], lambda *_: None)


def test_titles_in_other_alphabets_survive_a_batch(google, service, at):
    titles = ["Frühstück – 早餐", 'quotes " and \r\n lines']
    calls = [service.events().insert(calendarId="primary", body={"summary": t, **at(1)}) for t in titles]
    batch(google, calls, lambda *_: None)
    assert sorted(event["summary"] for event in google.events(ANA)) == sorted(titles)
