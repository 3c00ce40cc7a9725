"""What goes wrong in the wizard: every refusal and every error of Google's has its words."""

from __future__ import annotations

from portal import errors
from portal.connection import choosing, grants, leftovers, switching
from portal.google import oauth
from portal.practice import clients
from portal.sync import modes
from portal.views.sync import connecting, names
from portal.words.sync import problems
from portal.words.sync.problems import NOT_NOW, PROBLEMS, UNREACHABLE, problem
from tests.words.codes import calls, passed, results, returned, strings, tree_of

# Refusals of steps that a page does not offer: somebody has built the request, or two tabs are open
NOT_OFFERED_BY_A_PAGE = {"nothing-chosen", "not-missing"}
# `refused` is of a form without a code of its own
UNTOLD = NOT_OFFERED_BY_A_PAGE | {"refused"}


def refusals() -> set[str]:
    """Codes of `Refused`, and what views give as a problem by themselves."""
    modules = [tree_of(module) for module in (choosing, grants, leftovers, switching, clients, oauth)]
    raised = {text for tree in modules for call in calls(tree, "Refused") for text in results(call.args[0])}
    views = tree_of(connecting)
    shown = passed(views, "problem", "url_for") | {
        text for call in calls(views, "_calendars_page") for text in strings(call)
    }
    return raised | passed(tree_of(modes), "refusal") | shown | returned(names.problem_code)


def google_errors() -> set[str]:
    """As connecting.py makes them of the error's name."""
    return {f"google-{each.__name__}" for each in subclasses(errors.CalendarError)}


def subclasses(error: type[Exception]) -> set[type[Exception]]:
    direct = set(error.__subclasses__())
    return {error} | direct | set().union(*map(subclasses, direct))


def test_every_refusal_has_its_words() -> None:
    assert len(refusals()) > 10
    assert refusals() - UNTOLD - set(PROBLEMS) == set()
    assert all(problem(code) is NOT_NOW for code in UNTOLD)


def test_no_words_wait_for_a_code_that_never_comes() -> None:
    assert set(PROBLEMS) - refusals() - google_errors() == set()


def test_whatever_google_answers_is_told_at_least_as_unreachable() -> None:
    codes = google_errors()
    assert {code for code in codes if problem(code) is UNREACHABLE} == codes - set(PROBLEMS)


def test_a_missing_permission_is_told_by_what_it_is_for_in_the_order_of_googles_page() -> None:
    said = problem("scope-missing", {"calendar.events.owned.readonly", "calendar.app.created"})
    assert said.points == (
        "make a calendar of its own and write your appointments into it",
        "read the events of calendars you own",
    )
    assert said.then.startswith("Connect again")


def test_every_permission_that_is_asked_for_is_explained() -> None:
    asked = {scope.removeprefix(oauth.SCOPE_PREFIX) for scope in oauth.CALENDAR_SCOPES}
    assert set(problems.SCOPES) == asked
