"""Google's event resources to Events and back, and what becomes of resources that make no sense."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.errors import InvalidCalendarData
from portal.google.codec import EVENT_FIELDS, from_google, to_google, without_nulls
from portal.sync.event import Content, Event, EventTime, Tag

ZONES = st.sampled_from(["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
INSTANTS = st.integers(0, 2_800_000_000).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
WORDS = st.text("abcdefghijklmnop0123456789", min_size=1, max_size=20)
TAG = Tag(installation="inst", appointment="a1", event_id="e0", revision=7, times_hash="beef")


@st.composite
def contents(draw: st.DrawFn) -> Content:
    if draw(st.booleans()):
        first = draw(st.dates(dt.date(1970, 1, 1), dt.date(2090, 1, 1)))
        times = EventTime(date=first), EventTime(date=first + dt.timedelta(days=draw(st.integers(1, 9))))
    else:
        start, tzid = draw(INSTANTS), draw(ZONES)
        end = start + dt.timedelta(minutes=draw(st.integers(0, 3000)))
        times = EventTime(datetime=start, tzid=tzid), EventTime(datetime=end, tzid=tzid)
    return Content(
        summary=draw(TEXT),
        start=times[0],
        end=times[1],
        transparency=draw(st.sampled_from(["opaque", "transparent"])),
        visibility=draw(st.sampled_from(["private", "default"])),
        status=draw(st.sampled_from(["confirmed", "tentative"])),
        recurrence=draw(st.sampled_from([(), ("RRULE:FREQ=WEEKLY",)])),
    )


TAGS = st.builds(
    Tag,
    installation=WORDS,
    appointment=WORDS,
    event_id=WORDS,
    revision=st.integers(0, 999_999_999),
    times_hash=WORDS,
)


@given(contents(), TAGS)
def test_what_goes_out_comes_back_the_same(content: Content, tag: Tag) -> None:
    """The law of the codec: from_google(to_google(e)) == e."""
    body = json.loads(json.dumps({"id": tag.event_id, **without_nulls(to_google(content, tag))}))
    event = from_google(body)
    assert event.content == content
    assert event.tag == tag
    assert event.content is not None
    assert event.content.content_hash() == content.content_hash()


@given(contents())
def test_a_patch_names_every_field_of_ours_and_removes_what_must_not_stay(content: Content) -> None:
    """A timed event that was made all-day keeps neither its dateTime nor its zone; a rule goes by null."""
    body = to_google(content, TAG)
    assert body.keys() == {
        "summary", "start", "end", "transparency", "visibility", "status", "recurrence", "extendedProperties",
    }  # fmt: skip
    assert body["start"].keys() == body["end"].keys() == {"date", "dateTime", "timeZone"}
    assert (body["start"]["date"] is None) != (body["start"]["dateTime"] is None)
    assert (body["recurrence"] is None) == (content.recurrence == ())


@given(contents())
def test_an_insert_names_no_null(content: Content) -> None:
    assert "null" not in json.dumps(without_nulls(to_google(content, TAG)) | {"summary": ""})


def test_nobody_is_invited_and_nothing_else_is_touched() -> None:
    """Failure 47."""
    content = Content(summary="1042", **times("2026-11-18T10:00:00Z", "2026-11-18T10:50:00Z"))
    assert not to_google(content, TAG).keys() & {"attendees", "description", "location", "reminders"}
    asked = set(EVENT_FIELDS.replace("(", ",").replace(")", "").replace("/", ",").split(","))
    assert not asked & {"description", "location", "email", "displayName", "attachments", "organizer"}


def times(start: str, end: str) -> dict[str, Any]:
    return {
        "start": EventTime(datetime=dt.datetime.fromisoformat(start), tzid="UTC"),
        "end": EventTime(datetime=dt.datetime.fromisoformat(end), tzid="UTC"),
    }


# Times


def resource(**changes: Any) -> dict[str, Any]:
    """A plain event of the afternoon, as Google lists it."""
    plain = {
        "id": "e0",
        "etag": '"1"',
        "status": "confirmed",
        "updated": "2026-11-01T10:00:00.123Z",
        "summary": "Lunch",
        "start": {"dateTime": "2026-11-18T12:00:00-06:00", "timeZone": "America/Chicago"},
        "end": {"dateTime": "2026-11-18T13:00:00-06:00", "timeZone": "America/Chicago"},
    }
    return {**plain, **changes}


NOON = dt.datetime(2026, 11, 18, 18, 0, tzinfo=dt.UTC)
STARTS: dict[str, tuple[dict[str, Any], EventTime]] = {
    "an offset and a zone": (
        {"dateTime": "2026-11-18T12:00:00-06:00", "timeZone": "America/Chicago"},
        EventTime(datetime=NOON, tzid="America/Chicago"),
    ),
    "another offset than the zone's": (
        {"dateTime": "2026-11-18T18:00:00Z", "timeZone": "America/Chicago"},
        EventTime(datetime=NOON, tzid="America/Chicago"),
    ),
    "a zone and no offset": (
        {"dateTime": "2026-11-18T12:00:00", "timeZone": "America/Chicago"},
        EventTime(datetime=NOON, tzid="America/Chicago"),
    ),
    "an offset and no zone": (
        {"dateTime": "2026-11-18T12:00:00-06:00"},
        EventTime(datetime=NOON, tzid="-06:00"),
    ),
    "a zone nobody knows": (
        {"dateTime": "2026-11-18T20:00:00+02:00", "timeZone": "GMT+02:00"},
        EventTime(datetime=NOON, tzid="+02:00"),
    ),
    "a zone that is a folder": (
        {"dateTime": "2026-11-18T12:00:00-06:00", "timeZone": "America"},
        EventTime(datetime=NOON, tzid="-06:00"),
    ),
    "a zone that is a path": (
        {"dateTime": "2026-11-18T12:00:00-06:00", "timeZone": "../../etc/hosts"},
        EventTime(datetime=NOON, tzid="-06:00"),
    ),
    "UTC": ({"dateTime": "2026-11-18T18:00:00Z"}, EventTime(datetime=NOON, tzid="UTC")),
    "milliseconds": (
        {"dateTime": "2026-11-18T18:00:00.000Z", "timeZone": "UTC"},
        EventTime(datetime=NOON, tzid="UTC"),
    ),
}


@pytest.mark.parametrize(("given", "expected"), STARTS.values(), ids=STARTS.keys())
def test_times_in_every_wording(given: dict[str, Any], expected: EventTime) -> None:
    assert from_google(resource(start=given)).start == expected


def test_a_date_is_a_date() -> None:
    event = from_google(resource(start={"date": "2026-11-18"}, end={"date": "2026-11-19"}))
    assert event.start == EventTime(date=dt.date(2026, 11, 18))
    assert event.end == EventTime(date=dt.date(2026, 11, 19))


ODD: dict[str, tuple[Any, str]] = {
    "a list": ([], "not-an-event"),
    "nothing": (None, "not-an-event"),
    "no id": ({"status": "confirmed"}, "not-an-event"),
    "no start": (resource(start=None), "no-start"),
    "no end": (resource(end={}), "no-end"),
    "a date and a time": (resource(end={"date": "2026-11-19"}), "mixed-times"),
    "an end before its start": (resource(end={"dateTime": "2026-11-18T11:00:00-06:00"}), "ends-before-start"),
    "a time without offset and zone": (resource(start={"dateTime": "2026-11-18T12:00:00"}), "no-zone"),
    "a time that is none": (resource(start={"dateTime": "noon"}), "unreadable-time"),
    "a day that is none": (resource(start={"date": "2026-02-30"}), "unreadable-time"),
    "a moment before all time": (
        resource(start={"dateTime": "0001-01-01T00:00:00+14:00"}),
        "unreadable-time",
    ),
    "a title that is a number": (resource(summary=7), "odd-summary"),
    "a status that is a novel": (resource(status="x" * 500), "odd-status"),
    "a recurrence that is text": (resource(recurrence="RRULE:FREQ=DAILY"), "odd-recurrence"),
    "a recurrence of numbers": (resource(recurrence=[1]), "odd-recurrence"),
}


@pytest.mark.parametrize(("odd", "code"), ODD.values(), ids=ODD.keys())
def test_what_makes_no_sense_is_named(odd: Any, code: str) -> None:
    """Failure 40."""
    with pytest.raises(InvalidCalendarData) as refused:
        from_google(odd)
    assert refused.value.code == code


UIDS: dict[str, tuple[Any, str | None]] = {
    "Google's own": ("e0@google.com", "e0@google.com"),
    "somebody else's": ("040000008200E00074C5@outlook", "040000008200E00074C5@outlook"),
    "with a NUL": ("e0\x00@google.com", "e0@google.com"),
    "none": (None, None),
    "empty": ("", None),
    "a number": (7, None),
    "longer than an index holds": ("ü" * 600, None),
}


@pytest.mark.parametrize(("given", "kept"), UIDS.values(), ids=UIDS.keys())
def test_a_uid_is_kept_if_it_can_be_and_spoils_no_event(given: Any, kept: str | None) -> None:
    event = from_google(resource(iCalUID=given))
    assert (event.ical_uid, event.summary) == (kept, "Lunch")


# Shapes of facts §6


def test_a_bare_tombstone_has_an_id_and_is_cancelled() -> None:
    event = from_google({"kind": "calendar#event", "etag": '"9"', "id": "e0", "status": "cancelled"})
    assert event == Event(event_id="e0", etag='"9"', status="cancelled")


def test_a_bare_cancelled_date_names_its_series_and_its_original_start() -> None:
    original = {"dateTime": "2026-11-18T12:00:00-06:00", "timeZone": "America/Chicago"}
    event = from_google(
        {"id": "m_1", "status": "cancelled", "recurringEventId": "m", "originalStartTime": original}
    )
    assert (event.is_cancelled, event.is_override, event.start) == (True, True, None)
    assert event.original_start == EventTime(datetime=NOON, tzid="America/Chicago")


def test_an_untitled_event_has_an_empty_title_and_googles_defaults() -> None:
    bare = resource()
    del bare["summary"], bare["status"]
    event = from_google(bare)
    assert (event.summary, event.status, event.transparency) == ("", "confirmed", "opaque")
    assert (event.visibility, event.event_type) == ("default", "default")


def test_the_own_answer_is_that_of_the_attendee_who_is_oneself() -> None:
    attendees = [{"responseStatus": "accepted"}, {"self": True, "responseStatus": "declined"}]
    assert from_google(resource(attendees=attendees)).self_response == "declined"
    assert from_google(resource(attendees=attendees[:1])).self_response is None


def test_nul_and_half_a_surrogate_are_left_out() -> None:
    """PostgreSQL refuses both."""
    event = from_google(resource(summary="a\x00b\ud800", recurrence=["RRULE:FREQ=DAILY\x00"]))
    assert event.summary == "ab?"
    assert event.recurrence == ("RRULE:FREQ=DAILY",)


# Tags


COMPLETE = to_google(Content(summary="", **times("2026-11-18T10:00:00Z", "2026-11-18T11:00:00Z")), TAG)
PRIVATE: dict[str, str] = COMPLETE["extendedProperties"]["private"]


def test_a_complete_tag_is_read() -> None:
    assert from_google(resource(extendedProperties={"private": PRIVATE})).tag == TAG
    others = {**PRIVATE, "somebody": "else"}
    assert from_google(resource(extendedProperties={"private": others})).tag == TAG


@pytest.mark.parametrize("missing", PRIVATE)
def test_a_tag_with_a_part_missing_is_none(missing: str) -> None:
    rest = {name: value for name, value in PRIVATE.items() if name != missing}
    assert from_google(resource(extendedProperties={"private": rest})).tag is None


@pytest.mark.parametrize("revision", ["", "-1", "seven", "1.5", "²", " 7", "9" * 5000, 7, None, ["7"]])
def test_a_tag_without_a_readable_revision_is_none(revision: Any) -> None:
    assert from_google(resource(extendedProperties={"private": {**PRIVATE, "r": revision}})).tag is None


@pytest.mark.parametrize("extended", [None, [], "x", {}, {"shared": PRIVATE}, {"private": None}])
def test_a_tag_elsewhere_is_none(extended: Any) -> None:
    assert from_google(resource(extendedProperties=extended)).tag is None


# Whatever the schema allows, and what it does not


@cache
def schemas() -> dict[str, Any]:
    """Google's own description of its resources, packaged with its client."""
    path = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "calendar.v3.json"
    return dict(json.loads(path.read_text())["schemas"])


