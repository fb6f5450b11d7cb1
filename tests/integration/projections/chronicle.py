"""Random histories of the log, with everything that may happen to a stream, a tag or an image."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import asyncpg
import msgspec

from service.api.image_v1 import ImageSignature, TagEventCondition, TagReference
from service.api.meta_v1 import ManagedFieldsEntry, ObjectMeta
from service.domain.events import (
    EVENT_TYPES,
    Cause,
    DomainEvent,
    Header,
    ImageChanged,
    ImageDeleted,
    ImageRegistered,
    ImageSignatureRemoved,
    ImageSigned,
    ImageStreamChanged,
    ImageStreamCreated,
    ImageStreamDeleted,
    Item,
    NamespaceChanged,
    NamespaceCreated,
    NamespaceDeleted,
    TagDeleted,
    TagHistoryPruned,
    TagImaged,
    TagImportFailed,
    TagInherited,
    TagSet,
    TagStatusWritten,
    TagUnset,
)
from service.domain.imagestream import ImageStream, Tag
from service.domain.world import IMAGE, IMAGE_STREAM, NAMESPACE, Happened, World
from service.eventstore.codec import Codec
from service.eventstore.records import Aggregate, RecordedEvent

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CODEC: Codec[DomainEvent] = Codec(EVENT_TYPES)
COLUMNS = (
    *("position", "command_id", "command_first", "command_last", "kind", "namespace", "name", "tag"),
    *("type", "schema_version", "recorded_at", "metadata", "data"),
)

NAMESPACES = ("a", "a-b")
# In the order of lists a-1:… comes before a:…, and a before a-1.
STREAMS = ("a", "a-1", "x")
TAGS = ("1", "1-2", "latest", "v.0")
IMAGES = tuple(f"sha256:{digit * 64}" for digit in "0123456789")

Fact = tuple[str, str, str, DomainEvent]
"""Kind, namespace and name of the aggregate, and what happened to it."""


class Chronicle:
    """A log in memory, and the state after it."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.world = World()
        self._stored = 0

    @property
    def head(self) -> int:
        return len(self.events)

    def append(self, *facts: Fact) -> None:
        """One command."""
        first, last = self.head + 1, self.head + len(facts)
        self.world.apply(Happened(position, *fact) for position, fact in enumerate(facts, first))
        for position, (kind, namespace, name, event) in enumerate(facts, first):
            type_name, version, data = CODEC.encode(event)
            self.events.append(
                RecordedEvent(
                    position,
                    UUID(int=first),
                    first,
                    last,
                    type_name,
                    version,
                    Aggregate(kind, namespace, name),
                    None,
                    BEGIN + timedelta(seconds=position),
                    b'{"actor":"test"}',
                    data,
                )
            )

    def append_random(self, random: Random, commands: int) -> None:
        for _ in range(commands):
            self.append(*random_command(random, self.world))

    async def store(self, dsn: str) -> None:
        """Write what is new into the log, as an appender would."""
        await store(dsn, self.events[self._stored :])
        self._stored = self.head


