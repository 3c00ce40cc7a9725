"""Series: expansion, changed and cancelled dates, a shortened rule (facts §6, §7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.google_contract.account import ZONE, Account, at

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=4"]


@pytest.fixture
def series(account: Account) -> dict[str, Any]:
    """Four Mondays in Chicago: 3, 10, 17 and 24 March 2031; summer time begins on the 9th."""
    made = account.insert(summary="Weekly", recurrence=WEEKLY, **at(3))
    account.until(lambda: len(account.instances(made["id"])) == 4)
    return made


def cancel_second(account: Account, series: dict[str, Any]) -> dict[str, Any]:
    second = account.instances(series["id"])[1]
    account.delete(second["id"])
    account.until(lambda: len(account.instances(series["id"])) == 3)
    return second


def test_a_weekly_series_keeps_its_wall_clock_time_across_summer_time(
    account: Account, series: dict[str, Any]
) -> None:
    starts = [one["start"]["dateTime"] for one in account.instances(series["id"])]
    assert starts[0] == "2031-03-03T10:00:00-06:00"
    assert starts[1] == "2031-03-10T10:00:00-05:00"


def test_a_date_of_a_series_is_named_by_its_original_start(account: Account, series: dict[str, Any]) -> None:
    first, second, *_ = account.instances(series["id"])
    assert first["id"] == f"{series['id']}_20310303T160000Z"
    assert second["id"] == f"{series['id']}_20310310T150000Z"
    assert first["recurringEventId"] == series["id"]
    assert first["originalStartTime"]["dateTime"] == first["start"]["dateTime"]
    assert first["iCalUID"] == series["iCalUID"]
    assert "recurrence" not in first


def test_a_day_of_an_all_day_series_is_named_by_its_date(account: Account) -> None:
    days = {"start": {"date": "2031-03-03"}, "end": {"date": "2031-03-04"}}
    series = account.insert(recurrence=["RRULE:FREQ=DAILY;COUNT=2"], **days)
    instances = account.until(lambda: account.instances(series["id"]))
    assert [one["id"] for one in instances] == [f"{series['id']}_{day}" for day in ("20310303", "20310304")]
    assert instances[1]["originalStartTime"] == {"date": "2031-03-04"}


def test_a_series_without_a_time_zone_is_refused(account: Account) -> None:
    times = {
        side: {"dateTime": f"2031-03-03T{hour}:00:00-06:00"} for side, hour in (("start", 10), ("end", 11))
    }
    refused = account.refusal(account.inserting(id=account.new_id(), recurrence=WEEKLY, **times))
    assert refused.status == 400


def test_a_moved_date_keeps_its_name_and_is_listed_beside_its_series(
    account: Account, series: dict[str, Any]
) -> None:
    second = account.instances(series["id"])[1]
    account.patch(second["id"], **at(11, 15))

    def both() -> dict[str, Any] | None:
        listed = account.listed(maxResults=2500)
        return listed if {series["id"], second["id"]} <= listed.keys() else None

    listed = account.until(both)
    moved = listed[second["id"]]
    assert moved["originalStartTime"]["dateTime"] == second["originalStartTime"]["dateTime"]
    assert moved["start"]["dateTime"] == "2031-03-11T15:00:00-05:00"
    assert listed[series["id"]]["recurrence"] == WEEKLY


def test_a_cancelled_date_is_listed_bare_without_asking_for_deleted_ones(
    account: Account, series: dict[str, Any]
) -> None:
    second = cancel_second(account, series)
    cancelled = account.until(lambda: account.listed(maxResults=2500).get(second["id"]))
    assert cancelled["status"] == "cancelled"
    assert cancelled["recurringEventId"] == series["id"]
    assert cancelled["originalStartTime"]["dateTime"] == second["originalStartTime"]["dateTime"]


def test_cancelling_a_date_leaves_the_rule_of_the_series_alone(
    account: Account, series: dict[str, Any]
) -> None:
    cancel_second(account, series)
    assert account.get(series["id"])["recurrence"] == WEEKLY


def test_one_date_is_found_by_its_original_start(account: Account, series: dict[str, Any]) -> None:
    third = account.instances(series["id"])[2]
    found = account.instances(series["id"], originalStart=third["originalStartTime"]["dateTime"])
    assert [one["id"] for one in found] == [third["id"]]


def test_the_instances_of_an_instance_are_just_itself(account: Account, series: dict[str, Any]) -> None:
    second = account.instances(series["id"])[1]
    assert [one["id"] for one in account.instances(second["id"])] == [second["id"]]


def test_an_expanded_list_has_the_dates_and_not_the_series(account: Account, series: dict[str, Any]) -> None:
    window = {"timeMin": "2031-03-01T00:00:00Z", "timeMax": "2031-03-31T00:00:00Z"}
    dates = {one["id"] for one in account.instances(series["id"])}
    listed = account.until(
        lambda: listed if dates <= (listed := account.listed(singleEvents=True, **window)).keys() else None
    )
    assert series["id"] not in listed


def test_shortening_the_rule_drops_later_dates_and_what_was_changed_there(
    account: Account, series: dict[str, Any]
) -> None:
    """The first half of *this and following*."""
    *_, last = account.instances(series["id"])
    account.patch(last["id"], summary="Changed")
    account.patch(series["id"], recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20310316T000000Z"])
    left = account.until(lambda: left if len(left := account.instances(series["id"])) == 2 else None)
    assert last["id"] not in {one["id"] for one in left}


def test_deleting_a_series_leaves_the_seriess_own_tombstone_in_the_delta(
    account: Account, series: dict[str, Any]
) -> None:
    account.until(lambda: series["id"] in account.listed(maxResults=2500))
    token = account.baseline(maxResults=2500)
    account.delete(series["id"])
    told = account.until(lambda: account.listed(maxResults=2500, syncToken=token).get(series["id"]))
    assert told["status"] == "cancelled"
    assert "recurringEventId" not in told


def test_an_until_of_a_timed_series_includes_a_date_that_starts_at_it(account: Account) -> None:
    series = account.insert(recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20310310T150000Z"], **at(3))
    instances = account.until(lambda: account.instances(series["id"]))
    assert [one["start"]["dateTime"][:10] for one in instances] == ["2031-03-03", "2031-03-10"]
    assert instances[0]["start"]["timeZone"] == ZONE
