"""Readings that no switch makes, staged by faults or by doctored answers: the suite sees them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import Sandbox
from tests.google_contract.access import Access, fresh_sandbox, grant_on
from tests.google_contract.account import Account, Refusal
from tests.google_contract.questions import QUESTIONS, look
from tests.google_contract.report import DIFFERS, SAME

Json = dict[str, Any]
BY_NAME = {question.name: question for question in QUESTIONS}
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Staging:
    """How a sandbox is made to look like another Google, once the account is open."""

    question: str
    reading: str
    stage: Callable[[Sandbox], object] = lambda _: None
    answers: Callable[[Json], Json] = lambda answer: answer
    statuses: Callable[[int], int] = lambda status: status
    refusals: Callable[[Refusal], Any] = lambda refusal: refusal


class Doctored(Account):
    """An account whose answers are changed on their way."""

    def __init__(self, access: Access) -> None:
        self.staging = Staging(question="", reading="")
        super().__init__(access)

    def call(self, request: Any, **options: Any) -> Any:
        answer = super().call(request, **options)
        return self.staging.answers(answer) if isinstance(answer, dict) else answer

    def outcome(self, request: Any, **options: Any) -> Any:
        seen = super().outcome(request, **options)
        return self.staging.refusals(seen) if isinstance(seen, Refusal) else seen

    def raw(self, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
        response, content = super().raw(method, path, headers)
        response.status = self.staging.statuses(response.status)
        return response, content


def fault(kind: str, **options: Any) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.add_fault(kind, **options)


def raise_sequences() -> Callable[[Json], Json]:
    """Another, higher sequence in every answer."""
    numbers = iter(range(1, 1000))
    return lambda answer: {**answer, "sequence": next(numbers)}


def new_etags() -> Callable[[Json], Json]:
    numbers = iter(range(1000))
    return lambda answer: {**answer, "etag": f'"{next(numbers)}"'}


def remembering_titles(answer: Json) -> Json:
    """As if a changed date stayed changed when its series moves."""
    items = [{**one, "summary": "Changed"} for one in answer.get("items", [])]
    return {**answer, "items": items}


def showing(*starts: str) -> Callable[[Json], Json]:
    """As if a series had these dates."""

    def shown(answer: Json) -> Json:
        if "items" not in answer:
            return answer
        return {**answer, "items": [{**answer["items"][0], "start": {"dateTime": start}} for start in starts]}

    return shown


def ending(moment: str) -> Callable[[Json], Json]:
    """As if each date ended then."""

    def shown(answer: Json) -> Json:
        items = [{**one, "end": {"dateTime": moment}} for one in answer.get("items", [])]
        return {**answer, "items": items}

    return shown


def without_periods(answer: Json) -> Json:
    lines = [line.partition("/")[0] for line in answer.get("recurrence", [])]
    return {**answer, "recurrence": lines}


REFUSED_INSERT = fault("invalid_page_token", method="calendar.events.insert")

STAGINGS = [
    Staging(
        question="whether_a_calendar_we_make_is_in_its_makers_list",
        reading="absent",
        stage=fault("not_found", method="calendar.calendarList.get"),
    ),
    Staging(
        question="what_a_patch_of_a_calendar_with_its_own_title_does_to_the_etag",
        reading="new",
        answers=new_etags(),
    ),
    Staging(
        question="where_the_token_endpoint_takes_the_clients_secret",
        reading="form",
        stage=fault("invalid_grant", method="oauth.token", skip=1),
    ),
    Staging(
        question="where_the_token_endpoint_takes_the_clients_secret",
        reading="Basic",
        stage=fault("invalid_grant", method="oauth.token"),
    ),
    Staging(
        question="whether_a_web_client_needs_its_secret_with_pkce",
        reading="not wanted",
        stage=fault("invalid_grant", method="oauth.token", times=None),
    ),
    Staging(
        question="which_status_an_empty_answer_has",
        reading="200",
        statuses=lambda status: 200,
    ),
    Staging(
        question="when_a_search_by_property_finds_a_new_event",
        reading="later",
        stage=fault("delayed_visibility", method="calendar.events.insert", seconds=0.1),
    ),
    Staging(question="which_edits_raise_the_sequence", reading="every", answers=raise_sequences()),
    Staging(
        question="which_edits_raise_the_sequence",
        reading="never",
        answers=lambda answer: {**answer, "sequence": 0},
    ),
    Staging(
        question="what_reading_with_the_current_etag_gives",
        reading="304",
        statuses=lambda status: 304,
    ),
    Staging(
        question="what_becomes_of_very_long_texts",
        reading="cut",
        answers=lambda answer: {**answer, "summary": answer.get("summary", "")[:1024]},
    ),
    Staging(
        question="what_becomes_of_very_long_texts",
        reading="refused",
        stage=REFUSED_INSERT,
    ),
    Staging(
        question="what_two_inserts_of_one_id_at_once_give",
        reading="both",
        refusals=lambda refusal: {},
    ),
    Staging(
        question="what_moving_a_series_does_to_its_changed_dates",
        reading="kept",
        answers=remembering_titles,
    ),
    Staging(
        question="which_days_a_week_number_without_weekdays_names",
        reading="week",
        answers=showing("2031-03-12T10:00", "2031-03-13T10:00"),
    ),
    Staging(
        question="which_days_a_week_number_without_weekdays_names",
        reading="refused",
        stage=REFUSED_INSERT,
    ),
    Staging(question="what_an_until_before_the_start_leaves", reading="none", answers=showing()),
    Staging(question="what_an_until_before_the_start_leaves", reading="refused", stage=REFUSED_INSERT),
    Staging(
        question="whether_an_rdate_after_until_counts",
        reading="left out",
        answers=showing("2031-03-03T10:00", "2031-03-10T10:00"),
    ),
    Staging(
        question="whether_count_counts_a_start_outside_the_rule",
        reading="counted",
        answers=showing("2031-03-03T10:00", "2031-03-04T10:00", "2031-03-06T10:00"),
    ),
    Staging(
        question="whether_count_counts_a_start_outside_the_rule",
        reading="left out",
        answers=showing("2031-03-04T10:00", "2031-03-06T10:00", "2031-03-11T10:00"),
    ),
    Staging(
        question="how_long_a_date_over_a_clock_change_is",
        reading="wall clock",
        answers=ending("2031-03-09T07:00:00-05:00"),
    ),
    Staging(
        question="whether_periods_are_handed_out",
        reading="with the regular length",
        answers=ending("2031-03-10T11:00:00-05:00"),
    ),
    Staging(question="whether_periods_are_handed_out", reading="as times", answers=without_periods),
    Staging(question="whether_periods_are_handed_out", reading="refused", stage=REFUSED_INSERT),
    Staging(
        question="what_becomes_of_a_changed_date_that_its_series_no_longer_has",
        reading="kept",
        answers=remembering_titles,
    ),
    Staging(
        question="how_long_a_channel_may_live",
        reading="as asked",
        stage=lambda sandbox: sandbox.control("POST", "/clock", {"advance_seconds": YEAR_SECONDS - 86_400}),
    ),
]


@pytest.mark.parametrize("staging", STAGINGS, ids=lambda staging: f"{staging.question}:{staging.reading}")
def test_a_reading_that_the_sandbox_never_has_is_seen_as_a_difference(staging: Staging) -> None:
    with fresh_sandbox() as sandbox, Doctored(grant_on(sandbox)) as account:
        staging.stage(sandbox)
        account.staging = staging
        row = look(BY_NAME[staging.question], account)
    assert row.observed.partition(":")[0] == staging.reading
    assert row.verdict == DIFFERS


def test_every_documented_reading_is_the_sandboxs_own_switched_on_or_staged() -> None:
    for question in QUESTIONS:
        seen = {question.sandbox.partition(":")[0], question.switched}
        seen |= {one.reading for one in STAGINGS if one.question == question.name}
        assert question.readings.keys() == seen - {""}, question.name


def test_an_account_that_is_not_doctored_reads_as_the_sandbox_does() -> None:
    """What the stagings are measured against."""
    with fresh_sandbox() as sandbox, Doctored(grant_on(sandbox)) as account:
        rows = [look(BY_NAME[name], account) for name in dict.fromkeys(one.question for one in STAGINGS)]
    assert [row.verdict for row in rows] == [SAME] * len(rows)
