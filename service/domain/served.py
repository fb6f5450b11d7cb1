"""What clients see of a state: the API objects built from image streams, tags and images.

Keeps: pure functions of state and configuration, so a cached answer, a view's answer and a replayed one are equal.
Nothing here depends on the time of asking.
Source: spec: image-api 4.9 (repositories), 5.2 (ImageStreamTag), 6 (ImageTag).
Elsewhere: how objects become bytes (`http/`), selectors (`selectors.py`).
"""

from __future__ import annotations

import msgspec

from service.api.image_v1 import (
    Image,
    ImageLookupPolicy,
    ImageStreamSpec,
    ImageStreamStatus,
    ImageStreamTag,
    ImageTag,
    NamedTagEventList,
    TagEvent,
)
from service.api.image_v1 import ImageStream as ImageStreamObject
from service.api.meta_v1 import ObjectMeta
from service.domain.events import Header, Item
from service.domain.imagestream import ImageStream, Tag


class Registry(msgspec.Struct, frozen=True):
    """The host names under which the internal registry is known; "" where there is none."""

    internal_hostname: str = ""
    external_hostname: str = ""

    def repository(self, namespace: str, name: str, spec_repository: str = "") -> str:
        """status.dockerImageRepository of a stream."""
        if self.internal_hostname:
            return f"{self.internal_hostname}/{namespace}/{name}"
        return spec_repository

    def public_repository(self, namespace: str, name: str) -> str:
        return f"{self.external_hostname}/{namespace}/{name}" if self.external_hostname else ""


def stream_metadata(header: Header, namespace: str, name: str, changed: int) -> ObjectMeta:
    return msgspec.structs.replace(
        header.metadata, name=name, namespace=namespace, resource_version=str(changed) if changed else ""
    )


def imagestream(stream: ImageStream, registry: Registry, *, stored: bool = False) -> ImageStreamObject:
    """The stream; with `stored`, its repository fields as /status shows them (spec: image-api 4.9)."""
    header = stream.header
    tags = [stream.tags[name] for name in sorted(stream.tags)]
    repository = registry.repository(stream.namespace, stream.name, header.docker_image_repository)
    public_repository = registry.public_repository(stream.namespace, stream.name)
    if stored and header.status_repository is not None:
        repository, public_repository = header.status_repository, header.status_public_repository or ""
    return ImageStreamObject(
        metadata=stream_metadata(header, stream.namespace, stream.name, stream.changed),
        spec=ImageStreamSpec(
            lookup_policy=ImageLookupPolicy(header.lookup_local),
            docker_image_repository=header.docker_image_repository,
            tags=[tag.spec for tag in tags if tag.spec is not None],
        ),
        status=ImageStreamStatus(
            docker_image_repository=repository,
            public_docker_image_repository=public_repository,
            tags=[tag_status(tag) for tag in tags if tag.has_status],
        ),
    )


def tag_status(tag: Tag) -> NamedTagEventList:
    items = [tag_event(item) for item in tag.history.items()] if tag.history else None
    return NamedTagEventList(tag=tag.name, items=items, conditions=list(tag.conditions))


def tag_event(item: Item) -> TagEvent:
    return TagEvent(item.created, item.docker_image_reference, item.image, item.generation)


def imagestreamtag(tag: Tag, image: Image | None, registry: Registry) -> ImageStreamTag:
    """A tag with its image; `image` is None where it is not loaded (lists, watches) or gone.

    The image must be the caller's own: it is changed here (stripped, and its reference resolved).
    """
    header = tag.header
    head = tag.head if tag.has_image else None
    annotations = dict(tag.spec.annotations) if tag.spec and tag.spec.annotations else None
    if image is None:
        image = unloaded_image(head.image if head else "")
    elif annotations:
        image.metadata.annotations = {**(image.metadata.annotations or {}), **annotations}
    image.docker_image_manifest = image.docker_image_config = ""
    image.docker_image_reference = resolved_reference(tag, registry) if head else ""
    return ImageStreamTag(
        metadata=ObjectMeta(
            name=tag.full_name,
            namespace=tag.namespace,
            uid=header.metadata.uid,
            resource_version=str(tag.changed) if tag.changed else "",
            creation_timestamp=head.created if head else header.metadata.creation_timestamp,
            labels=header.metadata.labels,
            annotations=annotations,
        ),
        tag=tag.spec,
        generation=head.generation if head else 0,
        lookup_policy=ImageLookupPolicy(header.lookup_local),
        conditions=list(tag.conditions),
        image=image,
    )


def imagetag(tag: Tag, image: Image | None, registry: Registry) -> ImageTag:
    """A tag with its whole history; `image` as in `imagestreamtag`."""
    if image is not None:
        image.docker_image_manifest = image.docker_image_config = ""
        image.docker_image_reference = resolved_reference(tag, registry)
    return ImageTag(
        metadata=stream_metadata(tag.header, tag.namespace, tag.full_name, tag.changed),
        spec=tag.spec,
        status=tag_status(tag) if tag.has_status else None,
        image=image,
    )


def resolved_reference(tag: Tag, registry: Registry) -> str:
    """The pull spec of a tag's newest image by its reference policy (spec: image-api 5.2)."""
    head = tag.head
    if head is None:
        return ""
    repository = registry.repository(tag.namespace, tag.stream, tag.header.docker_image_repository)
    if tag.spec and tag.spec.reference_policy.type == "Local" and repository and head.image:
        return f"{repository}@{head.image}"
    return head.docker_image_reference


def unloaded_image(name: str) -> Image:
    """An image of which only the name is told, with the empty metadata every image has (spec: image-api 2.4)."""
    return Image(
        metadata=ObjectMeta(name=name),
        docker_image_metadata={
            "kind": "DockerImage",
            "apiVersion": "image.openshift.io/1.0",
            "Id": "",
            "Created": None,
            "ContainerConfig": {},
        },
        docker_image_metadata_version="1.0",
    )
