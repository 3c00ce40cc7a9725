"""The open questions about Google: what is observed, which readings are documented, what the sandbox does.

A question's function looks at one account and names the reading it saw. `Unseen` says that this account
gives nothing to see; any other surprise is a third reading, and fails its test.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from googleapiclient.errors import HttpError

from portal.errors import CalendarError
from tests.google_contract.account import ZONE, Account, Refusal, at
from tests.google_contract.report import DIFFERS, SAME, THIRD, UNSEEN, Row

Observe = Callable[[Account], str]
FORBIDDEN = (403, "forbidden")


class Unseen(Exception):
    """This account offers nothing that would answer the question."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One fact that sources disagree about, or that none tells."""

    name: str  # a sentence, from its function's name
    source: str  # the section of google-calendar-facts.md
    readings: Mapping[str, str]  # a word for each reading, and what it means
    sandbox: str  # the reading that the sandbox has by default
    switches: Mapping[str, Any] = field(default_factory=dict)  # settings that make the sandbox read otherwise
    switched: str = ""  # the reading that it then has
    observe: Observe


QUESTIONS: list[Question] = []


def look(question: Question, account: Account) -> Row:
    """Observe one question: a row for the table. Nothing else than a documented reading is the *same*."""
    verdict = THIRD
    try:
        observed = question.observe(account)
        if observed.partition(":")[0] in question.readings:
            verdict = SAME if observed == question.sandbox else DIFFERS
    except Unseen as reason:
        observed, verdict = str(reason), UNSEEN
    except (AssertionError, CalendarError, HttpError) as surprise:
        observed = f"{type(surprise).__name__}: {str(surprise).partition(chr(10))[0]}"
    return Row(
        fact=question.name.replace("_", " "),
        source=question.source,
        observed=observed,
        sandbox=question.sandbox,
        verdict=verdict,
    )


def question(
    source: str,
    readings: Mapping[str, str],
    *,
    sandbox: str,
    switches: Mapping[str, Any] | None = None,
    switched: str = "",
) -> Callable[[Observe], Observe]:
    """Enter a function in the list of questions."""

    def enter(observe: Observe) -> Observe:
        QUESTIONS.append(
            Question(
                name=observe.__name__,
                source=source,
                readings=readings,
                sandbox=sandbox,
                switches=switches or {},
                switched=switched,
                observe=observe,
            )
        )
        return observe

    return enter


def seen_as(readings: Mapping[Any, str], seen: Any) -> str:
    """The reading that belongs to what was seen. Fails for anything else."""
    assert seen in readings, f"a third reading: {seen}"
    return readings[seen]


def _kind(answer: Any) -> Any:
    return (answer.status, answer.reason) if isinstance(answer, Refusal) else "done"


# Scopes and calendars


@question(
    "§3, §17.12",
    {"403": "403 insufficientPermissions", "404": "404 notFound"},
    sandbox="403",
    switches={"app_created_refusal_is_404": True},
    switched="404",
)
def how_a_write_outside_our_calendars_is_refused(account: Account) -> str:
    body = {"id": account.new_id(), **at(3)}
    answer = account.outcome(account.service.events().insert(calendarId="primary", body=body))
    if not isinstance(answer, Refusal):  # never expected: nothing may stay in somebody's own calendar
        account.call(account.service.events().delete(calendarId="primary", eventId=body["id"]))
    return seen_as({(403, "insufficientPermissions"): "403", (404, "notFound"): "404"}, _kind(answer))


@question(
    "§3, §17.12",
    {"survives": "calendars made under an earlier consent stay open", "lost": "they are closed"},
    sandbox="survives",
    switches={"app_created_survives_regrant": False},
    switched="lost",
)
def whether_a_new_consent_opens_the_calendar_of_an_old_one(account: Account) -> str:
    if account.origin() in account.entry.description:
        raise Unseen("the calendar was made under this very consent")
    # calendar.app.created alone opens calendars.get; the events would be open to another scope too
    answer = account.outcome(account.service.calendars().get(calendarId=account.calendar_id))
    refused = {(403, "insufficientPermissions"): "lost", (404, "notFound"): "lost"}
    return seen_as({"done": "survives", **refused}, _kind(answer))


