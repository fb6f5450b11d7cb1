"""The life of one watch: initial state, catching up, live, parked, catching up again, end.

Keeps: `_position` says up to where the client was sent everything; it only grows, and each step starts from it, so
there is no seam between ring, log and live, wherever one takes over from another. The step from the last page of the
ring to the dispatcher is one step of the event loop.
An event that has to be fetched is awaited here, by each watch for itself and in its turn.
A client that reads too slowly is parked: nothing is queued for it, nobody waits for it, and it resumes from the ring
or the log when its sink has drained. Only one that reads nothing at all for `stall_timeout_s` is given up.
Elsewhere: the live part (`dispatcher.py`), transports (`http/`).
"""

from __future__ import annotations

import asyncio
import enum

import msgspec

from service.domain.errors import FuturePosition, InternalError, TagHistoryError, Unavailable
from service.domain.world import Change, State
from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff
from service.watch.cache import Cache
from service.watch.dispatcher import Bookmarks, Dispatcher, Left, Sink, Subscription
from service.watch.frames import Frames, bookmark, chunk
from service.watch.metrics import WatchMetrics
from service.watch.replay import Replays
from service.watch.request import WatchLimits, WatchRequest
from service.watch.ring import Ring
from service.watch.scope import EventType

CLOSED_CHECK_MS = 10_000
"""How often a watch that waits for a future position looks whether its client is still there."""

log = get_logger("watch")


class Shared(msgspec.Struct, frozen=True):
    """What all watches of a process have in common."""

    cache: Cache
    dispatcher: Dispatcher
    frames: Frames
    replays: Replays
    metrics: WatchMetrics
    limits: WatchLimits


class End(enum.Enum):
    TIMEOUT = "its time is over"
    DRAINED = "the server stops"
    FAILED = "it cannot go on; an ERROR event was sent where there was one to send"
    CLOSED = "the client is gone"
    STALLED = "the client reads nothing"

    @property
    def is_clean(self) -> bool:
        """Whether the client can still be told that this is the end."""
        return self not in (End.CLOSED, End.STALLED)


class Ended(Exception):
    def __init__(self, how: End) -> None:
        super().__init__(how.value)
        self.how = how


