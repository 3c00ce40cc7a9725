"""colors.get and settings.*: fixed tables and a handful of the person's preferences."""

from __future__ import annotations

from sandbox.calls.access import Call
from sandbox.ground.errors import Json, not_found
from sandbox.resources.calendar_list import COLOURS

EVENT_COLOURS = {"1": "#a4bdfc", "2": "#7ae7bf", "5": "#fbd75b", "9": "#5484ed", "11": "#dc2127"}


def colors(call: Call) -> Json:
    """Some of Google's colours."""
    return {
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": _shades(COLOURS),
        "event": _shades(EVENT_COLOURS),
    }


def _shades(table: dict[str, str]) -> Json:
    return {number: {"background": colour, "foreground": "#1d1d1d"} for number, colour in table.items()}


def list_settings(call: Call) -> Json:
    """All settings of the person."""
    items = [_setting(name, value) for name, value in _values(call).items()]
    return {"kind": "calendar#settings", "etag": '"settings"', "items": items, "nextSyncToken": "settings-0"}


def get_setting(call: Call) -> Json:
    """One setting."""
    values = _values(call)
    if call.params["setting"] not in values:
        raise not_found()
    return _setting(call.params["setting"], values[call.params["setting"]])


def _values(call: Call) -> dict[str, str]:
    return {"timezone": call.account.time_zone, "locale": "en", "weekStart": "0", "format24HourTime": "false"}


def _setting(name: str, value: str) -> Json:
    return {"kind": "calendar#setting", "etag": '"settings"', "id": name, "value": value}
