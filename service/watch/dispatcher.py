"""Who is told of which change: watchers that are up to date, indexed by what they watch.

A change touches only the watchers of its collection, its namespace and its name. Watchers of one scope share the
decision what the change is for them; watchers of one form share the bytes.
Keeps: to deliver is one step of the event loop, so a subscription that is joined at the cache's position, in the same
step, gets every later change once and in order. A sink that holds more than PARK_AT_BYTES is let go (PARKED), with the
position it has; nothing is queued for it, and nobody waits for it.
Elsewhere: what happens to those who are let go, and how they come back (`watcher.py`).
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Iterable, Iterator
from typing import Protocol

from service.domain.world import Change, Collection
from service.runtime.logs import get_logger
from service.watch.frames import ChangeEncoder, Frames, bookmark
from service.watch.metrics import WatchMetrics
from service.watch.scope import EventType, Scope, Seen

PARK_AT_BYTES = 256 * 1024
"""Of what a sink holds. One frame more may be added, so this is not quite the bound: that is a frame higher."""

log = get_logger("watch")


class Sink(Protocol):
    """Where the frames of one watch go. Everything but `drained` returns at once."""

    def write(self, frame: bytes, /) -> None: ...

    def buffered_bytes(self) -> int:
        """What was written and has not left this process."""

    def closed(self) -> bool:
        """Whether the other side is gone, so that writing is pointless."""

    async def drained(self) -> None:
        """Until the sink holds little, or is closed."""


class Left(enum.Enum):
    """Why a subscription ended without its owner's doing."""

    PARKED = "parked"
    CLOSED = "closed"
    FAILED = "failed"


class Bookmarks:
    """When a watch is due a bookmark: at intervals, and for the last time shortly before it ends. Event loop time."""

    __slots__ = ("_due", "_every_s", "_last")

    def __init__(self, now: float, every_s: float, last: float) -> None:
        self._every_s = every_s
        self._last = last
        self._due = min(now + every_s, last)

    def due(self, now: float) -> bool:
        """Tells each time once."""
        if now < self._due:
            return False
        self._due = math.inf if self._due >= self._last else min(now + self._every_s, self._last)
        return True


class Subscription:
    """One watcher's place in the index."""

    __slots__ = ("bookmarks", "encoder", "left", "scope", "sink", "told")

    def __init__(
        self, scope: Scope, encoder: ChangeEncoder, sink: Sink, told: int, bookmarks: Bookmarks | None
    ) -> None:
        self.scope = scope
        self.encoder = encoder
        self.sink = sink
        self.told = told
        """The newest position that the watcher knows of, by an event or a bookmark."""
        self.bookmarks = bookmarks
        self.left: asyncio.Future[Left] = asyncio.get_running_loop().create_future()


Place = tuple[str | None, str | None]
"""Namespace and name; None is any."""
Members = dict[Subscription, None]
Audience = dict[str, Members]
"""The subscriptions of one scope, by form."""


