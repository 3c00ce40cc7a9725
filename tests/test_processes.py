"""The real servers that tests and demo start: they answer, and nothing they started outlives them."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import sqlalchemy

from demo.processes import DidNotStart, Process, Valkey, free_port, plain_environment, wait_until

STARTS_A_HORSE = """
import os, sys, time
if os.fork() == 0:
    os.setpgrp()  # as an RQ work-horse does
    print(os.getpid(), flush=True)
time.sleep(600)
"""


def test_a_preferred_port_is_taken_only_when_nobody_has_it() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted
    with socket.create_server(("127.0.0.1", wanted)):
        assert free_port(wanted) != wanted


def test_the_queue_keeps_what_it_was_told_through_a_kill(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path / "valkey").start()
    try:
        with redis.Redis.from_url(valkey.url) as connection:
            connection.set("job", "kept")
        time.sleep(1.1)  # append-only syncs every second
        assert valkey.process
        valkey.process.kill()
        valkey.start()
        with redis.Redis.from_url(valkey.url) as connection:
            assert connection.get("job") == b"kept"
    finally:
        valkey.stop()


def test_each_test_gets_an_empty_database(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE left_behind (id INTEGER)"))
    engine.dispose()


@pytest.fixture
def parent_of_a_horse(tmp_path: Path) -> Process:
    command = [sys.executable, "-c", STARTS_A_HORSE]
    process = Process("parent", command, plain_environment(), tmp_path / "parent.log").start()
    return process.wait_until(lambda: process.printed().strip().isdigit())


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_work_horse_outlives_a_killed_parent_but_not_a_stop(parent_of_a_horse: Process) -> None:
    horse = int(parent_of_a_horse.printed())
    parent_of_a_horse.kill()
    assert is_alive(horse)
    parent_of_a_horse.stop()
    wait_until(lambda: not is_alive(horse), seconds=5, what="the horse is gone")


def test_a_frozen_process_stands_still_and_still_stops(parent_of_a_horse: Process) -> None:
    horse = int(parent_of_a_horse.printed())
    parent_of_a_horse.freeze()
    wait_until(
        lambda: psutil.Process(horse).status() == psutil.STATUS_STOPPED, seconds=5, what="the horse is frozen"
    )
    parent_of_a_horse.stop()
    wait_until(lambda: not is_alive(horse), seconds=5, what="the horse is gone")


def test_a_program_that_cannot_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    process = Process(
        "broken",
        [sys.executable, "-c", "raise SystemExit('no such door')"],
        plain_environment(),
        tmp_path / "log",
    )
    with pytest.raises(DidNotStart, match="no such door"):
        process.start().wait_until(lambda: False)


def test_postgres_is_the_real_thing(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        version = connection.execute("SHOW server_version").fetchone()
    assert version and int(version[0].split(".")[0]) >= 15
