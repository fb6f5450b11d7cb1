"""`tag-history project` and `tag-history rebuild` as processes, which are killed, frozen, and left without engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from signal import SIGCONT, SIGSTOP

import asyncpg

from projections.registry import PROJECTIONS
from projections.status import read_standings
from service.bus.stream import STREAM
from service.eventstore.database import open_pool
from service.eventstore.schema import migrate
from service.reads.snapshot import Snapshots
from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.embedded_postgres import EmbeddedPostgres
from service.runtime.roles import RoleProcess
from tests.engines import running, wait_until
from tests.integration.bus.support import jetstream
from tests.integration.projections.chronicle import Chronicle, fold, store

VIEWS_TIMEOUT_MS = 60_000


@asynccontextmanager
async def projecting(dsn: str, nats_url: str, name: str = "project") -> AsyncIterator[RoleProcess]:
    """A process that is ready."""
    environment = {"TAG_HISTORY_POSTGRES_DSN": dsn, "TAG_HISTORY_NATS_URL": nats_url}
    process = RoleProcess(name, ["project"], environment)
    await process.start()
    try:
        yield process
    finally:
        if process.running:
            process.signal(SIGCONT)
            await process.stop()


class History:
    """A log that grows, and the views of it."""

    def __init__(self, dsn: str, snapshots: Snapshots) -> None:
        self._dsn = dsn
        self._snapshots = snapshots
        self._random = Random(1)
        self._chronicle = Chronicle()

    @property
    def head(self) -> int:
        return self._chronicle.head

    async def grow(self) -> None:
        self._chronicle.append_random(self._random, 50)
        await self._chronicle.store(self._dsn)

    async def is_projected(self) -> None:
        """Wait until the views have reached the end of the log; then they must equal a replay."""
        await self._snapshots.wait_for(self.head, VIEWS_TIMEOUT_MS)
        world = await self._snapshots.world_at(self.head, with_images=True, with_namespaces=True)
        replayed = fold(self._chronicle.events)
        assert (world.streams, world.images) == (replayed.streams, replayed.images)
        assert world.namespaces == replayed.namespaces


@asynccontextmanager
async def history(dsn: str) -> AsyncIterator[History]:
    async with open_pool(dsn, "test", size_limit=2) as pool:
        yield History(dsn, Snapshots(pool))


async def test_whoever_is_killed_or_frozen_another_takes_over(database: str, nats_url: str) -> None:
    """First the active process is killed, then the next one is frozen, and comes back to find that it is not alone."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(history(database))
        first = await stack.enter_async_context(projecting(database, nats_url, "first"))
        await log.grow()
        await log.is_projected()
        second = await stack.enter_async_context(projecting(database, nats_url, "second"))
        await first.kill()
        await log.grow()
        await log.is_projected()
        await stack.enter_async_context(projecting(database, nats_url, "third"))
        second.signal(SIGSTOP)
        await log.grow()
        await log.is_projected()
        second.signal(SIGCONT)
        await log.grow()
        await log.is_projected()


async def test_engines_may_go_and_come_back(postgres_server: EmbeddedPostgres, nats_server: EmbeddedNats) -> None:
    """NATS is stopped, PostgreSQL is killed; views and JetStream are brought up to date as soon as they can be."""
    dsn = postgres_server.dsn
    await migrate(dsn)
    async with history(dsn) as log, projecting(dsn, nats_server.url):
        await log.grow()
        await log.is_projected()
        await nats_server.stop()
        await log.grow()
        await log.is_projected()
        await postgres_server.kill()
        await postgres_server.start()
        await nats_server.start()
        await log.grow()
        await log.is_projected()

        async def is_relayed() -> bool:
            async with jetstream(nats_server.url) as js:
                return (await js.stream_info(STREAM)).state.last_seq == log.head

        await wait_until(is_relayed)


async def test_the_rebuild_command(database: str, nats_url: str) -> None:
    environment = {"TAG_HISTORY_POSTGRES_DSN": database}
    async with history(database) as log:
        await log.grow()
        async with running("rebuild", environment=environment) as everything:
            assert "events/s" in await everything.line()
            for kind in PROJECTIONS:
                assert await everything.line() == f"{kind.name}: the new views are in use, at position {log.head}"
            assert await everything.errors() == ""
            assert await everything.stop() == 0
        await log.is_projected()
        async with running("rebuild", "imagestreamtags", environment=environment) as one_view:
            assert "imagestreams: " in await one_view.line()
            assert await one_view.errors() == ""
            assert await one_view.stop() == 0
        await log.is_projected()


async def test_what_the_rebuild_command_cannot_do(database: str) -> None:
    environment = {"TAG_HISTORY_POSTGRES_DSN": database}
    async with running("rebuild", "imagestream", environment=environment) as unknown:
        assert "no projection or view is called imagestream; there are images, " in await unknown.errors()
    chronicle = Chronicle()
    chronicle.append_random(Random(1), 5)
    connection = await asyncpg.connect(database)
    await store(database, chronicle.events)
    await connection.execute("ALTER TABLE events DISABLE TRIGGER events_are_final; UPDATE events SET type = 'Odd'")
    async with running("rebuild", environment=environment) as poisoned:
        complaint = await poisoned.errors()
        assert complaint.startswith("tag-history: cannot rebuild: stopped at position ")
        assert "(Odd v1)" in complaint
    assert await read_standings(connection) == []
    await connection.close()
