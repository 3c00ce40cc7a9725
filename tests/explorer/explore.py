"""Goes through every history up to a length, each world once, and sees the law hold at the end of each.

A history is a sequence of steps. Histories that lead to the same world go on alike, so each world is looked
at once: its steps are taken once, and it is run to rest once. Breadth first, so the first counterexample is
one of the shortest.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.explorer import law, portal_side
from tests.explorer.canonical import canonical
from tests.explorer.moves import World, come_to_rest, late_write, steps
from tests.explorer.portal_side import Broken

MOST_QUIET_RUNS = 8
BEGINNINGS = ("from an empty calendar", "from an appointment in step")


def explore(begun: str, depth: int) -> Explorer:
    """Every history of up to `depth` steps from one of BEGINNINGS. Raises Counterexample."""
    first = World()
    if begun == "from an appointment in step":
        first = first._replace(portal=portal_side.book(first.portal))
        for _ in range(MOST_QUIET_RUNS):
            first, _ = come_to_rest(first)
    explorer = Explorer(begun)
    gc.disable()  # nothing here is ever garbage, and looking through it all takes half of the time
    try:
        explorer.explore(first, depth)
    finally:
        gc.enable()
    return explorer


class Counterexample(AssertionError):
    """A history at whose end the law does not hold."""

    def __init__(self, begun: str, history: list[str], rule: str) -> None:
        lines = [f"  {number}. {step}" for number, step in enumerate(history, 1)]
        super().__init__("\n".join([f"{rule}; the shortest history, {begun}:", *lines]))
        self.history, self.rule = history, rule


@dataclass
class Explorer:
    """What was seen so far. `begun`: how the first world is called."""

    begun: str
    origin: dict[World, tuple[World, str] | None] = field(default_factory=dict)
    resting: dict[World, str | None] = field(
        default_factory=dict
    )  # worlds run to rest; what broke, if anything
    histories: int = 0

    @property
    def states(self) -> int:
        return len(self.origin)

    def figures(self) -> str:
        """For a test to print: how much was seen."""
        return (
            f"{self.begun}: {self.histories:,} histories, {self.states:,} states, "
            f"{len(self.resting):,} on the way to rest"
        )

    def explore(self, first: World, depth: int) -> None:
        """Every history of up to `depth` steps. Raises Counterexample."""
        first = canonical(first)
        self.origin[first] = None
        self._check(first)
        level = Counter({first: 1})
        taken: dict[World, tuple[World, ...]] = {}
        for _ in range(depth):
            following: Counter[World] = Counter()
            for world, count in level.items():
                if world not in taken:
                    taken[world] = tuple(self._expand(world))
                for after in taken[world]:
                    following[after] += count
            level = following
            self.histories += level.total()

    def _expand(self, world: World) -> Iterable[World]:
        taking = steps(world)
        while True:
            try:
                name, after = next(taking)
            except StopIteration:
                return
            except Broken as broken:
                raise self._counterexample(world, ["the next step"], str(broken)) from broken
            after = canonical(after)
            if after not in self.origin:
                self.origin[after] = world, name
                self._check(after)
            yield after

    def _check(self, world: World) -> None:
        """Run it to rest: without what is frozen, and with its request arriving when all is quiet."""
        resting = world._replace(worker=None, frozen=None)
        rule = self._rest(canonical(resting))
        if rule is None and world.frozen is not None:
            rule = self._rest_after_late_write(world)
        if rule is not None:
            raise self._counterexample(world, [], rule)

    def _rest_after_late_write(self, world: World) -> str | None:
        frozen = world.frozen
        try:
            for _ in range(MOST_QUIET_RUNS):
                world, _ = come_to_rest(world)
            late = late_write(world._replace(frozen=frozen))
        except Broken as broken:
            return f"{broken} (when the frozen worker's request arrives at rest)"
        rule = self._rest(canonical(late))
        return rule and f"{rule} (after the frozen worker's request has arrived at rest)"

    def _rest(self, world: World) -> str | None:
        """What breaks on the way to rest or at rest, or None. Each world on the way is remembered."""
        chain: list[World] = []
        rule: str | None = None
        while world not in self.resting:
            chain.append(world)
            if len(chain) > MOST_QUIET_RUNS:
                rule = "it never comes to rest"
                break
            try:
                after, writes = come_to_rest(world)
                after = canonical(after)
                if after == world:
                    if writes:
                        raise Broken("at rest, a run writes to Google")
                    law.check_rest(world)
                    break
            except Broken as broken:
                rule = str(broken)
                break
            world = after
        else:
            rule = self.resting[world]
        self.resting.update(dict.fromkeys(chain, rule))
        return rule

    def _counterexample(self, world: World, more: list[str], rule: str) -> Counterexample:
        history = more
        while (came_from := self.origin[world]) is not None:
            world, name = came_from
            history = [name, *history]
        return Counterexample(self.begun, history, rule)
