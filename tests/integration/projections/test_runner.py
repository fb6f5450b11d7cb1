"""Runners go on for ever, whatever is killed; where an event cannot be folded, one stops, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from projections.images import Images
from projections.imagestreams import ImageStreams
from projections.lease import lease
from projections.projection import Projection
from projections.registry import PROJECTIONS, UnknownProjection, projections_of
from projections.runner import Runner
from projections.status import Metrics, Role, Standing, read_standings
from tests.engines import wait_until
from tests.integration.projections.chronicle import Chronicle, store
from tests.integration.projections.feeding import feeding, project, runner, table_contents

CUT_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'tag-history projection imagestreams' AND datname = current_database()
"""


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def reached(connection: asyncpg.Connection, projection: Projection, position: int) -> None:
    async def is_there() -> bool:
        standings = await read_standings(connection)
        return any(found.name == projection.name and found.position >= position for found in standings)

    await wait_until(is_there)


async def test_killed_at_random_moments_nothing_is_lost_or_written_twice(
    database: str, connection: asyncpg.Connection
) -> None:
    """Connections are cut and tasks cancelled in the middle of batches, while two runners compete and writers go on."""
    random = Random(1)
    chronicle = Chronicle()

    async def run_for_short_times() -> None:
        while True:
            one, _ = runner(ImageStreams(random.choice((0, 50))), database, feed)
            async with running(one):
                await asyncio.sleep(random.random() * 0.3)

    async def cut_connections() -> None:
        while True:
            await asyncio.sleep(random.random() * 0.1)
            await connection.fetch(CUT_CONNECTIONS)

    async with feeding(database) as feed:
        mischief = [
            asyncio.create_task(work) for work in (run_for_short_times(), run_for_short_times(), cut_connections())
        ]
        for _ in range(60):
            chronicle.append_random(random, 20)
            await chronicle.store(database)
            await asyncio.sleep(0.03)
        for task in mischief:
            task.cancel()
        await asyncio.wait(mischief)
        last, _ = runner(ImageStreams(), database, feed)
        async with running(last):
            await reached(connection, ImageStreams(), chronicle.head)
    survived = await table_contents(database, ImageStreams)
    await connection.execute(f"TRUNCATE {', '.join(ImageStreams.tables)}; DELETE FROM projections")
    await project(database, chronicle.events)
    assert survived == await table_contents(database, ImageStreams)


async def test_a_standby_waits_and_takes_over(database: str, connection: asyncpg.Connection) -> None:
    chronicle = Chronicle()
    chronicle.append_random(Random(2), 20)
    await chronicle.store(database)
    async with feeding(database) as feed:
        one, one_status = runner(Images(), database, feed)
        other, other_status = runner(Images(), database, feed)
        async with running(other):
            async with running(one):
                await one_status.settled.wait()
                await other_status.settled.wait()
                assert {one_status.role, other_status.role} == {Role.ACTIVE, Role.STANDBY}
                await reached(connection, Images(), chronicle.head)
            chronicle.append_random(Random(3), 20)
            await chronicle.store(database)
            await reached(connection, Images(), chronicle.head)
            assert other_status.role is Role.ACTIVE


async def test_a_holder_that_says_nothing_loses_the_lease(database: str, connection: asyncpg.Connection) -> None:
    """As a frozen process does, whose connections stay open."""
    chronicle = Chronicle()
    chronicle.append_random(Random(2), 20)
    await chronicle.store(database)
    async with feeding(database) as feed, lease(database, "projection images", lambda: None) as silent:
        one, _ = runner(Images(), database, feed)
        async with running(one):
            await reached(connection, Images(), chronicle.head)
        assert silent.is_closed()


async def test_a_poisoned_event_stops_one_projection_and_is_told(database: str, connection: asyncpg.Connection) -> None:
    """The others go on; nothing is skipped; once the program knows the event, the projection goes on by itself."""
    chronicle = Chronicle()
    chronicle.append_random(Random(4), 60)
    head = chronicle.head
    poisoned = next(e for e in chronicle.events[head // 2 :] if e.aggregate.kind == Images.kind)
    events = [msgspec.structs.replace(e, type="ImageEaten") if e is poisoned else e for e in chronicle.events]
    await store(database, events)
    async with feeding(database) as feed:
        images, images_status = runner(Images(), database, feed)
        streams, streams_status = runner(ImageStreams(), database, feed)
        async with running(images, streams):
            await reached(connection, ImageStreams(), head)

            async def is_told() -> bool:
                return any(found.stopped_by for found in await read_standings(connection))

            await wait_until(is_told)
            standings = {found.name: found for found in await read_standings(connection)}
            before = poisoned.command_first - 1
            assert standings["images"] == Standing("images", 1, before, head - before, images_status.stopped_by)
            assert f"event {poisoned.position} (ImageEaten v1)" in (images_status.stopped_by or "")
            assert (images_status.role, images_status.position) == (Role.STOPPED, before)
            assert standings["imagestreams"] == Standing("imagestreams", 1, head, 0, None)
            assert streams_status.role is Role.ACTIVE
            registry = CollectorRegistry()
            Metrics(registry).tell(list(standings.values()))
            assert registry.get_sample_value("taghistory_projection_stopped", {"projection": "images"}) == 1
            assert registry.get_sample_value("taghistory_projection_stopped", {"projection": "imagestreams"}) == 0
            lag = registry.get_sample_value("taghistory_projection_lag_events", {"projection": "images"})
            assert lag == head - before
    # A newer program, to which the log makes sense again.
    await connection.execute("ALTER TABLE events DISABLE TRIGGER events_are_final")
    await connection.execute("UPDATE events SET type = $1 WHERE position = $2", poisoned.type, poisoned.position)
    async with feeding(database) as feed:
        images, images_status = runner(Images(), database, feed)
        async with running(images):
            await reached(connection, Images(), head)
    assert not any(found.stopped_by for found in await read_standings(connection))


async def test_tables_of_another_version_stop_a_projection_until_they_are_rebuilt(
    database: str, connection: asyncpg.Connection
) -> None:
    chronicle = Chronicle()
    chronicle.append_random(Random(4), 20)
    await chronicle.store(database)
    await connection.execute("INSERT INTO projections (name, version) VALUES ('images', 0)")
    async with feeding(database) as feed:
        one, status = runner(Images(), database, feed)
        async with running(one):

            async def is_told() -> bool:
                return any(found.stopped_by for found in await read_standings(connection))

            await wait_until(is_told)
            assert status.role is Role.STOPPED
            await connection.execute("UPDATE projections SET version = 1, generation = 1")
            await reached(connection, Images(), chronicle.head)


def test_every_view_names_a_projection() -> None:
    assert [one.name for one in projections_of(())] == [kind.name for kind in PROJECTIONS]
    assert [one.name for one in projections_of(("imagetags", "images", "imagestreamtags"))] == [
        "imagestreams",
        "images",
    ]
    with pytest.raises(UnknownProjection, match="called imagetag; there are images, "):
        projections_of(("imagetag",))
