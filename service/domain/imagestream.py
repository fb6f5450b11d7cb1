"""The state of an image stream and of its tags, and how each event changes it: `apply(stream, event, position)`.

The log keeps every move; the reference shows fewer. That collapse lives here and only here: a move to the same image
or the same reference overwrites the newest entry, any change of the newest entry clears the conditions
(spec: image-api 4.6), and a move that changes nothing leaves the very same Tag object, so nobody is told.
Keeps: states are immutable and share what did not change; the cost of a move depends on no history length. Whatever
raises the generation of a stream costs as much as the stream has tags.
Elsewhere: what clients see of a state (`served.py`), which events a command appends (`decide_*.py`).
"""

from __future__ import annotations

import typing
from typing import assert_never

import msgspec

from service.api.image_v1 import TagEventCondition, TagReference
from service.domain.events import (
    Header,
    ImageStreamChanged,
    ImageStreamCreated,
    ImageStreamDeleted,
    Item,
    StreamEvent,
    TagDeleted,
    TagHistoryPruned,
    TagImaged,
    TagImportFailed,
    TagInherited,
    TagSet,
    TagStatusWritten,
    TagUnset,
)
from service.domain.history import History, history_of

TagLevelEvent = (
    TagSet | TagUnset | TagImaged | TagImportFailed | TagStatusWritten | TagHistoryPruned | TagInherited | TagDeleted
)
TAG_EVENTS = typing.get_args(TagLevelEvent)


class Tag(msgspec.Struct, frozen=True, gc=False):
    namespace: str
    stream: str
    name: str
    header: Header
    """What the tag has of its stream, the metadata an ImageTag shows: all as it was when the tag last changed, but the
    generation as it is.
    """
    changed: int
    """Position of the last event that changed this tag as served: its resourceVersion."""
    spec: TagReference | None = None
    history: History | None = None
    conditions: tuple[TagEventCondition, ...] = ()
    listed: bool = False
    """Whether the status lists the tag although it has neither history nor conditions: a client wrote it so."""

    @property
    def full_name(self) -> str:
        return f"{self.stream}:{self.name}"

    @property
    def head(self) -> Item | None:
        return self.history.head if self.history else None

    @property
    def items(self) -> list[Item]:
        """The whole history, newest first."""
        return list(self.history.items()) if self.history else []

    @property
    def has_status(self) -> bool:
        return self.history is not None or bool(self.conditions) or self.listed

    @property
    def has_image(self) -> bool:
        """Whether an ImageStreamTag exists for it (spec: image-api 5.3)."""
        return self.history is not None and self.history.head.image != ""


class ImageStream(msgspec.Struct, frozen=True, gc=False):
    namespace: str
    name: str
    header: Header
    changed: int
    """Position of the last command that changed the stream as served: its resourceVersion."""
    tags: dict[str, Tag] = {}
    """Never changed in place."""

    @property
    def generation(self) -> int:
        return self.header.metadata.generation

    @property
    def uid(self) -> str:
        return self.header.metadata.uid


class UnfoldableEventError(Exception):
    """An event that does not fit the state it meets: the log and the code disagree, so folding must stop."""


def apply(
    stream: ImageStream | None, namespace: str, name: str, event: StreamEvent, position: int
) -> ImageStream | None:
    """The stream after the event; the same object if the event changes nothing that is served.

    Raises UnfoldableEventError if the event needs a stream and there is none.
    """
    if isinstance(event, ImageStreamCreated):
        if stream is not None:
            raise UnfoldableEventError(f"ImageStreamCreated at {position}: {namespace}/{name} is there already")
        return ImageStream(namespace, name, event.header, position)
    if stream is None:
        raise UnfoldableEventError(f"{type(event).__name__} at {position}: no image stream {namespace}/{name}")
    if isinstance(event, ImageStreamDeleted):
        if stream.tags:
            raise UnfoldableEventError(f"ImageStreamDeleted at {position}: {namespace}/{name} still has tags")
        return None
    if isinstance(event, ImageStreamChanged):
        tags = _tags_under(stream, event.header)
        return msgspec.structs.replace(stream, header=event.header, changed=position, tags=tags)
    old = stream.tags.get(event.tag)
    header = _header_after(stream, event)
    new = _apply_to_tag(old or Tag(namespace, name, event.tag, header, position), event)
    if new is old and header is stream.header:
        return stream
    if new is not None and new is not old:
        new = msgspec.structs.replace(new, header=header, changed=position)
    tags = _tags_under(stream, header)
    if new is not old:
        tags = tags.copy()
        if new is None:
            tags.pop(event.tag, None)
        else:
            tags[event.tag] = new
    return ImageStream(namespace, name, header, position, tags)


