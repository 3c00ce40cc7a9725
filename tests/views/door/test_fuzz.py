"""Nothing that anybody sends is a crash, and what is refused leaves everything as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import abort

from portal.extensions import db
from portal.models import Provider
from portal.practice import offers
from portal.views.door import callers
from tests.fuzzer import Fuzzer, Sent
from tests.whole_practice import Practice, open_practice

REQUESTS = 250  # on each database; 10,000 in tests/long/test_fuzz.py


@pytest.fixture
def practice(database_url: str, tmp_path: Path) -> Iterator[Practice]:
    with open_practice(tmp_path, database_url) as practice:
        practice.app.config["WTF_CSRF_ENABLED"] = False
        yield practice


def test_wrong_values_in_every_form_crash_nothing_and_leave_nothing(practice: Practice) -> None:
    tally = Fuzzer(practice, seed=1).run(REQUESTS)
    assert tally.faults == []
    assert tally.taken > REQUESTS / 4, "too little gets through to try much"
    assert len(tally.reached) > 60


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_crash_a_change_of_anothers_row_and_a_trace_of_what_was_refused_are_noticed(
    practice: Practice,
) -> None:
    colleague = practice.people["colleague"].id

    @callers.signed_in
    def crash() -> str:
        raise ZeroDivisionError

    @callers.signed_in
    def meddle() -> str:
        db.session.get_one(Provider, colleague).name = "Changed"
        db.session.commit()
        return ""

    @callers.signed_in
    def half_refuse() -> str:
        offers.add_location("Left")
        db.session.commit()
        abort(404)

    for view in (crash, meddle, half_refuse):
        practice.app.add_url_rule(f"/{view.__name__}", view.__name__, view, methods=["POST"])
    fuzzer = Fuzzer(practice, seed=1)
    for name in ("crash", "meddle", "half_refuse"):
        fuzzer.send(Sent("owner", "POST", f"/{name}", b"", {}))
    said = [fault.rpartition(": ")[2] for fault in fuzzer.tally.faults]
    assert said == [
        "answered 500",
        "answered 200 and changed rows of others in ['provider']",
        "refused with 404 and changed ['location']",
    ]
