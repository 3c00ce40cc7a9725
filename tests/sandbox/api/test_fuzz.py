"""Whatever the discovery document allows, the sandbox answers like Google: with an answer or a refusal."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.api.answering import Request, answer
from sandbox.api.operations import OPERATIONS
from sandbox.calls.access import EVERYTHING
from sandbox.calls.discovery import BASE_PATH, document, methods
from sandbox.server import DEFAULT_CLIENT
from sandbox.sign_in.token_endpoints import tokens_for
from sandbox.state.world import World

PLAUSIBLE: dict[str, list[Any]] = {
    "date": ["2026-12-01", "2026-12-03"],
    "dateTime": ["2026-12-01T10:00:00Z", "2026-12-01T10:00:00", "2026-12-02T10:00:00-06:00", "soon"],
    "timeZone": ["America/Chicago", "Nowhere/Else", "UTC"],
    "status": ["confirmed", "tentative", "cancelled"],
    "email": ["ana@example.com", "x"],
    "responseStatus": ["accepted", "maybe"],
    "eventType": ["default", "birthday", "workingLocation", "focusTime"],
    "visibility": ["private", "default", "odd"],
    "address": ["http://127.0.0.1:9/hook", "x"],
    "type": ["web_hook", "user"],
    "expiration": ["1", "99999999999999999999", "x"],
    "id": ["abcde", "fghij", "primary", "ana@example.com", "B A D"],
    "role": ["reader", "owner", "none", "boss"],
    "value": ["ana@example.com"],
    "timeMin": ["2026-12-01T00:00:00Z"],
    "timeMax": ["2026-12-05T00:00:00Z"],
    "method": ["popup", "email", "x"],
    "minutes": [5, -1],
}
LINES = ["RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=YEARLY", "EXDATE:20261202", "RRULE:", "nonsense", "RDATE:x"]


def values(name: str, spec: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a field that the schema allows, `null` among them, often plausible ones."""
    if "$ref" in spec:
        spec = document()["schemas"][spec["$ref"]]
    kind = spec["type"]
    if name == "recurrence":
        made = st.lists(st.sampled_from(LINES), max_size=2)
    elif kind == "object":
        made = objects(spec, depth + 1) if depth < 2 else st.just({})
    elif kind == "array":
        made = st.lists(values(name, spec["items"], depth + 1), max_size=2)
    elif name in PLAUSIBLE:
        made = st.sampled_from(PLAUSIBLE[name])
    else:
        made = {
            "string": st.sampled_from(["", "x", "y" * 50]),
            "integer": st.integers(-3, 5),
            "boolean": st.booleans(),
            "any": st.just({}),
        }[kind]
    return st.none() | made | made | made


def objects(spec: dict[str, Any], depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    known = {name: values(name, field, depth) for name, field in spec.get("properties", {}).items()}
    if other := spec.get("additionalProperties"):
        known["anything"] = values("anything", other, depth)
    likely = {name: known.pop(name) for name in ("start", "end", "summary") if depth == 0 and name in known}
    return st.fixed_dictionaries(likely, optional=known)


def queries(method: Any) -> st.SearchStrategy[dict[str, Any]]:
    fields = {}
    for name, spec in method.parameters.items():
        if spec["location"] == "query":
            choices = {"boolean": ["true", "false"], "integer": ["1", "5"]}.get(
                spec["type"], ["x", "2026-12-01T00:00:00Z"]
            )
            fields[name] = st.sampled_from([*choices, *spec.get("enum", [])])
    return st.fixed_dictionaries({}, optional=fields)


@pytest.fixture(scope="module")
def world() -> tuple[World, dict[str, str]]:
    world = World([DEFAULT_CLIENT])
    account = world.add_account("ana@example.com")
    token = tokens_for(world, account, DEFAULT_CLIENT, frozenset({EVERYTHING}))["access_token"]
    world.switches.max_calendars = 10**6
    return world, {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("method_id", sorted(OPERATIONS))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_method_survives_whatever_its_schema_allows(world, method_id, data):
    google, headers = world
    method = methods()[method_id]
    raw = document()["resources"][method_id.split(".")[1]]["methods"][method_id.split(".")[2]]
    path = raw["path"]
    for name in method.path_names:
        choices = {"calendarId": ["primary"], "eventId": ["abcde", "fghij", "abcde_20261202", "x_y"]}
        choice = data.draw(st.sampled_from(choices.get(name, ["user:ana@example.com", "timezone"])))
        path = path.replace("{" + name + "}", quote(choice, safe=""))
    query = data.draw(queries(method))
    body = b""
    if method.body_schema:
        body = json.dumps(data.draw(objects(document()["schemas"][method.body_schema]))).encode()
    target = f"{BASE_PATH}{path}?{urlencode(query)}"
    result = answer(google, Request(method.http_method, target, headers, body))
    assert result.status < 500
    json.loads(result.payload() or b"{}")