@question(
    "§3, §17.12",
    {"role": "owned means accessRole owner", "data owner": "owned means the single data owner"},
    sandbox="role",
    switches={"owned_means_data_owner": True},
    switched="data owner",
)
def what_the_owned_scopes_mean_by_owned(account: Account) -> str:
    entries = account.call(account.service.calendarList().list(maxResults=250, showHidden=True))["items"]
    shared = [
        one["id"]
        for one in entries
        if one["accessRole"] == "owner"
        and one.get("dataOwner", account.access.address) != account.access.address
    ]
    if not shared:
        raise Unseen("nobody has made this account an owner of a calendar of theirs")
    answer = account.outcome(
        account.service.events().list(calendarId=shared[0], maxResults=1, fields="nextPageToken")
    )
    refused = {(403, "insufficientPermissions"): "data owner", (404, "notFound"): "data owner"}
    return seen_as({"done": "role", **refused}, _kind(answer))


@question("§4", {"listed": "it is in the list at once", "absent": "it has to be inserted"}, sandbox="listed")
def whether_a_calendar_we_make_is_in_its_makers_list(account: Account) -> str:
    answer = account.outcome(account.service.calendarList().get(calendarId=account.calendar_id))
    return seen_as({"done": "listed", (404, "notFound"): "absent"}, _kind(answer))


@question("§8", {"kept": "the etag stays", "new": "a new etag"}, sandbox="kept")
def what_a_patch_of_a_calendar_with_its_own_title_does_to_the_etag(account: Account) -> str:
    calendars = account.service.calendars()
    before = account.call(calendars.get(calendarId=account.calendar_id))
    body = {"summary": before["summary"]}
    after = account.call(calendars.patch(calendarId=account.calendar_id, body=body))
    return "kept" if after["etag"] == before["etag"] else "new"


# Signing in


@question("§2", {"both": "form and Basic", "form": "form only", "Basic": "Basic only"}, sandbox="both")
def where_the_token_endpoint_takes_the_clients_secret(account: Account) -> str:
    access = account.access
    form = {"grant_type": "refresh_token", "refresh_token": access.refresh_token}
    secret = {"client_id": access.client_id, "client_secret": access.client_secret}
    by_form = _token_status(account, {**form, **secret})
    by_basic = _token_status(account, form, basic=(access.client_id, access.client_secret))
    taken = tuple(name for name, status in (("form", by_form), ("Basic", by_basic)) if status == 200)
    return seen_as({("form", "Basic"): "both", ("form",): "form", ("Basic",): "Basic"}, taken)


@question(
    "§2", {"wanted": "the secret is wanted with PKCE too", "not wanted": "PKCE is enough"}, sandbox="wanted"
)
def whether_a_web_client_needs_its_secret_with_pkce(account: Account) -> str:
    """With a code that nobody gave: what is complained about first is the missing secret, or the code."""
    form = {
        "grant_type": "authorization_code",
        "code": "4/0-no-code",
        "code_verifier": "v" * 43,
        "client_id": account.access.client_id,
        "redirect_uri": "http://127.0.0.1/calendar/sync/google/callback",
    }
    error = _token_answer(account, form).json().get("error")
    complaints = dict.fromkeys(("invalid_client", "invalid_request", "unauthorized_client"), "wanted")
    return seen_as({**complaints, "invalid_grant": "not wanted"}, error)


def _token_answer(
    account: Account, form: dict[str, str], basic: tuple[str, str] | None = None
) -> requests.Response:
    account.pace()
    return requests.post(account.metadata["token_endpoint"], data=form, auth=basic, timeout=30)


