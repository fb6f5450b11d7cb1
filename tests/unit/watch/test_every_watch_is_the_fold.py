"""Whatever a watch is about, however its client reads, wherever it resumes: it is told exactly the fold's changes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

import hypothesis.strategies as st
from hypothesis import given, settings

from service.domain.errors import FuturePosition
from service.watch.ring import RingLimits
from service.watch.watcher import WatchLimits, WatchRequest
from tests.unit.watch.checker import Session, Wish, complaints, wishes
from tests.unit.watch.chronicle import Chronicle, random_command
from tests.unit.watch.room import MemorySink, Room, travel

WISHES = list(wishes())
TIGHT = WatchLimits(
    park_at_bytes=900, page_changes=2, page_events=3, stall_timeout_s=1e6, bookmark_every_s=3.0, replays=2
)


class Client:
    """Watches, is cut off at random, and resumes from the last thing it knows."""

    def __init__(self, room: Room, wish: Wish, start: int | None, random: Random) -> None:
        self.wish = wish
        self.sessions: list[Session] = []
        self._room = room
        self._start = start
        self._random = random
        self._sink = MemorySink()
        self._finishing = False

    async def run(self) -> None:
        while not self._finishing:
            await self._session()

    def finish(self) -> None:
        """Read everything from now on, and stay."""
        self._finishing = True
        self._sink.eager = True
        self._sink.read(1_000_000)

    async def _session(self) -> None:
        random = self._random
        self._sink = sink = MemorySink(eager=random.random() < 0.5)
        request = WatchRequest(self.wish.scope, self._room.encoder, 1e6, self._start, self._start is None, True)
        try:
            await self._room.hub.prepare(request)
        except FuturePosition:
            return
        self.sessions.append(Session(self._start, sink.told))
        watching = asyncio.create_task(self._room.hub.watch(request, sink))
        for _ in range(random.randrange(1, 8)):
            await asyncio.sleep(random.choice((0.0, 0.1, 5.0)))
            if not self._finishing:
                sink.read(random.randrange(4))
        if self._finishing:
            await watching
        if random.random() < 0.5:
            sink.close()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        sink.close()
        knows = [event.version for event in sink.told]
        if self._start is not None or any(event.ends_initial for event in sink.told):
            self._start = (knows[-1] if knows else self._start) or None


async def scenario(random: Random, past: int, future: int, clients: int) -> list[str]:
    chronicle = Chronicle()
    for _ in range(past):
        chronicle.append(*random_command(random, chronicle.world))
    begin = random.choice([0, *(c[-1].position for c in chronicle.commands)])
    ring = RingLimits(changes=random.choice((1, 3, 1000)))
    room = Room(chronicle, ring, TIGHT, begin)
    starts = [None, *range(1, len(chronicle.events) + 1)]
    watching = [Client(room, random.choice(WISHES), random.choice(starts), random) for _ in range(clients)]
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
