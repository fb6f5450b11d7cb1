"""A rebuild makes the same views again, with everything going on, and can be stopped at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from projections.images import Images
from projections.projection import PoisonedEvent
from projections.rebuild import RebuildRefused, rebuild
from projections.registry import PROJECTIONS, projections_of
from projections.tables import NewTables
from service.domain.world import Collection
from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from tests.engines import wait_until
from tests.integration.projections.chronicle import Chronicle, fold, store
from tests.integration.projections.feeding import advancing, batches, feeding, project, runner, table_contents

SHAPES = """
SELECT a.attrelid::regclass::text, a.attname, a.atttypid::regtype::text, a.attnotnull, a.attcollation, c.reloptions
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE a.attrelid = ANY($1::regclass[]) AND a.attnum > 0 ORDER BY a.attrelid::regclass::text, a.attnum
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexdef"
SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'"


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def projected(database: str, seed: int, commands: int) -> Chronicle:
    chronicle = Chronicle()
    chronicle.append_random(Random(seed), commands)
    await chronicle.store(database)
    await project(database, chronicle.events)
    return chronicle


async def shapes(connection: asyncpg.Connection) -> list[object]:
    tables = [table for projection in PROJECTIONS for table in projection.tables]
    return [*await connection.fetch(SHAPES, tables), *await connection.fetch(INDEXES)]


async def test_the_rebuilt_views_equal_the_original(database: str, connection: asyncpg.Connection) -> None:
    """To the last row, in tables of the same shape, with the same indexes; nothing is left behind."""
    await projected(database, 1, 300)
    rows, shape = await table_contents(database), await shapes(connection)
    await connection.execute("UPDATE imagetag_items SET generation = 77; UPDATE projections SET stopped_by = 'damage'")
    told: list[str] = []
    await rebuild(database, projections_of(()), told.append)
    assert await table_contents(database) == rows
    assert await shapes(connection) == shape
    assert await connection.fetchval(SCHEMAS) == 0
    assert set(await connection.fetch("SELECT generation, stopped_by FROM projections")) == {(1, None)}
    assert await connection.fetchval("SELECT count(*) FROM imagestreamtags") > 0
    names = [kind.name for kind in PROJECTIONS]
    assert [line.split(":")[0] for line in told] == [", ".join(names), *names]