def _token_status(account: Account, form: dict[str, str], basic: tuple[str, str] | None = None) -> int:
    return _token_answer(account, form, basic).status_code


# Deleted events


@question(
    "§8, §17.12",
    {"refused": "403 forbidden", "revived": "the event lives again"},
    sandbox="refused",
    switches={"undelete_by_update": True},
    switched="revived",
)
def what_writing_to_a_deleted_event_does(account: Account) -> str:
    event = account.insert(summary="To be deleted", **at(4))
    account.delete(event["id"])
    answer = account.outcome(account.updating(event["id"], status="confirmed", summary="Again", **at(4)))
    if isinstance(answer, Refusal):
        return seen_as({FORBIDDEN: "refused"}, _kind(answer))
    return seen_as({"confirmed": "revived"}, account.get(event["id"])["status"])


@question(
    "§6",
    {"bare": "id and status are left", "details": "the fields stay"},
    sandbox="bare",
    switches={"tombstones_keep_details": True},
    switched="details",
)
def what_is_left_of_a_deleted_event(account: Account) -> str:
    event = account.insert(summary="To be deleted", **at(4))
    account.delete(event["id"])
    left = account.get(event["id"])
    assert left["status"] == "cancelled"
    return "details" if "summary" in left and "start" in left else "bare"


@question("§1", {"204": "204", "200": "200"}, sandbox="204")
def which_status_an_empty_answer_has(account: Account) -> str:
    event = account.insert(**at(4))
    path = f"calendars/{account.calendar_id.replace('@', '%40')}/events/{event['id']}?sendUpdates=none"
    response, content = account.raw("DELETE", path)
    assert content == b""
    return seen_as({204: "204", 200: "200"}, response.status)


# Lists


@question(
    "§5, §17.12",
    {"leave": "a delta tells of every event", "keep": "a delta stays inside the first call's timeMin"},
    sandbox="leave",
    switches={"deltas_keep_window": True},
    switched="keep",
)
def whether_deltas_keep_the_window_of_the_first_call(account: Account) -> str:
    outside, inside = account.insert(**at(5, year=2031)), account.insert(**at(5, year=2033))
    account.until(lambda: {outside["id"], inside["id"]} <= account.listed(maxResults=2500).keys())
    token = account.baseline(maxResults=2500, timeMin="2032-01-01T00:00:00Z")
    account.patch(outside["id"], summary="Changed")
    account.patch(inside["id"], summary="Changed")

    def delta() -> dict[str, Any]:
        return account.listed(maxResults=2500, syncToken=token)

    account.until(lambda: delta().get(inside["id"], {}).get("summary") == "Changed")
    account.grace()
    return "leave" if outside["id"] in delta() else "keep"


@question(
    "§5",
    {"refused": "400", "taken": "the delta comes all the same"},
    sandbox="refused",
    switches={"sync_query_must_match": False},
    switched="taken",
)
def what_a_sync_token_with_another_page_size_gives(account: Account) -> str:
    token = account.baseline(maxResults=2500)
    answer = account.outcome(account.listing(maxResults=250, syncToken=token))
    return seen_as(
        {"done": "taken", (400, "invalid"): "refused", (400, "badRequest"): "refused"}, _kind(answer)
    )


@question(
    "§5",
    {"all": "an event must match all repeats", "any": "one match is enough"},
    sandbox="all",
    switches={"extended_property_repeats_or": True},
    switched="any",
)
def how_repeated_property_filters_combine(account: Account) -> str:
    one = account.insert(extendedProperties={"private": {"first": account.run}}, **at(6))
    both = account.insert(
        extendedProperties={"private": dict.fromkeys(("first", "second"), account.run)}, **at(6)
    )
    ours = {one["id"], both["id"]}

    def found(*names: str) -> set[str]:
        listed = account.listed(privateExtendedProperty=[f"{name}={account.run}" for name in names])
        return ours & listed.keys()

    account.until(lambda: found("first") == ours and found("second") == {both["id"]})
    return seen_as(
        {frozenset(ours): "any", frozenset({both["id"]}): "all"}, frozenset(found("first", "second"))
    )


