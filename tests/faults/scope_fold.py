"""The state of a scope after any of its changes: what a list shows, and what a watch begins with."""

from __future__ import annotations

from bisect import bisect_right

from service.domain.world import State
from tests.faults.truth import Truth, ordered
from tests.faults.wish import Key, Wish

SNAPSHOT_EVERY = 128


class ScopeFold:
    """`changes` are all that the scope was ever told; index n is the state after the first n of them."""

    def __init__(self, truth: Truth, wish: Wish) -> None:
        self.changes = truth.seen_by(wish)
        self.positions = [change.position for change in self.changes]
        self._snapshots: list[dict[Key, State]] = []
        states: dict[Key, State] = {}
        for index in range(0, len(self.changes) + 1, SNAPSHOT_EVERY):
            self._snapshots.append(dict(states))
            self._apply(states, index, index + SNAPSHOT_EVERY)

    def index_at(self, position: int) -> int:
        """How many of the changes there are up to a position."""
        return bisect_right(self.positions, position)

    def states(self, index: int) -> list[State]:
        """In list order."""
        number = index // SNAPSHOT_EVERY
        states = dict(self._snapshots[number])
        self._apply(states, number * SNAPSHOT_EVERY, index)
        return ordered(states)

    def _apply(self, states: dict[Key, State], start: int, end: int) -> None:
        for change in self.changes[start:end]:
            if change.type == "DELETED":
                del states[change.key]
            else:
                states[change.key] = change.state
