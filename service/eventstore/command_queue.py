"""The queue of commands that wait for a transaction, and the choice of those that go together.

Keeps: the queue is bounded in commands and in bytes, and so is a batch, though a command that exceeds the bound by
itself still goes, alone. Commands of one batch do not touch what others of the batch guard, so each is judged as if it
were alone; one that has to stand back for that is the first of the next batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from service.domain.errors import Overloaded
from service.eventstore.batch import Waiting
from service.eventstore.records import Aggregate, Command

QUEUE_LIMIT_COMMANDS: Final = 10_000
QUEUE_LIMIT_BYTES: Final = 128 * 1024 * 1024
BATCH_LIMIT_EVENTS: Final = 1_000
BATCH_LIMIT_BYTES: Final = 4 * 1024 * 1024
BATCH_LIMIT_STANDING_BACK: Final = 1_000
"""How far the queue is searched for company when many commands have to stand back."""


class CommandQueue:
    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    def put(self, waiting: Waiting) -> None:
        """Raises Overloaded when the queue is full."""
        if self._is_full():
            self._forget_answered()
        if self._is_full():
            raise Overloaded("too many writes are waiting to be recorded", retry_after_seconds=1)
        self._waiting.append(waiting)
        self._size_bytes += waiting.size_bytes

    def take_batch(self) -> list[Waiting]:
        """The next commands to go together; empty only when the queue is."""
        members: list[Waiting] = []
        standing_back: list[Waiting] = []
        touched = _Touched()
        events = size_bytes = 0
        while self._waiting and len(standing_back) < BATCH_LIMIT_STANDING_BACK:
            waiting = self._waiting[0]
            events_with_it = events + len(waiting.command.events)
            bytes_with_it = size_bytes + waiting.size_bytes
            if members and (events_with_it > BATCH_LIMIT_EVENTS or bytes_with_it > BATCH_LIMIT_BYTES):
                break
            self._waiting.popleft()
            if waiting.answer.done():
                self._size_bytes -= waiting.size_bytes
            elif touched.must_wait(waiting.command):
                standing_back.append(waiting)
            else:
                members.append(waiting)
                touched.add(waiting.command)
                self._size_bytes -= waiting.size_bytes
                events, size_bytes = events_with_it, bytes_with_it
        self._waiting.extendleft(reversed(standing_back))
        return members

    def _is_full(self) -> bool:
        return len(self._waiting) >= QUEUE_LIMIT_COMMANDS or self._size_bytes >= QUEUE_LIMIT_BYTES

    def _forget_answered(self) -> None:
        """While PostgreSQL is away nothing is taken; the oldest, whose time is up first, must not keep others out."""
        while self._waiting and self._waiting[0].answer.done():
            self._size_bytes -= self._waiting.popleft().size_bytes


class _Touched:
    """The commands of a batch so far, and what their events are about."""

    def __init__(self) -> None:
        self._ids: set[UUID] = set()
        self._tags: dict[Aggregate, set[str | None]] = {}

    def add(self, command: Command) -> None:
        self._ids.add(command.id)
        for event in command.events:
            self._tags.setdefault(event.aggregate, set()).add(event.tag)

    def must_wait(self, command: Command) -> bool:
        """Whether the command's verdict depends on the verdict of one before it."""
        if command.id in self._ids:
            return True
        for guard in command.guards:
            tags = self._tags.get(guard.aggregate)
            if tags is not None and (guard.tags is None or None in tags or not tags.isdisjoint(guard.tags)):
                return True
        return False
