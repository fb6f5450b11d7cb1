"""The present in memory: a World that follows the log, in list order, with the newest changes of each collection.

Keeps: commands are applied whole and without a gap, in one step of the event loop, so a reader that does not await
only ever sees the state between two commands, at `position`. States are immutable and may be held for as long.
A read that must be current waits until the cache has reached the log's head (`fresh`); the wait is bounded.
Elsewhere: where commands come from (`feed.py`), who is told (`dispatcher.py`), the past (`reads/`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from service.domain.errors import FuturePosition
from service.domain.image import ImageState
from service.domain.imagestream import ImageStream
from service.domain.namespace import Namespace
from service.domain.world import Change, Collection, Happened, State, World
from service.watch.keys import Keys
from service.watch.progress import Progress
from service.watch.ring import Ring, RingLimits
from service.watch.scope import Key, Scope, key_of

POSITION_TIMEOUT_MS = 3_000
"""How long a read waits for a position, as the reference does (spec: kube-api 6.1)."""

HINT_AFTER_MS = 20
"""What is under way by itself arrives earlier."""


class Head(Protocol):
    async def read(self) -> int:
        """The position of the log's newest event, not older than the call. Raises Unavailable."""


class GapError(Exception):
    """A command does not follow the last one: whoever feeds the cache has lost events, so it must not go on."""


class Selection(NamedTuple):
    states: list[State]
    more: bool
    """Whether keys, matching or not, are left behind the last state."""


class Cache:
    def __init__(
        self,
        head: Head,
        world: World | None = None,
        ring_limits: RingLimits | None = None,
    ) -> None:
        """`world` is taken over, and must be whole; None begins before the first event."""
        self.hint: Callable[[int], None] | None = None
        """Told of a position that somebody waits for in vain, so that whoever feeds the cache can go and look."""
        self._head = head
        self._world = world or World()
        self._progress = Progress(self._world.position)
        limits = ring_limits or RingLimits()
        self._keys = {collection: Keys(_keys_of(self._world, collection)) for collection in Collection}
        self._rings = {collection: Ring(self.position, limits) for collection in Collection}

    @property
    def position(self) -> int:
        """Everything up to here is in the cache, and nothing after it."""
        return self._progress.position

    def apply(self, command: Sequence[Happened]) -> list[Change]:
        """All events of the next command. Raises GapError and UnfoldableEventError, after which the cache is dead."""
        if command[0].position != self.position + 1:
            raise GapError(f"event {command[0].position} after {self.position}")
        changes = self._world.apply(command)
        for change in changes:
            self._rings[change.collection].append(change)
            if change.old is None:
                self._keys[change.collection].add(change.namespace, change.name)
            elif change.new is None:
                self._keys[change.collection].remove(change.namespace, change.name)
        self._progress.advance(command[-1].position)
        return changes

    async def wait_for(self, position: int, timeout_ms: int | None = POSITION_TIMEOUT_MS) -> None:
        """Until the cache includes the position. Raises FuturePosition if it does not in time; None waits for ever."""
        if position <= self.position:
            return
        soon_ms = HINT_AFTER_MS if timeout_ms is None else min(timeout_ms, HINT_AFTER_MS)
        try:
            await self._progress.wait_for(position, soon_ms)
        except FuturePosition:
            if self.hint is not None:
                self.hint(position)
            await self._progress.wait_for(position, None if timeout_ms is None else timeout_ms - soon_ms)

    async def fresh(self) -> None:
        """Until the cache includes every event committed before this call, by whomever.

        Raises Unavailable if the log does not tell its head, FuturePosition if the cache does not get there in time.
        """
        await self.wait_for(await self._head.read())

    def stream(self, namespace: str, name: str) -> ImageStream | None:
        return self._world.streams.get((namespace, name))

    def image(self, name: str) -> ImageState | None:
        return self._world.images.get(name)

    def namespace(self, name: str) -> Namespace | None:
        return self._world.namespaces.get(name)

    def stream_names(self, namespace: str) -> list[str]:
        """The image streams of a namespace, in order."""
        return [key.name for key in self._keys[Collection.IMAGE_STREAMS].after(namespace)]

    def stream_count(self, namespace: str) -> int:
        return self._keys[Collection.IMAGE_STREAMS].count(namespace)

    def get(self, collection: Collection, namespace: str, name: str) -> State | None:
        match collection:
            case Collection.IMAGES:
                return self.image(name)
            case Collection.NAMESPACES:
                return self.namespace(name)
            case Collection.IMAGE_STREAMS:
                return self.stream(namespace, name)
            case Collection.IMAGE_TAGS | Collection.IMAGE_STREAM_TAGS:
                stream_name, _, tag_name = name.partition(":")
                stream = self.stream(namespace, stream_name)
                tag = stream.tags.get(tag_name) if stream else None
                return tag if tag and (tag.has_image or collection is Collection.IMAGE_TAGS) else None

    def select(self, scope: Scope, after: Key | None = None, limit: int = 0) -> Selection:
        """What the scope shows, in list order, behind a key. At most `limit` states, all if 0."""
        found = self._in_scope(scope, after)
        if not limit:
            return Selection(list(found), False)
        states = list(islice(found, limit))
        return Selection(states, len(states) == limit and self._has_more(scope, states[-1]))

    def count(self, scope: Scope, after: Key | None = None) -> int:
        """How many objects there are in the scope's namespace behind a key, whether its selectors match or not."""
        return self._keys[scope.collection].count(scope.namespace, after)

    def collection_changed(self, collection: Collection) -> int:
        """Position of the collection's newest change; where the cache began, if there was none since."""
        return self._rings[collection].newest

    def ring(self, collection: Collection) -> Ring:
        return self._rings[collection]

    def _in_scope(self, scope: Scope, after: Key | None) -> Iterator[State]:
        for namespace, name in self._candidates(scope, after):
            state = self.get(scope.collection, namespace, name)
            if state is not None and scope.matches(state):
                yield state

    def _has_more(self, scope: Scope, last: State) -> bool:
        return next(self._candidates(scope, key_of(last)), None) is not None

    def _candidates(self, scope: Scope, after: Key | None) -> Iterator[Key]:
        keys = self._keys[scope.collection]
        if scope.name is None:
            return keys.after(scope.namespace, after)
        return keys.named(scope.name, scope.namespace, after)


def _keys_of(world: World, collection: Collection) -> Iterator[Key]:
    match collection:
        case Collection.IMAGES:
            yield from (Key("", name) for name in world.images)
        case Collection.NAMESPACES:
            yield from (Key("", name) for name in world.namespaces)
        case Collection.IMAGE_STREAMS:
            yield from (Key(*key) for key in world.streams)
        case Collection.IMAGE_TAGS | Collection.IMAGE_STREAM_TAGS:
            for stream in world.streams.values():
                for tag in stream.tags.values():
                    if tag.has_image or collection is Collection.IMAGE_TAGS:
                        yield key_of(tag)
