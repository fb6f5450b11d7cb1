"""Where a watch begins and what it is sent first: the rows of kube-api 7.1, and the errors of 7.4."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.domain.errors import Expired, FuturePosition, Unavailable
from service.domain.selectors import parse_label_selector
from service.domain.world import Collection
from service.eventstore.records import RecordedEvent
from service.watch.request import WatchLimits
from service.watch.ring import RingLimits
from service.watch.scope import Scope
from service.watch.watcher import End
from tests.unit.watch.chronicle import DIGESTS, Chronicle, imaged, relabelled, stream_created
from tests.unit.watch.room import MemorySink, Room, settled, travel

STREAMS = Scope(Collection.IMAGE_STREAMS)


def chronicle_of(names: Sequence[str]) -> Chronicle:
    """Streams of these names, at positions 1, 2, 3, …"""
    chronicle = Chronicle()
    for name in names:
        chronicle.append(stream_created("n", name))
    return chronicle


def added(chronicle: Chronicle, name: str) -> None:
    chronicle.append(stream_created("n", name))


@pytest.mark.parametrize("version", [None, 0])
@pytest.mark.parametrize("bookmarks", [True, False])
def test_without_a_version_it_begins_with_the_state_in_key_order(version: int | None, bookmarks: bool) -> None:
    """Each object at its own version, then one bookmark that ends the state if bookmarks are allowed, then changes."""

    async def story() -> None:
        chronicle = chronicle_of("cab")
        async with (
            Room(chronicle, begin=3).open() as room,
            room.watch(STREAMS, resource_version=version, bookmarks=bookmarks) as watch,
        ):
            state = [("ADDED", "a", 2), ("ADDED", "b", 3), ("ADDED", "c", 1)]
            end = [("BOOKMARK", "", 3)] if bookmarks else []
            assert watch.shape == state + end
            assert all(t.ends_initial for t in watch.told[3:])
            added(chronicle, "d")
            await room.catch_up()
            assert watch.shape == [*state, *end, ("ADDED", "d", 4)]

    travel(story())


def test_without_a_version_it_is_as_new_as_the_log() -> None:
    """Even if the cache is behind when it begins; with version 0 any state will do."""

    async def story() -> None:
        chronicle = chronicle_of("a")
        async with Room(chronicle, begin=0).open() as room:
            asyncio.get_running_loop().call_later(1, room.feed)
            async with room.watch(STREAMS, resource_version=0) as any_state:
                assert any_state.shape == [("ADDED", "a", 1)], "told live, as the state was empty"
        async with Room(chronicle, begin=0).open() as room:
            asyncio.get_running_loop().call_later(1, room.feed)
            async with room.watch(STREAMS, bookmarks=True) as watch:
                assert watch.shape == [("ADDED", "a", 1), ("BOOKMARK", "", 1)]

    travel(story())


@pytest.mark.parametrize(("ring", "begin"), [(1000, 0), (1, 0), (1000, 5)])
def test_from_a_version_it_is_told_every_later_change_and_no_state(ring: int, begin: int) -> None:
    """From the ring, and from the log where the ring has lost it or never had it."""

    async def story() -> None:
        chronicle = chronicle_of("abcde")
        async with Room(chronicle, RingLimits(changes=ring), begin=begin).open() as room:
            await room.catch_up()
            async with room.watch(STREAMS, resource_version=2) as watch:
                added(chronicle, "f")
                await room.catch_up()
                assert watch.shape == [("ADDED", "c", 3), ("ADDED", "d", 4), ("ADDED", "e", 5), ("ADDED", "f", 6)]

    travel(story())


def test_from_the_middle_of_a_command_it_is_told_the_rest_of_it() -> None:
    """A resourceVersion of one collection used in another: nothing of it was shown there yet."""

    async def story() -> None:
        chronicle = chronicle_of("a")
        chronicle.append(imaged("n", "a", "1", DIGESTS[0]))
        chronicle.append(*relabelled(chronicle.world.streams["n", "a"], {"k": "in"}))
        assert [c.position for c in chronicle.changes if c.collection is Collection.IMAGE_STREAMS] == [1, 2, 4]
        labelled = Scope(Collection.IMAGE_STREAMS, labels=parse_label_selector("k=in"))
        for ring in (1, 1000):
            async with Room(chronicle, RingLimits(changes=ring)).open() as room:
                await room.catch_up()
                added(chronicle, f"x{ring}")
                await room.catch_up()
                async with room.watch(labelled, resource_version=3) as watch:
                    assert watch.shape == [("ADDED", "a", 4)]

    travel(story())


@pytest.mark.parametrize("version", [None, 0, 2])
def test_initial_events_can_be_asked_for_at_any_version(version: int | None) -> None:
    async def story() -> None:
        async with Room(chronicle_of("abc"), begin=3).open() as room:
            wanted = {"resource_version": version, "send_initial_events": True, "bookmarks": True}
            async with room.watch(STREAMS, **wanted) as watch:
                assert watch.shape == [("ADDED", "a", 1), ("ADDED", "b", 2), ("ADDED", "c", 3), ("BOOKMARK", "", 3)]

    travel(story())


@pytest.mark.parametrize("version", [None, 0])
def test_initial_events_can_be_refused_and_it_begins_now(version: int | None) -> None:
    async def story() -> None:
        chronicle = chronicle_of("abc")
        async with (
            Room(chronicle, begin=3).open() as room,
            room.watch(STREAMS, resource_version=version, send_initial_events=False) as watch,
        ):
            added(chronicle, "d")
            await room.catch_up()
            assert watch.shape == [("ADDED", "d", 4)]

    travel(story())


def test_from_a_future_version_it_is_silent_until_that_is_past() -> None:
    async def story() -> None:
        chronicle = chronicle_of("ab")
        async with (
            Room(chronicle, begin=2).open() as room,
            room.watch(STREAMS, resource_version=4, bookmarks=True) as watch,
        ):
            for name in "cd":
                added(chronicle, name)
                await room.catch_up()
            await asyncio.sleep(1000)
            assert watch.shape == []
            added(chronicle, "e")
            await room.catch_up()
            assert watch.shape == [("ADDED", "e", 5)]

    travel(story())


def test_a_client_that_leaves_while_it_waits_for_the_future_is_let_go() -> None:
    async def story() -> None:
        async with (
            Room(chronicle_of("ab"), begin=2).open() as room,
            room.watch(STREAMS, resource_version=10**19) as watch,
        ):
            watch.sink.close()
            assert await watch.task is End.CLOSED

    travel(story())


def test_initial_events_at_a_future_version_end_in_an_error_event() -> None:
    async def story() -> None:
        async with Room(chronicle_of("ab"), begin=2).open() as room:
            began = asyncio.get_running_loop().time()
            async with room.watch(STREAMS, resource_version=9, send_initial_events=True) as watch:
                assert await watch.task is End.FAILED
                assert asyncio.get_running_loop().time() - began == pytest.approx(3.0)
                assert [(t.type, t.object["message"]) for t in watch.told] == [
                    ("ERROR", str(FuturePosition(9, 2))),
                ]

    travel(story())


class Pruned(Chronicle):
    async def read_after(self, position: int, limit: int) -> Sequence[RecordedEvent]:
        raise Expired("too old resource version: 1 (1)")


def test_a_version_that_was_pruned_ends_in_an_error_event() -> None:
    async def story() -> None:
        chronicle = Pruned()
        for name in "abc":
            added(chronicle, name)
        async with Room(chronicle, begin=3).open() as room, room.watch(STREAMS, resource_version=1) as watch:
            assert await watch.task is End.FAILED
            assert [(t.type, t.object["reason"]) for t in watch.told] == [("ERROR", "Expired")]

    travel(story())


class Away(Chronicle):
    """A log whose database is away for the first few reads, and goes away once more in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def read_after(self, position: int, limit: int) -> Sequence[RecordedEvent]:
        self.asked += 1
        if self.asked < 5 or self.asked == 7:
            raise Unavailable("PostgreSQL is away")
        return await super().read_after(position, limit)


