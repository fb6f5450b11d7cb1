"""What a freshly decoded object means where its author said nothing.

Keeps: tags of a stream are unique by name and sorted; every tag has an import mode and a reference policy. The objects
are changed in place, and returned, because they were decoded for this request alone.
What an image says of itself is converted to its stored form here, too, and may fail with DecodeError.
Source: spec: image-api 2.4.4, 3.1-3.4. Elsewhere: what the server alone may say (uid, generation, status: `domain/`).
"""

from __future__ import annotations

from service.api.docker_metadata import normalise_image
from service.api.image_v1 import (
    Image,
    ImageImportSpec,
    ImageStream,
    ImageStreamImport,
    ImageStreamMapping,
    ImageStreamTag,
    ImageTag,
    NamedTagEventList,
    TagImportPolicy,
    TagReference,
    TagReferencePolicy,
)
from service.api.meta_v1 import LocalObjectReference
from service.api.pull_specs import InvalidPullSpec, parse_pull_spec

DEFAULT_REFERENCE_POLICY = "Source"


def default_image(image: Image) -> Image:
    normalise_image(image)
    return image


def default_imagestreammapping(mapping: ImageStreamMapping) -> ImageStreamMapping:
    normalise_image(mapping.image)
    return mapping


def default_imagestream(stream: ImageStream, import_mode: str) -> ImageStream:
    """`import_mode` is the server's own, for tags that name none."""
    for tag in stream.spec.tags:
        default_tag(tag, import_mode)
    # The last of equal names counts.
    tags = {tag.name: tag for tag in stream.spec.tags}
    stream.spec.tags = [tags[name] for name in sorted(tags)]
    histories = {history.tag: history for history in stream.status.tags}
    stream.status.tags = [_without_empty_items(histories[name]) for name in sorted(histories)]
    return stream


def default_imagestreamtag(tag: ImageStreamTag, import_mode: str) -> ImageStreamTag:
    if tag.tag is not None:
        default_tag(tag.tag, import_mode)
    normalise_image(tag.image)
    return tag


def default_imagetag(tag: ImageTag, import_mode: str) -> ImageTag:
    if tag.spec is not None:
        default_tag(tag.spec, import_mode)
    if tag.status is not None:
        tag.status = _without_empty_items(tag.status)
    if tag.image is not None:
        normalise_image(tag.image)
    return tag


def default_imagestreamimport(wanted: ImageStreamImport, import_mode: str) -> ImageStreamImport:
    for image in wanted.spec.images:
        _default_policies(image.import_policy, image.reference_policy, import_mode)
        _default_target(image)
    if wanted.spec.repository is not None:
        _default_policies(wanted.spec.repository.import_policy, wanted.spec.repository.reference_policy, import_mode)
    return wanted


def default_tag(tag: TagReference, import_mode: str) -> None:
    _default_policies(tag.import_policy, tag.reference_policy, import_mode)


def _default_policies(importing: TagImportPolicy, referencing: TagReferencePolicy, import_mode: str) -> None:
    importing.import_mode = importing.import_mode or import_mode
    referencing.type = referencing.type or DEFAULT_REFERENCE_POLICY


def _default_target(image: ImageImportSpec) -> None:
    """An import without a target goes to the tag it comes from, if it names one."""
    if image.to is not None:
        return
    try:
        tag = parse_pull_spec(image.from_.name).tag
    except InvalidPullSpec:
        return
    if tag:
        image.to = LocalObjectReference(tag)


def _without_empty_items(history: NamedTagEventList) -> NamedTagEventList:
    """An empty list of events is shown as none."""
    history.items = history.items or None
    return history
