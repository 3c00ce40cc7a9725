"""What the token endpoint may answer: a token, a final word, or trouble that passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import AuthorizationExpired, CalendarError, CalendarUnavailable, RateLimited
from portal.google.tokens import Refreshed, read_answer

GOOD = {"access_token": "ya29.a", "expires_in": 3599, "token_type": "Bearer", "scope": "x"}


def read(status: int, body: Any, **headers: str) -> Refreshed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def test_a_token_comes_with_its_life_and_perhaps_with_another_refresh_token() -> None:
    assert read(200, GOOD) == Refreshed(access_token="ya29.a", life_seconds=3599, refresh_token=None)
    rotated = read(200, {**GOOD, "refresh_token": "1//b", "expires_in": "120"})
    assert (rotated.refresh_token, rotated.life_seconds) == ("1//b", 120)
    assert read(200, {"access_token": "ya29.a"}).life_seconds is None


@pytest.mark.parametrize(
    "error", ["invalid_grant", "unauthorized_client", "deleted_client", "disabled_client"]
)
@pytest.mark.parametrize("status", [400, 401])
def test_only_a_terminal_answer_means_that_the_grant_is_gone(error: str, status: int) -> None:
    """Failures 26 and 29."""
    with pytest.raises(AuthorizationExpired, match=error):
        read(status, {"error": error, "error_description": "Token has been expired or revoked."})


MALFORMED: dict[str, tuple[int, Any]] = {
    "nothing": (200, b""),
    "half a document": (200, b'{"access_token": "ya29.a", "expi'),
    "a page of a proxy": (200, b"<html>Sign in to the network</html>"),
    "a list": (200, [GOOD]),
    "text": (200, "ya29.a"),
    "a number": (200, 7),
    "null": (200, None),
    "no token": (200, {"expires_in": 3599}),
    "a token that is none": (200, {**GOOD, "access_token": {"a": 1}}),
    "a token that breaks a header": (200, {**GOOD, "access_token": "a\r\nHost: elsewhere"}),
    "an empty token": (200, {**GOOD, "access_token": ""}),
    "a life that is text": (200, {**GOOD, "expires_in": "soon"}),
    "a life that is an object": (200, {**GOOD, "expires_in": {}}),
    "a life that has no end": (200, b'{"access_token": "a", "expires_in": NaN}'),
    "a life below nothing": (200, {**GOOD, "expires_in": -1}),
    "deeper than anybody reads": (200, b"[" * 100_000),
    "not even text": (200, b"\xff\xfe\x00"),
    "a redirect": (302, b""),
    "a server in trouble that says something final": (500, {"error": "invalid_grant"}),
    "a page in front of the server": (503, b"<html>"),
    "our secret is wrong": (401, {"error": "invalid_client"}),
    "a refusal of another kind": (400, {"error": ["invalid_grant"]}),
    "a refusal without a word": (400, []),
}


@pytest.mark.parametrize(("status", "body"), MALFORMED.values(), ids=MALFORMED.keys())
def test_whatever_else_is_no_token_is_trouble_that_passes(status: int, body: Any) -> None:
    """Failure 29: half a body behind a 200 ended the run, and nobody was told why."""
    with pytest.raises(CalendarUnavailable):
        read(status, body)


def test_a_life_beyond_reason_is_a_day() -> None:
    assert read(200, {**GOOD, "expires_in": 1e300}).life_seconds == 86_400
    with pytest.raises(CalendarUnavailable):
        read(200, {**GOOD, "expires_in": 10**400})


def test_google_may_ask_for_time() -> None:
    with pytest.raises(RateLimited) as caught:
        read(429, b"", retry_after="20")
    assert caught.value.retry_after_seconds == 20
    with pytest.raises(CalendarUnavailable) as unavailable:
        read(503, b"", retry_after="30")
    assert unavailable.value.retry_after_seconds == 30


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=6,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("access_token", "expires_in", "refresh_token", "error", "scope"), ANYTHING),
)


@given(
    st.integers(200, 599), st.binary(max_size=60) | (ANYTHING | NEARLY).map(lambda v: json.dumps(v).encode())
)
def test_any_answer_is_a_token_or_one_of_our_errors(status: int, body: bytes) -> None:
    try:
        fresh = read_answer(status, {}, body)
    except CalendarError:
        return
    assert status == 200
    assert fresh.access_token.isprintable()
    assert fresh.life_seconds is None or 0 <= fresh.life_seconds <= 86_400