@question("§10", {"at once": "the first look finds it", "later": "it takes a while"}, sandbox="at once")
def when_a_search_by_property_finds_a_new_event(account: Account) -> str:
    event = account.insert(extendedProperties={"private": {"lag": account.run}}, **at(7))
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return event["id"] in account.listed(privateExtendedProperty=f"lag={account.run}")

    account.until(look)
    return "at once" if looks == 1 else f"later: look number {looks}"


# Writes


@question(
    "§8",
    {"kept": "the etag stays", "new": "a new etag"},
    sandbox="new",
    switches={"identical_writes_keep_etag": True},
    switched="kept",
)
def what_writing_the_same_again_does_to_the_etag(account: Account) -> str:
    event = account.insert(summary="Same", **at(8))
    return "kept" if account.patch(event["id"], summary="Same")["etag"] == event["etag"] else "new"


@question(
    "§18",
    {"new": "a new etag", "kept": "the etag stays"},
    sandbox="new",
    switches={"reminders_change_etag": False},
    switched="kept",
)
def what_an_edit_of_reminders_does_to_the_etag(account: Account) -> str:
    event = account.insert(**at(8))
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 35}]}
    return "new" if account.patch(event["id"], reminders=reminders)["etag"] != event["etag"] else "kept"


@question(
    "§8",
    {"times": "a change of times raises it", "every": "every edit does", "never": "no edit does"},
    sandbox="times",
)
def which_edits_raise_the_sequence(account: Account) -> str:
    event = account.insert(summary="Before", **at(9))
    titled = account.patch(event["id"], summary="After")
    moved = account.patch(event["id"], **at(9, 12))
    numbers = [one.get("sequence", 0) for one in (event, titled, moved)]
    by_title, by_times = numbers[1] > numbers[0], numbers[2] > numbers[1]
    return seen_as(
        {(False, True): "times", (True, True): "every", (False, False): "never"}, (by_title, by_times)
    )


@question(
    "§8, §18",
    {"refused": "409 duplicate", "updates": "the event takes the new values"},
    sandbox="refused",
    switches={"reimport_updates": True},
    switched="updates",
)
def what_importing_the_same_uid_again_does(account: Account) -> str:
    uid = f"{account.new_id()}@contract.example"
    first = account.call(account.importing(iCalUID=uid, summary="First", **at(10)))
    account.owe(first["id"])
    answer = account.outcome(account.importing(iCalUID=uid, summary="Second", sequence=9, **at(10)))
    if isinstance(answer, Refusal):
        return seen_as({(409, "duplicate"): "refused"}, _kind(answer))
    return seen_as({(first["id"], "Second"): "updates"}, (answer["id"], account.get(first["id"])["summary"]))


@question("§8", {"304": "304 Not Modified", "200": "200 with the whole event"}, sandbox="200")
def what_reading_with_the_current_etag_gives(account: Account) -> str:
    event = account.insert(**at(11))
    path = f"calendars/{account.calendar_id.replace('@', '%40')}/events/{event['id']}"
    response, _ = account.raw("GET", path, {"If-None-Match": event["etag"]})
    return seen_as({304: "304", 200: "200"}, response.status)


@question("§6", {"kept": "kept whole", "cut": "cut without a word", "refused": "400"}, sandbox="kept")
def what_becomes_of_very_long_texts(account: Account) -> str:
    lengths = {"summary": 3000, "location": 3000, "description": 10_000}
    event_id = account.new_id()
    texts = {name: "x" * length for name, length in lengths.items()}
    answer = account.outcome(account.inserting(id=event_id, **texts, **at(12)))
    if isinstance(answer, Refusal):
        return "refused" if answer.status == 400 else seen_as({}, _kind(answer))
    account.owe(event_id)
    stored = account.get(event_id)
    cut = [f"{name} {len(stored.get(name, ''))}" for name in lengths if stored.get(name) != texts[name]]
    return f"cut: {', '.join(cut)}" if cut else "kept"


