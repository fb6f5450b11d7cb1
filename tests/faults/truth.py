"""What must have been: the events table, folded once, and what every scope must have been told of it.

Keeps: the fold is the domain's own (`World`), applied to whole commands in order; who sees which change as what is said
here again, by the table of kube-api 7.3, without the watch room.
Elsewhere: reading the table (`log_table.py`), the comparisons (`check_*.py`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from service.domain import namespace as namespaces
from service.domain import served
from service.domain.events import (
    EVENT_TYPES,
    DomainEvent,
    ImageStreamChanged,
    ImageStreamCreated,
    TagDeleted,
    TagSet,
    TagUnset,
)
from service.domain.imagestream import ImageStream, Tag, with_generation
from service.domain.namespace import Namespace
from service.domain.world import Change, Collection, Happened, State, World
from service.eventstore.codec import Codec
from service.eventstore.records import RecordedEvent
from tests.faults.lines import digest_of
from tests.faults.plan import REGISTRY_HOSTNAME
from tests.faults.wish import Key, Wish, key_of

CODEC: Codec[DomainEvent] = Codec(EVENT_TYPES)
REGISTRY = served.Registry(REGISTRY_HOSTNAME)


class Command(msgspec.Struct, frozen=True):
    events: list[RecordedEvent]
    changes: list[Change]

    @property
    def first(self) -> int:
        return self.events[0].position

    @property
    def last(self) -> int:
        return self.events[-1].position


class Seen(NamedTuple):
    """A change as a scope is told of it."""

    position: int
    type: str
    key: Key
    state: State


class Truth:
    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        """The events must be dense, and commands contiguous (`check_log.py`)."""
        self.events = events
        self.world = World()
        self.commands: list[Command] = []
        self.by_request: dict[str, list[Command]] = defaultdict(list)
        self.changes: dict[Collection, list[Change]] = {collection: [] for collection in Collection}
        self._objects: dict[tuple[Collection, Key], list[Change]] = defaultdict(list)
        self._recorded_s = [event.recorded_at.timestamp() for event in events]
        self._digests: dict[tuple[Collection, int, int], tuple[State, bytes]] = {}
        self._generations: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        """Since which position an image stream has had which."""
        self._counted: dict[tuple[int, int], tuple[Tag, Tag]] = {}
        for _, members in groupby(events, key=lambda event: event.command_first):
            self._fold(list(members))

    @property
    def head(self) -> int:
        return len(self.events)

    def _fold(self, events: list[RecordedEvent]) -> None:
        command_events = [happened(event) for event in events]
        for event in command_events:
            generation = _generation_after(event.event)
            if generation is not None:
                self._generations[event.namespace, event.name].append((event.position, generation))
        changes = self.world.apply(command_events)
        command = Command(events, changes)
        self.commands.append(command)
        self.by_request[request_id_of(events[0])].append(command)
        for change in changes:
            self.changes[change.collection].append(change)
            self._objects[change.collection, (change.namespace, change.name)].append(change)

    def latest_at(self, wall_s: float) -> int:
        """The newest position that can have been known at that time."""
        return bisect_right(self._recorded_s, wall_s)

    def changes_of(self, collection: Collection, key: Key) -> list[Change]:
        return self._objects.get((collection, key), [])

    def state_at(self, collection: Collection, key: Key, position: int) -> State | None:
        changes = self.changes_of(collection, key)
        index = bisect_right(changes, position, key=lambda change: change.position)
        return changes[index - 1].new if index else None

    def states_between(self, collection: Collection, key: Key, first: int, last: int) -> list[State | None]:
        """All that the object was, from one position to another."""
        changes = self.changes_of(collection, key)
        start = bisect_right(changes, first, key=lambda change: change.position)
        end = bisect_right(changes, last, key=lambda change: change.position)
        return [changes[start - 1].new if start else None, *(change.new for change in changes[start:end])]

    def forms(self, state: State, first: int, last: int) -> list[State]:
        """How a state may be read between two positions: a tag with any generation its image stream had then."""
        if not isinstance(state, Tag):
            return [state]
        found = self._generations[state.namespace, state.stream]
        begin = bisect_right(found, first, key=lambda since: since[0]) - 1
        end = bisect_right(found, last, key=lambda since: since[0])
        return [self._with_generation(state, generation) for _, generation in found[max(begin, 0) : end]]

    def _with_generation(self, tag: Tag, generation: int) -> Tag:
        """The same object each time, as digests are kept by it."""
        found = self._counted.get((id(tag), generation))
        if found is None or found[0] is not tag:
            counted = msgspec.structs.replace(tag, header=with_generation(tag.header, generation))
            found = self._counted[id(tag), generation] = (tag, counted)
        return found[1]

    def digest(self, collection: Collection, state: State, version: int) -> bytes:
        """Of the object as served, at this version."""
        name = (collection, id(state), version)
        found = self._digests.get(name)
        if found is None or found[0] is not state:
            found = self._digests[name] = (state, digest_of(document(collection, state, version)))
        return found[1]

    @cache  # noqa: B019 - there is one truth in a run, and it lives as long
    def seen_by(self, wish: Wish) -> list[Seen]:
        """Everything a watch of this scope must be told, from position 1 on."""
        told = []
        for change in self.changes[wish.collection]:
            if not wish.covers(change.namespace, change.name):
                continue
            before = change.old is not None and wish.matches(change.old)
            now = change.new is not None and wish.matches(change.new)
            key = (change.namespace, change.name)
            if now and change.new is not None:
                told.append(Seen(change.position, "MODIFIED" if before else "ADDED", key, change.new))
            elif before and change.old is not None:
                told.append(Seen(change.position, "DELETED", key, change.old))
        return told


def happened(event: RecordedEvent) -> Happened:
    aggregate = event.aggregate
    return Happened(event.position, aggregate.kind, aggregate.namespace, aggregate.name, CODEC.decode(event))


def _generation_after(event: DomainEvent) -> int | None:
    """Of the image stream, where the event tells it."""
    match event:
        case TagSet() | TagUnset() | TagDeleted():
            return event.generation
        case ImageStreamCreated() | ImageStreamChanged():
            return event.header.metadata.generation
        case _:
            return None


def request_id_of(event: RecordedEvent) -> str:
    metadata: dict[str, Any] = msgspec.json.decode(event.metadata)
    return str(metadata.get("requestId", ""))


def document(collection: Collection, state: State, version: int) -> dict[str, Any]:
    """The object as lists and watches show it, at this version."""
    state = msgspec.structs.replace(state, changed=version)
    obj: msgspec.Struct
    match state:
        case ImageStream():
            obj = served.imagestream(state, REGISTRY)
        case Tag():
            make = served.imagetag if collection is Collection.IMAGE_TAGS else served.imagestreamtag
            obj = make(state, None, REGISTRY)
        case Namespace():
            obj = namespaces.served(state)
        case _:
            obj = state.decode()
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(obj))
    return found


def ordered(states: dict[Key, State]) -> list[State]:
    """In the order of lists: by namespace, then by name, in byte order."""
    return sorted(states.values(), key=lambda state: tuple(part.encode() for part in key_of(state)))
