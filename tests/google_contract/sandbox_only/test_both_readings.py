"""Both readings of each open question, made by the sandbox's switches: the suite must tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.trouble.switches import Switches
from tests.google_contract.access import SANDBOX_ACCOUNT, fresh_sandbox, grant_on
from tests.google_contract.account import Account
from tests.google_contract.questions import QUESTIONS, Question, look, seen_as
from tests.google_contract.report import DIFFERS, SAME, THIRD, UNSEEN, Row, summary, table
from tests.google_contract.test_lists import INCOMPATIBLE

GUIDE = Path(__file__).parents[3] / "docs" / "google-contract.md"

# Switches that our scopes cannot settle without a person, a flood, or a trace in somebody's calendar.
NOT_FOR_THE_SUITE = {
    "consent_boxes_ticked",
    "max_calendars",
    "move_answers_cancelled",
    "push_http_on_loopback",
    "push_obeys_robots",
    "quota",
    "quota_status",
    "quota_units_per_minute",
    "refresh_tokens_live_seconds",
    "self_on_secondary_calendars",
}


def _consent_anew(sandbox: Sandbox) -> None:
    """The suite's calendar is made; then the person revokes the consent."""
    with Account(grant_on(sandbox)) as account:
        assert account.was_new
    sandbox.control("POST", "/grants/revoke", {"account": SANDBOX_ACCOUNT})


def _share_a_calendar(sandbox: Sandbox) -> None:
    """Somebody makes the account an owner of a calendar that stays theirs."""
    sandbox.add_account("friend@example.com")
    theirs = sandbox.add_calendar("friend@example.com", "Theirs")
    sandbox.add_calendar(SANDBOX_ACCOUNT, "Theirs", id=theirs["id"], accessRole="owner")


ARRANGED: dict[str, Callable[[Sandbox], None]] = {
    "whether_a_new_consent_opens_the_calendar_of_an_old_one": _consent_anew,
    "what_the_owned_scopes_mean_by_owned": _share_a_calendar,
}


def seen(question: Question, switches: Mapping[str, Any]) -> Row:
    """What a new sandbox with these switches shows."""
    with fresh_sandbox() as sandbox:
        ARRANGED.get(question.name, lambda _: None)(sandbox)
        sandbox.switch(**switches)
        with Account(grant_on(sandbox)) as account:
            return look(question, account)


@pytest.mark.parametrize(
    "question", [one for one in QUESTIONS if one.switches], ids=lambda question: question.name
)
def test_both_readings_are_told_apart(question: Question) -> None:
    as_it_comes, otherwise = seen(question, {}), seen(question, question.switches)
    assert (as_it_comes.observed, as_it_comes.verdict) == (question.sandbox, SAME)
    assert (otherwise.observed, otherwise.verdict) == (question.switched, DIFFERS)
    assert question.sandbox != question.switched
    assert {question.sandbox, question.switched} <= question.readings.keys()


@pytest.mark.parametrize("name", [*INCOMPATIBLE, "showDeleted"])
def test_a_sync_token_forbids_it_even_where_other_parameters_may_change(name: str) -> None:
    """Otherwise the contract's own test would be content with any refusal of a changed query."""
    with fresh_sandbox() as sandbox, Account(grant_on(sandbox)) as account:
        sandbox.switch(sync_query_must_match=False)
        token = account.baseline()
        forbidden = account.listing(syncToken=token, **{name: INCOMPATIBLE.get(name, False)})
        assert account.refusal(forbidden).status == 400


def test_every_switch_is_settled_by_a_question_or_known_to_be_out_of_reach() -> None:
    settled = {name for question in QUESTIONS for name in question.switches}
    assert settled | NOT_FOR_THE_SUITE == Switches().show().keys()
    assert not settled & NOT_FOR_THE_SUITE


def test_the_guide_names_every_question_and_every_switch_out_of_reach() -> None:
    guide = " ".join(GUIDE.read_text(encoding="utf-8").split())
    for question in QUESTIONS:
        assert question.name.replace("_", " ") in guide
    for switch in NOT_FOR_THE_SUITE:
        assert f"`{switch}`" in guide


def test_a_reading_that_nobody_has_documented_is_a_third_one() -> None:
    asked = replace(QUESTIONS[0], readings={"yes": "", "no": ""}, sandbox="yes")
    with fresh_sandbox() as sandbox, Account(grant_on(sandbox)) as account:
        surprises = [
            replace(asked, observe=lambda _: "perhaps"),
            replace(asked, observe=lambda _: seen_as({200: "yes", 403: "no"}, 500)),
            replace(asked, observe=lambda account: account.get(account.new_id())["id"]),
        ]
        rows = [look(one, account) for one in surprises]
    assert [row.verdict for row in rows] == [THIRD, THIRD, THIRD]
    assert rows[1].observed.endswith("a third reading: 500")


def test_the_table_shows_what_was_seen_beside_what_the_sandbox_does() -> None:
    same = Row(fact="whether it rains", source="§1", observed="no", sandbox="no", verdict=SAME)
    rows = [same, replace(same, observed="cats", verdict=DIFFERS), replace(same, verdict=UNSEEN)]
    assert table(rows) == [
        "open question     facts  seen here  sandbox",
        "whether it rains  §1     no         no       same",
        "whether it rains  §1     cats       no       DIFFERS",
        "whether it rains  §1     no         no       not seen",
    ]
    assert summary(rows) == "3 open questions: 1 differ from the sandbox, 1 not seen"
