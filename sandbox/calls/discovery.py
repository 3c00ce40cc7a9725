"""The discovery document packaged with google-api-python-client, and requests checked against it.

So the sandbox knows exactly the paths, parameters, bodies and scopes that the real API publishes, no more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import googleapiclient

from sandbox.ground.errors import GoogleError, Json, invalid, parse_error, required
from sandbox.ground.times import parse_instant

BASE_PATH = "/calendar/v3/"
INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True)
class Method:
    """One API method as the document describes it."""

    id: str
    http_method: str
    pattern: re.Pattern[str]
    path_names: tuple[str, ...]
    parameters: dict[str, Json]
    scopes: frozenset[str]
    body_schema: str | None


@cache
def document() -> Json:
    """The parsed discovery document."""
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    parsed: Json = json.loads((folder / "calendar.v3.json").read_text("utf-8"))
    return parsed


@cache
def methods() -> dict[str, Method]:
    """Every method by id, e.g. `calendar.events.insert`."""
    found = (_method(raw) for raw in _walk(document()["resources"]))
    return {method.id: method for method in found}


@cache
def _by_http_method() -> dict[str, list[Method]]:
    """Methods by verb, fixed paths before templates, so that `events/import` is not taken for an event id."""
    table: dict[str, list[Method]] = {}
    for method in sorted(methods().values(), key=lambda m: (len(m.path_names), m.id)):
        table.setdefault(method.http_method, []).append(method)
    return table


def find(http_method: str, raw_path: str) -> tuple[Method, dict[str, str]] | None:
    """The method behind a still percent-encoded path, with its path parameters decoded."""
    path = raw_path.removeprefix(BASE_PATH)
    for method in _by_http_method().get(http_method, []):
        if match := method.pattern.fullmatch(path):
            return method, {
                name: unquote(value) for name, value in zip(method.path_names, match.groups(), strict=True)
            }
    return None


def check_parameters(method: Method, path: dict[str, str], query: list[tuple[str, str]]) -> Json:
    """The parameters with their types. Raises a 400 for one that is unknown, malformed or missing.

    Repeated ones come as lists. `alt`, `fields`, `key` and the like are allowed everywhere.
    """
    known = document()["parameters"] | method.parameters
    values: Json = dict(path)
    for name, text in query:
        spec = known.get(name)
        if spec is None or spec.get("location") == "path":
            raise invalid(f"Unknown parameter: {name}", name)
        value = _convert(name, text, spec)
        if spec.get("repeated"):
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    for name, spec in method.parameters.items():
        if spec.get("required") and not values.get(name):
            raise required(name)
    return values


def check_body(method: Method, raw: bytes) -> Json:
    """The body, reduced to the fields its schema knows (Google drops others silently).

    Raises 400 `parseError` for something that is not a JSON object, 400 `invalid` for a wrong type.
    """
    if method.body_schema is None:
        return {}
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise parse_error() from None
    if not isinstance(body, dict):
        raise parse_error()
    checked: Json = _check_object(body, document()["schemas"][method.body_schema], "")
    return checked if method.http_method == "PATCH" else without_nulls(checked)


def without_nulls(value: Any) -> Any:
    """`null` means absent, except in a patch, where it removes a field."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value


def _walk(resources: Json) -> Iterator[Json]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _walk(resource.get("resources", {}))


def _method(raw: Json) -> Method:
    names = tuple(re.findall(r"{(\w+)}", raw["path"]))
    pattern = re.compile(re.sub(r"{\w+}", "([^/]+)", raw["path"]))
    schema = raw.get("request", {}).get("$ref")
    scopes = frozenset(raw.get("scopes", []))
    return Method(raw["id"], raw["httpMethod"], pattern, names, raw.get("parameters", {}), scopes, schema)


def _convert(name: str, text: str, spec: Json) -> Any:
    if spec["type"] == "boolean":
        if text.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean value: '{text}'.", name)
        return text.lower() == "true"
    if spec["type"] == "integer":
        return _integer(name, text, spec)
    if "enum" in spec and text not in spec["enum"]:
        raise invalid(f"Invalid string value: '{text}'. Allowed values: [{', '.join(spec['enum'])}]", name)
    if spec.get("format") == "date-time":
        try:
            return parse_instant(text)
        except ValueError:
            raise invalid("Bad Request", name) from None
    return text


def _integer(name: str, text: str, spec: Json) -> int:
    try:
        number = int(text)
    except ValueError:
        raise invalid(f"Invalid integer value: '{text}'.", name) from None
    low, high = int(spec.get("minimum", INT32.start)), int(spec.get("maximum", INT32.stop - 1))
    if not low <= number <= high:
        raise invalid(f"Invalid value '{number}'. Values must be within the range: [{low}, {high}]", name)
    return number


def _check(value: Any, spec: Json, where: str) -> Any:
    if value is None or spec.get("type") == "any":
        return value  # null removes a field in a patch
    if "$ref" in spec:
        spec = document()["schemas"][spec["$ref"]]
    kind = spec["type"]
    if kind == "object":
        return _check_object(value, spec, where)
    if kind == "array":
        if not isinstance(value, list):
            raise _wrong(where)
        return without_nulls([_check(item, spec["items"], where) for item in value])
    return _check_scalar(value, kind, spec.get("format"), where)


def _check_object(value: Any, spec: Json, where: str) -> Json:
    if not isinstance(value, dict):
        raise _wrong(where)
    known, other = spec.get("properties", {}), spec.get("additionalProperties")
    checked: Json = {}
    for name, item in value.items():
        if item_spec := known.get(name, other):
            checked[name] = _check(item, item_spec, f"{where}.{name}".lstrip("."))
    return checked


def _check_scalar(value: Any, kind: str, form: str | None, where: str) -> Any:
    if kind == "boolean" and not isinstance(value, bool):
        raise _wrong(where)
    if kind == "integer" and (not isinstance(value, int) or isinstance(value, bool) or value not in INT32):
        raise _wrong(where)
    if kind == "string":
        if form == "int64" and isinstance(value, int):
            return str(value)
        if not isinstance(value, str):
            raise _wrong(where)
        _check_format(value, form, where)
    return value


def _check_format(value: str, form: str | None, where: str) -> None:
    """Only `date`: a `date-time` may lack an offset when a timeZone stands beside it: `ground/times.py`."""
    if form == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            raise _wrong(where) from None


def _wrong(where: str) -> GoogleError:
    return invalid(f"Invalid value for: {where}", where)
