"""One Calendar API request from arrival to answer: who, may they, is it well formed, a fault, the deed.

HTTP requests and the parts of a batch take the same way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.api.operations import OPERATIONS, perform
from sandbox.calls import discovery
from sandbox.calls.access import Call, Caller
from sandbox.calls.partial import select_fields
from sandbox.ground.errors import GoogleError, Json, auth_error, not_built, not_found
from sandbox.state.request_log import LoggedRequest
from sandbox.state.world import World
from sandbox.trouble.faults import Fault, refusal_of


@dataclass
class Request:
    """An API request: from the wire, or from a part of a batch. The path is still percent-encoded."""

    http_method: str
    target: str
    headers: dict[str, str]  # lower-case names
    body: bytes = b""
    batch: int | None = None

    def __post_init__(self) -> None:
        self.path, self.query = _split(self.target)
        if self.http_method == "POST" and "x-http-method-override" in self.headers:
            self._override()

    def _override(self) -> None:
        """Long GETs come as POST, the query in a form; `list_next()` adds to the URL (facts §14)."""
        self.http_method = self.headers["x-http-method-override"].upper()
        if self.http_method == "GET":
            self.query += parse_qsl(self.body.decode(), keep_blank_values=True)
            self.body = b""


@dataclass
class Answer:
    """What goes back. `breakage` tells the edge to break the connection instead."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)
    breakage: str | None = None
    malformed: bool = False
    wait_seconds: float = 0.0

    def payload(self) -> bytes:
        """The body as bytes."""
        if self.body is None:
            return b""
        text = json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
        return text[: len(text) // 2 + 1] if self.malformed else text


def answer(world: World, request: Request) -> Answer:
    """Answer one request, and log it. Takes the lock; never sleeps: the edge waits as `wait_seconds` says."""
    with world.lock:
        found = discovery.find(request.http_method, request.path)
        logged = _log(world, request, found[0].id if found else "unknown")
        try:
            if found is None:
                raise not_found()
            result = _checked_answer(world, request, logged, *found)
        except GoogleError as refusal:
            result = Answer(refusal.status, refusal.body(), refusal.headers)
            logged.reason = refusal.reason
        world.log.end(logged, result.status, logged.reason)
        return result


def _checked_answer(
    world: World, request: Request, logged: LoggedRequest, method: discovery.Method, path: dict[str, str]
) -> Answer:
    caller = _authenticate(world, request)
    logged.account = caller.account.email
    params = discovery.check_parameters(method, path, request.query)
    faults = world.faults.strike(method.id, caller.account.email, params.get("calendarId"), params)
    if before := _trouble_before(faults):
        return before
    world.quota.spend((caller.account.sub, caller.project), method.id, world.switches, world.clock.now())
    call = Call(
        world,
        caller,
        method,
        params,
        discovery.check_body(method, request.body),
        if_match=request.headers.get("if-match"),
        listed_after_seconds=_seconds(faults, "delayed_visibility"),
        empty_page=any(fault.kind == "empty_page" for fault in faults),
    )
    return _trouble_after(faults, _perform(call))


def _perform(call: Call) -> Answer:
    if call.method.id not in OPERATIONS:
        raise not_built(call.method.id)
    result = perform(call)
    if result is None:
        return Answer(204)
    headers = {"ETag": result["etag"]} if "etag" in result else {}
    if fields := call.param("fields"):
        result = select_fields(result, fields)
    return Answer(200, result, headers)


def _authenticate(world: World, request: Request) -> Caller:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    token = world.grants.find_access_token(text) if kind == "Bearer" else None
    if token is None:
        raise auth_error()
    account = world.accounts[token.sub]
    return Caller(account, token.scopes, token.client.project, token.grant_serial)


def _log(world: World, request: Request, method_id: str) -> LoggedRequest:
    text = request.body.decode(errors="replace")
    target = urlsplit(request.target)
    shown = target.path + ("?" + target.query if target.query else "")
    return world.log.begin(method_id, request.http_method, shown, text, world.now_stamp(), request.batch)


def _trouble_before(faults: list[Fault]) -> Answer | None:
    if refusal := refusal_of(faults):
        raise refusal
    for fault in faults:
        if fault.kind == "hang":
            return Answer(500, breakage="close", wait_seconds=fault.seconds or 120.0)
        if fault.kind in ("reset", "close"):
            return Answer(500, breakage=fault.kind)
    return None


def _trouble_after(faults: list[Fault], result: Answer) -> Answer:
    kinds = {fault.kind for fault in faults}
    result.wait_seconds = _seconds(faults, "latency") or 0.0
    result.malformed = "malformed_json" in kinds
    if "lost_answer" in kinds:
        result.breakage = "reset"
    return result


def _seconds(faults: list[Fault], kind: str) -> float | None:
    return next((1.0 if f.seconds is None else f.seconds for f in faults if f.kind == kind), None)


def _split(target: str) -> tuple[str, list[tuple[str, Any]]]:
    parts = urlsplit(target)
    return parts.path, parse_qsl(parts.query, keep_blank_values=True)
