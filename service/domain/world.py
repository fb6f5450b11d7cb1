"""All image streams, images and namespaces at one position, and what each command changed: the fold that all share.

The watch cache, the replays and the rebuilds feed the same commands to a World and get the same changes.
Keeps: commands are applied whole and in order. In every collection each change has its own, strictly larger position:
a tag, an image or a namespace changes at the position of its event, an image stream once per command, at the command's
last position (docs/adr/0003-resource-version.md).
Elsewhere: where the events come from, who watches, how a change is encoded.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from service.domain import image as images
from service.domain import imagestream as imagestreams
from service.domain import namespace as namespaces
from service.domain.events import DomainEvent, ImageEvent, NamespaceEvent, StreamEvent
from service.domain.image import ImageState
from service.domain.imagestream import TAG_EVENTS, ImageStream, Tag
from service.domain.namespace import Namespace

IMAGE_STREAM = "ImageStream"
IMAGE = "Image"
NAMESPACE = "Namespace"
"""The kinds of aggregates."""


class Collection(enum.Enum):
    """What can be listed and watched; the value is the plural name of the resource."""

    IMAGE_STREAMS = "imagestreams"
    IMAGE_STREAM_TAGS = "imagestreamtags"
    IMAGE_TAGS = "imagetags"
    IMAGES = "images"
    NAMESPACES = "namespaces"


State = ImageStream | Tag | ImageState | Namespace


class Change(msgspec.Struct, frozen=True, gc=False):
    """An object was added (no old), changed, or removed (no new), at a position."""

    position: int
    collection: Collection
    namespace: str
    name: str
    old: State | None
    new: State | None


class Happened(NamedTuple):
    """One recorded event as the fold needs it."""

    position: int
    kind: str
    namespace: str
    name: str
    event: DomainEvent


class World:
    """Mutable holder of immutable states."""

    def __init__(self) -> None:
        self.position = 0
        self.streams: dict[tuple[str, str], ImageStream] = {}
        self.images: dict[str, ImageState] = {}
        self.namespaces: dict[str, Namespace] = {}

    def apply(self, command: Iterable[Happened]) -> list[Change]:
        """Apply all events of one command, in order. Raises UnfoldableEventError."""
        changes: list[Change] = []
        before: dict[tuple[str, str], ImageStream | None] = {}
        for position, kind, namespace, name, event in command:
            self.position = position
            if kind == IMAGE_STREAM:
                old = self.streams.get((namespace, name))
                before.setdefault((namespace, name), old)
                stream_event = _stream_event(event)
                new = imagestreams.apply(old, namespace, name, stream_event, position)
                self._put_stream(namespace, name, new)
                _tag_changes(changes, position, stream_event, old, new)
            elif kind == IMAGE:
                changes.append(self._apply_to_image(name, _image_event(event), position))
            elif kind == NAMESPACE:
                changes.append(self._apply_to_namespace(name, _namespace_event(event), position))
            else:
                raise imagestreams.UnfoldableEventError(f"event at {position} belongs to an unknown aggregate {kind}")
        for (namespace, name), old in before.items():
            new = self.streams.get((namespace, name))
            if new is not old:
                new = self._seal(new)
                changes.append(Change(self.position, Collection.IMAGE_STREAMS, namespace, name, old, new))
        return changes

    def _apply_to_image(self, name: str, event: ImageEvent, position: int) -> Change:
        old = self.images.get(name)
        new = images.apply(old, name, event, position)
        if new is None:
            del self.images[name]
        else:
            self.images[name] = new
        return Change(position, Collection.IMAGES, "", name, old, new)

    def _apply_to_namespace(self, name: str, event: NamespaceEvent, position: int) -> Change:
        old = self.namespaces.get(name)
        new = namespaces.apply(old, name, event, position)
        if new is None:
            del self.namespaces[name]
        else:
            self.namespaces[name] = new
        return Change(position, Collection.NAMESPACES, "", name, old, new)

    def _put_stream(self, namespace: str, name: str, stream: ImageStream | None) -> None:
        if stream is None:
            self.streams.pop((namespace, name), None)
        else:
            self.streams[namespace, name] = stream

    def _seal(self, stream: ImageStream | None) -> ImageStream | None:
        """Give the stream the command's last position, at which the collection of streams shows the command."""
        if stream is None or stream.changed == self.position:
            return stream
        sealed = msgspec.structs.replace(stream, changed=self.position)
        self.streams[stream.namespace, stream.name] = sealed
        return sealed


def _stream_event(event: DomainEvent) -> StreamEvent:
    if not isinstance(event, StreamEvent):
        raise imagestreams.UnfoldableEventError(f"{type(event).__name__} is no event of an image stream")
    return event


def _image_event(event: DomainEvent) -> ImageEvent:
    if not isinstance(event, ImageEvent):
        raise imagestreams.UnfoldableEventError(f"{type(event).__name__} is no event of an image")
    return event


def _namespace_event(event: DomainEvent) -> NamespaceEvent:
    if not isinstance(event, NamespaceEvent):
        raise imagestreams.UnfoldableEventError(f"{type(event).__name__} is no event of a namespace")
    return event


def _tag_changes(
    changes: list[Change], position: int, event: StreamEvent, old: ImageStream | None, new: ImageStream | None
) -> None:
    """The one tag that an event changed, as an ImageTag and, where it has an image, as an ImageStreamTag."""
    if old is new or not isinstance(event, TAG_EVENTS):
        return
    before = old.tags.get(event.tag) if old else None
    after = new.tags.get(event.tag) if new else None
    some = after or before
    if before is after or some is None:
        return
    changes.append(Change(position, Collection.IMAGE_TAGS, some.namespace, some.full_name, before, after))
    before = before if before and before.has_image else None
    after = after if after and after.has_image else None
    if before or after:
        changes.append(Change(position, Collection.IMAGE_STREAM_TAGS, some.namespace, some.full_name, before, after))
