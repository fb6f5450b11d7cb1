"""Run one projection for ever: as its only runner, or waiting to become that.

Keeps: nothing that happens to one projection stops another. What may pass (PostgreSQL away, the lease lost) is tried
again at once; what will not pass by itself (an event that cannot be folded, tables of another version, a damaged view)
stops the projection where it is, is told (`status.py`), and is tried again at a slow pace, since a rebuild may have
mended it. No event is ever skipped.
Elsewhere: the events (`feed.py`), being the only one (`lease.py`), the work (`advance.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

from asyncpg import Connection

from projections import checkpoint
from projections.advance import Advance
from projections.checkpoint import Fenced
from projections.feed import ANSWER_LIMIT_EVENTS, Feed
from projections.lease import HEARTBEAT_S, lease
from projections.projection import Projection
from projections.status import Role, RunnerStatus
from service.domain.errors import Unavailable
from service.domain.events import DomainEvent
from service.eventstore.codec import Codec
from service.eventstore.database import translated_errors
from service.eventstore.records import RecordedEvent
from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff

RETRY_FIRST_S: Final = 0.1
RETRY_LIMIT_S: Final = 2.0
STOPPED_RETRY_S: Final = 5.0
BATCH_INTERVAL_S: Final = 0.05
"""From the beginning of a batch to that of the next. A batch costs its statements, however many events are in it, and
while they keep coming a smaller interval would only buy smaller batches; what comes alone waits for nobody."""

log = get_logger("projections")


class Runner:
    """Start `run` as a task."""

    def __init__(
        self, projection: Projection, dsn: str, feed: Feed, codec: Codec[DomainEvent], status: RunnerStatus
    ) -> None:
        self._projection = projection
        self._dsn = dsn
        self._feed = feed
        self._codec = codec
        self._status = status
        self._backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)

    async def run(self) -> None:
        """Until cancelled."""
        name = self._projection.name
        while True:
            try:
                async with lease(self._dsn, f"projection {name}", self._status.standby) as connection:
                    await self._run_alone(connection)
            except (Unavailable, Fenced) as error:
                log.warning("projection begins again", projection=name, position=self._status.position, why=error)
            await asyncio.sleep(self._backoff.next_delay_s())

    async def _run_alone(self, connection: Connection) -> None:
        """Raises Unavailable when the lease may be lost, Fenced when somebody else has moved the projection."""
        while True:
            try:
                await self._follow(connection)
            except (Unavailable, Fenced):
                raise
            except Exception as error:  # noqa: BLE001 - it stops this projection, loudly, and must not stop the others
                self._status.stopped(f"{error}" or type(error).__name__)
            await self._pause(connection)

    async def _follow(self, connection: Connection) -> None:
        with translated_errors():
            start = await checkpoint.claim(connection, self._projection)
        self._status.begins(start.position)
        advance = Advance(self._projection, connection, start, self._codec)
        while True:
            events = await self._feed.after(advance.position, HEARTBEAT_S)
            began_s = monotonic()
            with translated_errors():
                if events:
                    await self._advance(advance, events)
                else:
                    await self._say_something(connection, advance)
            self._status.active()
            self._backoff.reset()
            if self._feed.position - advance.position < ANSWER_LIMIT_EVENTS:
                await asyncio.sleep(max(0.0, began_s + BATCH_INTERVAL_S - monotonic()))

    async def _advance(self, advance: Advance, events: Sequence[RecordedEvent]) -> None:
        try:
            await advance.by(events)
        finally:
            self._status.passed(advance.position)

    async def _say_something(self, connection: Connection, advance: Advance) -> None:
        name = self._projection.name
        found = await checkpoint.read(connection, name)
        if found.generation != advance.checkpoint.generation:
            raise Fenced(f"{name} was rebuilt")
        if found != advance.checkpoint:
            raise Fenced(f"{name} was moved by somebody else")
        if self._status.role is Role.STOPPED:
            await checkpoint.mark_stopped(connection, name, None)

    async def _pause(self, connection: Connection) -> None:
        """Keep the lease, so that nobody else runs into the same wall, and tell why; until it may be gone."""
        name = self._projection.name
        with translated_errors():
            await checkpoint.mark_stopped(connection, name, self._status.stopped_by)
            stopped_at = await checkpoint.read(connection, name)
            for _ in range(round(STOPPED_RETRY_S / HEARTBEAT_S)):
                await asyncio.sleep(HEARTBEAT_S)
                if await checkpoint.read(connection, name) != stopped_at:
                    return
