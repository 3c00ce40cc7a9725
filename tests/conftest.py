"""What every test may ask for: the rules of this suite, and real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from demo.processes import Portal, Sandbox, Valkey
from tests.processes import Postgres, World, make_settings

pytest_plugins = ["tests.suite_rules"]


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One real Valkey for the whole run. Emptied by `redis_url` before each test that uses it."""
    valkey = Valkey(tmp_path_factory.mktemp("valkey")).start()
    yield valkey
    valkey.stop()


@pytest.fixture
def redis_url(valkey_server: Valkey) -> str:
    """REDIS_URL of an empty Valkey."""
    import redis

    with redis.Redis.from_url(valkey_server.url) as connection:
        connection.flushall()
    return valkey_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One real PostgreSQL for the whole run."""
    postgres = Postgres().start()
    yield postgres
    postgres.stop()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """DATABASE_URL of an empty SQLite file."""
    return f"sqlite:///{tmp_path / 'portal.db'}"


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """DATABASE_URL of an empty PostgreSQL database."""
    return postgres_server.new_database()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """DATABASE_URL of an empty database; the test runs once on SQLite and once on PostgreSQL.

    `@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)` keeps it to one.
    """
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sandbox_server(tmp_path: Path) -> Iterator[Sandbox]:
    """A fresh stand-in for Google in a process of its own."""
    sandbox = Sandbox(tmp_path / "sandbox", "--seed", "demo").start()
    yield sandbox
    sandbox.stop()


StartPortal = Callable[..., Portal]


@pytest.fixture
def start_portal(tmp_path: Path, redis_url: str) -> Iterator[StartPortal]:
    """`start_portal(database_url, google=sandbox.settings(), web=True, workers=1, **settings)` -> Portal.

    The database is upgraded first. Everything started is stopped after the test.
    """
    portals: list[Portal] = []

    def start(
        database_url: str,
        *,
        google: Mapping[str, str] | None = None,
        web: bool = True,
        workers: int = 1,
        **settings: str,
    ) -> Portal:
        values = make_settings(database_url=database_url, redis_url=redis_url, google=dict(google or {}))
        portal = Portal(tmp_path / f"portal-{len(portals)}", {**values, **settings})
        portals.append(portal)
        portal.upgrade_database()
        if web:
            portal.start_web()
        for _ in range(workers):
            portal.start_worker()
        return portal

    yield start
    for portal in portals:
        portal.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Portal, worker, queue and sandbox as processes, with one provider; shared by the tests of one file."""
    world = World(tmp_path_factory.mktemp("world"))
    try:
        yield world.start()
    finally:
        world.stop()
