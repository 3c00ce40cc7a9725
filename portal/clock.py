"""The clock. Only the edges (views, jobs, commands) read it; everything below takes `now`."""

from __future__ import annotations

import datetime as dt


def utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
