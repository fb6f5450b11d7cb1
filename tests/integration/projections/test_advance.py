"""A batch moves a projection whole or not at all, from where it is and from nowhere else."""

from __future__ import annotations

from random import Random
from uuid import UUID

import asyncpg
import msgspec
import pytest

from projections import checkpoint
from projections.advance import Advance
from projections.checkpoint import Fenced, OtherVersion
from projections.images import Images
from projections.imagestreams import ImageStreams
from projections.projection import PoisonedEvent
from projections.rows import DamagedView
from service.domain.events import ImageStreamDeleted, Item, TagDeleted
from service.domain.world import IMAGE_STREAM
from tests.engines import TestDatabases
from tests.integration.projections.chronicle import CODEC, Chronicle, imaged, stream_created
from tests.integration.projections.feeding import advancing, batches, project, table_contents

ITEM = Item("2026-01-01T00:00:00Z", "registry/x@sha256:1", "sha256:1", 1)


async def chronicle_of(database: str, commands: int, seed: int = 0) -> Chronicle:
    chronicle = Chronicle()
    chronicle.append_random(Random(seed), commands)
    await chronicle.store(database)
    return chronicle


async def test_a_second_runner_at_the_same_checkpoint_writes_nothing(database: str) -> None:
    chronicle = await chronicle_of(database, 40)
    async with advancing(database, ImageStreams()) as one, advancing(database, ImageStreams()) as other:
        await one.by(chronicle.events)
        written = await table_contents(database, ImageStreams)
        with pytest.raises(Fenced):
            await other.by(chronicle.events)
        assert await table_contents(database, ImageStreams) == written


