"""The contract of the views: at every position they tell what the cache told then, and what a replay tells."""

from __future__ import annotations

from itertools import groupby
from random import Random

import msgspec
import pytest

from service.domain.history import History
from service.domain.image import ImageState
from service.domain.imagestream import ImageStream, Tag, with_generation
from service.domain.world import Collection, Happened, World
from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from tests.integration.projections.chronicle import Chronicle, fold, happened
from tests.integration.projections.feeding import project

REPLAY_EVERY = 20


@pytest.mark.parametrize(("seed", "batch_size", "memory"), [(1, 1, 0), (2, 7, 3), (3, 40, 6), (4, 100_000, 0)])
async def test_every_position_of_a_random_history(database: str, seed: int, batch_size: int, memory: int) -> None:
    """All four collections, at every position, in the middle of commands too; whatever the batches were, and however
    little of the states stayed in memory from one to the next.
    """
    chronicle = Chronicle()
    chronicle.append_random(Random(seed), 80)
    await chronicle.store(database)
    await project(database, chronicle.events, batch_size, memory)
    async with open_pool(database, "test", size_limit=1) as pool:
        snapshots = Snapshots(pool)
        assert await snapshots.checkpoint() == chronicle.head
        cache, present = World(), Present()
        for _, members in groupby(chronicle.events, key=lambda event: event.command_first):
            command = [happened(event) for event in members]
            for event in command:
                present.apply(event)
                await assert_objects_equal(snapshots, event.position, present)
                if event is not command[-1]:
                    await assert_streams_equal(snapshots, event.position, cache)
            cache.apply(command)
            await assert_streams_equal(snapshots, cache.position, cache)
            if cache.position % REPLAY_EVERY == 0 or cache.position == chronicle.head:
                replayed = fold(chronicle.events[: cache.position])
                assert (replayed.streams, replayed.images) == (cache.streams, cache.images)
                whole = await snapshots.world_at(cache.position, with_images=True, with_namespaces=True)
                assert (whole.images, whole.namespaces) == (replayed.images, replayed.namespaces)


@pytest.mark.parametrize(("seed", "batch_size", "memory"), [(5, 1, 0), (6, 20, 20), (7, 300, 0), (8, 50, 100_000)])
async def test_some_positions_of_a_long_random_history(database: str, seed: int, batch_size: int, memory: int) -> None:
    """Long enough for tags with a history to go and come again."""
    random = Random(seed)
    chronicle = Chronicle()
    chronicle.append_random(random, 1_500)
    await chronicle.store(database)
    await project(database, chronicle.events, batch_size, memory)
    async with open_pool(database, "test", size_limit=1) as pool:
        snapshots = Snapshots(pool)
        for position in (*random.sample(range(chronicle.head), 12), chronicle.head):
            replayed = fold(chronicle.events[:position])
            at_position = await snapshots.world_at(position, with_images=True)
            assert at_position.position == replayed.position
            assert at_position.streams == replayed.streams


async def assert_streams_equal(snapshots: Snapshots, position: int, cache: World) -> None:
    """`cache` has folded whole commands up to the position."""
    at_position = await snapshots.world_at(position)
    assert at_position.position == cache.position
    assert at_position.streams == cache.streams
    assert await streams_at(snapshots, position) == [cache.streams[key] for key in sorted(cache.streams)]


async def assert_objects_equal(snapshots: Snapshots, position: int, present: Present) -> None:
    tags = [present.tags[key] for key in sorted(present.tags)]
    assert await tags_at(snapshots, position, Collection.IMAGE_TAGS) == tags
    with_image = [with_newest_entry_alone(tag) for tag in tags if tag.has_image]
    assert await tags_at(snapshots, position, Collection.IMAGE_STREAM_TAGS) == with_image
    images = [present.images[name] for name in sorted(present.images)]
    assert await snapshots.images_page(position, after="", limit=100) == images


class Present:
    """Tags and images after every single event, as a watcher saw them change; of the tags, the generation as it is."""

    def __init__(self) -> None:
        self._world = World()
        self._tags: dict[tuple[str, str], Tag] = {}
        self.images: dict[str, ImageState] = {}

    def apply(self, event: Happened) -> None:
        for change in self._world.apply([event]):
            if change.collection is Collection.IMAGE_TAGS:
                self._tags.pop((change.namespace, change.name), None)
                if isinstance(change.new, Tag):
                    self._tags[change.namespace, change.name] = change.new
            elif change.collection is Collection.IMAGES:
                self.images.pop(change.name, None)
                if isinstance(change.new, ImageState):
                    self.images[change.name] = change.new

    @property
    def tags(self) -> dict[tuple[str, str], Tag]:
        return {key: self._with_generation(tag) for key, tag in self._tags.items()}

    def _with_generation(self, tag: Tag) -> Tag:
        generation = self._world.streams[tag.namespace, tag.stream].generation
        return msgspec.structs.replace(tag, header=with_generation(tag.header, generation))


async def streams_at(snapshots: Snapshots, position: int) -> list[ImageStream]:
    """By pages of four."""
    found: list[ImageStream] = []
    after = None
    while page := await snapshots.streams_page(position, namespace=None, after=after, limit=4):
        found += page
        after = page[-1].namespace, page[-1].name
    return found


async def tags_at(snapshots: Snapshots, position: int, collection: Collection) -> list[Tag]:
    """By pages of fifteen."""
    found: list[Tag] = []
    after = None
    while page := await snapshots.tags_page(position, collection, namespace=None, after=after, limit=15):
        found += page
        after = page[-1].namespace, page[-1].full_name
    return found


def with_newest_entry_alone(tag: Tag) -> Tag:
    assert tag.head is not None
    return msgspec.structs.replace(tag, history=History(tag.head, None, 1))