@question(
    "§8", {"one": "one is made, the other 409", "both": "both are told that they made it"}, sandbox="one"
)
def what_two_inserts_of_one_id_at_once_give(account: Account) -> str:
    event_id = account.new_id()
    account.owe(event_id)
    transports = [account.another_http(), account.another_http()]
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(
            lambda http: account.outcome(account.inserting(id=event_id, **at(13)), http=http), transports
        )
    kinds = sorted(map(str, map(_kind, answers)))
    return seen_as({("(409, 'duplicate')", "done"): "one", ("done", "done"): "both"}, tuple(kinds))


# Series


@question(
    "§18",
    {"gone": "changed dates go back to schedule", "kept": "they keep their change"},
    sandbox="gone",
)
def what_moving_a_series_does_to_its_changed_dates(account: Account) -> str:
    series = account.insert(summary="Series", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"], **at(14))
    second = account.until(lambda: account.instances(series["id"])[1:2])[0]
    account.patch(second["id"], summary="Changed")
    account.until(lambda: "Changed" in _titles(account, series["id"]))
    account.patch(series["id"], **at(14, 12))

    account.until(lambda: "T12:00" in account.instances(series["id"])[0]["start"]["dateTime"])
    account.grace()
    return "kept" if "Changed" in _titles(account, series["id"]) else "gone"


def _titles(account: Account, series_id: str) -> list[str]:
    return [one.get("summary", "") for one in account.instances(series_id)]


def _series(account: Account, *lines: str, **times: Any) -> list[dict[str, Any]] | Refusal:
    """The dates of a series that Google takes, or how it refuses it."""
    event_id = account.new_id()
    answer = account.outcome(account.inserting(id=event_id, recurrence=list(lines), **times))
    if isinstance(answer, Refusal):
        return answer
    account.owe(event_id)
    account.until(lambda: account.get(event_id))
    account.grace()
    return account.instances(event_id)


def _days_as(
    readings: Mapping[tuple[str, ...], str], dates: list[dict[str, Any]] | Refusal, *, refused: bool = False
) -> str:
    """The reading that belongs to the days of a series, months and days told."""
    if isinstance(dates, Refusal):
        return seen_as({400: "refused"} if refused else {}, dates.status)
    return seen_as(readings, tuple(date["start"]["dateTime"][5:10] for date in dates))


@question(
    "§7",
    {"weekday": "the first date's weekday", "week": "each day of the week", "refused": "400"},
    sandbox="weekday",
)
def which_days_a_week_number_without_weekdays_names(account: Account) -> str:
    dates = _series(account, "RRULE:FREQ=YEARLY;BYWEEKNO=11;COUNT=2", **at(12))
    days: dict[tuple[str, ...], str] = {("03-12", "03-10"): "weekday", ("03-12", "03-13"): "week"}
    return _days_as(days, dates, refused=True)


@question(
    "§7", {"start": "the first date alone", "none": "no date at all", "refused": "400"}, sandbox="start"
)
def what_an_until_before_the_start_leaves(account: Account) -> str:
    dates = _series(account, "RRULE:FREQ=DAILY;UNTIL=20310301T000000Z", **at(3))
    return _days_as({("03-03",): "start", (): "none"}, dates, refused=True)


@question("§7", {"counts": "it is a date", "left out": "the series ends with UNTIL"}, sandbox="counts")
def whether_an_rdate_after_until_counts(account: Account) -> str:
    rule = "RRULE:FREQ=WEEKLY;UNTIL=20310310T150000Z"
    dates = _series(account, rule, "RDATE;TZID=America/Chicago:20310320T100000", **at(3))
    return _days_as({("03-03", "03-10", "03-20"): "counts", ("03-03", "03-10"): "left out"}, dates)


@question(
    "§7",
    {
        "not counted": "it is a date, and COUNT counts the others",
        "counted": "it is a date, and one of COUNT",
        "left out": "it is no date",
    },
    sandbox="not counted",
)
def whether_count_counts_a_start_outside_the_rule(account: Account) -> str:
    """From a Monday, three Tuesdays and Thursdays."""
    days = ("03-03", "03-04", "03-06", "03-11")
    readings = {days: "not counted", days[:3]: "counted", days[1:]: "left out"}
    return _days_as(readings, _series(account, "RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", **at(3)))


@question(
    "§7",
    {"exact": "as long as the first one", "wall clock": "to the same time of day"},
    sandbox="exact",
)
def how_long_a_date_over_a_clock_change_is(account: Account) -> str:
    """Two nights; in the second one summer time begins."""
    night = {
        side: {"dateTime": f"2031-03-{moment}:00:00", "timeZone": ZONE}
        for side, moment in (("start", "07T23"), ("end", "08T07"))
    }
    dates = _series(account, "RRULE:FREQ=DAILY;COUNT=2", **night)
    assert not isinstance(dates, Refusal)
    return seen_as({"03-09T08": "exact", "03-09T07": "wall clock"}, dates[1]["end"]["dateTime"][5:13])


@question(
    "§7",
    {
        "with their length": "the period is handed out, and the date has its length",
        "with the regular length": "the period is handed out, and the date has the series' length",
        "as times": "the line comes back without periods",
        "refused": "400",
    },
    sandbox="with their length",
)
def whether_periods_are_handed_out(account: Account) -> str:
    dates = _series(account, "RRULE:FREQ=WEEKLY;COUNT=1", "RDATE;VALUE=PERIOD:20310310T150000Z/PT3H", **at(3))
    if isinstance(dates, Refusal):
        return seen_as({400: "refused"}, dates.status)
    if not any("/" in line for line in account.get(dates[0]["recurringEventId"])["recurrence"]):
        return "as times"
    ends = {"10T13": "with their length", "10T11": "with the regular length"}
    return seen_as(ends, dates[1]["end"]["dateTime"][8:13])


@question(
    "§7",
    {"gone": "it goes with its date", "kept": "it stays where it was moved to"},
    sandbox="gone",
)
def what_becomes_of_a_changed_date_that_its_series_no_longer_has(account: Account) -> str:
    series = account.insert(summary="Series", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"], **at(3))
    second = account.until(lambda: account.instances(series["id"])[1:2])[0]
    account.patch(second["id"], summary="Changed")
    account.until(lambda: "Changed" in _titles(account, series["id"]))
    account.patch(series["id"], recurrence=["RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2"])
    account.until(lambda: "INTERVAL" in account.get(series["id"])["recurrence"][0])
    account.grace()
    return "kept" if "Changed" in _titles(account, series["id"]) else "gone"


# Push


@question(
    "§9, §18",
    {"as asked": "a year is granted", "shorter": "Google's own limit wins"},
    sandbox="shorter: 30 days",
)
def how_long_a_channel_may_live(account: Account) -> str:
    if not account.access.push_address:
        raise Unseen("no address to send to was given")
    channel_id, now = account.new_id(), dt.datetime.now(dt.UTC)
    watched = account.client.watch_events(
        account.calendar_id,
        channel_id=channel_id,
        secret=account.run,
        address=account.access.push_address,
        expires_at=now + dt.timedelta(days=365),
    )
    account.client.stop_channel(channel_id, watched.resource_id)
    days = round((watched.expires_at - now) / dt.timedelta(days=1), 1)
    return "as asked" if days > 364 else f"shorter: {days:g} days"
