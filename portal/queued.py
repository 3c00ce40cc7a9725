"""Which queued jobs are ours: looked at before anything that they name is imported, unpacked or called.

Whoever can write into the queue could otherwise have a worker call any function, by name. So a job has the
fields that ours have and no other, names one of our functions, and hands it whole numbers and fixed words.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

MOST_BYTES = 20_000  # of one field, packed or not; twenty ids and a word are a few hundred
MOST_SECONDS = 3600  # that a job may ask for
LARGEST_ID = 2**63 - 1

Arguments = Callable[[list[Any]], bool]

# What RQ writes for a job of ours. Whatever else it knows (callbacks, webhooks, dependencies, groups,
# retries, repeats, limits, meta, results) stays empty or away.
FIELDS = frozenset(
    {
        *("data", "origin", "description", "status", "timeout", "result_ttl", "failure_ttl", "worker_name"),
        *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
    }
)


class Refusal(StrEnum):
    """Why a job is not ours."""

    FIELD = "field"  # it asks for more than a call
    SIZE = "size"
    DATA = "data"  # not packed as ours are: a pickle, say
    FUNCTION = "function"
    ARGUMENTS = "arguments"
    QUEUE = "queue"
    UNREADABLE = "unreadable"  # RQ itself makes nothing of it


def refusal(fields: Mapping[str, bytes], functions: Mapping[str, Arguments], *, queue: str) -> Refusal | None:
    """Why this job is not ours, or None. `functions`: ours by their full names, with what they take."""
    if any(value and name not in FIELDS for name, value in fields.items()):
        return Refusal.FIELD
    if any(len(value) > MOST_BYTES for value in fields.values()):
        return Refusal.SIZE
    if fields.get("origin") != queue.encode():
        return Refusal.QUEUE
    if not _is_seconds(fields.get("timeout", b"")):
        return Refusal.UNREADABLE
    call = _unpack(fields.get("data", b""))
    match call:
        case [str(name), None, list(arguments), {**named}] if not named:
            if name not in functions:
                return Refusal.FUNCTION
            return None if functions[name](arguments) else Refusal.ARGUMENTS
        case _:
            return Refusal.DATA


def is_id(value: object) -> bool:
    """Whether it can be the id of a row."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def are_ids(value: object) -> bool:
    return isinstance(value, list) and all(is_id(each) for each in value)


def _is_seconds(text: bytes) -> bool:
    return text.isdigit() and len(text) < 6 and 0 < int(text) <= MOST_SECONDS


def _unpack(packed: bytes) -> object:
    """The call as JSON, or None. However far it would unfold, `MOST_BYTES` of it are unpacked at most."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(packed, MOST_BYTES)
        return json.loads(text) if unpacking.eof else None
    except (zlib.error, ValueError, RecursionError):
        return None
