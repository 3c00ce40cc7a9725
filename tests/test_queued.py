"""Write access to the queue is not a way to run code: a worker takes our own jobs, and nothing else."""

from __future__ import annotations

import json
import os
import pickle
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer

from demo.processes import Portal, wait_until
from portal import create_app, jobs, queued
from portal.config import load_config
from portal.queued import Refusal
from tests.scratch_practice import SETTINGS

Fields = dict[str, Any]
OURS = ["portal.jobs.sync_connections", None, [[1, 2], "change"], {}]
INTRUDER = "intruder"  # a module that leaves a file when it is imported, and when it is called
WAITING, HELD, READY, STARTED = "rq:queue:sync", "rq:queue:sync:intermediate", "rq:ready:sync", "rq:wip:sync"
LONG_AGO = 1_000_000


class Pickled:
    """What calls a function of its choice when it is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def packed(call: object) -> bytes:
    return zlib.compress(json.dumps(call).encode())


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def genuine(redis_url: str, store: redis.Redis) -> Fields:
    """The fields of a job of ours as RQ writes them; nothing is queued any more."""
    queue = jobs.make_queue(redis_url)
    job = queue.enqueue_call(
        jobs.sync_connections, args=([1, 2], "change"), timeout=300, result_ttl=0, failure_ttl=60
    )
    fields = {name.decode(): value for name, value in store.hgetall(job.key).items()}
    store.flushall()
    queue.connection.close()
    return fields


def fetched(store: redis.Redis, fields: Fields) -> Job:
    store.hset("rq:job:one", mapping=fields)
    return jobs.PortalJob.fetch("one", connection=store, serializer=JSONSerializer)


def test_what_the_portal_queues_is_taken(genuine: Fields, store: redis.Redis) -> None:
    job = fetched(store, genuine)
    assert (job.func, list(job.args)) == (jobs.sync_connections, [[1, 2], "change"])
    check = packed(["portal.jobs.check_everything", None, [7], {}])
    assert fetched(store, {**genuine, "data": check}).func is jobs.check_everything
    assert store.get(jobs.REFUSED_KEY) is None


CALLS: dict[str, tuple[object, Refusal]] = {
    "another function": (["os.system", None, ["true"], {}], Refusal.FUNCTION),
    "another function of ours": (["portal.jobs.enqueue", None, [[1]], {}], Refusal.FUNCTION),
    "a method of an instance": ([OURS[0], "text", [[1], "change"], {}], Refusal.DATA),
    "a function within ours": (["portal.jobs.sync_connections.__call__", None, [], {}], Refusal.FUNCTION),
    "named arguments": ([OURS[0], None, [[1], "change"], {"trigger": "change"}], Refusal.DATA),
    "a word that is not ours": ([OURS[0], None, [[1], "Canary Birdsong"], {}], Refusal.ARGUMENTS),
    "a number as a text": ([OURS[0], None, [["1"], "change"], {}], Refusal.ARGUMENTS),
    "a truth as a number": ([OURS[0], None, [[True], "change"], {}], Refusal.ARGUMENTS),
    "half a number": ([OURS[0], None, [[1.5], "change"], {}], Refusal.ARGUMENTS),
    "a number beyond every row": ([OURS[0], None, [[2**70], "change"], {}], Refusal.ARGUMENTS),
    "too few arguments": ([OURS[0], None, [[1]], {}], Refusal.ARGUMENTS),
    "a list where a word belongs": ([OURS[0], None, [[1], ["change"]], {}], Refusal.ARGUMENTS),
    "no call": ({"portal.jobs.sync_connections": 1}, Refusal.DATA),
    "nothing": (None, Refusal.DATA),
}


@pytest.mark.parametrize(("call", "reason"), CALLS.values(), ids=CALLS)
def test_another_call_is_refused(genuine: Fields, call: object, reason: Refusal) -> None:
    """Failure 71."""
    assert refusal({**genuine, "data": packed(call)}) is reason


OTHER_FIELDS: dict[str, str] = {
    **dict.fromkeys(("success_callback_name", "failure_callback_name", "stopped_callback_name"), "os.system"),
    **dict.fromkeys(("dependency_id", "group_id", "rate_limit_key", "exc_info", "result"), "one"),
    **dict.fromkeys(("retries_left", "repeats_left", "number_of_retries", "allow_dependency_failures"), "1"),
    "dependency_ids": '["one"]',
    "webhooks": '[{"url": "http://127.0.0.1/", "job_status": "failed"}]',
    "meta": '{"a": 1}',
    "job_class": "os.system",
    "something_newer": "1",
}


@pytest.mark.parametrize("name", OTHER_FIELDS)
def test_a_job_that_asks_for_more_than_a_call_is_refused(genuine: Fields, name: str) -> None:
    """Failure 71: callbacks, webhooks, dependencies, retries, and what a newer RQ may learn."""
    assert refusal({**genuine, name: OTHER_FIELDS[name].encode()}) is Refusal.FIELD


BYTES: dict[str, tuple[bytes, Refusal]] = {
    "a pickle": (pickle.dumps(OURS), Refusal.DATA),
    "a packed pickle": (zlib.compress(pickle.dumps(OURS)), Refusal.DATA),
    "JSON that is not packed": (json.dumps(OURS).encode(), Refusal.DATA),
    "half of what was packed": (packed(OURS)[:-6], Refusal.DATA),
    "what unfolds to gigabytes": (zlib.compress(b" " * 10_000_000 + json.dumps(OURS).encode()), Refusal.DATA),
    "lists within lists": (zlib.compress(b"[" * 19_000), Refusal.DATA),
    "a field of a megabyte": (b"x" * 1_000_000, Refusal.SIZE),
    "nothing": (b"", Refusal.DATA),
}


@pytest.mark.parametrize(("data", "reason"), BYTES.values(), ids=BYTES)
def test_a_job_that_is_packed_otherwise_is_refused(genuine: Fields, data: bytes, reason: Refusal) -> None:
    """Failure 71: and is neither unpickled nor unfolded."""
    assert refusal({**genuine, "data": data}) is reason


@pytest.mark.parametrize(
    ("name", "value"),
    [("timeout", b"-1"), ("timeout", b""), ("timeout", b"99999"), ("timeout", b"1h"), ("origin", b"other")],
)
def test_a_job_with_another_queue_or_without_a_limit_is_refused(
    genuine: Fields, name: str, value: bytes
) -> None:
    assert refusal({**genuine, name: value}) in (Refusal.UNREADABLE, Refusal.QUEUE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", b"odd"), ("created_at", b"odd"), ("worker_name", b"\xff"), ("result_ttl", b"x")],
)
def test_what_rq_cannot_read_is_refused_once_and_gone(
    genuine: Fields, store: redis.Redis, name: str, value: bytes
) -> None:
    with pytest.raises(jobs.ForeignJob):
        fetched(store, {**genuine, name: value})
    assert store.get(jobs.REFUSED_KEY) == b"1"
    assert not store.exists("rq:job:one")


def test_a_key_of_another_kind_is_refused(store: redis.Redis) -> None:
    store.set("rq:job:one", "text")
    assert jobs.PortalJob.fetch_many(["one", "none"], connection=store) == [None, None]
    assert store.get(jobs.REFUSED_KEY) == b"1"


def refusal(fields: Fields) -> Refusal | None:
    return queued.refusal(fields, jobs.functions(), queue=jobs.QUEUE_NAME)


# With a real worker


def write_intruder(folder: Path) -> Path:
    """A module that leaves `touched` behind, however it is used."""
    touched = folder / "touched"
    text = f"import pathlib\ndef run(*_, **__):\n    pathlib.Path({str(touched)!r}).touch()\nrun()\n"
    (folder / f"{INTRUDER}.py").write_text(text)
    return touched


def plant(store: redis.Redis, genuine: Fields, touched: Path) -> int:
    """Every way in that RQ has, laid out before the worker starts. How many jobs these are."""
    command = f"touch {touched}"
    call = {"data": packed([f"{INTRUDER}.run", None, [], {}])}
    hooks = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
    waiting: dict[str, Fields] = {
        "shell": {"data": packed(["os.system", None, [command], {}])},
        "import": call,
        "pickle": {"data": pickle.dumps(Pickled(command))},
        "packed-pickle": {"data": zlib.compress(pickle.dumps(Pickled(command)))},
        "pickled-meta": {"meta": pickle.dumps(Pickled(command))},
        "pickled-result": {"result": pickle.dumps(Pickled(command))},
        **{name: {name: f"{INTRUDER}.run"} for name in hooks},
        "odd-status": {"status": "odd"},
    }
    elsewhere: dict[str, Fields] = {
        "abandoned": {"status": "started", "failure_callback_name": f"{INTRUDER}.run"},
        "stuck": {"failure_callback_name": f"{INTRUDER}.run"},
        "ready": {**call, "status": "ready_to_enqueue"},
    }
    for name, fields in {**waiting, **elsewhere}.items():
        store.hset(f"rq:job:{name}", mapping={**genuine, **fields})
    store.set("rq:job:odd-kind", "text")
    store.rpush(WAITING, *waiting, "odd-kind", "never-there")
    store.zadd(STARTED, {"abandoned:1": LONG_AGO})
    store.lpush(HELD, "stuck")
    store.set(f"{HELD}:first_seen:stuck", LONG_AGO)
    store.zadd(READY, {"ready": LONG_AGO})
    return len(waiting) + len(elsewhere) + 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whoever_writes_into_the_queue_runs_nothing_and_stops_nothing(
    start_portal: Callable[..., Portal],
    database_url: str,
    tmp_path: Path,
    store: redis.Redis,
    genuine: Fields,
) -> None:
    """Failure 71: whatever lies there is refused, counted and told, and the jobs behind it are done."""
    touched = write_intruder(tmp_path)
    portal = start_portal(database_url, web=False, workers=0, PYTHONPATH=str(tmp_path))
    planted = plant(store, genuine, touched)
    store.hset("rq:job:ours", mapping=genuine)
    store.sadd("rq:job:ours:dependents", "behind")
    store.hset("rq:job:behind", mapping={**genuine, "dependency_ids": '["ours"]', "status": "deferred"})
    store.rpush(WAITING, "ours")

    worker = portal.start_worker()
    wait_until(lambda: not store.exists("rq:job:ours"), seconds=20, what="the job behind them is done")
    wait_until(lambda: not store.exists("rq:job:behind"), seconds=5, what="what hung on it is refused")
    assert not touched.exists()
    assert worker.is_running()
    assert store.zcard("rq:failed:sync") == 0
    assert store.pubsub_channels("rq:pubsub:*") == [], "a worker takes no commands"
    assert int(store.get(jobs.REFUSED_KEY) or 0) == planted + 1
    said = worker.printed()
    assert said.count("job.refused") == planted + 1
    assert "touch" not in said
    told = portal.flask("sync", "doctor")
    assert f"refused {planted + 1} jobs" in told.stderr


# What the operator is told


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_doctor_says_how_many_were_refused(database_url: str, redis_url: str, store: redis.Redis) -> None:
    app = create_app(load_config({**SETTINGS, "DATABASE_URL": database_url, "REDIS_URL": redis_url}))
    with app.app_context():
        assert jobs.count_refused() == 0
        for odd in (b"3", b"three"):
            store.set(jobs.REFUSED_KEY, odd)
            assert jobs.count_refused() == (3 if odd == b"3" else 0)
    app.extensions["queue"].connection.close()
