"""Lists in pages, over the real log and the real views: one snapshot each, while the log goes on growing."""

from __future__ import annotations

import asyncio
from random import Random
from typing import NamedTuple

from service.api.json_types import JsonObject
from service.eventstore.database import open_pool
from service.reads.snapshot import Snapshots
from service.resources.listing import Lists, Wanted
from tests.integration.bus.support import relaying
from tests.integration.watch.test_watch_from_the_log import append, projecting, replica
from tests.unit.watch.checker import Wish, listed, wishes
from tests.unit.watch.chronicle import Chronicle, document

WISHES = [wish for wish in wishes() if wish.scope.name is None]
READERS = 12
LISTS_EACH = 4


class Paged(NamedTuple):
    """A list as a client put it together from its pages."""

    wish: Wish
    positions: list[int]
    items: list[JsonObject]
    promised: list[int]
    """How many objects there would have to be in all, by each page that told"""


async def paged(lists: Lists, wish: Wish, limit: int, random: Random, resource_version: str) -> Paged:
    result = Paged(wish, [], [], [])
    wanted = Wanted(resource_version=resource_version, match="Exact" if resource_version else "", limit=limit)
    while True:
        page = await lists.page(wish.scope, wanted)
        result.positions.append(page.position)
        assert len(page.states) <= limit
        result.items.extend(document(wish.scope.collection, state, state.changed) for state in page.states)
        if page.remaining is not None:
            result.promised.append(len(result.items) + page.remaining)
        if not page.continue_token:
            return result
        wanted = Wanted(limit=limit, continue_token=page.continue_token)
        await asyncio.sleep(random.random() * 0.02)


async def test_pages_are_the_list_at_their_position(database: str, nats_url: str) -> None:
    """Of every collection and selection, from now and from any moment before, with pages of every size."""
    random, chronicle = Random(11), Chronicle()
    async with (
        relaying(database, nats_url),
        projecting(database),
        replica(database, nats_url, ring=5) as one,
        open_pool(database, "test", size_limit=4) as pool,
    ):
        lists = Lists(one.hub.cache, Snapshots(pool))
        for _ in range(80):
            await append(random, chronicle, one.appender)

        async def read(seed: int) -> list[Paged]:
            own, found = Random(seed), []
            for _ in range(LISTS_EACH):
                position = "" if own.random() < 0.6 else str(own.randrange(1, len(chronicle.events) + 1))
                found.append(await paged(lists, own.choice(WISHES), own.randrange(1, 4), own, position))
            return found

        readers = [asyncio.create_task(read(seed), name=f"reader {seed}") for seed in range(READERS)]
        while not all(reader.done() for reader in readers):
            await append(random, chronicle, one.appender)
            await asyncio.sleep(0.002)
        results = [result for reader in readers for result in reader.result()]
    assert len(results) == READERS * LISTS_EACH
    assert any(len(result.positions) > 2 for result in results)
    for wish, positions, items, promised in results:
        assert len(set(positions)) == 1
        assert items == [obj for _, obj in listed(chronicle, wish, positions[0])]
        assert set(promised) <= {len(items)}
