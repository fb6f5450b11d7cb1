"""Cache, views and replay are one state, for histories that real commands wrote (not only for any that fold)."""

from __future__ import annotations

from random import Random

import pytest

from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from tests.command_book import Book
from tests.integration.projections.chronicle import Chronicle, fold
from tests.integration.projections.feeding import project
from tests.random_commands import random_intention


@pytest.mark.parametrize(("seed", "batch_size"), [(1, 1), (2, 50), (3, 100_000)])
async def test_views_equal_the_cache_and_the_replay(database: str, seed: int, batch_size: int) -> None:
    """At the head, and at the end of some commands in the past."""
    random, book, chronicle = Random(seed), Book(), Chronicle()
    past = {}
    while chronicle.head < 600:
        written = book.write(random_intention(random, book))
        if written is not None and written.facts:
            chronicle.append(*written.facts)
            if random.random() < 0.05:
                past[chronicle.head] = dict(book.world.streams)
    past[chronicle.head] = dict(book.world.streams)
    await chronicle.store(database)
    await project(database, chronicle.events, batch_size, 6)
    async with open_pool(database, "test", size_limit=1) as pool:
        snapshots = Snapshots(pool)
        for position, cached in past.items():
            replayed = fold(chronicle.events[:position])
            viewed = await snapshots.world_at(position, with_images=True, with_namespaces=True)
            assert viewed.streams == replayed.streams == cached
            assert (viewed.images, viewed.namespaces) == (replayed.images, replayed.namespaces)
    assert (book.world.images, book.world.namespaces) == (viewed.images, viewed.namespaces)
