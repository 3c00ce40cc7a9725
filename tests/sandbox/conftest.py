"""A sandbox per test, and Google's own Python client to talk to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from sandbox import Sandbox, serve

Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def google() -> Iterator[Sandbox]:
    """An empty sandbox with one Workspace account."""
    with serve() as sandbox:
        sandbox.add_account("ana@example.com", hd="example.com", time_zone="America/Chicago")
        yield sandbox


@pytest.fixture
def connect(google: Sandbox) -> Iterator[Callable[..., Any]]:
    """A Calendar client for an account and scopes; with no scopes: everything."""
    opened: list[Any] = []

    def _connect(email: str = "ana@example.com", *scopes: str) -> Any:
        tokens = google.authorize(email, *(scopes or ("openid", "email", "calendar")))
        service = build(
            "calendar",
            "v3",
            credentials=Credentials(tokens["access_token"]),
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": google.api_endpoint},
        )
        opened.append(service)
        return service

    yield _connect
    for service in opened:
        service.close()


@pytest.fixture
def service(connect: Callable[..., Any]) -> Any:
    """Ana's client with the full scope."""
    return connect()


@pytest.fixture
def refused() -> Refused:
    """`with refused(409, "duplicate"):` expects exactly this refusal."""

    @contextmanager
    def _refused(status: int, reason: str, message: str | None = None) -> Iterator[None]:
        with pytest.raises(HttpError) as caught:
            yield
        error = json.loads(caught.value.content)["error"]
        assert (caught.value.status_code, error["errors"][0]["reason"]) == (status, reason)
        assert error["code"] == status
        assert message is None or error["message"] == message

    return _refused


@pytest.fixture
def at() -> Callable[..., dict[str, Any]]:
    """Start and end of a one-hour event on a day of December 2026, in Chicago."""

    def _at(day: int, hour: int = 10, hours: int = 1) -> dict[str, Any]:
        return {
            side: {"dateTime": f"2026-12-{day:02}T{clock:02}:00:00", "timeZone": "America/Chicago"}
            for side, clock in (("start", hour), ("end", hour + hours))
        }

    return _at
