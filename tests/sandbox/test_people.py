"""What people and tests do: the control API, the pages, the seed, the command line."""

from __future__ import annotations

import ast
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from sandbox import SandboxClient, serve
from sandbox.app import create_app
from sandbox.client import ControlRefused
from sandbox.trouble.faults import EFFECTS, REFUSALS

ANA = "ana@example.com"
SANDBOX = Path(__file__).parents[2] / "sandbox"


class Articles(HTMLParser):
    """The events on a week page."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if "data-event-id" in dict(attrs):
            self.found.append(dict(attrs))


def week(google, email=ANA, day="2026-12-01"):
    page = requests.get(f"{google.url}/accounts/{email}/calendar?week={day}", timeout=10)
    assert page.status_code == 200
    return Articles(page.text).found


def press(google, path, **fields):
    answer = requests.post(google.url + path, data=fields, allow_redirects=False, timeout=10)
    assert answer.status_code == 303, answer.text
    return answer


def test_a_copy_keeps_the_private_properties_under_a_new_id(google, service, at):
    body = {"summary": "A", "extendedProperties": {"private": {"tag": "1"}}, **at(1)}
    event = service.events().insert(calendarId="primary", body=body).execute()
    copy = google.act_on_event(ANA, "primary", event["id"], "duplicate")
    assert copy["id"] != event["id"]
    assert copy["iCalUID"] != event["iCalUID"]
    assert copy["extendedProperties"] == event["extendedProperties"]


def test_a_deleted_event_comes_back_from_the_bin(google, service, at):
    event = google.add_event(ANA, summary="A", **at(1))
    google.delete_event(ANA, "primary", event["id"])
    token = service.events().list(calendarId="primary").execute()["nextSyncToken"]
    google.act_on_event(ANA, "primary", event["id"], "restore")
    delta = service.events().list(calendarId="primary", syncToken=token).execute()["items"]
    assert [(one["id"], one["status"], one["summary"]) for one in delta] == [(event["id"], "confirmed", "A")]


def test_a_person_moves_an_event_between_calendars(google, at):
    other = google.add_calendar(ANA, "Other")["id"]
    event = google.add_event(ANA, summary="A", **at(1))
    google.act_on_event(ANA, "primary", event["id"], "move", destination=other)
    assert google.events(ANA) == []
    assert [one["id"] for one in google.events(ANA, other)] == [event["id"]]
    assert len(google.events(ANA, deleted=True)) == 1


def test_a_calendar_shared_for_reading_still_changes_by_its_owners_hand(google, service, at):
    shared = google.add_calendar(ANA, "Headway", accessRole="reader")["id"]
    event = google.add_event(ANA, shared, summary="Session", **at(1))
    google.change_event(ANA, shared, event["id"], summary="Session moved", **at(2))
    items = service.events().list(calendarId=shared).execute()
    assert (items["accessRole"], items["items"][0]["summary"]) == ("reader", "Session moved")


def test_the_request_log_shows_bodies_and_counts_writes(google, service, at):
    google.reset_requests()
    service.events().insert(calendarId="primary", body={"summary": "canary", **at(1)}).execute()
    service.events().list(calendarId="primary").execute()
    service.channels()
    seen = google.requests(method="calendar.events.insert")["requests"]
    assert [("canary" in one["body"], one["status"], one["account"]) for one in seen] == [(True, 200, ANA)]
    assert google.writes() == 1
    counters = google.reset_requests()
    assert (counters["reads"], counters["writes"], counters["by_status"]) == (1, 1, {"200": 2})
    assert google.writes() == 0


def test_what_a_person_does_is_not_a_write_call(google, at):
    google.reset_requests()
    google.add_event(ANA, **at(1))
    assert google.requests()["counters"]["requests"] == 0


def test_tokens_and_codes_are_not_in_the_request_log(google):
    given = google.authorize(ANA, "openid")
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    auth = ("lockstep-sandbox-client", "lockstep-sandbox-secret")
    assert requests.post(f"{google.url}/token", data=form, auth=auth, timeout=10).status_code == 200
    log = google.requests()
    assert log["counters"]["by_method"]["oauth.token"] == 1
    assert given["refresh_token"] not in str(log)


def test_bad_control_calls_say_what_is_wrong(google):
    with pytest.raises(ControlRefused, match="no such kind of fault"):
        google.add_fault("earthquake")
    with pytest.raises(ControlRefused, match="no such switch"):
        google.switch(gravity=False)
    with pytest.raises(ControlRefused, match="404"):
        google.events("nobody@example.com")
    google.add_event(ANA, id="abcde", start={"date": "2026-12-01"}, end={"date": "2026-12-02"})
    with pytest.raises(ControlRefused, match="409"):
        google.add_event(ANA, id="abcde", start={"date": "2026-12-01"}, end={"date": "2026-12-02"})


def test_a_reset_forgets_everything(google, at):
    google.add_event(ANA, **at(1))
    google.add_fault("backend_error")
    google.switch(quota=True)
    google.authorize(ANA, "openid")
    google.reset()
    assert google.control("GET", "/accounts")["items"] == []
    assert google.control("GET", "/faults")["items"] == []
    assert google.control("GET", "/grants")["items"] == []
    assert google.control("GET", "/switches")["quota"] is False


def test_another_sites_page_cannot_press_buttons(google):
    answer = requests.post(
        f"{google.url}/control/reset", headers={"Origin": "http://evil.example"}, timeout=10
    )
    assert answer.status_code == 403
    assert google.control("GET", "/accounts")["items"]


def test_the_week_page_shows_every_event_once(google, at):
    google.add_event(ANA, summary="A", **at(1))
    google.add_event(ANA, summary="Trip", start={"date": "2026-12-02"}, end={"date": "2026-12-05"})
    google.add_event(ANA, summary="Weekly", recurrence=["RRULE:FREQ=WEEKLY"], **at(3))
    other = google.add_calendar(ANA, "Other")["id"]
    google.add_event(ANA, other, summary="B <b>bold</b>", **at(1, 14))
    shown = {one["data-summary"]: one for one in week(google)}
    assert list(shown) == ["A", "B <b>bold</b>", "Trip", "Weekly"]
    assert len(week(google)) == 4
    assert shown["A"]["data-start"] == "2026-12-01T10:00:00-06:00"
    assert shown["Trip"]["data-end"] == "2026-12-05"
    assert shown["B <b>bold</b>"]["data-calendar-id"] == other
    assert [one["data-summary"] for one in week(google, day="2026-12-08")] == ["Weekly"]


def test_a_person_adds_edits_and_deletes_on_the_pages(google, service):
    times = {"start_date": "2026-12-01", "start_time": "10:00", "end_date": "2026-12-01", "end_time": "11:00"}
    press(google, f"/accounts/{ANA}/events/new", title="Tea", calendar="primary", **times)
    token = service.events().list(calendarId="primary").execute()["nextSyncToken"]
    event = week(google)[0]
    place = f"/accounts/{ANA}/calendars/{ANA}/events/{event['data-event-id']}"
    form = requests.get(google.url + place, timeout=10).text
    assert 'value="Tea"' in form
    press(google, place, title="Coffee", deed="save", **times | {"start_time": "12:00", "end_time": "13:30"})
    changed = service.events().list(calendarId="primary", syncToken=token).execute()["items"]
    assert [(one["summary"], one["start"]["dateTime"]) for one in changed] == [
        ("Coffee", "2026-12-01T12:00:00-06:00")
    ]
    press(google, place, deed="save", title="Day off", all_day="1", **times)
    assert google.events(ANA)[0]["end"] == {"date": "2026-12-02"}
    press(google, place, deed="delete")
    assert week(google) == []
    press(google, place, deed="restore")
    assert len(week(google)) == 1


def test_a_person_changes_one_date_or_all_of_a_series(google, at):
    google.add_event(ANA, summary="Weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], **at(1))
    second = week(google, day="2026-12-08")[0]
    place = f"/accounts/{ANA}/calendars/{ANA}/events/{second['data-event-id']}"
    times = {"start_date": "2026-12-09", "end_date": "2026-12-09", "start_time": "15:00", "end_time": "16:00"}
    press(google, place, deed="save", title="Weekly", apply_to="one", **times)
    assert week(google, day="2026-12-08")[0]["data-start"] == "2026-12-09T15:00:00-06:00"
    third = week(google, day="2026-12-15")[0]
    place = f"/accounts/{ANA}/calendars/{ANA}/events/{third['data-event-id']}"
    times = {"start_date": "2026-12-15", "end_date": "2026-12-15", "start_time": "11:00", "end_time": "12:30"}
    press(google, place, deed="save", title="Weekly", apply_to="all", **times)
    starts = [week(google, day=f"2026-12-{day:02}")[0]["data-start"][11:16] for day in (1, 15, 22)]
    assert starts == ["11:00"] * 3


def test_calendars_can_be_added_hidden_and_deleted_on_the_pages(google):
    press(google, f"/accounts/{ANA}/calendars", name="Choir")
    choir = next(one["id"] for one in google.calendars(ANA) if one["summary"] == "Choir")
    press(google, f"/accounts/{ANA}/calendars/{choir}", deed="hide")
    assert next(one for one in google.calendars(ANA) if one["id"] == choir)["hidden"] is True
    assert "Choir" in requests.get(f"{google.url}/accounts/{ANA}/calendars", timeout=10).text
    press(google, f"/accounts/{ANA}/calendars/{choir}", deed="delete")
    assert [one["id"] for one in google.calendars(ANA)] == [ANA]


def test_the_control_room_plans_faults_and_revokes(google):
    google.authorize(ANA, "openid", "calendar.app.created")
    page = requests.get(f"{google.url}/control", timeout=10)
    assert f"Revoke access of {ANA}" in page.text
    press(google, "/control", deed="revoke", account=ANA)
    assert google.control("GET", "/grants")["items"] == []
    press(google, "/control", deed="add_fault", kind="latency", method="calendar.*", times="", seconds="0.5")
    fault = google.control("GET", "/faults")["items"][0]
    assert (fault["kind"], fault["times"], fault["seconds"]) == ("latency", None, 0.5)
    before = google.control("GET", "/switches")
    ticked = {name: str(value) for name, value in before.items() if value is not False}
    press(google, "/control", deed="switch", **ticked | {"undelete_by_update": "1"})
    assert google.control("GET", "/switches") == before | {"undelete_by_update": True}


def test_pages_have_a_strict_policy_and_no_scripts(google, at):
    event = google.add_event(ANA, summary="A", **at(1))
    for path in (
        "/",
        f"/accounts/{ANA}/calendar",
        f"/accounts/{ANA}/events/new",
        "/control",
        f"/accounts/{ANA}/calendars",
    ):
        page = requests.get(google.url + path, timeout=10)
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "<script" not in page.text
        assert not re.search(r"\sstyle=|\son\w+=", page.text)
    link = requests.get(event["htmlLink"], timeout=10)
    assert link.status_code == 200


def test_the_demo_has_every_kind_of_thing():
    with serve(seed="demo") as google:
        kinds = {(one["summary"], one["accessRole"]) for one in google.calendars("wren.hale@example.com")}
        assert kinds >= {
            ("wren.hale@example.com", "owner"),
            ("Home and garden", "owner"),
            ("Headway", "reader"),
        }
        events = google.events("wren.hale@example.com", deleted=True)
        assert {one.get("eventType") for one in events} >= {"default", "birthday", "workingLocation"}
        assert sum("recurrence" in one for one in events) >= 2
        assert {one["status"] for one in events if "recurringEventId" in one} == {"confirmed", "cancelled"}
        assert any(one.get("transparency") == "transparent" for one in events)
        hosts = {account["email"]: account["hd"] for account in google.control("GET", "/accounts")["items"]}
        assert hosts == {"wren.hale@example.com": "example.com", "sol.ortiz@example.com": None}
        google.reset("demo")
        assert len(google.events("wren.hale@example.com", deleted=True)) == len(events)


def test_a_seed_can_be_a_file(tmp_path):
    day = {"summary": "A", "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    seed = tmp_path / "seed.json"
    text = '{"accounts": [{"email": "bo@example.com", "calendars": [{"id": "primary", "events": [%s]}]}]}'
    seed.write_text(text % str(day).replace("'", '"'))
    with serve(seed=str(seed)) as google:
        assert [one["summary"] for one in google.events("bo@example.com")] == ["A"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_runs_from_the_command_line_and_ends_when_told(number):
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--seed", "demo", "--quota"]
    command += ["--client-id", "c", "--client-secret", "s", "--redirect-uri", "https://portal.example/back"]
    with subprocess.Popen(command, cwd=SANDBOX.parent, stdout=subprocess.PIPE, text=True) as process:
        google = SandboxClient(process.stdout.readline().split()[-1])
        assert google.control("GET", "/health") == {"ok": True}
        assert google.control("GET", "/switches")["quota"] is True
        assert google.authorize("sol.ortiz@example.com", "openid", client_id="c")["refresh_token"]
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_the_readme_names_every_control_call_fault_and_option(google):
    readme = (SANDBOX / "README.md").read_text("utf-8")
    rules = create_app(google.state).url_map.iter_rules()
    words = {rule.rule.split("/")[-1].split("<")[0] for rule in rules if rule.rule.startswith("/control/")}
    missing = [word for word in words | set(REFUSALS) | set(EFFECTS) if word and word not in readme]
    assert missing == []


def test_what_is_not_built_says_so(service, refused):
    with refused(501, "notImplemented"):
        service.settings().watch(body={"id": "x"}).execute()


def test_the_sandbox_never_imports_the_portal():
    for path in SANDBOX.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "portal"], path


def test_lists_can_lose_sight_of_a_live_event_for_a_while(google, service, at):
    event = google.add_event(ANA, **at(1))
    google.act_on_event(ANA, "primary", event["id"], "hide", seconds=60)
    listed = service.events().list(calendarId="primary").execute()
    assert listed["items"] == []
    assert service.events().get(calendarId="primary", eventId=event["id"]).execute()["status"] == "confirmed"
    google.control("POST", "/clock", {"advance_seconds": 61})
    delta = service.events().list(calendarId="primary", syncToken=listed["nextSyncToken"]).execute()
    assert [one["id"] for one in delta["items"]] == [event["id"]]


def test_a_hidden_event_that_is_written_shows_its_newest_state(google, service, at):
    event = google.add_event(ANA, summary="Old", **at(1))
    google.act_on_event(ANA, "primary", event["id"], "hide", seconds=60)
    google.change_event(ANA, "primary", event["id"], summary="New")
    google.control("POST", "/clock", {"advance_seconds": 61})
    assert [one["summary"] for one in service.events().list(calendarId="primary").execute()["items"]] == [
        "New"
    ]


def test_a_tombstone_can_vanish_but_its_id_stays_taken(google, service, at, refused):
    google.add_event(ANA, id="abcde", **at(1))
    google.delete_event(ANA, "primary", "abcde")
    google.act_on_event(ANA, "primary", "abcde", "purge")
    with refused(404, "notFound"):
        service.events().get(calendarId="primary", eventId="abcde").execute()
    with refused(409, "duplicate"):
        service.events().insert(calendarId="primary", body={"id": "abcde", **at(1)}).execute()
    assert service.events().list(calendarId="primary", showDeleted=True).execute()["items"] == []


def test_an_event_can_be_as_odd_as_google_sometimes_makes_them(google, service, at):
    event = google.add_event(ANA, summary="A", recurrence=["RRULE:FREQ=WEEKLY"], **at(1))
    google.add_event(ANA, summary="B", **at(2))
    token = service.events().list(calendarId="primary").execute()["nextSyncToken"]
    start = {"dateTime": "2026-12-01T10:00:00+02:00", "timeZone": "GMT+02:00"}
    google.act_on_event(ANA, "primary", event["id"], "distort", start=start, end=None, status="perhaps")
    (odd,) = service.events().list(calendarId="primary", syncToken=token).execute()["items"]
    assert (odd["start"], odd["status"]) == (start, "perhaps")
    assert "end" not in odd
    assert service.events().get(calendarId="primary", eventId=event["id"]).execute()["start"] == start
    assert len(service.events().list(calendarId="primary", singleEvents=True).execute()["items"]) == 2
    assert [one["data-summary"] for one in week(google)] == ["B"]
