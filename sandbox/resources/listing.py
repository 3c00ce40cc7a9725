"""events.list and events.instances: filters, pages, sync tokens (facts §5).

Without `singleEvents` and `orderBy` a list runs along the change log, see `event/changes.py`. Otherwise it is
computed, sorted if asked for, and cut into pages by position.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from sandbox.calls.access import Call, open_calendar, sees_only_busy
from sandbox.calls.tokens import seal, unseal
from sandbox.event import changes, recurrence
from sandbox.event.filters import Filter
from sandbox.event.view import Viewer
from sandbox.ground.errors import (
    GoogleError,
    Json,
    full_sync_required,
    invalid,
    invalid_sync_token,
    time_range_empty,
    updated_min_too_long_ago,
)
from sandbox.ground.model import Calendar, Entry, Stored
from sandbox.resources.events import find

NOT_WITH_SYNC_TOKEN = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax",
    "updatedMin",
)  # fmt: skip
# Everything else must stay as in the first call, or "behaviour is undefined"; see the switch.
FREE_TO_CHANGE = {
    "pageToken", "syncToken", "alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userIp",
    "calendarId",
}  # fmt: skip
UPDATED_MIN_REACH = timedelta(days=30)
LONG_AGO, FAR_AHEAD = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
DELETED_INSTANCES_TOLD = timedelta(days=183)


def list_events(call: Call) -> Json:
    """One page of a full list or of a delta."""
    calendar = open_calendar(call, "freeBusyReader")
    _check_parameters(call)
    sync = _open_sync_token(call, calendar)
    page = _open_page_token(call, calendar, sync)
    rows, more, position = _page(call, calendar, sync, page)
    answer = _envelope(call, calendar)
    viewer = Viewer(call, calendar)
    answer["items"] = [viewer.show(body) for body in rows]
    if more:
        answer["nextPageToken"] = _page_token(call, calendar, page, position)
    else:
        answer["nextSyncToken"] = _sync_token(call, calendar, sync, page["seq"])
    return answer


def _envelope(call: Call, calendar: Calendar) -> Json:
    entry = call.account.entries.get(calendar.id) or Entry(calendar.id, "", 0)
    answer: Json = {"kind": "calendar#events", "etag": f'"p{calendar.seq}"', "summary": calendar.summary}
    if calendar.description:
        answer["description"] = calendar.description
    answer |= {"updated": calendar.updated, "timeZone": call.param("timeZone") or calendar.time_zone}
    answer |= {"accessRole": calendar.roles[call.account.sub], "defaultReminders": entry.default_reminders}
    return answer


def _check_parameters(call: Call) -> None:
    low, high = call.param("timeMin"), call.param("timeMax")
    if low and high and low >= high:
        raise time_range_empty()
    if call.param("orderBy") == "startTime" and not call.param("singleEvents"):
        raise invalid("The requested ordering is not available for the particular query.", "orderBy")
    reach = call.param("updatedMin")
    if reach and reach < call.world.clock.now() - UPDATED_MIN_REACH:
        raise updated_min_too_long_ago()
    if call.param("syncToken") is None:
        return
    for name in NOT_WITH_SYNC_TOKEN:
        if name in call.params:
            raise invalid(f"The parameter {name} cannot be used together with syncToken.", name)
    if call.params.get("showDeleted") is False:
        raise invalid("showDeleted cannot be false together with syncToken.", "showDeleted")


# ---- tokens


def _signature(call: Call, *, but: tuple[str, ...] = ()) -> str:
    """A fingerprint of the parameters that must not change between calls."""
    query = {k: str(v) for k, v in call.params.items() if k not in FREE_TO_CHANGE and k not in but}
    return hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:16]


def _open_sync_token(call: Call, calendar: Calendar) -> Json | None:
    text = call.param("syncToken")
    if text is None:
        return None
    token = unseal(call.world.token_key, text)
    if token is None or token.get("kind") != "sync" or token["calendar"] != _key(call, calendar):
        raise invalid_sync_token()
    if token["epoch"] != _epoch(call, calendar):
        raise full_sync_required()
    if call.world.switches.sync_query_must_match and token["query"] != _signature(call):
        raise invalid("The query differs from the one that gave this sync token.", "syncToken")
    return token


def _sync_token(call: Call, calendar: Calendar, sync: Json | None, seq: int) -> str:
    window = sync["window"] if sync else [_text(call.param("timeMin")), _text(call.param("timeMax"))]
    return seal(
        call.world.token_key,
        {
            "kind": "sync",
            "calendar": _key(call, calendar),
            "seq": seq,
            "epoch": _epoch(call, calendar),
            "query": _signature(call, but=NOT_WITH_SYNC_TOKEN),
            "window": window,
        },
    )


def _open_page_token(call: Call, calendar: Calendar, sync: Json | None) -> Json:
    """Where the page begins (`after` in the log, or `skip` rows), and the log's end at the first page."""
    text = call.param("pageToken")
    if text is None:
        return {"after": sync["seq"] if sync else 0, "skip": 0, "seq": calendar.seq}
    page = unseal(call.world.token_key, text)
    if page is None or page.get("kind") != "page" or page["calendar"] != _key(call, calendar):
        raise _invalid_page_token()
    same_query = page["query"] == _signature(call) and page["sync"] == call.param("syncToken")
    if call.world.switches.sync_query_must_match and not same_query:
        raise _invalid_page_token()
    return page


