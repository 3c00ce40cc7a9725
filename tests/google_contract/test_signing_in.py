"""Tokens: what a refresh gives, and how a worthless token is refused (facts §2, §11)."""

from __future__ import annotations

import base64
import json
from typing import Any

import google.oauth2.credentials
import requests
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from portal.google.oauth import CALENDAR_SCOPES
from tests.google_contract.account import Account


def refreshed(account: Account, refresh_token: str) -> requests.Response:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": account.access.client_id,
        "client_secret": account.access.client_secret,
    }
    return requests.post(account.metadata["token_endpoint"], data=form, timeout=30)


def part_of(id_token: str, number: int) -> Any:
    part = id_token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_refresh_tells_the_scopes_and_brings_no_new_refresh_token(account: Account) -> None:
    answer = refreshed(account, account.access.refresh_token).json()
    assert answer["token_type"] == "Bearer"
    assert 0 < answer["expires_in"] <= 3600
    assert set(CALENDAR_SCOPES) <= set(answer["scope"].split())
    assert "refresh_token" not in answer


def test_only_our_three_scopes_are_needed(account: Account) -> None:
    """A grant of more would hide what our scopes do not open."""
    granted = refreshed(account, account.access.refresh_token).json()["scope"].split()
    calendar = {scope for scope in granted if "/auth/calendar" in scope}
    assert calendar == set(CALENDAR_SCOPES)


def test_the_id_token_is_signed_with_rs256_and_names_issuer_client_and_person(account: Account) -> None:
    id_token = refreshed(account, account.access.refresh_token).json()["id_token"]
    claims = part_of(id_token, 1)
    issuer = account.metadata["issuer"]
    assert part_of(id_token, 0)["alg"] == "RS256"
    assert claims["iss"] in (issuer, issuer.removeprefix("https://"))
    assert claims["aud"] == account.access.client_id
    assert claims["sub"]
    assert claims["email"] == account.access.address


def test_a_refresh_token_that_google_does_not_know_is_an_invalid_grant(account: Account) -> None:
    answer = refreshed(account, account.access.refresh_token[:-6] + "zzzzzz")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_an_access_token_that_google_does_not_know_is_401(account: Account) -> None:
    service = build(
        "calendar", "v3", static_discovery=True, cache_discovery=False,
        credentials=google.oauth2.credentials.Credentials("no-token"),
        client_options={"api_endpoint": f"{account.access.endpoint}/calendar/v3/"},
    )  # fmt: skip
    refused = None
    try:
        service.calendars().get(calendarId=account.calendar_id).execute()
    except (HttpError, google.auth.exceptions.RefreshError) as error:
        refused = error
    finally:
        service.close()
    # the library wants to refresh on a 401, and has nothing to refresh with
    assert isinstance(refused, google.auth.exceptions.RefreshError)
    response = requests.get(
        f"{account.access.endpoint}/calendar/v3/users/me/calendarList",
        headers={"Authorization": "Bearer no-token"},
        timeout=30,
    )
    first = response.json()["error"]["errors"][0]
    assert (response.status_code, first["reason"]) == (401, "authError")
