"""The watch room as a whole: one cache, fed by one follower of the log, and all watches of this process.

    follower ──batches──▶ feed ──command──▶ Cache.apply ──changes──▶ Dispatcher ──frames──▶ sinks
                                                │                        ▲ joins
                                                └──ring──▶ Watcher ──────┘

Keeps: commands are applied and delivered in one step of the event loop; after a few of them others get their turn.
The composition root builds a Hub, runs `feed` and `keep_house` as supervised tasks, and calls `drain` before it stops
listening for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Sequence

from prometheus_client import CollectorRegistry

from service.domain.world import Change
from service.eventstore.records import RecordedEvent
from service.watch.cache import Cache
from service.watch.dispatcher import Dispatcher, Sink
from service.watch.frames import Frames
from service.watch.metrics import WatchMetrics
from service.watch.replay import Decoder, Log, Replays, SnapshotSource, happening, split_commands
from service.watch.request import WatchLimits, WatchRequest
from service.watch.watcher import End, Shared, Watcher

TICK_S = 0.5
TURN_DELIVERIES = 8_000
"""After about so many the event loop gets its turn."""
TURN_CHANGES = (8, 64)
"""But after no fewer and no more changes: most of a delivery is its one write, however many changes that carries."""


class Hub:
    def __init__(
        self,
        cache: Cache,
        log: Log,
        decoder: Decoder,
        snapshots: SnapshotSource,
        registry: CollectorRegistry,
        limits: WatchLimits | None = None,
    ) -> None:
        self.cache = cache
        self._decoder = decoder
        self._metrics = WatchMetrics(registry)
        limits = limits or WatchLimits()
        frames = Frames()
        self._dispatcher = Dispatcher(frames, self._metrics, limits.park_at_bytes)
        replays = Replays(
            log,
            decoder,
            snapshots,
            lambda: cache.position,
            self._metrics,
            page_events=limits.page_events,
            limit=limits.replays,
        )
        self._shared = Shared(cache, self._dispatcher, frames, replays, self._metrics, limits)
        self._watchers: set[Watcher] = set()
        self._draining = False

    @property
    def park_at_bytes(self) -> int:
        """What a sink may hold before its watch is parked."""
        return self._shared.limits.park_at_bytes

    async def feed(self, batches: AsyncIterable[Sequence[RecordedEvent]]) -> None:
        """Apply the log to the cache, and deliver it, for as long as there are batches.

        A batch is whole commands. Raises GapError and UnfoldableEventError: then the cache is dead, and so must be
        the process.
        """
        async for batch in batches:
            changes: list[Change] = []
            for command in split_commands(batch):
                changes += self.cache.apply([happening(event, self._decoder) for event in command])
                if len(changes) >= self._turn_changes():
                    self._dispatcher.deliver(changes)
                    changes = []
                    await asyncio.sleep(0)
            self._dispatcher.deliver(changes)
            self._metrics.position.set(self.cache.position)

    async def keep_house(self) -> None:
        """Bookmarks, and watches whose client went away in silence. Runs for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            self._dispatcher.tick(self.cache.position, loop.time())

    async def prepare(self, request: WatchRequest) -> None:
        """What can be refused before a response begins. Raises Unavailable, FuturePosition."""
        if request.resource_version is None:
            await self.cache.fresh()

    async def watch(self, request: WatchRequest, sink: Sink) -> End:
        """Serve one watch to its end."""
        watcher = Watcher(request, sink, self._shared)
        if self._draining:
            watcher.stop()
        self._watchers.add(watcher)
        try:
            return await watcher.run()
        finally:
            self._watchers.discard(watcher)

    def drain(self) -> None:
        """End all watches, and all that are yet to come, cleanly; their clients resume elsewhere."""
        self._draining = True
        for watcher in self._watchers:
            watcher.stop()

    def _turn_changes(self) -> int:
        """How many changes are delivered together, at most, with so many watches."""
        fewest, most = TURN_CHANGES
        return max(fewest, min(most, TURN_DELIVERIES // (len(self._dispatcher) + 1)))
