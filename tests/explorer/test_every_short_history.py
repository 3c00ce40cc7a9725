"""The law after every history of up to five steps. `make test-long` goes to seven (tests/long)."""

from __future__ import annotations

import pytest

from tests.explorer import google, inward, portal_side
from tests.explorer.canonical import canonical
from tests.explorer.explore import BEGINNINGS, Counterexample, explore
from tests.explorer.google import Content, Properties
from tests.explorer.moves import World, run, steps

DEPTH = 5


@pytest.mark.parametrize("begun", BEGINNINGS)
def test_the_law_holds_after_every_history_of_five_steps(begun: str) -> None:
    explorer = explore(begun, DEPTH)
    print(explorer.figures())  # noqa: T201 (figures to keep)
    assert explorer.histories > 1000


def test_a_counterexample_is_told_as_steps_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a portal that forgets its link when the whole list is to be read."""
    monkeypatch.setattr(inward, "begin_generation", lambda portal: portal._replace(link=None))
    with pytest.raises(Counterexample) as told:
        explore("from an appointment in step", 2)
    assert str(told.value).splitlines()[0].endswith("the shortest history, from an appointment in step:")


def test_every_step_of_the_vocabulary_is_taken() -> None:
    explorer = explore("from an appointment in step", 3)
    taken = {name for world in explorer.origin for name, _ in steps(world)}
    begun = {step.split(" event 0")[0].split(" the insert")[0] for step in taken}
    assert begun >= {
        *("move it here", "cancel it here", "archive it here", "reinstate it here"),
        *("move", "retitle", "delete", "copy", "make", "restore"),
        *("gather", "send the patch", "send the patch, and its answer is lost", "commit the answer"),
        *("read a list", "read an old list", "take the page", "the sync token expires", "a whole run"),
        *("the worker freezes", "the frozen worker's request arrives", "minutes go by"),
    }


def test_a_worker_that_dies_leaves_what_it_has_committed() -> None:
    world = World(portal=portal_side.book(portal_side.Portal()))
    world = run(world)[0]
    appointment = world.portal.appointment
    assert appointment is not None
    world = world._replace(portal=portal_side.cancel(world.portal, appointment))
    gathered = dict(steps(world))["gather"]
    dead = dict(steps(gathered))["the worker dies"]
    assert dead.worker is None
    assert dead.portal.link is not None
    assert dead.portal.link.phase == "deleting"


def test_worlds_that_differ_in_numbers_alone_are_one() -> None:
    event = google.Event("e", 7, Content(0), properties=Properties("e", 4, 0))
    world = World(google.Calendar((event,)), portal_side.Portal(token=3))
    smaller = event._replace(version=2, properties=Properties("e", 1, 0))
    assert canonical(world) == World(google.Calendar((smaller,)), portal_side.Portal(token=1))
    assert canonical(world) == canonical(canonical(world))


CALENDAR, INSERTED = google.insert(google.Calendar(), "e", Content(0), Properties("e", 1, 0))


def test_the_model_takes_no_id_twice_and_refuses_what_was_changed_since() -> None:
    """docs/google-calendar-facts.md §8."""
    assert isinstance(INSERTED, google.Event)
    moved = google.move(CALENDAR, INSERTED)
    tag = Properties("e", 2, 0)
    assert google.insert(moved, "e", Content(1), tag)[1] == google.TAKEN
    assert google.patch(moved, "e", Content(1), tag, INSERTED.version)[1] == google.CHANGED_SINCE
    assert google.delete(moved, "e", INSERTED.version)[1] == google.CHANGED_SINCE
    gone, _ = google.delete(moved, "e")
    assert google.insert(gone, "e", Content(1), tag)[1] == google.TAKEN
    assert google.delete(gone, "e")[1] == google.GONE_ALREADY
    assert google.patch(gone, "e", Content(1), tag, None)[1] == google.FORBIDDEN


def test_the_models_lists_name_what_changed_and_an_old_one_lacks_the_newest() -> None:
    """docs/google-calendar-facts.md §5, §6 and §10."""
    assert isinstance(INSERTED, google.Event)
    gone, _ = google.delete(CALENDAR, "e")
    assert google.list_events(CALENDAR, 0).events == (INSERTED,)
    assert google.list_events(CALENDAR, INSERTED.version).events == ()
    (tombstone,) = google.list_events(gone, INSERTED.version).events
    assert (tombstone.is_deleted, tombstone.content, tombstone.properties) == (True, None, None)
    assert google.list_events(gone, 0, is_whole=True).events == ()
    old = google.list_events(gone, 0, is_old=True)
    assert (old.events, old.token) == ((INSERTED,), INSERTED.version)
    assert google.list_events(gone, old.token).events == (tombstone,)
