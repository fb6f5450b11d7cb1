"""The changes of a scope after any position that ever was, folded again from the log.

A replay begins with the scope's states at the last command boundary up to the position, folds whole commands from
there, and passes on what changed after the position: exactly what the cache's fold once told its watchers.
Bounded: one page of events in memory, and a limited number of replays at a time, as each holds states of its own.
Events of other scopes are neither decoded nor folded, and not even read where the scope is one aggregate; the events
of an image stream stand last and together in their command, so leaving others out moves no change.
Elsewhere: who is resuming and how fast it reads (`watcher.py`), the snapshots (a sibling room, handed in).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from service.domain.events import DomainEvent
from service.domain.world import IMAGE, IMAGE_STREAM, NAMESPACE, Change, Collection, Happened, World
from service.eventstore.position import ends_command
from service.eventstore.records import Aggregate, RecordedEvent
from service.watch.metrics import WatchMetrics
from service.watch.scope import CLUSTER_SCOPED, Scope

LOG_RETRY_S = 0.2
CLUSTER = ""
"""The namespace of what has none."""
KINDS = {Collection.IMAGES: IMAGE, Collection.NAMESPACES: NAMESPACE}
"""The aggregates behind a collection, where they are no image streams."""


class SnapshotSource(Protocol):
    async def world_at(
        self,
        position: int,
        *,
        namespace: str | None = None,
        stream: str | None = None,
        with_images: bool = False,
        with_namespaces: bool = False,
    ) -> World:
        """The states at the last command boundary up to the position, of one namespace or image stream if told.

        Raises Expired for a position that was pruned, Unavailable while it cannot tell.
        """


class Log(Protocol):
    """Raises Expired, Unavailable."""

    async def read_after(self, position: int, limit: int) -> Sequence[RecordedEvent]:
        """The next events; none only at the head."""

    async def read_aggregate(self, aggregate: Aggregate, after: int, limit: int) -> Sequence[RecordedEvent]:
        """The next events of one aggregate; fewer than `limit` only if there are no more."""


class Decoder(Protocol):
    def decode(self, event: RecordedEvent) -> DomainEvent: ...


class Page(NamedTuple):
    """Some changes, in order, and the position up to which they are complete."""

    changes: list[Change]
    reached: int


Commands = AsyncGenerator[tuple[list[list[RecordedEvent]], int]]
"""Whole commands, and the position up to which there are no others."""


class Replays:
    def __init__(
        self,
        log: Log,
        decoder: Decoder,
        snapshots: SnapshotSource,
        present: Callable[[], int],
        metrics: WatchMetrics,
        *,
        page_events: int,
        limit: int,
    ) -> None:
        """At most `limit` replays at a time, the others wait. `present` tells a position that the log has reached."""
        self._log = log
        self._decoder = decoder
        self._snapshots = snapshots
        self._present = present
        self._metrics = metrics
        self._page_events = page_events
        self._turns = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def changes(self, scope: Scope, after: int) -> AsyncIterator[AsyncIterator[Page]]:
        """Pages without end: at the head of the log the next page waits for more. Leave the block to stop.

        Raises Expired and Unavailable, and UnfoldableEventError where log and code disagree.
        """
        async with self._turns:
            pages = self._pages(scope, after)
            try:
                yield pages
            finally:
                await pages.aclose()

    async def _pages(self, scope: Scope, after: int) -> AsyncGenerator[Page]:
        world = await self._snapshot(scope, after)
        aggregate = _only_aggregate(scope)
        start = world.position
        commands = self._commands_of(aggregate, start) if aggregate else self._all_commands(start)
        try:
            async for page, reached in commands:
                changes = [change for command in page for change in self._fold(world, scope, command)]
                yield Page([c for c in changes if c.position > after], reached)
        finally:
            await commands.aclose()

    async def _snapshot(self, scope: Scope, position: int) -> World:
        # No image stream is in the namespace of what has none.
        if scope.collection is Collection.IMAGES:
            return await self._snapshots.world_at(position, namespace=CLUSTER, with_images=True)
        if scope.collection is Collection.NAMESPACES:
            return await self._snapshots.world_at(position, namespace=CLUSTER, with_namespaces=True)
        return await self._snapshots.world_at(position, namespace=scope.namespace, stream=scope.stream)

    async def _all_commands(self, position: int) -> Commands:
        incomplete: list[RecordedEvent] = []
        while True:
            events = await self._log.read_after(position, self._page_events)
            if not events:
                await asyncio.sleep(LOG_RETRY_S)
                continue
            position = events[-1].position
            self._metrics.replayed.inc(len(events))
            commands = split_commands([*incomplete, *events])
            incomplete = [] if ends_command(events[-1]) else commands.pop()
            if commands:
                yield commands, commands[-1][-1].position

    async def _commands_of(self, aggregate: Aggregate, position: int) -> Commands:
        incomplete: list[RecordedEvent] = []
        while True:
            present = self._present()
            events = await self._log.read_aggregate(aggregate, position, self._page_events)
            self._metrics.replayed.inc(len(events))
            commands = split_commands([*incomplete, *events])
            if len(events) == self._page_events:
                # The next page may go on with the same command.
                position, incomplete = events[-1].position, commands.pop()
                if commands:
                    yield commands, commands[-1][-1].command_last
                continue
            incomplete = []
            position = max(present, commands[-1][-1].command_last if commands else 0)
            yield commands, position
            await asyncio.sleep(LOG_RETRY_S)

    def _fold(self, world: World, scope: Scope, command: list[RecordedEvent]) -> list[Change]:
        happened = [happening(event, self._decoder) for event in command if _concerns(scope, event)]
        changes = world.apply(happened) if happened else []
        return [c for c in changes if c.collection is scope.collection and scope.covers(c.namespace, c.name)]


def happening(event: RecordedEvent, decoder: Decoder) -> Happened:
    aggregate = event.aggregate
    return Happened(event.position, aggregate.kind, aggregate.namespace, aggregate.name, decoder.decode(event))


def split_commands(events: Sequence[RecordedEvent]) -> list[list[RecordedEvent]]:
    """Events in order, by command. The last command may be incomplete."""
    commands: list[list[RecordedEvent]] = []
    for event in events:
        if not commands or commands[-1][-1].command_last != event.command_last:
            commands.append([])
        commands[-1].append(event)
    return commands


def _only_aggregate(scope: Scope) -> Aggregate | None:
    """The one aggregate that the scope is about, if it is about one."""
    if scope.collection in CLUSTER_SCOPED:
        return Aggregate(KINDS[scope.collection], CLUSTER, scope.name) if scope.name is not None else None
    if scope.namespace is None or scope.stream is None:
        return None
    return Aggregate(IMAGE_STREAM, scope.namespace, scope.stream)


def _concerns(scope: Scope, event: RecordedEvent) -> bool:
    aggregate = event.aggregate
    if scope.collection in CLUSTER_SCOPED:
        return aggregate.kind == KINDS[scope.collection] and scope.name in (None, aggregate.name)
    if aggregate.kind != IMAGE_STREAM:
        return False
    return scope.namespace in (None, aggregate.namespace) and scope.stream in (None, aggregate.name)
