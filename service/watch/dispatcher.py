"""Who is told of which change: watchers that are up to date, indexed by what they watch.

A change touches only the watchers of its collection, its namespace and its name. Watchers of one scope share the
decision what the change is for them, those of one form also the bytes. Changes that are delivered together are joined,
so that each watcher costs one write, and one system call, however many there are.
Keeps: to deliver is one step of the event loop, so a subscription that is joined at the cache's position, in the same
step, gets every later change once and in order. A sink that holds more than PARK_AT_BYTES is let go (PARKED), with the
position it has; nothing is queued for it, and nobody waits for it. So are those whose next event has to be fetched.
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
"""Of what a sink holds. What is being written may go beyond it, so the bound is higher by one delivery."""

log = get_logger("watch")


class Sink(Protocol):
    """Where the frames of one watch go. Everything but `drained` returns at once."""

    def write(self, frames: bytes, /) -> None:
        """One or more frames."""

    def buffered_bytes(self) -> int:
        """What was written and has not left this process."""

    def closed(self) -> bool:
        """Whether the other side is gone, so that writing is pointless."""

    async def drained(self) -> None:
        """Until the sink holds little, or is closed."""


class Left(enum.Enum):
    """Why a subscription ended without its owner's doing."""

    PARKED = "parked"
    BEHIND = "its next event has to be fetched"
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
EventForm = tuple[EventType, str]


class Group:
    """The subscriptions of one scope and one form: all of them get the same bytes."""

    __slots__ = ("encoder", "frames", "members", "position")

    def __init__(self, encoder: ChangeEncoder) -> None:
        self.encoder = encoder
        self.members: dict[Subscription, None] = {}
        self.frames: list[bytes] = []
        """What is being delivered, and not yet written."""
        self.position = 0
        """Of the last of them."""


Audience = dict[str, Group]
"""The subscriptions of one scope, by form."""


class Dispatcher:
    def __init__(self, frames: Frames, metrics: WatchMetrics, park_at_bytes: int = PARK_AT_BYTES) -> None:
        self._frames = frames
        self._metrics = metrics
        self._park_at_bytes = park_at_bytes
        self._places: dict[Collection, dict[Place, dict[Scope, Audience]]] = {c: {} for c in Collection}
        self._subscriptions: dict[Subscription, None] = {}
        self._unwritten: dict[Group, None] = {}

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

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

    def deliver(self, changes: Iterable[Change]) -> None:
        """Write the changes, in order, to all they concern."""
        for change in changes:
            shared: dict[EventForm, bytes] = {}
            for scope, audience in self._audiences(change):
                seen = scope.seen(change)
                if seen is not None:
                    self._add(audience, change, seen, shared)
        for group in list(self._unwritten):
            self._write(group)

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
        if not places:
            return
        namespace, name = change.namespace, change.name
        for place in ((None, None), (namespace, None), (namespace, name), (None, name)):
            scopes = places.get(place)
            if scopes:
                yield from list(scopes.items())

    def _add(self, audience: Audience, change: Change, seen: Seen, shared: dict[EventForm, bytes]) -> None:
        """Give each group of an audience the frame of a change. `shared`: the change's frames so far."""
        begun: list[Group] = []
        for form, group in list(audience.items()):
            frame = shared.get((seen.type, form))
            if frame is None:
                frame = self._encoded(group, change, seen)
                if frame is None:
                    continue
                shared[seen.type, form] = frame
            group.frames.append(frame)
            group.position = change.position
            self._unwritten[group] = None
            if group.encoder.following is not group.encoder:
                begun.append(group)
        for group in begun:
            # Not before all have the frame: its members must not be found again among those who get what follows.
            members = list(group.members)
            self._write(group)
            self._follow(members)

    def _encoded(self, group: Group, change: Change, seen: Seen) -> bytes | None:
        """The frame of a change; None, and nobody left in the group, if it is not to be had here and now."""
        encoder = group.encoder
        why = Left.BEHIND
        try:
            frame = self._frames.event(encoder, change.collection, seen.type, seen.state, change.position)
        except Exception:
            # A form that cannot be encoded must not stop the cache and everybody else.
            log.exception("cannot encode a change", position=change.position, form=encoder.form)
            frame, why = None, Left.FAILED
        if frame is None:
            self._write(group)
            for subscription in list(group.members):
                self.leave(subscription, why)
        return frame

    def _write(self, group: Group) -> None:
        """Write what is being delivered to a group, if anything."""
        if not group.frames:
            return
        del self._unwritten[group]
        frames, group.frames = group.frames, []
        self._metrics.deliveries.inc(len(frames) * len(group.members))
        self._send(list(group.members), b"".join(frames) if len(frames) > 1 else frames[0], group.position)

    def _send(self, subscriptions: list[Subscription], frames: bytes, position: int) -> None:
        park_at_bytes = self._park_at_bytes
        for subscription in subscriptions:
            sink = subscription.sink
            if sink.closed():
                self.leave(subscription, Left.CLOSED)
                continue
            sink.write(frames)
            subscription.told = position
            if sink.buffered_bytes() > park_at_bytes:
                self.leave(subscription, Left.PARKED)

    def _bookmark(self, subscription: Subscription, position: int, shared: dict[tuple[Collection, str], bytes]) -> None:
        collection, encoder = subscription.scope.collection, subscription.encoder
        frame = shared.get((collection, encoder.form))
        if frame is None:
            try:
                frame = shared[collection, encoder.form] = bookmark(encoder, collection, position)
            except Exception:
                # As in _encoded.
                log.exception("cannot encode a bookmark", position=position, form=encoder.form)
                self.leave(subscription, Left.FAILED)
                return
        self._send([subscription], frame, position)
        if encoder.following is not encoder:
            self._follow([subscription])

    def _follow(self, begun: Iterable[Subscription]) -> None:
        """Put those who had their first event among those who get what follows, where that looks different."""
        for subscription in begun:
            joined = subscription in self._subscriptions
            if joined:
                self._exit(subscription)
            subscription.encoder = subscription.encoder.following
            if joined:
                self._enter(subscription)

    def _enter(self, subscription: Subscription) -> None:
        scope, encoder = subscription.scope, subscription.encoder
        scopes = self._places[scope.collection].setdefault((scope.namespace, scope.name), {})
        audience = scopes.setdefault(scope, {})
        group = audience.get(encoder.form)
        if group is None:
            group = audience[encoder.form] = Group(encoder)
        # What is being delivered to the others it has had.
        self._write(group)
        group.members[subscription] = None

    def _exit(self, subscription: Subscription) -> None:
        scope = subscription.scope
        places = self._places[scope.collection]
        scopes = places[scope.namespace, scope.name]
        audience = scopes[scope]
        group = audience[subscription.encoder.form]
        del group.members[subscription]
        if not group.members:
            del audience[subscription.encoder.form]
        if not audience:
            del scopes[scope]
        if not scopes:
            del places[scope.namespace, scope.name]