async def store(dsn: str, events: Sequence[RecordedEvent]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.copy_records_to_table("events", columns=COLUMNS, records=map(_row, events))
    finally:
        await connection.close()


def fold(events: Sequence[RecordedEvent]) -> World:
    """The replay from zero: whole commands, in order."""
    world = World()
    command: list[Happened] = []
    for event in events:
        command.append(happened(event))
        if event.position == event.command_last:
            world.apply(command)
            command = []
    return world


def happened(event: RecordedEvent) -> Happened:
    aggregate = event.aggregate
    return Happened(event.position, aggregate.kind, aggregate.namespace, aggregate.name, CODEC.decode(event))


def random_command(random: Random, world: World) -> list[Fact]:
    facts = []
    if random.random() < 0.25:
        facts += _image_facts(random, world)
    if random.random() < 0.05:
        facts += _namespace_facts(random, world)
    if not facts or random.random() < 0.3:
        facts += _stream_facts(random, world)
    return facts


def header(random: Random, generation: int) -> Header:
    metadata = ObjectMeta(
        uid=f"uid-{random.randrange(3)}",
        generation=generation,
        creation_timestamp="2026-01-01T00:00:00Z",
        labels=random.choice((None, {}, {"k": "v"})),
        managed_fields=[ManagedFieldsEntry("oc", "Update", fields_v1={"f:metadata": {}})],
    )
    return Header(metadata, random.random() < 0.5, random.choice(("", "docker.io/library/x")))


def item(random: Random, generation: int = 1) -> Item:
    """One of so few that many meet themselves, or one of the same reference or image."""
    image = random.choice(("", *IMAGES[:3]))
    return Item(f"2026-01-01T00:00:0{random.randrange(3)}Z", f"registry/x@{random.choice('0123')}", image, generation)


def stream_created(namespace: str, name: str, random: Random) -> Fact:
    return IMAGE_STREAM, namespace, name, ImageStreamCreated(header(random, 1))


def imaged(namespace: str, name: str, tag: str, entry: Item) -> Fact:
    return IMAGE_STREAM, namespace, name, TagImaged(tag, entry, Cause("Mapping"))


def _stream_facts(random: Random, world: World) -> list[Fact]:
    namespace, name = random.choice(NAMESPACES), random.choice(STREAMS)
    stream = world.streams.get((namespace, name))
    events: list[DomainEvent] = []
    if stream is None:
        events.append(ImageStreamCreated(header(random, 1)))
        events += [_spec(random, tag, 1) for tag in random.sample(TAGS, random.randrange(3))]
    else:
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            more = _what_happens(random, stream, random.choice(TAGS))
            events += more
            stream = _after(stream, more)
            if stream is None:
                break
    return [(IMAGE_STREAM, namespace, name, event) for event in events]


def _what_happens(random: Random, stream: ImageStream, tag_name: str) -> list[DomainEvent]:
    generation = stream.generation + random.randrange(2)
    tag = stream.tags.get(tag_name)
    match random.randrange(18):
        case 0:
            tags = [TagInherited(name) for name in stream.tags if random.random() < 0.8]
            return [ImageStreamChanged(header(random, generation)), *tags]
        case 1 if random.random() < 0.5:
            return [*(TagDeleted(name, generation) for name in stream.tags), ImageStreamDeleted()]
        case 2 | 3:
            return [_spec(random, tag_name, generation)]
        case 4:
            return [TagUnset(tag_name, generation)]
        case 5:
            return [TagDeleted(tag_name, generation)]
        case 6 | 7:
            return [TagImportFailed(tag_name, _condition(random))]
        case 8:
            items = tuple(item(random) for _ in range(random.randrange(4)))
            return [TagStatusWritten(tag_name, items, _conditions(random))]
        case 9 | 10 if tag is not None:
            return [_pruned(random, tag)]
        case _:
            return [TagImaged(tag_name, item(random, generation), Cause("Mapping"))]


def _after(stream: ImageStream, events: list[DomainEvent]) -> ImageStream | None:
    world = World()
    world.streams[stream.namespace, stream.name] = stream
    world.apply(Happened(0, IMAGE_STREAM, stream.namespace, stream.name, event) for event in events)
    return world.streams.get((stream.namespace, stream.name))


def _spec(random: Random, tag: str, generation: int) -> TagSet:
    annotations = random.choice((None, {}, {"a": "b"}))
    return TagSet(tag, TagReference(name=tag, annotations=annotations, generation=generation), generation)


def _condition(random: Random) -> TagEventCondition:
    return TagEventCondition("ImportSuccess", "False", "2026-01-01T00:00:00Z", "NotFound", "no", random.randrange(9))


def _conditions(random: Random) -> tuple[TagEventCondition, ...]:
    return tuple(_condition(random) for _ in range(random.randrange(2)))


def _pruned(random: Random, tag: Tag) -> TagHistoryPruned:
    items = tuple(tag.history.items()) if tag.history else ()
    return TagHistoryPruned(tag.name, tuple(i for i in items if random.random() < 0.6), _conditions(random))


def _image_facts(random: Random, world: World) -> list[Fact]:
    name = random.choice(IMAGES)
    image = world.images.get(name)
    if image is None:
        return [(IMAGE, "", name, ImageRegistered(_document(random, name), f"{name}-manifest", ""))]
    signed = [signature.metadata.name for signature in image.decode().signatures]
    event: DomainEvent
    match random.randrange(4):
        case 0:
            event = ImageDeleted()
        case 1:
            event = ImageChanged(_document(random, name), "", f"{name}-config")
        case 2 if signed:
            event = ImageSignatureRemoved(random.choice(signed))
        case _:
            event = ImageSigned(
                ImageSignature(metadata=ObjectMeta(name=f"{name}@{random.randrange(9)}"), content="AA==")
            )
    return [(IMAGE, "", name, event)]


def _namespace_facts(random: Random, world: World) -> list[Fact]:
    name = random.choice(NAMESPACES)
    metadata = ObjectMeta(uid="u", labels={"n": str(random.randrange(9))})
    event: DomainEvent = NamespaceCreated(metadata)
    if name in world.namespaces:
        event = random.choice((NamespaceChanged(metadata), NamespaceDeleted()))
    return [(NAMESPACE, "", name, event)]


def _document(random: Random, name: str) -> msgspec.Raw:
    document = {"metadata": {"name": name, "labels": {"n": str(random.randrange(9))}}, "dockerImageReference": "r"}
    return msgspec.Raw(msgspec.json.encode(document))


def _row(event: RecordedEvent) -> tuple[object, ...]:
    return (
        event.position,
        event.command_id,
        event.command_first,
        event.command_last,
        event.aggregate.kind,
        event.aggregate.namespace,
        event.aggregate.name,
        event.tag,
        event.type,
        event.schema_version,
        event.recorded_at,
        event.metadata.decode(),
        event.data.decode(),
    )
