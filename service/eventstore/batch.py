"""Commands on their way into the log: one that waits for its answer, and the batch that shares one transaction, with
its form as the arguments of `append_commands` (schema.sql).

Elsewhere: which commands may share a batch (`command_queue.py`), and the answers they get (`appender.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from service.eventstore.records import Appended, Command, Guard, RecordedEvent

EVENT_OVERHEAD_BYTES: Final = 256
"""Roughly what an event takes beside its data."""

ABOUT_THE_WHOLE_ONLY: Final = ""
"""As a guard's tag: no tag has this name, so only events without a tag match."""

_encode_metadata = msgspec.json.Encoder().encode


class Waiting:
    """A command on its way, and the answer its sender waits for."""

    __slots__ = ("answer", "batch", "command", "metadata", "size_bytes")

    def __init__(self, command: Command, answer: asyncio.Future[Appended]) -> None:
        self.command = command
        self.answer = answer
        self.metadata = _encode_metadata(command.metadata)
        self.batch: Batch | None = None
        self.size_bytes = (
            sum(len(event.data) for event in command.events)
            + sum(len(payload.content) for payload in command.payloads)
            + len(command.events) * (len(self.metadata) + EVENT_OVERHEAD_BYTES)
        )


class Batch:
    def __init__(self, members: list[Waiting], *, maybe_committed: bool = False) -> None:
        self.members = members
        self.in_flight = False
        self.maybe_committed = maybe_committed
        """An earlier attempt ended with its outcome unknown."""
        for member in members:
            member.batch = self

    @property
    def may_commit(self) -> bool:
        return self.in_flight or self.maybe_committed

    def drop_answered(self) -> None:
        """Forget the members nobody waits for any more."""
        self.members = [member for member in self.members if not member.answer.done()]

    def halves(self) -> tuple[Batch, Batch]:
        middle = len(self.members) // 2
        first, second = self.members[:middle], self.members[middle:]
        return (
            Batch(first, maybe_committed=self.maybe_committed),
            Batch(second, maybe_committed=self.maybe_committed),
        )


def arguments(members: Sequence[Waiting]) -> tuple[list[object], ...]:
    """The arguments of `append_commands`, in its order."""
    numbered = [(number, waiting.command) for number, waiting in enumerate(members, 1)]
    guards = [(n, g.aggregate, tag) for n, command in numbered for g in command.guards for tag in _tags(g)]
    events = [(n, event) for n, command in numbered for event in command.events]
    payloads = [(n, payload) for n, command in numbered for payload in command.payloads]
    return (
        [command.id for _, command in numbered],
        [command.decided_at for _, command in numbered],
        [waiting.metadata.decode() for waiting in members],
        [len(command.events) for _, command in numbered],
        [n for n, _, _ in guards],
        [aggregate.kind for _, aggregate, _ in guards],
        [aggregate.namespace for _, aggregate, _ in guards],
        [aggregate.name for _, aggregate, _ in guards],
        [tag for _, _, tag in guards],
        [n for n, _ in events],
        [event.aggregate.kind for _, event in events],
        [event.aggregate.namespace for _, event in events],
        [event.aggregate.name for _, event in events],
        [event.tag for _, event in events],
        [event.type for _, event in events],
        [event.schema_version for _, event in events],
        [event.data.decode() for _, event in events],
        [n for n, _ in payloads],
        [payload.digest for _, payload in payloads],
        [payload.content for _, payload in payloads],
    )


def recorded_events(waiting: Waiting, first: int, last: int, recorded_at: datetime) -> Iterator[RecordedEvent]:
    """The events of a command as a reader of the log will find them."""
    for position, event in enumerate(waiting.command.events, first):
        yield RecordedEvent(
            position,
            waiting.command.id,
            first,
            last,
            event.type,
            event.schema_version,
            event.aggregate,
            event.tag,
            recorded_at,
            waiting.metadata,
            event.data,
        )


def _tags(guard: Guard) -> tuple[str | None, ...]:
    if guard.tags is None:
        return (None,)
    return guard.tags or (ABOUT_THE_WHOLE_ONLY,)
