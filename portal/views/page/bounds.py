"""What an address or a form asks for by number or by day, within what there can be. Beyond: 404."""

from __future__ import annotations

import datetime as dt

from flask import abort, request
from flask.sansio.app import App
from werkzeug.routing import IntegerConverter

from portal import reading

MOST_DIGITS = 9  # of a row's number: an integer key of PostgreSQL, which refuses to look for greater ones
MOST_ROWS = 10**MOST_DIGITS - 1
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 12, 31)  # days that a page draws


class RowId(IntegerConverter):
    """`<int:…>` in an address: a number that can be a row's. Others lead nowhere."""

    regex = f"[0-9]{{1,{MOST_DIGITS}}}"


def register(app: App) -> None:
    """Before any address is registered."""
    app.url_map.converters["int"] = RowId


def row_id(name: str) -> int | None:
    """The number in this field; None without one, 404 when it can be no row's."""
    text = request.values.get(name, "")
    if not reading.is_digits(text):
        return None
    return reading.whole_number(text, most_digits=MOST_DIGITS) or abort(404)


def day(name: str) -> dt.date | None:
    """The date in this field; None without one that makes sense, 404 at the ends of time."""
    date = reading.day(request.values.get(name, ""))
    return date if date is None or EARLIEST <= date <= LATEST else abort(404)
