"""Lists, pages and sync tokens (facts §5)."""

from __future__ import annotations

from typing import Any

import pytest

from portal.errors import SyncTokenExpired
from tests.google_contract.account import Account, at

FUTURE = {"timeMin": "2032-06-01T00:00:00Z", "timeMax": "2032-07-01T00:00:00Z"}
INCOMPATIBLE: dict[str, Any] = {
    "iCalUID": "x@contract.example",
    "orderBy": "updated",
    "privateExtendedProperty": "a=b",
    "q": "x",
    "sharedExtendedProperty": "a=b",
    "timeMin": FUTURE["timeMin"],
    "timeMax": FUTURE["timeMax"],
    "updatedMin": "2031-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def sync_token(google_account: Account) -> str:
    """A token of a plain list, for calls that never come to use it."""
    return google_account.baseline()


def test_the_sync_token_is_on_the_last_page_only(account: Account) -> None:
    made = {account.insert(**at(day, month=6, year=2032))["id"] for day in (1, 2, 3)}
    account.until(lambda: made <= account.listed(**FUTURE).keys())
    pages = list(account.pages(maxResults=1, **FUTURE))
    assert all("nextSyncToken" not in page for page in pages[:-1])
    assert "nextSyncToken" in pages[-1]
    assert made <= {item["id"] for page in pages for item in page.get("items", [])}
    assert all(len(page.get("items", [])) <= 1 for page in pages)


def test_a_delta_tells_of_a_new_a_changed_and_a_deleted_event(account: Account) -> None:
    changed, deleted = account.insert(**at(24)), account.insert(**at(24))
    both = {changed["id"], deleted["id"]}
    account.until(lambda: both <= account.listed(maxResults=2500).keys())
    token = account.baseline(maxResults=2500)
    account.patch(changed["id"], summary="Changed")
    account.delete(deleted["id"])
    new = account.insert(summary="New", **at(24))

    def delta() -> dict[str, Any]:
        return account.listed(maxResults=2500, syncToken=token)

    account.until(lambda: {*both, new["id"]} <= delta().keys())
    told = account.until(lambda: delta() if delta()[deleted["id"]]["status"] == "cancelled" else None)
    account.until(lambda: delta()[changed["id"]].get("summary") == "Changed")
    assert told[new["id"]]["summary"] == "New"


def test_a_delta_with_nothing_new_gives_a_token_all_the_same(account: Account) -> None:
    page = account.client.list_events(account.calendar_id)
    while page.next_page_token:
        page = account.client.list_events(account.calendar_id, page_token=page.next_page_token)
    delta = account.client.list_events(account.calendar_id, sync_token=page.next_sync_token)
    assert delta.next_page_token or delta.next_sync_token


def test_a_sync_token_can_be_used_twice(account: Account) -> None:
    token = account.baseline(maxResults=2500)
    event = account.insert(**at(24))
    for _ in range(2):
        account.until(lambda: event["id"] in account.listed(maxResults=2500, syncToken=token))


def test_a_token_that_google_never_gave_is_an_invalid_value(account: Account) -> None:
    refused = account.refusal(account.listing(syncToken="no-token-of-googles"))
    assert (refused.status, refused.reason) == (400, "invalid")
    assert refused.message.startswith("Invalid sync token value")
    with pytest.raises(SyncTokenExpired):
        account.client.list_events(account.calendar_id, sync_token="no-token-of-googles")


@pytest.mark.parametrize("name", INCOMPATIBLE)
def test_a_sync_token_forbids(account: Account, sync_token: str, name: str) -> None:
    assert account.refusal(account.listing(syncToken=sync_token, **{name: INCOMPATIBLE[name]})).status == 400


def test_a_sync_token_forbids_leaving_out_deleted_ones(account: Account, sync_token: str) -> None:
    assert account.refusal(account.listing(syncToken=sync_token, showDeleted=False)).status == 400


def test_a_page_token_that_google_never_gave_is_refused(account: Account) -> None:
    assert account.refusal(account.listing(pageToken="no-token-of-googles")).status == 400


def test_a_deleted_event_is_listed_on_request_only(account: Account) -> None:
    event = account.insert(**at(25))
    account.until(lambda: event["id"] in account.listed(maxResults=2500))
    account.delete(event["id"])
    account.until(lambda: event["id"] not in account.listed(maxResults=2500))
    listed = account.listed(maxResults=2500, showDeleted=True)
    assert listed[event["id"]]["status"] == "cancelled"


def test_the_window_bounds_ends_from_below_and_starts_from_above_and_leaves_out_its_edges(
    account: Account,
) -> None:
    days = {day: account.insert(**at(day, month=9, year=2032))["id"] for day in (6, 7, 8)}
    account.until(lambda: set(days.values()) <= account.listed(timeMin="2032-09-01T00:00:00Z").keys())

    def between(low: str, high: str) -> set[int]:
        listed = account.listed(timeMin=f"2032-09-{low}-05:00", timeMax=f"2032-09-{high}-05:00")
        return {day for day, event_id in days.items() if event_id in listed}

    assert between("06T11:00:00", "08T10:00:00") == {7}
    assert between("06T10:59:00", "08T10:01:00") == {6, 7, 8}


def test_an_empty_window_is_refused(account: Account) -> None:
    refused = account.refusal(account.listing(timeMin=FUTURE["timeMax"], timeMax=FUTURE["timeMin"]))
    assert (refused.status, refused.reason) == (400, "timeRangeEmpty")


def test_series_cannot_be_ordered_by_start(account: Account) -> None:
    assert account.refusal(account.listing(orderBy="startTime")).status == 400


def test_one_event_is_found_by_its_uid(account: Account) -> None:
    event = account.insert(**at(25))
    found = account.until(lambda: account.listed(iCalUID=event["iCalUID"]))
    assert list(found) == [event["id"]]


def test_a_query_too_long_for_an_address_is_sent_as_a_form(account: Account) -> None:
    """Google's client makes a POST of it with a method override (facts §14)."""
    assert account.listed(iCalUID="x" * 2500 + "@contract.example") == {}
