"""The contract of the views: at every position they tell what a replay from zero tells, and what the cache told."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from service.domain.history import History
from service.domain.image import ImageState
from service.domain.imagestream import ImageStream, Tag
from service.domain.world import Collection, Happened, World
from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from tests.integration.projections.chronicle import CODEC, Chronicle, fold
from tests.integration.projections.feeding import project


@pytest.mark.parametrize(("seed", "batch_size"), [(seed, size) for seed in range(3) for size in (1, 7, 100_000)])
async def test_every_position_of_a_random_history(database: str, seed: int, batch_size: int) -> None:
    """All four collections, at every position, in the middle of commands too, whatever the batches were."""
    chronicle = Chronicle()
    chronicle.append_random(Random(seed), 120)
    await chronicle.store(database)
    await project(database, chronicle.events, batch_size)
    async with open_pool(database, "test", size_limit=1) as pool:
        snapshots = Snapshots(pool)
        assert await snapshots.checkpoint() == chronicle.head
        present = Present()
        world = World()
        for event in chronicle.events:
            aggregate = event.aggregate
            place = aggregate.kind, aggregate.namespace, aggregate.name
            present.apply(Happened(event.position, *place, CODEC.decode(event)))  # type: ignore[arg-type]
            if event.position == event.command_last:
                world = fold(chronicle.events[: event.position])
            await assert_tells(snapshots, event.position, present, world)


async def assert_tells(snapshots: Snapshots, position: int, present: Present, world: World) -> None:
    at_position = await snapshots.world_at(position, with_images=True)
    assert at_position.position == world.position
    assert at_position.streams == world.streams
    assert at_position.images == world.images
    assert await streams(snapshots, position) == list(world.streams[key] for key in sorted(world.streams))
    tags = [present.tags[key] for key in sorted(present.tags)]
    assert await tags_as(snapshots, position, Collection.IMAGE_TAGS) == tags
    with_image = [with_newest_entry_only(tag) for tag in tags if tag.has_image]
    assert await tags_as(snapshots, position, Collection.IMAGE_STREAM_TAGS) == with_image
    images = [present.images[name] for name in sorted(present.images)]
    assert await snapshots.images_page(position, after="", limit=100) == images


class Present:
    """Tags and images after every single event, as a watcher saw them."""

    def __init__(self) -> None:
        self._world = World()
        self.tags: dict[tuple[str, str], Tag] = {}
        self.images: dict[str, ImageState] = {}

    def apply(self, happened: Happened) -> None:
        for change in self._world.apply([happened]):
            if change.collection is Collection.IMAGE_TAGS:
                _put(self.tags, (change.namespace, change.name), change.new)
            elif change.collection is Collection.IMAGES:
                _put(self.images, change.name, change.new)


async def streams(snapshots: Snapshots, position: int) -> list[ImageStream]:
    """By pages of two."""
    found: list[ImageStream] = []
    after = None
    while page := await snapshots.streams_page(position, namespace=None, after=after, limit=2):
        found += page
        after = page[-1].namespace, page[-1].name
    return found


async def tags_as(snapshots: Snapshots, position: int, collection: Collection) -> list[Tag]:
    """By pages of five."""
    found: list[Tag] = []
    after = None
    while page := await snapshots.tags_page(position, collection, namespace=None, after=after, limit=5):
        found += page
        after = page[-1].namespace, page[-1].full_name
    return found


def with_newest_entry_only(tag: Tag) -> Tag:
    assert tag.head is not None
    return Tag(
        tag.namespace,
        tag.stream,
        tag.name,
        tag.header,
        tag.changed,
        tag.spec,
        History(tag.head, None, 1),
        tag.conditions,
        tag.listed,
    )


def _put(states: dict[Any, Any], key: object, state: object) -> None:
    if state is None:
        del states[key]
    else:
        states[key] = state
