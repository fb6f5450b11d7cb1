"""Whatever a watch is about, however its client reads, wherever it resumes: it is told exactly the fold's changes."""

from __future__ import annotations

import asyncio
from random import Random

import hypothesis.strategies as st
from hypothesis import given, settings

from service.watch.request import WatchLimits
from service.watch.ring import RingLimits
from tests.unit.watch.checker import complaints, wishes
from tests.unit.watch.chronicle import Chronicle, random_command
from tests.unit.watch.client import Client
from tests.unit.watch.room import Room, travel

WISHES = list(wishes())
TIGHT = WatchLimits(
    park_at_bytes=900, page_changes=2, page_events=3, stall_timeout_s=1e6, bookmark_every_s=3.0, replays=2
)


async def scenario(random: Random, past: int, future: int, clients: int) -> list[str]:
    chronicle = Chronicle()
    for _ in range(past):
        chronicle.append(*random_command(random, chronicle.world))
    begin = random.choice([0, *(c[-1].position for c in chronicle.commands)])
    ring = RingLimits(changes=random.choice((1, 3, 1000)))
    room = Room(chronicle, ring, TIGHT, begin)
    starts = [None, *range(1, len(chronicle.events) + 1)]
    watching = [Client(room.hub, random.choice(WISHES), random.choice(starts), random) for _ in range(clients)]
    async with room.open(), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(client.run()) for client in watching]
        for _ in range(future):
            chronicle.append(*random_command(random, chronicle.world))
            if random.random() < 0.6:
                room.feed()
            await asyncio.sleep(random.choice((0.0, 0.2, 2.0)))
        await room.catch_up()
        for client in watching:
            client.finish()
        await asyncio.sleep(1000)
        for task in running:
            task.cancel()
    return [f"{c.wish.scope}: {w}" for c in watching for w in complaints(chronicle, c.wish, c.sessions, complete=True)]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), past=st.integers(0, 20), future=st.integers(0, 30), clients=st.integers(1, 5))
def test_every_client_is_told_exactly_the_changes_of_the_fold(seed: int, past: int, future: int, clients: int) -> None:
    assert travel(scenario(Random(seed), past, future, clients)) == []
