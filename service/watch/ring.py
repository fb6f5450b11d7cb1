"""The newest changes of one collection, from which watches resume without asking the log.

Keeps: every change after `floor` is here, in order. Bounded in number and in (estimated) memory: past a bound the
oldest changes go and the floor rises; who needs older ones replays the log (`replay.py`), so nothing is lost.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from service.domain.image import ImageState
from service.domain.imagestream import ImageStream
from service.domain.world import Change, State

DEAD_SHARE = 8
"""Evicted changes are dropped together, once they are one in this many."""


class RingLimits(msgspec.Struct, frozen=True):
    """Of each collection."""

    changes: int = 32_768
    memory_bytes: int = 64 * 1024 * 1024


class Ring:
    def __init__(self, floor: int, limits: RingLimits) -> None:
        self.floor = floor
        self.newest = floor
        """Position of the newest change; the floor if there has been none."""
        self._limits = limits
        self._changes: list[Change] = []
        self._positions: list[int] = []
        self._start = 0
        self._memory_bytes = 0

    def append(self, change: Change) -> None:
        self._changes.append(change)
        self._positions.append(change.position)
        self.newest = change.position
        self._memory_bytes += memory_bytes(change)
        limits = self._limits
        while len(self._changes) - self._start > limits.changes or self._memory_bytes > limits.memory_bytes:
            oldest = self._changes[self._start]
            self._start += 1
            self.floor = oldest.position
            self._memory_bytes -= memory_bytes(oldest)
        if self._start * DEAD_SHARE > len(self._changes):
            del self._changes[: self._start], self._positions[: self._start]
            self._start = 0

    def __len__(self) -> int:
        return len(self._changes) - self._start

    def covers(self, position: int) -> bool:
        """Whether every change after the position is here."""
        return position >= self.floor

    def after(self, position: int, limit: int) -> list[Change]:
        """At most `limit` changes, the oldest after the position first. Only meaningful where it `covers`."""
        at = bisect_right(self._positions, position, lo=self._start)
        return self._changes[at : at + limit]


def memory_bytes(change: Change) -> int:
    """About what a change keeps in memory beyond the states that others keep anyway."""
    return 256 + _own_bytes(change.old)


def _own_bytes(state: State | None) -> int:
    match state:
        case ImageStream():
            # Each state of a stream has a table of its tags of its own.
            return 512 + 100 * len(state.tags)
        case ImageState():
            return 256 + len(state.document)
        case _:
            return 512
