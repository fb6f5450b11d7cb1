"""Watches over the real log: PostgreSQL, JetStream, the views for snapshots, two processes' worth of appenders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

from prometheus_client import CollectorRegistry

from projections.registry import projections_of
from service.bus.follower import Follower
from service.domain.world import Collection
from service.eventstore.appender import Appender
from service.eventstore.database import open_pool
from service.eventstore.head import HeadReader
from service.eventstore.reader import Reader
from service.eventstore.records import NewEvent
from service.reads.snapshot import Snapshots
from service.watch.cache import Cache
from service.watch.hub import Hub
from service.watch.request import WatchLimits, WatchRequest
from service.watch.ring import RingLimits
from service.watch.scope import Scope
from tests.engines import wait_until
from tests.integration.bus.support import connection, relaying
from tests.integration.eventstore.support import appending, beside, command
from tests.integration.projections.feeding import feeding, runner
from tests.unit.watch.checker import Wish, complaints, listed, wishes
from tests.unit.watch.chronicle import Chronicle, codec, random_command
from tests.unit.watch.client import Client
from tests.unit.watch.room import JsonEncoder, MemorySink

WISHES = list(wishes())
TIGHT = WatchLimits(park_at_bytes=2000, page_changes=3, page_events=20, bookmark_every_s=1.0, replays=2)


class Replica:
    """An API process as far as watches are concerned: an appender, a follower, a hub."""

    def __init__(self, appender: Appender, hub: Hub) -> None:
        self.appender = appender
        self.hub = hub


@asynccontextmanager
async def replica(dsn: str, nats_url: str, ring: int) -> AsyncIterator[Replica]:
    head = HeadReader(dsn)
    async with open_pool(dsn, "test", size_limit=4) as pool, connection(nats_url) as nats:
        reader = Reader(pool)
        cache = Cache(head, ring_limits=RingLimits(changes=ring))
        follower = Follower(reader, nats, cache.position)
        cache.hint = follower.hint
        hub = Hub(cache, reader, codec, Snapshots(pool), CollectorRegistry(), TIGHT)
        async with (
            appending(dsn, on_committed=follower.offer) as appender,
            beside(head.run(), follower.run(), hub.feed(follower.batches()), hub.keep_house()),
        ):
            yield Replica(appender, hub)


@asynccontextmanager
async def projecting(dsn: str) -> AsyncIterator[None]:
    async with feeding(dsn) as feed:
        runners = [runner(projection, dsn, feed)[0] for projection in projections_of([])]
        async with beside(*(one.run() for one in runners)):
            yield


async def append(random: Random, chronicle: Chronicle, appender: Appender) -> int:
    """Something random, to the log and to the chronicle. Returns its last position."""
    recorded = chronicle.append(*random_command(random, chronicle.world))
    events = [NewEvent(e.type, e.schema_version, e.aggregate, None, e.data) for e in recorded]
    appended = await appender.append(command(*events))
    assert (appended.first, appended.last) == (recorded[0].position, recorded[-1].position)
    return appended.last


async def test_clients_that_come_and_go_are_told_exactly_what_the_log_holds(database: str, nats_url: str) -> None:
    """Resuming at random positions on either replica, from rings that hold five changes, or from the log."""
    random, chronicle = Random(7), Chronicle()
    async with (
        relaying(database, nats_url),
        projecting(database),
        replica(database, nats_url, ring=5) as one,
        replica(database, nats_url, ring=5) as other,
    ):
        for _ in range(60):
            await append(random, chronicle, random.choice((one, other)).appender)
        positions = [None, *range(1, len(chronicle.events) + 1)]
        clients = [
            Client(
                random.choice((one, other)).hub, random.choice(WISHES), random.choice(positions), random, (0.0, 0.02)
            )
            for _ in range(24)
        ]
        running = [asyncio.create_task(client.run()) for client in clients]
        for _ in range(120):
            await append(random, chronicle, random.choice((one, other)).appender)
            await asyncio.sleep(0.005)
        for client in clients:
            client.finish()

        async def all_told() -> bool:
            return not any(complaints(chronicle, c.wish, c.sessions, complete=True) for c in clients)

        with suppress(TimeoutError):
            await wait_until(all_told, timeout_s=30.0)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        replayed = sum(r.hub._metrics.replayed._value.get() for r in (one, other))
    assert [w for c in clients for w in complaints(chronicle, c.wish, c.sessions, complete=True)] == []
    assert replayed > 0


async def test_a_list_after_an_acknowledged_write_holds_it_on_every_replica(database: str, nats_url: str) -> None:
    random, chronicle = Random(8), Chronicle()
    wish = Wish(Scope(Collection.IMAGE_TAGS))
    async with (
        relaying(database, nats_url),
        replica(database, nats_url, ring=100) as one,
        replica(database, nats_url, ring=100) as other,
    ):
        for _ in range(50):
            written = await append(random, chronicle, one.appender)
            for hub in (one.hub, other.hub):
                await hub.cache.fresh()
                assert hub.cache.position >= written
                states = hub.cache.select(wish.scope).states
                assert [s.changed for s in states] == [
                    int(obj["metadata"]["resourceVersion"]) for _, obj in listed(chronicle, wish, written)
                ]


async def test_a_watch_whose_past_the_views_do_not_have_yet_waits_for_them(database: str, nats_url: str) -> None:
    random, chronicle = Random(9), Chronicle()
    async with replica(database, nats_url, ring=2) as one:
        for _ in range(40):
            last = await append(random, chronicle, one.appender)
        await one.hub.cache.wait_for(last)
        sink = MemorySink()
        request = WatchRequest(Scope(Collection.IMAGE_TAGS), JsonEncoder(), 1e6, 10)
        watching = asyncio.create_task(one.hub.watch(request, sink))
        await asyncio.sleep(0.5)
        assert (sink.told, watching.done()) == ([], False)
        due = [c for c in chronicle.changes if c.collection is Collection.IMAGE_TAGS and c.position > 10]

        async def all_told() -> bool:
            return len(sink.told) == len(due)

        async with projecting(database):
            await wait_until(all_told)
        watching.cancel()
    assert [t.version for t in sink.told] == [c.position for c in due]