def _invalid_page_token() -> GoogleError:
    return invalid("Invalid page token value.", "pageToken")


def _page_token(call: Call, calendar: Calendar, page: Json, position: Json) -> str:
    payload = {"kind": "page", "calendar": _key(call, calendar), "seq": page["seq"], **position}
    return seal(call.world.token_key, payload | {"query": _signature(call), "sync": call.param("syncToken")})


def _key(call: Call, calendar: Calendar) -> str:
    """Tokens belong to a person's view of a calendar; the primary keeps them when its id changes."""
    own = calendar.kind == "primary" and calendar.data_owner == call.account.sub
    return f"{call.account.sub} {'primary' if own else calendar.id}"


def _epoch(call: Call, calendar: Calendar) -> list[int]:
    return [calendar.epoch, calendar.acl_epochs.get(call.account.sub, 0)]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# ---- rows


def _page(call: Call, calendar: Calendar, sync: Json | None, page: Json) -> tuple[list[Json], bool, Json]:
    """The rows of this page, whether more follow, and where the next page begins."""
    if call.empty_page:
        return [], True, {"after": page["after"], "skip": page["skip"]}
    size = min(call.param("maxResults", 250), 2500)
    wanted = Filter.of(call, sync)
    if not _is_computed(call, calendar):
        logged = changes.since(calendar, page["after"], call.world.clock.now())
        kept = list(islice((one for one in logged if wanted.keeps(calendar, one)), size + 1))
        rows = kept[:size]
        position = {"after": rows[-1].seq if rows else page["after"], "skip": 0}
        return [one.body for one in rows], len(kept) > size, position
    computed = _sorted(call, _computed(call, calendar, wanted, page["after"]))
    rows_at = list(islice(computed, page["skip"], page["skip"] + size + 1))
    return rows_at[:size], len(rows_at) > size, {"after": page["after"], "skip": page["skip"] + size}


def _is_computed(call: Call, calendar: Calendar) -> bool:
    return _singles(call, calendar) or bool(call.param("orderBy"))


def _singles(call: Call, calendar: Calendar) -> bool:
    """Whether series come as instances; with free/busy access they always do (facts §5)."""
    return bool(call.param("singleEvents")) or sees_only_busy(call, calendar)


def _computed(call: Call, calendar: Calendar, wanted: Filter, after: int) -> Iterator[Json]:
    for stored in changes.since(calendar, after, call.world.clock.now()):
        if not _singles(call, calendar):
            if wanted.keeps(calendar, stored):
                yield stored.body
        elif stored.master_id is None and stored.is_master:
            yield from _series(calendar, stored, wanted)
        elif wanted.keeps_single(calendar, stored, delta=after > 0):
            yield stored.body