class Dispatcher:
    def __init__(self, frames: Frames, metrics: WatchMetrics, park_at_bytes: int = PARK_AT_BYTES) -> None:
        self._frames = frames
        self._metrics = metrics
        self._park_at_bytes = park_at_bytes
        self._places: dict[Collection, dict[Place, dict[Scope, Audience]]] = {c: {} for c in Collection}
        self._subscriptions: Members = {}

    def join(self, subscription: Subscription) -> None:
        """From here on it gets every change. It must have been sent all that the cache holds."""
        self._subscriptions[subscription] = None
        self._enter(subscription)

    def leave(self, subscription: Subscription, why: Left | None = None) -> None:
        """Does nothing if it has left already."""
        if subscription not in self._subscriptions:
            return
        del self._subscriptions[subscription]
        self._exit(subscription)
        if why is not None and not subscription.left.done():
            subscription.left.set_result(why)

    def deliver(self, change: Change) -> int:
        """Write the change to all it concerns. Returns to how many."""
        count = 0
        shared: dict[tuple[EventType, str], bytes] = {}
        for scope, audience in self._audiences(change):
            seen = scope.seen(change)
            if seen is None:
                continue
            begun: list[Subscription] = []
            for form, members in list(audience.items()):
                frame = shared.get((seen.type, form))
                if frame is None:
                    frame = self._encoded(members, change, seen)
                    if frame is None:
                        continue
                    shared[seen.type, form] = frame
                count += len(members)
                begun += self._write(members, frame, change.position)
            # Only now: who had the first event must not be found again among those who get the others.
            self._follow(begun)
        if count:
            self._metrics.deliveries.inc(count)
        return count

    def tick(self, position: int, now: float) -> None:
        """Send the bookmarks that are due, and let go those whose client is gone. `position` is the cache's."""
        shared: dict[tuple[Collection, str], bytes] = {}
        for subscription in list(self._subscriptions):
            if subscription.sink.closed():
                self.leave(subscription, Left.CLOSED)
            elif subscription.bookmarks and subscription.bookmarks.due(now) and position > subscription.told:
                self._bookmark(subscription, position, shared)

    def _audiences(self, change: Change) -> Iterator[tuple[Scope, Audience]]:
        places = self._places[change.collection]
        namespace, name = change.namespace, change.name
        for place in ((None, None), (namespace, None), (namespace, name), (None, name)):
            scopes = places.get(place)
            if scopes:
                yield from list(scopes.items())

    def _encoded(self, members: Members, change: Change, seen: Seen) -> bytes | None:
        """The frame of a change; None, and nobody left in the group, if it cannot be encoded."""
        encoder = next(iter(members)).encoder
        try:
            return self._frames.event(encoder, change.collection, seen.type, seen.state, change.position)
        except Exception:
            log.exception("cannot encode a change", position=change.position, form=encoder.form)
            for subscription in list(members):
                self.leave(subscription, Left.FAILED)
            return None

    def _write(self, members: Members, frame: bytes, position: int) -> list[Subscription]:
        """Returns those that had their first event, if the others look different in their form."""
        park_at_bytes = self._park_at_bytes
        leaving: list[tuple[Subscription, Left]] = []
        for subscription in members:
            sink = subscription.sink
            if sink.closed():
                leaving.append((subscription, Left.CLOSED))
                continue
            sink.write(frame)
            subscription.told = position
            if sink.buffered_bytes() > park_at_bytes:
                leaving.append((subscription, Left.PARKED))
        encoder = next(iter(members)).encoder
        begun = [] if encoder.following is encoder else list(members)
        for subscription, why in leaving:
            self.leave(subscription, why)
        return begun

    def _follow(self, begun: Iterable[Subscription]) -> None:
        for subscription in begun:
            joined = subscription in self._subscriptions
            if joined:
                self._exit(subscription)
            subscription.encoder = subscription.encoder.following
            if joined:
                self._enter(subscription)

    def _bookmark(self, subscription: Subscription, position: int, shared: dict[tuple[Collection, str], bytes]) -> None:
        collection, encoder = subscription.scope.collection, subscription.encoder
        frame = shared.get((collection, encoder.form))
        if frame is None:
            try:
                frame = shared[collection, encoder.form] = bookmark(encoder, collection, position)
            except Exception:
                log.exception("cannot encode a bookmark", position=position, form=encoder.form)
                self.leave(subscription, Left.FAILED)
                return
        self._follow(self._write({subscription: None}, frame, position))

    def _enter(self, subscription: Subscription) -> None:
        scope = subscription.scope
        scopes = self._places[scope.collection].setdefault((scope.namespace, scope.name), {})
        scopes.setdefault(scope, {}).setdefault(subscription.encoder.form, {})[subscription] = None

    def _exit(self, subscription: Subscription) -> None:
        scope = subscription.scope
        places = self._places[scope.collection]
        scopes = places[scope.namespace, scope.name]
        audience = scopes[scope]
        members = audience[subscription.encoder.form]
        del members[subscription]
        if not members:
            del audience[subscription.encoder.form]
        if not audience:
            del scopes[scope]
        if not scopes:
            del places[scope.namespace, scope.name]
