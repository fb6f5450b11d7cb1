"""The columns each kind shows in a table, and the cells under them.

Keeps: one cell per column, in order; the empty object (a watch's bookmark) has cells too. The words of the columns are
on the wire and are the reference's. Elsewhere: the table around them (`http/tables.py`), the harder cells
(`tag_cells.py`). Source: spec: image-api 13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from service.api import core_v1
from service.api.image_v1 import GROUP, Image, ImageStream, ImageStreamImage, ImageStreamTag, ImageTag
from service.api.json_types import Json
from service.api.resource_info import ResourceInfo
from service.resources.durations import age, ago
from service.resources.tag_cells import image_tag_row, tags_cell


class Column(msgspec.Struct, frozen=True):
    """As it travels: every key is always there."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    """Above 0 the column is shown only where there is room (kubectl: -o wide)."""


class TableColumns(msgspec.Struct, frozen=True):
    columns: tuple[Column, ...]
    cells: Callable[[Any, str], list[Json]]
    """Of an object of the kind, at a time (RFC 3339)."""


NAME = Column(
    "Name",
    format="name",
    description="Name must be unique within a namespace. Is required when creating resources, although some resources "
    "may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for "
    "creation idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
)
UPDATED = Column("Updated", description="Last update time.")
_REFERENCE_TEXT = "dockerImageReference is the string that can be used to pull this image."
REFERENCE = Column("Image Reference", description=_REFERENCE_TEXT)
WIDE_REFERENCE = Column("Image Reference", description=_REFERENCE_TEXT, priority=1)


def _image(image: Image, now: str) -> list[Json]:
    return [image.metadata.name, image.docker_image_reference]


def _image_stream(stream: ImageStream, now: str) -> list[Json]:
    status = stream.status
    repository = (
        status.public_docker_image_repository or stream.spec.docker_image_repository or status.docker_image_repository
    )
    newest = max((tag.items[0].created or "" for tag in status.tags if tag.items), default="")
    return [stream.metadata.name, repository, tags_cell(status.tags), ago(newest, now)]


def _image_stream_tag(tag: ImageStreamTag, now: str) -> list[Json]:
    image = tag.image
    updated = ago(tag.metadata.creation_timestamp, now)
    return [tag.metadata.name, image.docker_image_reference, updated, image.metadata.name]


def _image_tag(tag: ImageTag, now: str) -> list[Json]:
    return [tag.metadata.name, *image_tag_row(tag, now)]


def _image_stream_image(image: ImageStreamImage, now: str) -> list[Json]:
    updated = ago(image.metadata.creation_timestamp, now)
    return [image.metadata.name, updated, image.image.docker_image_reference, image.image.metadata.name]


def _namespace(namespace: core_v1.Namespace, now: str) -> list[Json]:
    metadata = namespace.metadata
    return [metadata.name, namespace.status.phase, age(metadata.creation_timestamp, now)]


def _secret(secret: core_v1.Secret, now: str) -> list[Json]:
    metadata = secret.metadata
    return [metadata.name, secret.type, len(secret.data), age(metadata.creation_timestamp, now)]


IMAGE = TableColumns((NAME, REFERENCE), _image)
IMAGE_STREAM = TableColumns(
    (
        NAME,
        Column(
            "Image Repository",
            description="dockerImageRepository represents the effective location this stream may be accessed at. "
            "May be empty until the server determines where the repository is located",
        ),
        Column("Tags", description="Human readable list of tags."),
        UPDATED,
    ),
    _image_stream,
)
IMAGE_STREAM_TAG = TableColumns(
    (
        NAME,
        REFERENCE,
        UPDATED,
        Column("Image Name", description="image associated with the ImageStream and tag.", priority=1),
    ),
    _image_stream_tag,
)
IMAGE_TAG = TableColumns(
    (
        NAME,
        Column(
            "Spec",
            description="spec is the spec tag associated with this image stream tag, and it may be null if only "
            "pushes have occurred to this image stream.",
        ),
        Column(
            "Status",
            description="status is the status tag details associated with this image stream tag, and it may be null "
            "if no push or import has been performed.",
        ),
        Column("History", "number", description="Number of history entries"),
        Column("Updated", description="Last updated at"),
    ),
    _image_tag,
)
IMAGE_STREAM_IMAGE = TableColumns(
    (
        NAME,
        UPDATED,
        WIDE_REFERENCE,
        Column("Image Name", description="image associated with the ImageStream and image name.", priority=1),
    ),
    _image_stream_image,
)
NAMESPACE = TableColumns(
    (
        NAME,
        Column("Status", description="The status of the namespace"),
        Column("Age", description="When the namespace was created or first used, as the time since then."),
    ),
    _namespace,
)
SECRET = TableColumns(
    (
        NAME,
        Column("Type", description="What is in the secret."),
        Column("Data", "integer", description="How many keys it has."),
        Column("Age", description="When the secret was created, as the time since then."),
    ),
    _secret,
)
_TABLES: dict[tuple[str, str], TableColumns] = {
    (GROUP, "Image"): IMAGE,
    (GROUP, "ImageStream"): IMAGE_STREAM,
    (GROUP, "ImageStreamImage"): IMAGE_STREAM_IMAGE,
    (GROUP, "ImageStreamTag"): IMAGE_STREAM_TAG,
    (GROUP, "ImageTag"): IMAGE_TAG,
    (core_v1.GROUP, "Namespace"): NAMESPACE,
    (core_v1.GROUP, "Secret"): SECRET,
}


def columns_of(info: ResourceInfo) -> TableColumns | None:
    """None for a kind that has no table."""
    return _TABLES.get((info.group, info.kind))