ODDITIES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just(["x"]), st.just({"x": 1}),
)  # fmt: skip
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-03-08T02:30:00", ""]),
)
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["confirmed", "tentative", "cancelled"]),
    "timeZone": st.sampled_from(["America/Chicago", "GMT+02:00", "America", "", "\x00", "localtime"]),
    "r": st.sampled_from(["1", "²", "-1", ""]),
    "self": st.booleans(),
}


def values(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values that this part of the schema allows."""
    if "$ref" in schema:
        return values(schemas()[schema["$ref"]])
    match schema.get("type"):
        case "object" if "properties" in schema:
            made = {key: odd_or(values(part, key)) for key, part in schema["properties"].items()}
            return st.fixed_dictionaries({}, optional=made)
        case "object":
            return st.dictionaries(st.sampled_from([*PRIVATE, "other"]), st.text(max_size=3), max_size=6)
        case "array":
            return st.lists(values(schema["items"]), max_size=2)
        case "integer" | "number":
            return st.integers()
        case "boolean":
            return st.booleans()
    if name in BY_NAME:
        return BY_NAME[name]
    formats = {"date-time": MOMENTS, "date": st.dates().map(str)}
    return formats.get(schema.get("format", ""), st.text(max_size=8))


def odd_or(plain: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly as the schema says, now and then something else."""
    return st.integers(0, 19).flatmap(lambda dice: ODDITIES if dice == 19 else plain)


@cache
def any_resource() -> st.SearchStrategy[Any]:
    """The fields that are read, as the schema has them; always with an id, so that reading goes on."""
    read = {
        "etag", "status", "updated", "summary", "start", "end", "transparency", "visibility", "eventType",
        "recurrence", "recurringEventId", "originalStartTime", "htmlLink", "attendees", "extendedProperties",
    }  # fmt: skip
    event = schemas()["Event"]
    assert read <= event["properties"].keys()
    parts = {name: part for name, part in event["properties"].items() if name in read}
    made = values({"type": "object", "properties": parts})
    plain = {"id": "e0", "start": resource()["start"], "end": resource()["end"]}
    return st.one_of(
        made.map(lambda fields: {**fields, "id": "e0"}),
        made.map(lambda fields: {**fields, **plain}),
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_resource_becomes_an_event_or_is_called_invalid(data: st.DataObject) -> None:
    drawn = data.draw(any_resource())
    try:
        event = from_google(drawn)
    except InvalidCalendarData:
        return
    assert event.event_id == "e0"
    for time in (event.start, event.end, event.original_start):
        assert time is None or EventTime.from_json(time.to_json()) == time
    if not event.is_cancelled:
        assert event.content is not None
        assert len(event.content.content_hash()) == 64
    json.dumps([event.summary, event.recurrence]).encode()


@given(ODDITIES)
def test_anything_at_all_becomes_an_event_or_is_called_invalid(odd: Any) -> None:
    with pytest.raises(InvalidCalendarData):
        from_google(odd)