async def test_a_runner_that_begins_again_trusts_the_tables_and_not_its_memory(
    database: str, databases: TestDatabases
) -> None:
    """Others may have gone on meanwhile, and a crash of PostgreSQL takes the last commits of views with it."""
    chronicle = await chronicle_of(database, 300)
    projection, parts = ImageStreams(), batches(chronicle.events, chronicle.head // 3)
    for runner, part in zip((projection, ImageStreams(), projection), parts, strict=False):
        async with advancing(database, runner) as advance:
            await advance.by(part)
    async with databases.fresh() as other:
        await project(other, [event for part in parts[:3] for event in part])
        assert await table_contents(database, ImageStreams) == await table_contents(other, ImageStreams)


async def test_a_runner_whose_tables_were_exchanged_writes_nothing(database: str) -> None:
    chronicle = await chronicle_of(database, 40)
    async with advancing(database, Images()) as advance:
        await _execute(database, "UPDATE projections SET generation = generation + 1")
        with pytest.raises(Fenced):
            await advance.by(chronicle.events)
    assert not any((await table_contents(database, Images)).values())


async def test_commands_at_or_before_the_checkpoint_are_passed_over(database: str) -> None:
    chronicle = await chronicle_of(database, 40)
    async with advancing(database, ImageStreams()) as advance:
        first = [event for event in chronicle.events if event.command_last <= chronicle.head // 2]
        await advance.by(first)
        await advance.by(chronicle.events)
        assert advance.position == chronicle.head


async def test_an_event_of_an_unknown_type_stops_right_before_its_command(database: str) -> None:
    chronicle = await chronicle_of(database, 40)
    commands = sorted({(event.command_first, event.command_last) for event in chronicle.events})
    first, last = next(ends for ends in commands[20:] if chronicle.events[ends[1] - 1].aggregate.kind == IMAGE_STREAM)
    events = list(chronicle.events)
    events[last - 1] = msgspec.structs.replace(events[last - 1], type="TagTeleported")
    async with advancing(database, ImageStreams()) as advance:
        for _ in range(2):
            with pytest.raises(PoisonedEvent, match=f"event {last} .TagTeleported"):
                await advance.by(events)
            assert advance.position == first - 1
            assert await _position(database, "imagestreams") == first - 1
        await advance.by(chronicle.events)
        assert advance.position == chronicle.head
    async with advancing(database, Images()) as advance:
        await advance.by(events)
        assert advance.position == chronicle.head


async def test_an_event_that_does_not_fit_the_state_stops_right_before_its_command(database: str) -> None:
    random = Random(0)
    chronicle = Chronicle()
    chronicle.append(stream_created("a", "x", random))
    chronicle.append(imaged("a", "x", "1", ITEM))
    chronicle.append(imaged("a", "x", "2", ITEM))
    chronicle.append((IMAGE_STREAM, "a", "x", TagDeleted("1", 1)))
    chronicle.append((IMAGE_STREAM, "a", "x", TagDeleted("2", 1)))
    chronicle.append((IMAGE_STREAM, "a", "x", ImageStreamDeleted()))
    events = list(chronicle.events)
    events[4] = msgspec.structs.replace(events[4], type="TagInherited", data=b'{"tag":"2"}')
    async with advancing(database, ImageStreams(weight_limit=0)) as advance:
        await advance.by(events[:4])
        with pytest.raises(PoisonedEvent, match="still has tags"):
            await advance.by(events[4:])
        assert advance.position == 5


async def test_a_stream_is_not_created_twice(database: str) -> None:
    random = Random(0)
    chronicle = Chronicle()
    chronicle.append(stream_created("a", "x", random))
    chronicle.append(imaged("a", "x", "1", ITEM))
    created = chronicle.events[0]
    again = msgspec.structs.replace(created, position=3, command_id=UUID(int=3), command_first=3, command_last=3)
    async with advancing(database, ImageStreams()) as advance:
        with pytest.raises(PoisonedEvent, match="which is there already"):
            await advance.by([*chronicle.events, again])
        assert advance.position == 2


async def test_a_view_that_lost_a_row_is_not_written_to(database: str) -> None:
    random = Random(0)
    chronicle = Chronicle()
    chronicle.append(stream_created("a", "x", random))
    chronicle.append(imaged("a", "x", "1", ITEM))
    async with advancing(database, ImageStreams()) as advance:
        await advance.by(chronicle.events)
        await _execute(database, "DELETE FROM imagetags")
        chronicle.append(imaged("a", "x", "1", msgspec.structs.replace(ITEM, image="sha256:2")))
        with pytest.raises(DamagedView, match="imagetags: 1 rows to close"):
            await advance.by(chronicle.events)
        assert await _position(database, "imagestreams") == 2


async def test_half_a_command_is_not_taken(database: str) -> None:
    chronicle = Chronicle()
    chronicle.append(stream_created("a", "x", Random(0)), imaged("a", "x", "1", ITEM))
    async with advancing(database, ImageStreams()) as advance:
        with pytest.raises(ValueError, match="in the middle of a command"):
            await advance.by(chronicle.events[:1])
        assert advance.position == 0


async def test_a_failed_statement_leaves_the_last_batch(database: str) -> None:
    """Rows and checkpoint are as before it, and the next try is as good as the first."""
    chronicle = await chronicle_of(database, 40)
    async with advancing(database, ImageStreams()) as advance:
        await advance.by(chronicle.events[: chronicle.events[0].command_last])
    written = await table_contents(database, ImageStreams)
    projection = ImageStreams()
    connection = await asyncpg.connect(database)
    start = await checkpoint.claim(connection, projection)
    advance = Advance(projection, connection, start, CODEC)
    # The last table to be written is not there for a moment, so the batch fails when all else was written.
    await _execute(database, "ALTER TABLE imagetag_items RENAME TO away")
    with pytest.raises(asyncpg.UndefinedTableError):
        await advance.by(chronicle.events)
    await _execute(database, "ALTER TABLE away RENAME TO imagetag_items")
    assert await table_contents(database, ImageStreams) == written
    await advance.by(chronicle.events)
    await connection.close()
    in_one_go = await table_contents(database, ImageStreams)
    await _execute(database, f"TRUNCATE {', '.join(projection.tables)}; DELETE FROM projections")
    await project(database, chronicle.events)
    assert await table_contents(database, ImageStreams) == in_one_go


@pytest.mark.parametrize(("stored", "says"), [(0, "run `tag-history rebuild images`"), (7, "version 7")])
async def test_tables_of_another_version_are_left_alone(database: str, stored: int, says: str) -> None:
    await _execute(database, f"INSERT INTO projections (name, version) VALUES ('images', {stored})")
    with pytest.raises(OtherVersion, match=says):
        async with advancing(database, Images()):
            pass


async def _position(database: str, name: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        return (await checkpoint.read(connection, name)).position
    finally:
        await connection.close()


async def _execute(database: str, statement: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
