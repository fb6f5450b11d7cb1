"""Move a projection forward by a batch of the log, in one transaction: checkpoint, load, fold, rows.

Keeps: after any failure, at any moment, the tables are as of the checkpoint and memory holds nothing that they do not.
When an event cannot be folded, everything before its command is written, so the checkpoint names the culprit.
Elsewhere: where batches come from (`runner.py`, `rebuild.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asyncpg import Connection

from projections import checkpoint
from projections.checkpoint import Checkpoint
from projections.lease import transaction
from projections.projection import PoisonedEvent, Projection, read_commands
from service.domain.events import DomainEvent
from service.eventstore.codec import Codec
from service.eventstore.position import ends_command
from service.eventstore.records import RecordedEvent


class Advance:
    """A projection, and the connection by which it writes from a checkpoint on."""

    def __init__(
        self, projection: Projection, connection: Connection, start: Checkpoint, codec: Codec[DomainEvent]
    ) -> None:
        self.checkpoint = start
        self._projection = projection
        self._connection = connection
        self._codec = codec
        # What it remembers may be ahead of the tables, where PostgreSQL crashed and lost its last commits, or behind
        # them, where another runner has gone on meanwhile.
        projection.forget()

    @property
    def position(self) -> int:
        return self.checkpoint.position

    async def by(self, events: Sequence[RecordedEvent]) -> None:
        """By whole commands, of which those at or before the checkpoint are passed over.

        Raises PoisonedEvent, having moved up to it; Fenced; DamagedView; and what PostgreSQL raises.
        """
        if not ends_command(events[-1]):
            raise ValueError(f"the events up to {events[-1].position} end in the middle of a command")
        try:
            await self._by(events, events[-1].position)
        except PoisonedEvent as poison:
            if poison.before > self.position:
                await self._by((event for event in events if event.position <= poison.before), poison.before)
            raise

    async def _by(self, events: Iterable[RecordedEvent], to: int) -> None:
        try:
            async with transaction(self._connection):
                # First of all: what is loaded must be as of the checkpoint, and stay so.
                moved = await checkpoint.move(self._connection, self._projection.name, self.checkpoint, to)
                commands = list(read_commands(events, self._codec, self._projection.kind, self.position))
                await self._projection.apply(self._connection, commands)
                await self._projection.write(self._connection)
        except BaseException:
            self._projection.forget()
            raise
        self.checkpoint = moved