def _series(calendar: Calendar, master: Stored, wanted: Filter) -> Iterator[Json]:
    """The computed instances of a series. Exceptions have rows of their own in the log."""
    if master.deleted:
        yield from _deleted_instances(calendar, master, wanted)
        return
    low = wanted.time_min or LONG_AGO
    high = wanted.time_max or max(low, master.start_at) + recurrence.HORIZON
    exceptions = calendar.exceptions.get(master.id, {})
    for body, _, _ in recurrence.occurrences(calendar, master, low, high):
        if body["id"] not in exceptions and wanted.keeps_body(body):
            yield body


def _deleted_instances(calendar: Calendar, master: Stored, wanted: Filter) -> Iterator[Json]:
    """A deleted series shows as about half a year of cancelled instances, never as the master (facts §5)."""
    if not wanted.tells_deleted:
        return
    ghost = Stored(master.body, 0, master.start_at, master.end_at)
    low = wanted.time_min or master.start_at
    for body, _, _ in recurrence.occurrences(calendar, ghost, low, low + DELETED_INSTANCES_TOLD):
        yield body


def _sorted(call: Call, rows: Iterator[Json]) -> Iterable[Json]:
    """In the order asked for. Without one they are made as they are taken: a series may have very many."""
    if call.param("orderBy") == "updated":
        return sorted(rows, key=lambda body: str(body["updated"]))
    if call.param("orderBy") == "startTime":
        return sorted(rows, key=_start_key)
    return rows


def _start_key(body: Json) -> tuple[float, str]:
    start = body.get("start") or body["originalStartTime"]
    text = start.get("dateTime") or start["date"] + "T00:00:00+00:00"
    return datetime.fromisoformat(text).timestamp(), str(body["id"])


def occurrences_between(calendar: Calendar, low: datetime, high: datetime) -> Iterator[recurrence.Occurrence]:
    """Every live single event, instance and exception that overlaps a window."""
    for stored in calendar.events.values():
        if stored.deleted or stored.master_id or stored.odd:
            continue
        if stored.is_master:
            yield from recurrence.occurrences(calendar, stored, low, high)
        elif stored.end_at > low and stored.start_at < high:
            yield stored.body, stored.start_at, stored.end_at


def list_instances(call: Call) -> Json:
    """events.instances. For an instance id: just that one, none when it is cancelled (facts §7)."""
    calendar = open_calendar(call, "freeBusyReader")
    stored = calendar.events.get(call.params["eventId"])
    if stored is not None and stored.is_master and stored.master_id is None and not stored.deleted:
        rows = _instances_of(call, calendar, stored)
    else:
        rows = _one_instance(call, calendar)
    answer = _envelope(call, calendar)
    size, page = min(call.param("maxResults", 250), 2500), _instances_page(call)
    viewer = Viewer(call, calendar)
    answer["items"] = [viewer.show(body) for body in rows[page : page + size]]
    if len(rows) > page + size:
        payload = {"kind": "instances", "skip": page + size}
        answer["nextPageToken"] = seal(call.world.token_key, payload)
    return answer


def _instances_page(call: Call) -> int:
    text = call.param("pageToken")
    if text is None:
        return 0
    page = unseal(call.world.token_key, text)
    if page is None or page.get("kind") != "instances":
        raise _invalid_page_token()
    return int(page["skip"])


def _instances_of(call: Call, calendar: Calendar, master: Stored) -> list[Json]:
    low = call.param("timeMin") or LONG_AGO
    high = call.param("timeMax") or max(low, master.start_at) + recurrence.HORIZON
    rows = [body for body, _, _ in recurrence.occurrences(calendar, master, low, high)]
    if call.param("showDeleted"):
        rows += [one.body for one in calendar.exceptions.get(master.id, {}).values() if one.deleted]
    if wanted := call.param("originalStart"):
        rows = [body for body in rows if wanted in body["originalStartTime"].values()]
    return sorted(rows, key=_start_key)


def _one_instance(call: Call, calendar: Calendar) -> list[Json]:
    body = find(calendar, call.params["eventId"])
    return [] if body["status"] == "cancelled" else [body]
