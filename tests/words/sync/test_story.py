"""The state of the sync: each state has the sentence that leads its page, and each act its button."""

from __future__ import annotations

from functools import cache

from portal.sync.health import Act, ConnectionFacts, Counts, Story, tell
from portal.words.sync import story
from tests.words.states import NOW, every_facts


@cache
def every_story() -> tuple[tuple[ConnectionFacts, Story], ...]:
    return tuple((facts, tell(facts, now=NOW)) for facts in every_facts())


def states() -> set[str]:
    return {told.state for _, told in every_story()}


def test_every_state_has_its_lead_and_no_lead_is_unused() -> None:
    assert set(story.LEADS) == states()
    assert all(story.lead(told).endswith(".") for _, told in every_story())


def test_a_lead_of_a_code_belongs_to_a_code_that_comes_and_says_what_the_state_would_not() -> None:
    codes = {told.code: told for _, told in every_story()}
    assert set(story.LEADS_OF_CODE) <= set(codes)
    assert all(story.LEADS[codes[code].state] != words for code, words in story.LEADS_OF_CODE.items())


def test_every_act_is_in_the_table_of_buttons() -> None:
    assert set(story.BUTTONS) == set(Act)


def test_whatever_needs_a_person_has_a_button_on_its_card_and_in_the_banner() -> None:
    needy = [(facts, told) for facts, told in every_story() if told.needs_a_person]
    assert needy
    assert all(story.button(told, facts) == story.BUTTONS[told.act] is not None for facts, told in needy)


def test_clearing_up_that_failed_can_be_tried_again_at_once() -> None:
    removing = [(facts, told) for facts, told in every_story() if told.state == "removing"]
    assert removing
    for facts, told in removing:
        assert story.button(told, facts) == (story.TRY_AGAIN if facts.failures else None)


def test_what_is_said_of_our_calendar_is_said_of_states_that_come() -> None:
    assert set(story.APP_CALENDAR_IS) <= states()


def told_of(*, problem: str | None = None, behind: int = 0) -> tuple[ConnectionFacts, Story]:
    facts = ConnectionFacts(
        mode="two-way",
        phase="active",
        problem=problem,
        counts=Counts(behind=behind, google_events=1, linked=2),
    )
    return facts, tell(facts, now=NOW)


def figures(told: story.Told, *, problem: str | None = None, behind: int = 0) -> list[tuple[str, str]]:
    facts, its_story = told_of(problem=problem, behind=behind)
    return [(each.value, each.note) for each in story.figures(its_story, facts, told)]


def test_the_figures_of_a_sync_that_runs() -> None:
    told = story.Told(pushed="2 min ago", pulled="just now", next_check="in 3 min")
    assert figures(told) == [
        ("2 min ago", "Nothing waits"),
        ("Just now", "1 Google event"),
        ("In 3 min", "A change here goes out at once"),
    ]


def test_the_figures_while_a_run_is_under_way() -> None:
    told = story.Told(is_syncing=True)
    assert figures(told, behind=1) == [
        ("Not yet", "1 appointment on the way"),
        ("Not yet", "1 Google event"),
        ("Now", "A change here goes out at once"),
    ]


def test_the_figures_of_a_sync_that_is_late_name_the_next_try() -> None:
    told = story.Told(retry="in 4 min", next_check="in 9 min")
    assert figures(told, problem="delayed")[2] == ("In 4 min", "Changes here go out with it")


def test_the_figures_of_a_sync_that_waits_for_a_person_promise_nothing() -> None:
    told = story.Told(pulled="2 h ago", is_syncing=True)
    assert figures(told, problem="reconnect-required")[1:] == [
        ("2 h ago", "May be out of date"),
        ("Waits for you", "Nothing goes out until then"),
    ]


def test_without_a_time_the_next_check_is_soon() -> None:
    assert figures(story.Told())[2][0] == "Soon"


def test_totals_say_when_they_are_old() -> None:
    facts, fresh = told_of()
    assert story.totals(fresh, facts)[0] == "2 appointments in Google"
    facts, stale = told_of(problem="calendar-missing")
    assert story.totals(stale, facts)[0] == "2 appointments were in Google at the last look"


def test_questions_wait_one_by_one_or_together() -> None:
    assert story.waiting(1) == "1 change waits for your answer"
    assert story.waiting(2) == "2 changes wait for your answer"


def test_the_first_sync_begins_with_our_calendar() -> None:
    facts, _ = told_of()
    before = story.first_steps(facts, is_made=False, app_calendar="Appointments", chosen=("Work", "Home"))
    after = story.first_steps(facts, is_made=True, app_calendar="Appointments", chosen=())
    assert [step.state for step in before] == ["now", "next", "next"]
    assert [step.state for step in after] == ["done", "now", "now"]
    assert before[2].words == "Reading “Work”, “Home”"
    assert after[2].words == "No calendar of yours is read"
