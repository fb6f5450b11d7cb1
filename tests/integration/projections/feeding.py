"""Projections driven by hand, and runners fed without NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg
from prometheus_client import CollectorRegistry

from projections import checkpoint
from projections.advance import Advance
from projections.feed import Feed
from projections.imagestreams import ImageStreams
from projections.log_pages import page_after
from projections.projection import Projection
from projections.registry import PROJECTIONS, projections_of
from projections.runner import Runner
from projections.status import Metrics, RunnerStatus
from projections.stream_states import WEIGHT_LIMIT
from service.domain.errors import Unavailable
from service.eventstore.database import open_pool
from service.eventstore.reader import Reader
from service.eventstore.records import RecordedEvent
from service.runtime.tasks import Supervisor
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
    others = [kind.name for kind in PROJECTIONS if kind is not ImageStreams]
    for projection in (ImageStreams(memory), *projections_of(others)):
        async with advancing(dsn, projection) as advance:
            for batch in batches(events, batch_size):
                await advance.by(batch)


@asynccontextmanager
async def feeding(dsn: str) -> AsyncIterator[Feed]:
    """A feed that hears of everything that is stored in the log."""
    async with open_pool(dsn, "test feed", size_limit=4) as pool, Supervisor("test feed") as supervisor:
        reader = Reader(pool)
        feed = Feed(reader, 0)
        supervisor.start("feed", feed.run(_log(reader)))
        yield feed


async def _log(reader: Reader) -> AsyncIterator[list[RecordedEvent]]:
    position = 0
    while True:
        with suppress(Unavailable):
            if events := await page_after(reader, position):
                position = events[-1].position
                yield events
        await asyncio.sleep(0.01)


def runner(projection: Projection, dsn: str, feed: Feed) -> tuple[Runner, RunnerStatus]:
    status = RunnerStatus(projection.name, Metrics(CollectorRegistry()))
    return Runner(projection, dsn, feed, CODEC, status), status


async def table_contents(dsn: str, *projections: type[Projection]) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables of some projections, of all for none."""
    connection = await asyncpg.connect(dsn)
    try:
        return {
            table: sorted(tuple(map(str, row)) for row in await connection.fetch(f"SELECT * FROM {table}"))
            for projection in projections or PROJECTIONS
            for table in projection.tables
        }
    finally:
        await connection.close()


def batches(events: Sequence[RecordedEvent], size: int) -> list[Sequence[RecordedEvent]]:
    """Of at least `size` events, each ending where a command ends."""
    found = []
    start = 0
    for end, event in enumerate(events, 1):
        if event.position == event.command_last and end - start >= size:
            found.append(events[start:end])
            start = end
    return [*found, events[start:]] if start < len(events) else found
