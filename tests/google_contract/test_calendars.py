"""Calendars and their list, as our three scopes show them (facts §3, §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.errors import EventNotFound
from tests.google_contract.account import MARKER, ZONE, Account, at

NOWHERE = "c_" + "0" * 64 + "@group.calendar.google.com"


def test_the_list_shows_our_calendar_as_ours_with_what_we_wrote(account: Account) -> None:
    (entry,) = [one for one in account.client.list_calendars() if MARKER in one.description]
    assert entry.calendar_id == account.calendar_id
    assert entry.access_role == "owner"
    assert entry.time_zone == ZONE
    assert not entry.is_primary


def test_the_primary_calendars_id_is_the_accounts_address(account: Account) -> None:
    primary = [one for one in account.client.list_calendars() if one.is_primary]
    assert [one.calendar_id for one in primary] == [account.access.address]


def test_events_of_the_persons_own_calendar_may_be_listed(account: Account) -> None:
    answer = account.call(
        account.service.events().list(calendarId="primary", maxResults=1, fields="accessRole")
    )
    assert answer["accessRole"] == "owner"


def test_a_calendar_and_its_entry_in_the_list_have_different_etags(account: Account) -> None:
    calendar = account.call(account.service.calendars().get(calendarId=account.calendar_id))
    entry = account.call(account.service.calendarList().get(calendarId=account.calendar_id))
    assert calendar["etag"] != entry["etag"]


def test_our_calendar_may_be_brought_back_into_view(account: Account) -> None:
    account.client.show_calendar(account.calendar_id)
    entry = account.client.get_calendar_entry(account.calendar_id)
    assert entry.is_selected
    assert not entry.is_hidden


def test_a_calendar_that_is_not_there_is_not_found(account: Account) -> None:
    with pytest.raises(EventNotFound):
        account.client.list_events(NOWHERE)
    refused = account.refusal(account.service.events().list(calendarId=NOWHERE))
    assert (refused.status, refused.reason) == (404, "notFound")


def test_a_token_of_the_list_forbids_leaving_out_hidden_ones(account: Account) -> None:
    calendars = account.service.calendarList()
    token = account.call(calendars.list(maxResults=250))["nextSyncToken"]
    assert account.refusal(calendars.list(maxResults=250, syncToken=token, showHidden=False)).status == 400


CLOSED: dict[str, Callable[[Any, str], Any]] = {
    "acl_list": lambda service, ours: service.acl().list(calendarId=ours),
    "calendars_clear": lambda service, ours: service.calendars().clear(calendarId=ours),
    "calendarList_insert": lambda service, ours: service.calendarList().insert(body={"id": ours}),
    "events_move": lambda service, ours: service.events().move(
        calendarId=ours, eventId="contract00000", destination=ours
    ),
    "freebusy_query": lambda service, ours: service.freebusy().query(
        body={"timeMin": "2031-01-01T00:00:00Z", "timeMax": "2031-01-02T00:00:00Z", "items": [{"id": ours}]}
    ),
    "settings_list": lambda service, ours: service.settings().list(),
}


@pytest.mark.parametrize("method", CLOSED)
def test_our_scopes_do_not_open(account: Account, method: str) -> None:
    refused = account.refusal(CLOSED[method](account.service, account.calendar_id))
    assert (refused.status, refused.reason) == (403, "insufficientPermissions")


def test_an_event_of_ours_is_organized_by_the_calendar_itself(account: Account) -> None:
    assert account.insert(**at(2))["organizer"]["email"] == account.calendar_id
