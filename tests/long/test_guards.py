"""Each guard is taken away, and missed."""

from __future__ import annotations

from scripts import guards


def test_no_guard_can_be_taken_away_unnoticed() -> None:
    assert guards.main([]) == 0
