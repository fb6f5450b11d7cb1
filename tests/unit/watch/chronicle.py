"""A log in memory, with all that its fold ever changed, and random histories to fill it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import msgspec

from service.api.image_v1 import TagReference
from service.api.json_types import JsonObject
from service.api.meta_v1 import ObjectMeta
from service.domain import namespace as namespaces
from service.domain import served
from service.domain.events import (
    EVENT_TYPES,
    Cause,
    DomainEvent,
    Header,
    ImageChanged,
    ImageDeleted,
    ImageRegistered,
    ImageStreamChanged,
    ImageStreamCreated,
    ImageStreamDeleted,
    Item,
    NamespaceChanged,
    NamespaceCreated,
    NamespaceDeleted,
    TagDeleted,
    TagImaged,
    TagInherited,
    TagSet,
    TagUnset,
)
from service.domain.imagestream import ImageStream, Tag
from service.domain.namespace import Namespace
from service.domain.world import IMAGE, IMAGE_STREAM, NAMESPACE, Change, Collection, Happened, State, World
from service.eventstore.codec import Codec
from service.eventstore.records import Aggregate, RecordedEvent
from service.watch.replay import happening

NewEvent = tuple[str, str, str, DomainEvent]
"""Kind, namespace and name of the aggregate, and what happened to it."""

codec: Codec[Any] = Codec(EVENT_TYPES)
DIGESTS = tuple(f"sha256:{letter * 64}" for letter in "abc")


class Chronicle:
    """A log in memory, with all that its fold ever changed. It is also its own source of snapshots."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.commands: list[list[RecordedEvent]] = []
        self.world = World()
        self.changes: list[Change] = []
        self.reads = 0

    def append(self, *events: NewEvent) -> list[RecordedEvent]:
        """One command."""
        first = len(self.events) + 1
        last = first + len(events) - 1
        command_id = uuid4()
        command = []
        for position, (kind, namespace, name, event) in enumerate(events, first):
            type_name, version, data = codec.encode(event)
            aggregate = Aggregate(kind, namespace, name)
            now = datetime.now(UTC)
            command.append(
                RecordedEvent(position, command_id, first, last, type_name, version, aggregate, None, now, b"{}", data)
            )
        self.events += command
        self.commands.append(command)
        self.changes += self.world.apply(Happened(position, *event) for position, event in enumerate(events, first))
        return command

    async def read(self) -> int:
        return len(self.events)

    async def read_after(self, position: int, limit: int) -> Sequence[RecordedEvent]:
        await asyncio.sleep(0)
        self.reads += 1
        return self.events[position : position + limit]

    async def read_aggregate(self, aggregate: Aggregate, after: int, limit: int) -> Sequence[RecordedEvent]:
        await asyncio.sleep(0)
        return [e for e in self.events[after:] if e.aggregate == aggregate][:limit]

    async def world_at(
        self,
        position: int,
        *,
        namespace: str | None = None,
        stream: str | None = None,
        with_images: bool = False,
        with_namespaces: bool = False,
    ) -> World:
        await asyncio.sleep(0)
        world = fold(self, position)
        if not with_images:
            world.images.clear()
        if not with_namespaces:
            world.namespaces.clear()
        for key in list(world.streams):
            if namespace not in (None, key[0]) or stream not in (None, key[1]):
                del world.streams[key]
        return world


def happenings(command: list[RecordedEvent]) -> list[Happened]:
    return [happening(event, codec) for event in command]


def fold(chronicle: Chronicle, position: int) -> World:
    """Everything up to the position, command by command."""
    world = World()
    for command in chronicle.commands:
        if command[-1].position <= position:
            world.apply(happenings(command))
    return world


def header(labels: dict[str, str] | None = None, generation: int = 1) -> Header:
    return Header(ObjectMeta(uid="u", generation=generation, creation_timestamp="2026-01-01T00:00:00Z", labels=labels))


def stream_created(namespace: str, name: str, labels: dict[str, str] | None = None) -> NewEvent:
    return IMAGE_STREAM, namespace, name, ImageStreamCreated(header(labels))