async def test_readers_and_runners_go_on_meanwhile(database: str) -> None:
    """Every read tells the truth while tables are exchanged, again and again; new events reach old and new tables."""
    chronicle = await projected(database, 2, 200)
    random = Random(2)
    position = chronicle.head
    truth = fold(chronicle.events)

    async def read(snapshots: Snapshots) -> None:
        reached = 0
        while True:
            before, reached = reached, await snapshots.checkpoint()
            assert reached >= before
            world = await snapshots.world_at(position, with_images=True)
            assert (world.streams, world.images) == (truth.streams, truth.images)
            tags = await snapshots.tags_page(position, Collection.IMAGE_TAGS, namespace=None, after=None, limit=1000)
            assert len(tags) == sum(len(stream.tags) for stream in truth.streams.values())

    writing_ends = asyncio.Event()

    async def write() -> None:
        while not writing_ends.is_set():
            chronicle.append_random(random, 5)
            await chronicle.store(database)
            await asyncio.sleep(0.01)

    async with feeding(database) as feed, open_pool(database, "test", size_limit=4) as pool:
        writing = asyncio.create_task(write())
        runners = [runner(projection, database, feed)[0].run() for projection in projections_of(())]
        going_on = [asyncio.create_task(work) for work in (read(Snapshots(pool)), read(Snapshots(pool)), *runners)]
        for _ in range(4):
            await rebuild(database, projections_of(()), lambda line: None)
        writing_ends.set()
        await writing
        await Snapshots(pool).wait_for(chronicle.head, 30_000)
        for task in going_on:
            task.cancel()
        outcomes = await asyncio.gather(*going_on, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes
        world = await Snapshots(pool).world_at(chronicle.head)
        assert world.streams == fold(chronicle.events).streams


async def test_an_interrupted_rebuild_is_gone_on_with(database: str, connection: asyncpg.Connection) -> None:
    chronicle = await projected(database, 3, 3_000)
    rows = await table_contents(database)
    position = 0

    async def has_moved() -> bool:
        with suppress(asyncpg.UndefinedTableError):
            return await connection.fetchval("SELECT min(position) FROM rebuild_imagestreams.projections") > position
        return False

    for _ in range(2):
        rebuilding = asyncio.create_task(rebuild(database, projections_of(()), lambda line: None))
        await wait_until(has_moved)
        rebuilding.cancel()
        await asyncio.wait([rebuilding])
        assert rebuilding.cancelled()
        position = await connection.fetchval("SELECT position FROM rebuild_imagestreams.projections")
        assert await table_contents(database) == rows
    told: list[str] = []
    await rebuild(database, projections_of(()), told.append)
    assert told[0] == f"imagestreams: goes on at position {position}"
    assert await table_contents(database) == rows
    assert await connection.fetchval("SELECT min(position) FROM projections") == chronicle.head
    assert await connection.fetchval(SCHEMAS) == 0


async def test_what_another_version_has_begun_is_thrown_away(database: str, connection: asyncpg.Connection) -> None:
    await projected(database, 4, 100)
    rows = await table_contents(database)
    tables = NewTables(Images(), "public")
    await tables.ensure(connection)
    await connection.execute("UPDATE rebuild_images.projections SET version = 0, position = 50")
    await connection.execute("INSERT INTO rebuild_images.images VALUES ('x', '{}', '', '', 1)")
    await rebuild(database, projections_of(("images",)), lambda line: None)
    assert await table_contents(database) == rows


async def test_two_rebuilds_of_one_projection_do_not_meet(database: str) -> None:
    await projected(database, 5, 100)
    first = asyncio.create_task(rebuild(database, projections_of(()), lambda line: None))
    outcomes = await asyncio.gather(
        first, rebuild(database, projections_of(("imagetags",)), lambda line: None), return_exceptions=True
    )
    assert sorted(type(outcome) for outcome in outcomes if outcome) == [RebuildRefused]


async def test_the_exchange_waits_for_a_reader_who_holds_on(database: str, connection: asyncpg.Connection) -> None:
    """And lets others read meanwhile."""
    chronicle = await projected(database, 6, 100)
    async with open_pool(database, "test", size_limit=2) as pool:
        async with connection.transaction():
            await connection.fetch("SELECT * FROM imagetag_items")
            rebuilding = asyncio.create_task(rebuild(database, projections_of(()), lambda line: None))
            for _ in range(20):
                await asyncio.sleep(0.05)
                await Snapshots(pool).world_at(chronicle.head)
            assert not rebuilding.done()
        await rebuilding
        assert (await Snapshots(pool).world_at(chronicle.head)).streams == chronicle.world.streams


async def test_an_event_that_cannot_be_folded_leaves_the_views_in_use(database: str) -> None:
    chronicle = Chronicle()
    chronicle.append_random(Random(7), 100)
    events = list(chronicle.events)
    events[-1] = msgspec.structs.replace(events[-1], type="Unknown")
    await store(database, events)
    for projection in projections_of(()):
        async with advancing(database, projection) as advance:
            for batch in batches(events, 10)[:-2]:
                await advance.by(batch)
    rows = await table_contents(database)
    with pytest.raises(ExceptionGroup) as raised:
        await rebuild(database, projections_of(()), lambda line: None)
    assert raised.group_contains(PoisonedEvent, match="Unknown")
    assert await table_contents(database) == rows


async def test_views_that_nobody_has_made_yet(database: str) -> None:
    chronicle = Chronicle()
    chronicle.append_random(Random(8), 100)
    await chronicle.store(database)
    await rebuild(database, projections_of(()), lambda line: None)
    rows = await table_contents(database)
    async with open_pool(database, "test", size_limit=1) as pool:
        assert (await Snapshots(pool).world_at(chronicle.head)).streams == chronicle.world.streams
    async with advancing(database, Images()) as advance:
        assert advance.position == chronicle.head
    assert rows == await table_contents(database)
