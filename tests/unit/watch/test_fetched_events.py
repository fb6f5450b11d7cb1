"""Events of which a part has to be fetched: in order, shared, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from service.domain.world import Collection
from service.watch.frames import FETCHES_LIMIT
from service.watch.ring import RingLimits
from service.watch.scope import Scope
from service.watch.watcher import End
from tests.unit.watch.chronicle import Chronicle, image_registered
from tests.unit.watch.room import FetchingEncoder, Room, settled, travel

IMAGES = Scope(Collection.IMAGES)
ONE = Scope(Collection.IMAGES, name="sha256:1")


def push(chronicle: Chronicle, count: int = 1) -> None:
    for _ in range(count):
        chronicle.append(image_registered(f"sha256:{len(chronicle.events)}"))


def test_they_come_in_order_and_nobody_else_waits_for_them() -> None:
    async def story() -> None:
        chronicle, encoder = Chronicle(), FetchingEncoder(fetch_s=100)
        push(chronicle)
        async with (
            Room(chronicle, begin=1).open() as room,
            room.watch(IMAGES, resource_version=1) as quick,
            room.watch(IMAGES, resource_version=1, encoder=encoder) as whole,
        ):
            push(chronicle, 3)
            await room.catch_up()
            assert len(quick.told) == 3
            assert whole.told == []
            await asyncio.sleep(150)
            push(chronicle)
            await room.catch_up()
            assert [told.version for told in whole.told] == [2]
            await asyncio.sleep(1000)
            assert whole.told == quick.told
            push(chronicle)
            await room.catch_up()
            await asyncio.sleep(1000)
            assert whole.told == quick.told, "and so it goes on"

    travel(story())


def test_what_there_is_comes_with_them_and_ends_with_its_bookmark() -> None:
    async def story() -> None:
        chronicle, encoder = Chronicle(), FetchingEncoder()
        push(chronicle, 3)
        async with (
            Room(chronicle, begin=3).open() as room,
            room.watch(IMAGES, send_initial_events=True, bookmarks=True, encoder=encoder) as watch,
        ):
            push(chronicle)
            await room.catch_up()
            await asyncio.sleep(10)
            assert watch.shape == [
                ("ADDED", "sha256:0", 1),
                ("ADDED", "sha256:1", 2),
                ("ADDED", "sha256:2", 3),
                ("BOOKMARK", "", 3),
                ("ADDED", "sha256:3", 4),
            ]
            assert [told.ends_initial for told in watch.told].index(True) == 3

    travel(story())


def test_many_watches_share_what_one_has_fetched() -> None:
    async def story() -> None:
        chronicle, encoder = Chronicle(), FetchingEncoder()
        async with Room(chronicle).open() as room, AsyncExitStack() as stack:
            watches = [
                await stack.enter_async_context(room.watch(IMAGES, resource_version=0, encoder=encoder))
                for _ in range(20)
            ]
            push(chronicle, 2)
            await room.catch_up()
            await asyncio.sleep(100)
            assert [watch.shape for watch in watches] == [[("ADDED", "sha256:0", 1), ("ADDED", "sha256:1", 2)]] * 20
            assert all(times <= FETCHES_LIMIT for times in encoder.encoded.values())

    travel(story())


def test_while_it_cannot_be_fetched_the_watch_waits_and_misses_nothing() -> None:
    """The ring has forgotten the event meanwhile, so the rest comes from the log."""

    async def story() -> None:
        chronicle, encoder = Chronicle(), FetchingEncoder()
        async with (
            Room(chronicle, RingLimits(changes=1)).open() as room,
            room.watch(IMAGES, resource_version=0, encoder=encoder) as watch,
            room.watch(ONE, resource_version=0, encoder=encoder) as of_one,
        ):
            encoder.away = True
            for _ in range(3):
                push(chronicle)
                await room.catch_up()
            await asyncio.sleep(300)
            assert watch.told == []
            encoder.away = False
            await asyncio.sleep(300)
            assert watch.shape == [("ADDED", f"sha256:{n}", n + 1) for n in range(3)]
            assert of_one.shape == [("ADDED", "sha256:1", 2)]

    travel(story())


def test_a_client_that_leaves_or_runs_out_of_time_waits_for_no_fetch() -> None:
    async def story() -> None:
        chronicle, encoder = Chronicle(), FetchingEncoder()
        encoder.away = True
        async with (
            Room(chronicle).open() as room,
            room.watch(IMAGES, resource_version=0, encoder=encoder) as gone,
            room.watch(IMAGES, resource_version=0, encoder=encoder, timeout_s=50) as timed,
        ):
            push(chronicle)
            await room.catch_up()
            gone.sink.close()
            await asyncio.sleep(100)
            await settled()
            assert (gone.task.result(), timed.task.result()) == (End.CLOSED, End.TIMEOUT)

    travel(story())
