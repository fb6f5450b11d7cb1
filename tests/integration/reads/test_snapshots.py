"""Reads of the past beyond the contract of the views: parts of the whole, counts, and what is not there yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import msgspec
import pytest
import pytest_asyncio

from service.domain.errors import Unavailable
from service.domain.history import History
from service.domain.imagestream import Tag
from service.domain.world import Collection, World
from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from tests.integration.projections.chronicle import NAMESPACES, STREAMS, Chronicle, fold
from tests.integration.projections.feeding import project


@pytest.fixture
def chronicle() -> Chronicle:
    chronicle = Chronicle()
    chronicle.append_random(Random(9), 200)
    return chronicle


@pytest_asyncio.fixture
async def snapshots(database: str, chronicle: Chronicle) -> AsyncIterator[Snapshots]:
    await chronicle.store(database)
    await project(database, chronicle.events)
    async with open_pool(database, "test", size_limit=2) as pool:
        yield Snapshots(pool)


def past(chronicle: Chronicle) -> World:
    return fold(chronicle.events[: chronicle.events[chronicle.head // 2].command_last])


async def test_a_world_of_one_namespace_or_one_stream(snapshots: Snapshots, chronicle: Chronicle) -> None:
    then = past(chronicle)
    for namespace in (*NAMESPACES, "nowhere", ""):
        world = await snapshots.world_at(then.position, namespace=namespace)
        assert world.streams == {key: stream for key, stream in then.streams.items() if key[0] == namespace}
        for name in (*STREAMS, "nothing"):
            world = await snapshots.world_at(then.position, namespace=namespace, stream=name)
            assert world.streams == {key: stream for key, stream in then.streams.items() if key == (namespace, name)}


async def test_single_objects(snapshots: Snapshots, chronicle: Chronicle) -> None:
    then = past(chronicle)
    for key in [(namespace, name) for namespace in NAMESPACES for name in STREAMS]:
        assert await snapshots.stream(then.position, *key) == then.streams.get(key)
    for tag in [tag for stream in then.streams.values() for tag in stream.tags.values()]:
        place = tag.namespace, tag.full_name
        assert await snapshots.tag(then.position, Collection.IMAGE_TAGS, *place) == tag
        as_stream_tag = await snapshots.tag(then.position, Collection.IMAGE_STREAM_TAGS, *place)
        assert as_stream_tag == (with_newest_entry_alone(tag) if tag.has_image else None)
    for name, image in then.images.items():
        assert await snapshots.image(then.position, name) == image
    for name in NAMESPACES:
        assert await snapshots.namespace(then.position, name) == then.namespaces.get(name)
    assert await snapshots.stream(then.position, "a", "nothing") is None
    assert await snapshots.tag(then.position, Collection.IMAGE_TAGS, "a", "nothing:1") is None
    assert await snapshots.image(then.position, "nothing") is None


@pytest.mark.parametrize("collection", Collection)
@pytest.mark.parametrize("namespace", [None, "a"])
async def test_a_count_is_the_length_of_the_list(
    snapshots: Snapshots, chronicle: Chronicle, collection: Collection, namespace: str | None
) -> None:
    position = past(chronicle).position
    keys = await list_keys(snapshots, position, collection, namespace)
    assert keys == sorted(keys)
    for index, after in enumerate([None, *keys]):
        assert await snapshots.count(position, collection, namespace=namespace, after=after) == len(keys) - index


async def list_keys(
    snapshots: Snapshots, position: int, collection: Collection, namespace: str | None
) -> list[tuple[str, str]]:
    match collection:
        case Collection.IMAGES:
            return [("", image.name) for image in await snapshots.images_page(position, after="", limit=100)]
        case Collection.NAMESPACES:
            return [("", found.name) for found in await snapshots.namespaces_page(position, after="", limit=100)]
        case Collection.IMAGE_STREAMS:
            streams = await snapshots.streams_page(position, namespace=namespace, after=None, limit=100)
            return [(stream.namespace, stream.name) for stream in streams]
        case _:
            tags = await snapshots.tags_page(position, collection, namespace=namespace, after=None, limit=100)
            return [(tag.namespace, tag.full_name) for tag in tags]


async def test_before_the_first_event_there_is_nothing(snapshots: Snapshots) -> None:
    world = await snapshots.world_at(0, with_images=True)
    assert (world.position, world.streams, world.images) == (0, {}, {})


async def test_what_the_views_have_not_reached_is_not_told(database: str, snapshots: Snapshots) -> None:
    head = await snapshots.checkpoint()
    with pytest.raises(Unavailable, match=f"reached position {head} and not {head + 1} yet"):
        await snapshots.world_at(head + 1)
    with pytest.raises(Unavailable):
        await snapshots.wait_for(head + 1, timeout_ms=50)


async def test_waiting_ends_when_all_views_are_there(database: str, chronicle: Chronicle) -> None:
    async with open_pool(database, "test", size_limit=2) as pool:
        snapshots = Snapshots(pool)
        assert await snapshots.checkpoint() == 0
        waiting = asyncio.create_task(snapshots.wait_for(chronicle.head, timeout_ms=60_000))
        await chronicle.store(database)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await project(database, chronicle.events)
        await waiting


async def test_a_cancelled_read_leaves_the_pool_usable(snapshots: Snapshots, chronicle: Chronicle) -> None:
    """At whatever moment it is cancelled, and it ends as cancelled."""
    for pause_ms in range(0, 20, 2):
        reads = [asyncio.create_task(snapshots.world_at(chronicle.head)) for _ in range(3)]
        await asyncio.sleep(pause_ms / 1000)
        finished = [read.done() for read in reads]
        for read in reads:
            read.cancel()
        await asyncio.wait(reads)
        assert all(done or read.cancelled() for read, done in zip(reads, finished, strict=True))
    assert (await snapshots.world_at(chronicle.head)).streams == chronicle.world.streams


async def test_a_database_that_is_away(database: str) -> None:
    async with open_pool(f"{database}_gone", "test", size_limit=1) as pool:
        with pytest.raises(Unavailable):
            await Snapshots(pool).world_at(0)
        with pytest.raises(Unavailable):
            await Snapshots(pool).checkpoint()


def with_newest_entry_alone(tag: Tag) -> Tag:
    assert tag.head is not None
    return msgspec.structs.replace(tag, history=History(tag.head, None, 1))
