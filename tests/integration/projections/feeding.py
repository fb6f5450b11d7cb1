"""Projections driven by hand, without a runner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from projections import checkpoint
from projections.advance import Advance
from projections.images import Images
from projections.imagestreams import ImageStreams
from projections.projection import Projection
from projections.stream_states import WEIGHT_LIMIT
from service.eventstore.records import RecordedEvent
from tests.integration.projections.chronicle import CODEC


@asynccontextmanager
async def advancing(dsn: str, projection: Projection) -> AsyncIterator[Advance]:
    connection = await asyncpg.connect(dsn)
    try:
        yield Advance(projection, connection, await checkpoint.claim(connection, projection), CODEC)
    finally:
        await connection.close()


async def project(
    dsn: str, events: Sequence[RecordedEvent], batch_size: int = 1000, memory: int = WEIGHT_LIMIT
) -> None:
    """Bring all views forward by the events, whole commands at a time."""
    for projection in (ImageStreams(memory), Images()):
        async with advancing(dsn, projection) as advance:
            for batch in batches(events, batch_size):
                await advance.by(batch)


def batches(events: Sequence[RecordedEvent], size: int) -> list[Sequence[RecordedEvent]]:
    """Of at least `size` events, each ending where a command ends."""
    found = []
    start = 0
    for end, event in enumerate(events, 1):
        if event.position == event.command_last and end - start >= size:
            found.append(events[start:end])
            start = end
    return [*found, events[start:]] if start < len(events) else found
