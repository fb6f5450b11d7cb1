"""How large images may be, how many of them a stream may name, how many streams there may be: limits of a namespace.

Keeps: of several limits the smallest counts; a stream that is over its limit already can still be changed, as long as
it names nothing new. What is counted is distinct references: a spec that names one image twice counts it once.
Source: spec: image-api 8.3, 11.5.
Elsewhere: where limits come from (`auth/image_policy_file.py`), when they are asked (`image_policy.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from service.api.image_v1 import TagReference
from service.api.pull_specs import (
    DOCKER_HUB,
    DOCKER_HUB_HOSTS,
    DOCKER_HUB_NAMESPACE,
    InvalidPullSpec,
    PullSpec,
    parse_pull_spec,
)
from service.domain.imagestream import ImageStream
from service.domain.quantity import Quantity
from service.domain.references import split_tag_name

IMAGE = "openshift.io/Image"
IMAGE_STREAM = "openshift.io/ImageStream"
STORAGE = "storage"
IMAGES = "openshift.io/images"
IMAGE_TAGS = "openshift.io/image-tags"
IMAGE_STREAMS = "openshift.io/imagestreams"


class StreamQuota(msgspec.Struct, frozen=True):
    """How many image streams a ResourceQuota of this name lets be."""

    name: str
    limit: Quantity


class Limits(msgspec.Struct, frozen=True):
    """What one namespace allows at most; None is no limit."""

    storage: tuple[Quantity, ...] = ()
    """For one image, each limit that was set: the first one exceeded is named."""
    images: Quantity | None = None
    """Distinct images in the history of one stream."""
    image_tags: Quantity | None = None
    """Distinct references in the spec of one stream."""
    streams: tuple[StreamQuota, ...] = ()

    def and_storage(self, limit: Quantity) -> Limits:
        return msgspec.structs.replace(self, storage=(*self.storage, limit))

    def and_images(self, limit: Quantity) -> Limits:
        return msgspec.structs.replace(self, images=_smaller(self.images, limit))

    def and_image_tags(self, limit: Quantity) -> Limits:
        return msgspec.structs.replace(self, image_tags=_smaller(self.image_tags, limit))

    def and_streams(self, quota: StreamQuota) -> Limits:
        return msgspec.structs.replace(self, streams=(*self.streams, quota))


NO_LIMITS = Limits()


def image_excess(limits: Limits, size_bytes: int) -> str | None:
    """Why an image is too large, or None."""
    size = Quantity.of_bytes(size_bytes)
    for limit in limits.storage:
        if size.value > limit.value:
            return _exceeded(STORAGE, IMAGE, size, limit)
    return None


def quota_excess(limits: Limits, streams: int) -> str | None:
    """Why there must not be one stream more than these, or None."""
    for quota in limits.streams:
        if streams + 1 > quota.limit.value:
            used = f"{IMAGE_STREAMS}={streams}, limited: {IMAGE_STREAMS}={quota.limit}"
            return f"exceeded quota: {quota.name}, requested: {IMAGE_STREAMS}=1, used: {used}"
    return None


def stream_excess(limits: Limits, before: ImageStream | None, after: ImageStream) -> str | None:
    """Why a stream names too much, or None. Costs as much as the stream is long, where there is a limit."""
    if limits.images is None and limits.image_tags is None:
        return None
    specs, images = _spec_references(after), _images(after)
    if before is not None and specs <= _spec_references(before) and images <= _images(before):
        return None
    counts = ((IMAGES, len(images), limits.images), (IMAGE_TAGS, len(specs), limits.image_tags))
    exceeded = [
        _exceeded(resource, IMAGE_STREAM, Quantity(Quantity.of_bytes(count).value), limit)
        for resource, count, limit in counts
        if limit is not None and count > limit.value
    ]
    return exceeded[0] if len(exceeded) == 1 else f"[{', '.join(exceeded)}]" if exceeded else None


def _exceeded(resource: str, limit_type: str, requested: Quantity, limit: Quantity) -> str:
    return f"requested usage of {resource} exceeds the maximum limit per {limit_type} ({requested} > {limit})"


def _smaller(old: Quantity | None, new: Quantity) -> Quantity:
    return new if old is None or new.value < old.value else old


def _images(stream: ImageStream) -> set[str]:
    return {item.image for tag in stream.tags.values() if tag.history for item in tag.history.items() if item.image}


def _spec_references(stream: ImageStream) -> set[str]:
    return set(_references(stream))


def _references(stream: ImageStream) -> Iterator[str]:
    for tag in stream.tags.values():
        reference = _reference(tag.spec, stream.namespace) if tag.spec is not None else None
        if reference is not None:
            yield reference


def _reference(spec: TagReference, namespace: str) -> str | None:
    """One spelling for every way to name the same source; None for what names nothing."""
    source = spec.from_
    if source is None:
        return None
    if source.kind == "ImageStreamTag":
        return f"{source.namespace or namespace}/{source.name}" if split_tag_name(source.name) else None
    try:
        named = parse_pull_spec(source.name)
    except InvalidPullSpec:
        return None
    if source.kind == "DockerImage":
        return _short(named.with_client_defaults())
    if source.kind != "ImageStreamImage" or not named.id:
        return None
    return _short(msgspec.structs.replace(named, namespace=named.namespace or source.namespace or namespace))


def _short(spec: PullSpec) -> str:
    """Without what goes without saying."""
    if spec.registry in DOCKER_HUB_HOSTS:
        namespace = "" if spec.namespace == DOCKER_HUB_NAMESPACE else spec.namespace
        spec = msgspec.structs.replace(spec, registry=DOCKER_HUB, namespace=namespace)
    return spec.exact()
