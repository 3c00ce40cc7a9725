"""Who may call each address, and what is theirs: two providers and an owner, over every address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from werkzeug.routing import Rule

from portal.views.door import callers
from portal.views.door.callers import Caller, who_may_call
from tests.scratch_practice import make_app
from tests.whole_practice import Practice, changed, digests, open_practice

OF_THE_PRACTICE = {"location_id", "type_id"}  # nobody's own
LOOKED_AT_BY_THE_OWNER = {"appointments.show"}
# Fields that name what belongs to somebody: where they are sent, and what a stranger is answered
NAMED = [
    ("POST", "/appointments/form", {"appointment": "appointment_id"}, 404),
    ("POST", "/appointments/overlaps", {"appointment": "appointment_id"}, 404),
    ("POST", "/appointments", {"client": "client_id", "kind": "", "date": "", "start_time": ""}, 422),
    ("POST", "/calendar/sync/calendars", {"calendar": "calendar"}, 422),
]
VALUES = {"kind": "session", "date": "2027-03-03", "start_time": "10:00", "duration": "50"}


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with open_practice(tmp_path, "sqlite://") as practice:
        yield practice


def with_ids(app: Flask) -> list[tuple[str, Rule, list[str]]]:
    """Each address with a number in it, by each of its methods, with the names of the numbers."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        names = re.findall(r"<int:(\w+)>", rule.rule)
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}) if names else []
        found += [(method, rule, names) for method in methods]
    return found


def fill(rule: Rule, ids: dict[str, int]) -> str:
    return re.sub(r"<int:(\w+)>", lambda gap: str(ids[gap[1]]), rule.rule)


def test_a_route_that_says_nothing_stops_the_start(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    blueprint = Blueprint("planted", __name__)
    blueprint.add_url_rule("/planted", "silent", lambda: "")
    app.register_blueprint(blueprint)
    with pytest.raises(LookupError, match=r"planted\.silent"):
        callers.check(app)
    assert who_may_call(app, "planted.silent") is Caller.SIGNED_IN


def test_without_a_sign_in_the_pages_before_it_and_the_machines_answer_and_nothing_else(
    practice: Practice,
) -> None:
    app = practice.app
    public = {
        endpoint
        for endpoint in app.view_functions
        if who_may_call(app, endpoint) in (Caller.ANYBODY, Caller.MACHINE)
    }
    assert public == {
        *("accounts.login", "accounts.sign_in", "static"),
        *("feeds.calendar", "webhooks.google", "system.healthz", "system.readyz", "system.robots"),
    }


def test_what_the_owners_decide_is_refused_to_everybody_else(practice: Practice) -> None:
    app, before = practice.app, digests(practice)
    owners = {endpoint for endpoint in app.view_functions if who_may_call(app, endpoint) is Caller.OWNER}
    assert len(owners) >= 6
    for role, expected in (("colleague", {403}), ("owner", {200, 303, 422})):
        browser, seen = practice.sign_in(role), set()
        for rule in app.url_map.iter_rules():
            if rule.endpoint in owners:
                methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
                address = fill(rule, practice.shared)
                seen |= {browser.open(address, method=method).status_code for method in methods}
        assert seen <= expected, role
        if role == "colleague":
            assert changed(before, digests(practice)) == set()


def test_nobody_gets_at_what_belongs_to_another(practice: Practice) -> None:
    """A colleague and the owner try every address with a provider's numbers; then the provider does."""
    ids, before, opened = practice.ids_of("provider"), digests(practice), []
    addresses = [each for each in with_ids(practice.app) if not set(each[2]) & OF_THE_PRACTICE]
    assert len(addresses) > 20
    for role in ("colleague", "owner"):
        browser = practice.sign_in(role)
        for method, rule, _ in addresses:
            if role == "owner" and rule.endpoint in LOOKED_AT_BY_THE_OWNER:
                continue
            status = browser.open(fill(rule, ids), method=method).status_code
            if status != 404:
                opened.append(f"{role}: {method} {rule.rule} {status}")
        for method, address, names, refused in NAMED:
            fields = {name: str(ids[key]) if key else VALUES[name] for name, key in names.items()}
            assert browser.open(address, method=method, data={**VALUES, **fields}).status_code == refused
    # a draft that is not theirs is left alone without a word, by the page itself
    assert opened == [f"{role}: POST /drafts/<int:draft_id>/discard 303" for role in ("colleague", "owner")]
    assert changed(before, digests(practice)) == set()
    browser = practice.sign_in("provider")
    own = {rule.endpoint: browser.get(fill(rule, ids)) for method, rule, _ in addresses if method == "GET"}
    assert {name for name, answer in own.items() if answer.status_code != 200} == set()


def test_the_owner_looks_at_anybodys_appointment_and_can_change_nothing_there(practice: Practice) -> None:
    before = digests(practice)
    page = practice.sign_in("owner").get(f"/appointments/{practice.ids_of('provider')['appointment_id']}")
    assert page.status_code == 200
    assert "Edit" not in page.text
    assert changed(before, digests(practice)) == set()


def test_a_calendar_shows_those_whom_one_may_look_at(practice: Practice) -> None:
    number = practice.people["provider"].id
    seen = {
        role: "Rosa Provider" in practice.sign_in(role).get(f"/calendar?view=agenda&provider={number}").text
        for role in ("colleague", "owner")
    }
    assert seen == {"colleague": False, "owner": True}
