"""How a watch goes on and ends: bookmarks, slow clients, deadlines, and a server that stops."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.world import Collection
from service.watch.request import WatchLimits
from service.watch.ring import RingLimits
from service.watch.scope import Scope
from service.watch.watcher import End
from tests.unit.watch.chronicle import Chronicle, image_registered, stream_created
from tests.unit.watch.room import MemorySink, Room, settled, travel

STREAMS = Scope(Collection.IMAGE_STREAMS)
ELSEWHERE = Scope(Collection.IMAGE_STREAMS, "elsewhere")


def add(chronicle: Chronicle, count: int = 1) -> None:
    for _ in range(count):
        chronicle.append(stream_created("n", f"{len(chronicle.events):04}"))


def test_an_idle_watch_gets_a_bookmark_about_every_minute_if_there_is_news() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        add(chronicle)
        async with (
            Room(chronicle, begin=1).open() as room,
            room.watch(ELSEWHERE, resource_version=1, bookmarks=True) as watch,
            room.watch(ELSEWHERE, resource_version=1) as unasked,
        ):
            await asyncio.sleep(200)
            assert watch.shape == [], "nothing is new since it began"
            for _ in range(2):
                add(chronicle)
                await room.catch_up()
                await asyncio.sleep(70)
            assert watch.shape == [("BOOKMARK", "", 2), ("BOOKMARK", "", 3)]
            assert not any(t.ends_initial for t in watch.told)
            assert unasked.shape == []

    travel(story())


def test_the_last_bookmark_comes_shortly_before_the_end() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        add(chronicle)
        async with (
            Room(chronicle, begin=1).open() as room,
            room.watch(ELSEWHERE, resource_version=1, bookmarks=True, timeout_s=30) as watch,
        ):
            add(chronicle)
            await room.catch_up()
            await asyncio.sleep(25)
            assert watch.shape == []
            assert await watch.task is End.TIMEOUT
            assert watch.shape == [("BOOKMARK", "", 2)]

    travel(story())


@pytest.mark.parametrize("ring", [1000, 2])
def test_a_parked_watch_loses_nothing_and_holds_nobody_up(ring: int) -> None:
    """It resumes from the ring, or from the log if that was too long ago."""

    async def story() -> None:
        chronicle = Chronicle()
        limits = WatchLimits(park_at_bytes=1000, stall_timeout_s=1e6)
        async with (
            Room(chronicle, RingLimits(changes=ring), limits).open() as room,
            room.watch(STREAMS, MemorySink(eager=False)) as slow,
            room.watch(STREAMS) as quick,
        ):
            for expected in range(1, 31):
                add(chronicle)
                await room.catch_up()
                assert len(quick.told) == expected
            held = slow.sink.buffered_bytes()
            assert 1000 < held < 2000, "nothing is queued beyond the bound"
            while len(slow.told) < 30:
                slow.sink.read(2)
                await settled()
                assert slow.sink.buffered_bytes() < 2000
            assert slow.told == quick.told
            add(chronicle)
            await room.catch_up()
            slow.sink.read(1)
            assert slow.told == quick.told, "live again"

    travel(story())


def test_a_client_that_reads_a_little_is_kept_and_one_that_reads_nothing_is_given_up() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        limits = WatchLimits(park_at_bytes=1000, stall_timeout_s=300)
        async with (
            Room(chronicle, limits=limits).open() as room,
            room.watch(STREAMS, MemorySink(eager=False)) as reading,
            room.watch(STREAMS, MemorySink(eager=False)) as dead,
        ):
            add(chronicle, 20)
            await room.catch_up()
            began = asyncio.get_running_loop().time()
            for _ in range(3):
                await asyncio.sleep(290)
                reading.sink.read(1)
            assert not reading.task.done()
            assert dead.task.result() is End.STALLED
            assert asyncio.get_running_loop().time() - began == pytest.approx(870, abs=5)

    travel(story())


def test_a_slow_replay_gives_its_place_to_others() -> None:
    """One place for replays, taken by a client that does not read; another still gets its past."""

    async def story() -> None:
        chronicle = Chronicle()
        add(chronicle, 40)
        limits = WatchLimits(park_at_bytes=1000, stall_timeout_s=1e6, replays=1, page_events=4)
        async with (
            Room(chronicle, RingLimits(changes=1), limits, begin=40).open() as room,
            room.watch(STREAMS, MemorySink(eager=False), resource_version=1) as slow,
            room.watch(STREAMS, resource_version=1) as quick,
        ):
            await asyncio.sleep(10)
            assert len(quick.told) == 39
            while len(slow.told) < 39:
                slow.sink.read(2)
                await settled()
            assert slow.told == quick.told

    travel(story())


def test_a_client_that_leaves_ends_its_watch() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        limits = WatchLimits(park_at_bytes=100, stall_timeout_s=1e6)
        async with (
            Room(chronicle, limits=limits).open() as room,
            room.watch(STREAMS, MemorySink(eager=False)) as parked,
            room.watch(ELSEWHERE) as idle,
            room.watch(STREAMS) as live,
        ):
            add(chronicle)
            await room.catch_up()
            for watch in (parked, idle, live):
                watch.sink.close()
            add(chronicle)
            await room.catch_up()
            assert [await watch.task for watch in (parked, idle, live)] == [End.CLOSED] * 3

    travel(story())


def test_a_server_that_stops_ends_every_watch_whatever_it_is_doing() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        limits = WatchLimits(park_at_bytes=100, stall_timeout_s=1e6)
        add(chronicle)
        async with Room(chronicle, limits=limits).open() as room:
            await room.catch_up()
            async with (
                room.watch(STREAMS, MemorySink(eager=False)) as parked,
                room.watch(STREAMS) as live,
                room.watch(STREAMS, resource_version=99) as waiting,
                room.watch(STREAMS, resource_version=99, send_initial_events=True) as early,
            ):
                room.hub.drain()
                room.hub.drain()
                assert [await watch.task for watch in (parked, live, waiting, early)] == [End.DRAINED] * 4
                async with room.watch(STREAMS) as late:
                    assert await late.task is End.DRAINED
                    assert late.told == []

    travel(story())


@pytest.mark.parametrize("timeout_s", [0.0, -5.0, 7.0])
def test_a_watch_ends_when_its_time_is_over(timeout_s: float) -> None:
    async def story() -> None:
        async with Room(Chronicle()).open() as room:
            began = asyncio.get_running_loop().time()
            async with room.watch(STREAMS, timeout_s=timeout_s) as watch:
                assert await watch.task is End.TIMEOUT
                assert asyncio.get_running_loop().time() - began == pytest.approx(max(timeout_s, 0), abs=1.1)

    travel(story())


def test_what_is_going_on_is_counted() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        add(chronicle, 3)
        limits = WatchLimits(park_at_bytes=1000, stall_timeout_s=1e6)
        room = Room(chronicle, RingLimits(changes=1), limits)
        metrics = room.hub._metrics

        def counted() -> list[float]:
            found = (metrics.position, metrics.watchers, metrics.parked, metrics.replayed, metrics.deliveries)
            return [metric._value.get() for metric in found]

        async with room.open():
            await room.catch_up()
            assert counted() == [3, 0, 0, 0, 0]
            async with room.watch(STREAMS, resource_version=1), room.watch(STREAMS, MemorySink(eager=False)) as slow:
                assert counted() == [3, 2, 0, 2, 5]
                add(chronicle, 20)
                await room.catch_up()
                assert counted()[:3] == [23, 2, 1]
                slow.sink.eager = True
                slow.sink.read(1000)
                await settled()
                assert counted()[:3] == [23, 2, 0]
            assert counted()[1] == 0

    travel(story())


def test_a_long_batch_lets_others_have_their_turn() -> None:
    """And whoever looks sees whole commands, and a watch that was told everything up to there."""

    async def story() -> None:
        chronicle = Chronicle()
        for _ in range(300):
            chronicle.append(
                stream_created("n", f"{len(chronicle.events):04}"), image_registered(f"{len(chronicle.events)}")
            )
        async with Room(chronicle).open() as room, room.watch(STREAMS, resource_version=0) as watch:
            seen = []
            room.feed()
            while room.cache.position < 600:
                await asyncio.sleep(0)
                seen.append(room.cache.position)
                assert room.cache.position % 2 == 0
                assert len(watch.told) == room.cache.position // 2
            assert len(set(seen)) > 3

    travel(story())