def test_while_the_log_is_away_a_watch_that_needs_it_pauses_and_then_misses_nothing() -> None:
    async def story() -> None:
        chronicle = Away()
        for name in "abcdef":
            added(chronicle, name)
        async with (
            Room(chronicle, begin=6, limits=WatchLimits(page_events=2)).open() as room,
            room.watch(STREAMS, resource_version=1) as watch,
        ):
            await asyncio.sleep(100)
            assert [name for _, name, _ in watch.shape] == list("bcdef")
            assert chronicle.asked > 7

    travel(story())


def test_a_client_that_leaves_while_the_log_is_away_is_let_go() -> None:
    class Gone(Chronicle):
        async def read_after(self, position: int, limit: int) -> Sequence[RecordedEvent]:
            raise Unavailable("PostgreSQL is away")

    async def story() -> None:
        chronicle = Gone()
        for name in "abc":
            added(chronicle, name)
        async with Room(chronicle, begin=3).open() as room, room.watch(STREAMS, resource_version=1) as watch:
            watch.sink.close()
            assert await watch.task is End.CLOSED

    travel(story())


def test_a_log_that_cannot_be_folded_is_an_error_event_for_that_watch_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        chronicle = chronicle_of("abc")
        room = Room(chronicle, begin=3)
        async with room.open():
            damaged = chronicle.events[1]
            chronicle.events[1] = RecordedEvent(
                **{name: getattr(damaged, name) for name in damaged.__struct_fields__ if name != "type"}, type="Unknown"
            )
            async with room.watch(STREAMS, resource_version=1) as watch, room.watch(STREAMS) as other:
                assert await watch.task is End.FAILED
                assert [(t.type, t.object["reason"]) for t in watch.told] == [("ERROR", "InternalError")]
                assert len(other.told) == 3
                assert not other.task.done()

    travel(story())
    assert "a watch cannot go on" in caplog.text


def test_a_large_state_is_sent_no_faster_than_it_is_read() -> None:
    async def story() -> None:
        chronicle = chronicle_of([f"{n:03}" for n in range(100)])
        async with (
            Room(chronicle, begin=100, limits=WatchLimits(park_at_bytes=2000, stall_timeout_s=1e6)).open() as room,
            room.watch(STREAMS, MemorySink(eager=False), bookmarks=True) as watch,
        ):
            added(chronicle, "late")
            await room.catch_up()
            for _ in range(200):
                assert watch.sink.buffered_bytes() < 3000
                watch.sink.read(3)
                await settled()
            assert [name for _, name, _ in watch.shape[:100]] == [f"{n:03}" for n in range(100)]
            assert watch.shape[100:] == [("BOOKMARK", "", 100), ("ADDED", "late", 101)]

    travel(story())