def _header_after(stream: ImageStream, event: TagLevelEvent) -> Header:
    if isinstance(event, TagSet | TagUnset | TagDeleted) and event.generation != stream.generation:
        return with_generation(stream.header, event.generation)
    return stream.header


def with_generation(header: Header, generation: int) -> Header:
    metadata = msgspec.structs.replace(header.metadata, generation=generation)
    return msgspec.structs.replace(header, metadata=metadata)


def _tags_under(stream: ImageStream, header: Header) -> dict[str, Tag]:
    """The tags under a new header of their stream: they show its generation. Nobody is told, as nothing else of them
    changed (docs/adr/0003-resource-version.md). Those that share a header go on sharing one.
    """
    generation = header.metadata.generation
    if generation == stream.generation:
        return stream.tags
    headers = {id(tag.header): tag.header for tag in stream.tags.values()}
    counted = {key: with_generation(old, generation) for key, old in headers.items()}
    return {name: msgspec.structs.replace(tag, header=counted[id(tag.header)]) for name, tag in stream.tags.items()}


def _apply_to_tag(tag: Tag, event: TagLevelEvent) -> Tag | None:
    """The tag after the event: None if nothing is left of it, the same object if nothing changed."""
    match event:
        case TagSet():
            return msgspec.structs.replace(tag, spec=event.spec)
        case TagUnset():
            return msgspec.structs.replace(tag, spec=None) if tag.has_status else None
        case TagImaged():
            return apply_item(tag, event.item)
        case TagImportFailed():
            if has_condition(tag, event.condition):
                return tag
            return msgspec.structs.replace(tag, conditions=(event.condition,), listed=False)
        case TagStatusWritten():
            listed = not event.items and not event.conditions
            return msgspec.structs.replace(
                tag, history=history_of(event.items), conditions=event.conditions, listed=listed
            )
        case TagHistoryPruned():
            if not event.items and not event.conditions and tag.spec is None:
                return None
            return msgspec.structs.replace(
                tag, history=history_of(event.items), conditions=event.conditions, listed=False
            )
        case TagInherited():
            return msgspec.structs.replace(tag)
        case TagDeleted():
            return None
        case _:
            assert_never(event)


def has_condition(tag: Tag, condition: TagEventCondition) -> bool:
    """Whether a tag shows that already; when it was said first stays (spec: image-api 4.8.3)."""
    return any(
        (known.type, known.status, known.reason, known.message)
        == (condition.type, condition.status, condition.reason, condition.message)
        for known in tag.conditions
    )


def apply_item(tag: Tag, item: Item) -> Tag:
    """A move by the rules of the compatible view (spec: image-api 4.6)."""
    head = tag.head
    if tag.history is None or head is None:
        return msgspec.structs.replace(tag, history=History(item, None, 1), conditions=(), listed=False)
    same_reference = head.docker_image_reference == item.docker_image_reference
    same_image = head.image == item.image
    if same_reference and same_image and head.generation == item.generation:
        return tag
    if same_reference or same_image:
        merged = Item(head.created, item.docker_image_reference, item.image, item.generation)
        return msgspec.structs.replace(tag, history=tag.history.with_head(merged), conditions=())
    return msgspec.structs.replace(tag, history=tag.history.prepend(item), conditions=())
