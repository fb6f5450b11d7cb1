"""Everything that ever happens here, in the past tense: the vocabulary of the log.

Keeps: a type's name and the meaning of its fields never change; a new shape is a new schema version with an upcaster
(`EVENT_TYPES`, docs/howto/add-an-event.md). An event says all that its fold needs, so folding asks nobody.
Elsewhere: what the events do to a state (`imagestream.py`, `image.py`, `namespace.py`), their storage
(`eventstore/codec.py`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from service.api.image_v1 import ImageSignature, TagEventCondition, TagReference
from service.api.meta_v1 import ObjectMeta


class Event(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """The base of every event's data."""


class Header(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """What an image stream says of itself, tags apart. `metadata` has no name, namespace or resourceVersion."""

    metadata: ObjectMeta
    lookup_local: bool = False
    docker_image_repository: str = ""
    status_repository: str | None = None
    status_public_repository: str | None = None
    """What a client wrote into /status, which /status shows until the stream itself is written (None: computed)."""


class Cause(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Why a tag points where it points: what was done, and the place the image came from.

    Mapping: a registry pushed it. Import: it was fetched. Tag: copied from another tag or image of a stream.
    Tracking: the tag it follows moved. Reference: a bare pull spec. Stamp: no move; another tag copied this one, which
    gives its newest entry the stream's new generation. Rollback: put back on purpose.
    """

    kind: Literal["Mapping", "Import", "Tracking", "Tag", "Reference", "Stamp", "Rollback"]
    namespace: str = ""
    imagestream: str = ""
    tag: str = ""


class Item(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of a tag's history. `created` is RFC 3339 in UTC with whole seconds; `image` is a digest or ""."""

    created: str
    docker_image_reference: str
    image: str
    generation: int


class ImageStreamCreated(Event, frozen=True):
    header: Header


class ImageStreamChanged(Event, frozen=True):
    """The header as it is from now on, whole."""

    header: Header


class ImageStreamDeleted(Event, frozen=True):
    pass


class TagSet(Event, frozen=True):
    """The spec of a tag, as it is from now on, and the stream's generation that came of it."""

    tag: str
    spec: TagReference
    generation: int


class TagUnset(Event, frozen=True):
    """The spec of a tag is gone; its history stays."""

    tag: str
    generation: int


class TagImaged(Event, frozen=True):
    """What the tag points at from now on, and why. Recorded even when the compatible view shows no change."""

    tag: str
    item: Item
    cause: Cause


class TagImportFailed(Event, frozen=True):
    tag: str
    condition: TagEventCondition


class TagStatusWritten(Event, frozen=True):
    """A client wrote the history or the conditions of a tag itself (the /status subresource), maybe an empty entry."""

    tag: str
    items: tuple[Item, ...] = ()
    conditions: tuple[TagEventCondition, ...] = ()


class TagHistoryPruned(Event, frozen=True):
    """Entries left the view of a tag's history; the log keeps the moves. What is left, newest first."""

    tag: str
    items: tuple[Item, ...] = ()
    conditions: tuple[TagEventCondition, ...] = ()


class TagInherited(Event, frozen=True):
    """The stream's labels, annotations or lookup policy changed, and so the tag as it is served."""

    tag: str


class TagDeleted(Event, frozen=True):
    """Spec and history are gone from the views. `generation` is the stream's after it."""

    tag: str
    generation: int


class ImageRegistered(Event, frozen=True):
    """An image became known by its digest.

    `image` is the API object without manifest, config and resourceVersion; those two are payloads of the log, named by
    the digest of their bytes, or "" where there are none.
    """

    image: msgspec.Raw
    manifest: str = ""
    config: str = ""


class ImageChanged(Event, frozen=True):
    """The whole image as it is from now on (same shape as ImageRegistered)."""

    image: msgspec.Raw
    manifest: str = ""
    config: str = ""


class ImageSigned(Event, frozen=True):
    signature: ImageSignature


class ImageSignatureRemoved(Event, frozen=True):
    name: str


class ImageDeleted(Event, frozen=True):
    pass


class NamespaceCreated(Event, frozen=True):
    """By request, or by the first image stream in it, whose events then belong to the same command.

    `metadata` has no name and no resourceVersion, here as below.
    """

    metadata: ObjectMeta


class NamespaceChanged(Event, frozen=True):
    """The metadata as it is from now on, whole. With a deletionTimestamp: nothing new goes into it."""

    metadata: ObjectMeta


class NamespaceDeleted(Event, frozen=True):
    pass


StreamEvent = (
    ImageStreamCreated
    | ImageStreamChanged
    | ImageStreamDeleted
    | TagSet
    | TagUnset
    | TagImaged
    | TagImportFailed
    | TagStatusWritten
    | TagHistoryPruned
    | TagInherited
    | TagDeleted
)
ImageEvent = ImageRegistered | ImageChanged | ImageSigned | ImageSignatureRemoved | ImageDeleted
NamespaceEvent = NamespaceCreated | NamespaceChanged | NamespaceDeleted
DomainEvent = StreamEvent | ImageEvent | NamespaceEvent

EVENT_TYPES: dict[str, type[DomainEvent]] = {
    t.__name__: t
    for t in (
        ImageStreamCreated,
        ImageStreamChanged,
        ImageStreamDeleted,
        TagSet,
        TagUnset,
        TagImaged,
        TagImportFailed,
        TagStatusWritten,
        TagHistoryPruned,
        TagInherited,
        TagDeleted,
        ImageRegistered,
        ImageChanged,
        ImageSigned,
        ImageSignatureRemoved,
        ImageDeleted,
        NamespaceCreated,
        NamespaceChanged,
        NamespaceDeleted,
    )
}
"""Stable name → current shape. All are at schema version 1; see `eventstore/codec.py` for older shapes."""

TAG_LOCAL = (TagImaged, TagImportFailed, TagStatusWritten, TagHistoryPruned, TagInherited)
"""Events that change one tag and nothing of its stream: commands on other tags need not know of them."""
