"""Error pages: each kind has a heading and an advice, an unknown one too."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from portal.words import errors


@pytest.mark.parametrize("kind", sorted(errors.ERRORS))
def test_each_kind_is_told_apart(kind: str) -> None:
    heading, advice = errors.error(kind)
    assert advice.endswith(".") and not heading.endswith(".")
    assert [other for other in errors.ERRORS if errors.ERRORS[other][0] == heading] == [kind]


def test_each_kind_is_a_status_or_one_that_pages_tell_apart() -> None:
    known = {str(status.value) for status in HTTPStatus if status >= 400}
    assert set(errors.ERRORS) - known == {"csrf", "busy", "unsaved"}


def test_any_other_status_has_words_too() -> None:
    assert errors.error("418") == errors.ANY_OTHER