class Watcher:
    def __init__(self, request: WatchRequest, sink: Sink, shared: Shared) -> None:
        self._request = request
        self._scope = request.scope
        self._encoder = request.encoder
        self._sink = sink
        self._shared = shared
        self._position = 0
        self._told = 0
        """The newest position that the client knows of; behind `_position` where the changes since were not for it."""
        self._subscription: Subscription | None = None
        self._deadline = asyncio.get_running_loop().time() + request.timeout_s
        self._lifetime = asyncio.timeout_at(self._deadline)
        self._running = False
        self._stopped = False

    async def run(self) -> End:
        """Serve the watch to its end. Cancel it when the client is known to be gone."""
        metrics = self._shared.metrics
        metrics.watchers.inc()
        try:
            async with self._lifetime:
                self._running = True
                if not self._stopped:
                    await self._stream()
        except TimeoutError:
            if not self._lifetime.expired():
                raise
        except Ended as ended:
            return ended.how
        finally:
            self._running = False
            metrics.watchers.dec()
            if self._subscription is not None:
                self._shared.dispatcher.leave(self._subscription)
        return End.DRAINED if self._stopped else End.TIMEOUT

    def stop(self) -> None:
        """End it as soon as may be, whatever it is doing, between two events."""
        self._stopped = True
        if self._running and not self._lifetime.expired():
            self._lifetime.reschedule(asyncio.get_running_loop().time())

    async def _stream(self) -> None:
        try:
            await self._begin()
            while True:
                await self._catch_up()
                await self._live()
        except Ended:
            raise
        except TagHistoryError as error:
            self._fail(error)
        except Exception as error:
            log.exception("a watch cannot go on", position=self._position, scope=str(self._scope))
            self._fail(InternalError(str(error)))

    async def _begin(self) -> None:
        """Send the initial state, or find where to begin without."""
        cache, version = self._shared.cache, self._request.resource_version
        if not self._request.begins_with_state:
            self._position = self._told = version or cache.position
            return
        await cache.wait_for(version or 0, self._shared.limits.future_timeout_ms)
        position, states = cache.position, cache.select(self._scope).states
        for state in states:
            await self._send(EventType.ADDED, state, state.changed)
            if self._is_full:
                await self._drained()
        self._position = self._told = position
        if self._request.bookmarks:
            self._write(bookmark(self._encoder, self._scope.collection, position, initial_end=True))

    async def _catch_up(self) -> None:
        """Send what the cache has had since, and join the dispatcher."""
        ring = self._shared.cache.ring(self._scope.collection)
        backoff = Backoff()
        while True:
            if self._is_full:
                await self._drained()
            await self._present()
            if not ring.covers(self._position):
                try:
                    await self._replay(ring)
                except Unavailable as error:
                    self._require_client()
                    log.info("a watch waits for its past", position=self._position, error=error)
                    await asyncio.sleep(backoff.next_delay_s())
                continue
            page = ring.after(self._position, self._shared.limits.page_changes)
            if not page:
                self._join()
                return
            for change in page:
                await self._pass_on(change)
                if self._is_full:
                    break
            await asyncio.sleep(0)

    async def _present(self) -> None:
        """Wait until the cache is where this watch is: it may have begun in the future, or overtaken in the log."""
        while self._position > self._shared.cache.position:
            try:
                await self._shared.cache.wait_for(self._position, CLOSED_CHECK_MS)
            except FuturePosition:
                self._require_client()

    async def _replay(self, ring: Ring) -> None:
        """Pass on changes from the log until the ring has the rest, or the client is too slow to keep a place."""
        async with self._shared.replays.changes(self._scope, self._position) as pages:
            async for page in pages:
                for change in page.changes:
                    await self._pass_on(change)
                    if self._is_full and not await self._drained_soon():
                        return
                self._position = page.reached
                self._require_client()
                if ring.covers(self._position):
                    return

    def _join(self) -> None:
        """In the step in which the cache holds nothing more for this watch."""
        bookmarks = None
        if self._request.bookmarks:
            limits, now = self._shared.limits, asyncio.get_running_loop().time()
            bookmarks = Bookmarks(now, limits.bookmark_every_s, self._deadline - limits.last_bookmark_s)
        self._subscription = Subscription(self._scope, self._encoder, self._sink, self._told, bookmarks)
        self._shared.dispatcher.join(self._subscription)

    async def _live(self) -> None:
        """Until the dispatcher lets go of it; returns if the watch is to catch up again."""
        subscription = self._subscription
        if subscription is None:
            raise AssertionError("live before it joined")
        left = await subscription.left
        # It left right after an event or a bookmark, so what it was told last is all it was sent.
        self._position = self._told = subscription.told
        self._encoder = subscription.encoder
        if left is Left.CLOSED:
            raise Ended(End.CLOSED)
        if left is Left.FAILED:
            self._fail(InternalError("an event cannot be encoded"))

    async def _pass_on(self, change: Change) -> None:
        if self._scope.covers(change.namespace, change.name):
            seen = self._scope.seen(change)
            if seen is not None:
                await self._send(seen.type, seen.state, change.position)
                self._told = change.position
        self._position = change.position

    async def _send(self, event_type: EventType, state: State, position: int) -> None:
        frame = self._shared.frames.event(self._encoder, self._scope.collection, event_type, state, position)
        self._write(frame or await self._fetched(event_type, state, position))
        self._shared.metrics.deliveries.inc()

    async def _fetched(self, event_type: EventType, state: State, position: int) -> bytes:
        """The frame of an event, as soon as it can be made."""
        backoff = Backoff()
        while True:
            try:
                return await self._shared.frames.fetched(
                    self._encoder, self._scope.collection, event_type, state, position
                )
            except Unavailable as error:
                self._require_client()
                log.info("a watch waits for a part of an object", position=position, error=error)
                await asyncio.sleep(backoff.next_delay_s())

    def _write(self, frame: bytes) -> None:
        self._require_client()
        self._sink.write(frame)
        self._encoder = self._encoder.following

    def _fail(self, error: TagHistoryError) -> None:
        self._require_client()
        self._sink.write(chunk(self._encoder.encode_error(error)))
        raise Ended(End.FAILED)

    def _require_client(self) -> None:
        if self._sink.closed():
            raise Ended(End.CLOSED)

    @property
    def _is_full(self) -> bool:
        return self._sink.buffered_bytes() > self._shared.limits.park_at_bytes

    async def _drained(self) -> None:
        """Parked: until the client has read. Raises Ended if it does not, or is gone."""
        metrics = self._shared.metrics
        metrics.parkings.inc()
        with metrics.parked.track_inprogress():
            held_bytes = self._sink.buffered_bytes()
            while not await self._drained_within(self._shared.limits.stall_timeout_s):
                left_bytes = self._sink.buffered_bytes()
                if left_bytes >= held_bytes:
                    metrics.stalled.inc()
                    raise Ended(End.STALLED)
                held_bytes = left_bytes
        self._require_client()

    async def _drained_soon(self) -> bool:
        return await self._drained_within(self._shared.limits.replay_patience_s)

    async def _drained_within(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._sink.drained()
        except TimeoutError:
            return False
        return True