def relabelled(stream: ImageStream, labels: dict[str, str] | None) -> list[NewEvent]:
    place = (IMAGE_STREAM, stream.namespace, stream.name)
    return [
        (*place, ImageStreamChanged(header(labels, stream.generation))),
        *((*place, TagInherited(tag)) for tag in sorted(stream.tags)),
    ]


def imaged(namespace: str, name: str, tag: str, image: str, generation: int = 1) -> NewEvent:
    item = Item("2026-01-01T00:00:00Z", f"registry/{name}@{image}", image, generation)
    return IMAGE_STREAM, namespace, name, TagImaged(tag, item, Cause("Mapping"))


def deleted(stream: ImageStream) -> list[NewEvent]:
    place = (IMAGE_STREAM, stream.namespace, stream.name)
    return [*((*place, TagDeleted(tag, 2)) for tag in sorted(stream.tags)), (*place, ImageStreamDeleted())]


def image_registered(digest: str, labels: dict[str, str] | None = None) -> NewEvent:
    document = msgspec.json.encode({"metadata": {"name": digest, "labels": labels}})
    return IMAGE, "", digest, ImageRegistered(msgspec.Raw(document))


def namespace_created(name: str, labels: dict[str, str] | None = None) -> NewEvent:
    return NAMESPACE, "", name, NamespaceCreated(ObjectMeta(uid="n", labels=labels))


def random_command(random: Random, world: World) -> list[NewEvent]:
    """Something that may happen next."""
    namespace, name = random.choice(("a", "a-b")), random.choice(("x", "x-y"))
    labels = random.choice((None, {"k": "in"}, {"k": "out"}))
    digest = random.choice(DIGESTS)
    image = world.images.get(digest)
    if random.random() < 0.15:
        if image is None:
            return [image_registered(digest, labels)]
        changed = msgspec.Raw(msgspec.json.encode({"metadata": {"name": digest, "labels": labels}}))
        return [(IMAGE, "", digest, random.choice((ImageChanged(changed), ImageDeleted())))]
    found = world.namespaces.get(namespace)
    if found is not None and random.random() < 0.1:
        empty = not any(key[0] == namespace for key in world.streams)
        event = NamespaceDeleted() if empty else NamespaceChanged(ObjectMeta(uid="n", labels=labels))
        return [(NAMESPACE, "", namespace, event)]
    stream = world.streams.get((namespace, name))
    if stream is None:
        first = [] if found else [namespace_created(namespace, labels)]
        return [*first, stream_created(namespace, name, labels)]
    place, tag = (IMAGE_STREAM, namespace, name), random.choice(("1", "2"))
    match random.randrange(7):
        case 0:
            return relabelled(stream, labels)
        case 1:
            return deleted(stream)
        case 2:
            return [(*place, TagSet(tag, TagReference(name=tag), random.randrange(1, 4)))]
        case 3 if tag in stream.tags:
            return [(*place, random.choice((TagUnset(tag, 2), TagDeleted(tag, 2))))]
        case 4:
            return [imaged(namespace, name, tag, ""), imaged(namespace, name, "1", digest)]
        case _:
            known = [] if image else [image_registered(digest, labels)]
            return [*known, imaged(namespace, name, tag, digest, random.randrange(1, 4))]


def random_chronicle(random: Random, commands: int) -> Chronicle:
    chronicle = Chronicle()
    for _ in range(commands):
        chronicle.append(*random_command(random, chronicle.world))
    return chronicle


def document(collection: Collection, state: State, resource_version: int) -> JsonObject:
    registry = served.Registry()
    obj: msgspec.Struct
    match state:
        case ImageStream():
            obj = served.imagestream(msgspec.structs.replace(state, changed=resource_version), registry)
        case Tag():
            state = msgspec.structs.replace(state, changed=resource_version)
            make = served.imagetag if collection is Collection.IMAGE_TAGS else served.imagestreamtag
            obj = make(state, None, registry)
        case Namespace():
            obj = namespaces.served(msgspec.structs.replace(state, changed=resource_version))
        case _:
            obj = msgspec.structs.replace(state, changed=resource_version).decode()
    found: JsonObject = msgspec.json.decode(msgspec.json.encode(obj))
    return found
