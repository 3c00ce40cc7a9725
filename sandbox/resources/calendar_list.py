"""calendarList.*: the calendars one person sees, with their own colours, names and flags."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.calls.access import APP_CREATED, Call, find_calendar, open_calendar
from sandbox.calls.preconditions import check_etag
from sandbox.calls.tokens import seal, unseal
from sandbox.ground.errors import (
    GoogleError,
    Json,
    calendar_refusal,
    full_sync_required,
    invalid,
    invalid_sync_token,
    not_found,
    required,
)
from sandbox.ground.model import ROLES, Calendar, Entry
from sandbox.resources.calendars import data_owner_email

COLOURS = {"1": "#ac725e", "7": "#42d692", "14": "#9fe1e7", "17": "#9a9cff", "20": "#cabdbf"}


def show(call: Call, entry: Entry) -> Json:
    """The CalendarListEntry resource; a tombstone has little more than its id."""
    calendar = call.world.calendars.get(entry.calendar_id)
    resource: Json = {"kind": "calendar#calendarListEntry", "etag": entry.etag, "id": entry.calendar_id}
    if entry.deleted or calendar is None:
        return resource | {"deleted": True, "accessRole": "none"}
    resource |= {"summary": calendar.summary, "timeZone": calendar.time_zone, "colorId": entry.color_id}
    resource |= {"backgroundColor": COLOURS.get(entry.color_id, "#9fe1e7"), "foregroundColor": "#000000"}
    resource |= {"accessRole": calendar.roles[call.account.sub], "defaultReminders": entry.default_reminders}
    resource["conferenceProperties"] = {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}
    return resource | _present(
        description=calendar.description,
        location=calendar.location,
        summaryOverride=entry.summary_override,
        notificationSettings=entry.notification_settings,
        dataOwner=data_owner_email(call, calendar),
        selected=entry.selected,
        hidden=entry.hidden,  # both flags are absent when false
        primary=calendar.id == call.account.email,
    )


def _present(**fields: object) -> Json:
    return {name: value for name, value in fields.items() if value}


def list_entries(call: Call) -> Json:
    """calendarList.list with page tokens and sync tokens (facts §4)."""
    token = _sync_token(call)
    after = token["seq"] if token else 0
    page_token = call.param("pageToken")
    page = unseal(call.world.token_key, page_token) if page_token else None
    if page_token and (page is None or page.get("kind") != "list-page"):
        raise invalid("Invalid page token value.", "pageToken")
    start = page["seq"] if page else call.account.list_seq
    rows = (
        []
        if call.empty_page
        else list(_rows(call, page["after"] if page else after, delta=token is not None))
    )
    size = min(call.param("maxResults", 100), 250)
    answer: Json = {"kind": "calendar#calendarList", "etag": f'"p{call.account.list_seq}"'}
    answer["items"] = [show(call, entry) for entry in rows[:size]]
    if len(rows) > size or call.empty_page:
        last = rows[size - 1].seq if rows else (page["after"] if page else after)
        answer["nextPageToken"] = _token(call, "list-page", after=last, seq=start)
    else:
        answer["nextSyncToken"] = _token(call, "list-sync", seq=start, epoch=call.account.list_epoch)
    return answer


def _sync_token(call: Call) -> Json | None:
    text = call.param("syncToken")
    if text is None:
        return None
    if call.param("minAccessRole") or call.param("showOwnOrganizationOnly"):
        raise invalid("Invalid combination of parameters with syncToken.", "syncToken")
    if call.params.get("showDeleted") is False or call.params.get("showHidden") is False:
        raise invalid("showDeleted and showHidden cannot be false with syncToken.", "syncToken")
    token = unseal(call.world.token_key, text)
    if token is None or token.get("kind") != "list-sync" or token["sub"] != call.account.sub:
        raise invalid_sync_token()
    if token["epoch"] != call.account.list_epoch:
        raise full_sync_required()
    return token


def _rows(call: Call, after: int, *, delta: bool) -> Iterator[Entry]:
    """Entries changed after a number. A delta always includes deleted and hidden ones."""
    least = ROLES.index(call.param("minAccessRole", ROLES[0]))
    for entry in call.account.entries.values():
        calendar = call.world.calendars.get(entry.calendar_id)
        if entry.seq <= after:
            continue
        if entry.deleted or calendar is None:
            if delta or call.param("showDeleted"):
                yield entry
        elif (delta or call.param("showHidden") or not entry.hidden) and _role(call, calendar) >= least:
            yield entry


def _role(call: Call, calendar: Calendar) -> int:
    return ROLES.index(calendar.roles[call.account.sub])


def _token(call: Call, kind: str, **payload: int) -> str:
    return seal(call.world.token_key, {"kind": kind, "sub": call.account.sub, **payload})


def get(call: Call) -> Json:
    """One entry."""
    return show(call, _open(call))


def insert(call: Call) -> Json:
    """Put an existing calendar that is shared with the person into their list."""
    if not call.body.get("id"):
        raise required("id")
    calendar = find_calendar(call, call.body["id"])
    if calendar is None or call.account.sub not in calendar.roles:
        raise not_found()
    call.world.share(calendar, call.account, calendar.roles[call.account.sub])
    return _change(call, call.account.entries[calendar.id])


def patch(call: Call) -> Json:
    """Change colours, flags, the person's own name for the calendar."""
    entry = _open(call)
    check_etag(call, entry.etag)
    return _change(call, entry)


def update(call: Call) -> Json:
    """Replace the person's settings of an entry."""
    entry = _open(call)
    check_etag(call, entry.etag)
    entry.summary_override, entry.hidden, entry.selected = None, False, False
    return _change(call, entry)


def delete(call: Call) -> None:
    """Leave a calendar. The data owner cannot: they hide it or delete the calendar (facts §4)."""
    entry = _open(call)
    calendar = call.world.calendars[entry.calendar_id]
    if calendar.kind == "primary":
        message = "The primary calendar cannot be removed from the list."
        raise calendar_refusal("cannotChangeOwnPrimarySubscription", message)
    if calendar.data_owner == call.account.sub:
        raise _owner_stays()
    call.world.remove_from_list(call.account, entry.calendar_id)


def _owner_stays() -> GoogleError:
    message = "The data owner of a calendar cannot remove such a calendar from their calendar list."
    return calendar_refusal("cannotUnsubscribeFromOwnedCalendar", message)


def _open(call: Call) -> Entry:
    if call.caller.scopes & call.method.scopes == {APP_CREATED}:
        open_calendar(call, "freeBusyReader")
    calendar = find_calendar(call, call.params["calendarId"])
    entry = call.account.entries.get(calendar.id) if calendar else None
    if entry is None or entry.deleted:
        raise not_found()
    return entry


def _change(call: Call, entry: Entry) -> Json:
    body = call.body
    entry.color_id = body.get("colorId") or entry.color_id
    entry.selected = body.get("selected", entry.selected) or False
    entry.hidden = body.get("hidden", entry.hidden) or False
    entry.summary_override = body.get("summaryOverride", entry.summary_override)
    entry.default_reminders = body.get("defaultReminders", entry.default_reminders) or []
    entry.notification_settings = body.get("notificationSettings", entry.notification_settings)
    call.world.touch_entry(call.account, entry.calendar_id)
    return show(call, entry)
