"""One call in ten fails for two minutes: nothing is put off for long, and all is at rest soon after."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Office
from tests.engine.storm import MOST_AHEAD_SECONDS, REST_WITHIN_SECONDS, Storm


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_one_call_in_ten_failing_nothing_that_waits_is_put_off_for_long(office: Office) -> None:
    """Failure 38. Ten minutes of it on ten seeds: tests/long/test_one_call_in_ten.py."""
    storm = Storm(office, seed=1)
    storm.blow(minutes=2, edit_every_seconds=12)
    assert storm.furthest <= MOST_AHEAD_SECONDS
    assert storm.calm_down() <= REST_WITHIN_SECONDS
    storm.check_the_law()
