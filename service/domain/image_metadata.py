"""What the server itself makes of an image: layers, media type, size and metadata from its manifest and config.

Keeps: layers are stored base first; an image's content never changes after its creation, except that manifest and
config may be dropped, or restored by bytes that have the right digest. What is wrong with a manifest does not keep an
image out: it is stored as far as it could be completed.
Source: spec: image-api 9.3, 11.1. Elsewhere: the shapes of manifests (`api/docker_types.py`), the proof that bytes have
the right digest (`image_digests.py`), the rules an image must follow (`image_validation.py`).
"""

from __future__ import annotations

import msgspec

from service.api.decoding import DecodeError
from service.api.docker_metadata import (
    DEFAULT_METADATA_VERSION,
    decode_text,
    metadata_document,
    read_metadata,
    unknown_version,
)
from service.api.docker_types import DockerImage, ImageConfig, Int64, Manifest, ManifestList, Text
from service.api.image_v1 import GROUP, Image, ImageLayer, ImageManifest, ImageSignature
from service.domain.errors import Unclassified
from service.domain.image_digests import config_matches, manifest_matches
from service.domain.media_types import (
    LISTS,
    OCI_MANIFEST,
    SCHEMA1_LAYER,
    SCHEMA1_MANIFEST,
    SCHEMA1_SIGNED_MANIFEST,
    SCHEMA2_MANIFEST,
)

LAYERS_ORDER = "image.openshift.io/dockerLayersOrder"
ASCENDING = "ascending"
DESCENDING = "descending"
BLOBS_STORED = "image.openshift.io/manifestBlobStored"
_SHARED_FIELDS = tuple(name for name in DockerImage.__struct_fields__ if name in ImageConfig.__struct_fields__)
MANAGED_SIGNATURE = "image.openshift.io/managed-signature"


def complete_image(image: Image) -> Image:
    """The image as it is created; its creationTimestamp is the present.

    Raises Unclassified if its metadata has an unknown version.
    """
    image = _own(image)
    fill_metadata(image)
    image.docker_image_manifests = _members(image) or image.docker_image_manifests
    return _finished(image)


def keep_immutables(new: Image, old: Image) -> Image:
    """The image as an update leaves it: what may not change is what it was."""
    new = _own(new)
    new.docker_image_metadata = old.docker_image_metadata
    new.docker_image_metadata_version = old.docker_image_metadata_version
    new.docker_image_layers = list(old.docker_image_layers) if old.docker_image_layers else old.docker_image_layers
    if old.docker_image_signatures:
        new.docker_image_signatures = old.docker_image_signatures
    manifest, config = new.docker_image_manifest, new.docker_image_config
    if manifest and manifest != old.docker_image_manifest and not manifest_matches(old, manifest):
        new.docker_image_manifest = old.docker_image_manifest
    if config and config != old.docker_image_config and not config_matches(new, config):
        new.docker_image_config = old.docker_image_config
    fill_metadata(new)
    return _finished(new)


def fill_metadata(image: Image) -> str:
    """Complete the image from its manifest and config, in place; what went wrong, or ""."""
    if not image.docker_image_manifest:
        return ""
    _put_base_first(image)
    metadata = read_metadata(image)
    if image.docker_image_layers and metadata.size > 0 and image.docker_image_manifest_media_type:
        return ""
    try:
        manifest = decode_text(image.docker_image_manifest, Manifest)
        if manifest.media_type in LISTS:
            _describe_list(image, metadata)
            return ""
        return _fill_from(image, manifest)
    except DecodeError as error:
        return str(error)


def without_payloads(image: Image) -> Image:
    """The image as tags show it, without manifest and config."""
    return msgspec.structs.replace(image, docker_image_manifest="", docker_image_config="")


def image_size(image: Image) -> int:
    """What the image takes in a registry, in bytes, as limits count it."""
    image = _own(image)
    fill_metadata(image)
    return read_metadata(image).size


def _own(image: Image) -> Image:
    """A copy that may be changed: the parts that are changed here are copied, too."""
    annotations = image.metadata.annotations
    metadata = msgspec.structs.replace(image.metadata, annotations=dict(annotations) if annotations else annotations)
    return msgspec.structs.replace(image, metadata=metadata, signatures=[_own_signature(s) for s in image.signatures])


def _own_signature(signature: ImageSignature) -> ImageSignature:
    """Without an annotation that a controller of old set on it."""
    annotations = signature.metadata.annotations
    if not annotations or MANAGED_SIGNATURE not in annotations:
        return signature
    kept = {key: value for key, value in annotations.items() if key != MANAGED_SIGNATURE}
    metadata = msgspec.structs.replace(signature.metadata, annotations=kept or None)
    return msgspec.structs.replace(signature, metadata=metadata)


def _finished(image: Image) -> Image:
    if image.docker_image_metadata is None:
        version = image.docker_image_metadata_version or DEFAULT_METADATA_VERSION
        _set_metadata(image, DockerImage(), version)
    if (image.metadata.annotations or {}).get(BLOBS_STORED) == "true":
        return without_payloads(image)
    return image


def _set_metadata(image: Image, metadata: DockerImage, version: str = "") -> None:
    version = version or image.docker_image_metadata_version or DEFAULT_METADATA_VERSION
    try:
        image.docker_image_metadata = metadata_document(metadata, version)
    except KeyError:
        qualified = version if "/" in version else f"{GROUP}/{version}"
        raise Unclassified(unknown_version(qualified)) from None
    image.docker_image_metadata_version = version


def _put_base_first(image: Image) -> None:
    """Turn the layers round where they are said, or known, to be stored the other way."""
    if not image.docker_image_layers:
        return
    order = (image.metadata.annotations or {}).get(LAYERS_ORDER)
    if order is None:
        media_type = image.docker_image_manifest_media_type
        if media_type in (SCHEMA1_MANIFEST, SCHEMA1_SIGNED_MANIFEST):
            order = ASCENDING
        elif media_type in (SCHEMA2_MANIFEST, OCI_MANIFEST):
            order = DESCENDING
        else:
            return
    if order == DESCENDING:
        image.docker_image_layers = image.docker_image_layers[::-1]
    _annotate_order(image)


def _annotate_order(image: Image) -> None:
    image.metadata.annotations = {**(image.metadata.annotations or {}), LAYERS_ORDER: ASCENDING}


def _describe_list(image: Image, metadata: DockerImage) -> None:
    """A list has no config: only a name and a time. The time is that of its creation, and stays."""
    if metadata.id == image.metadata.name and metadata.created:
        return
    described = msgspec.structs.replace(metadata, id=image.metadata.name, created=image.metadata.creation_timestamp)
    _set_metadata(image, described)


def _fill_from(image: Image, manifest: Manifest) -> str:
    """Layers, media type and metadata of a manifest that is no list; what went wrong, or "". Raises DecodeError."""
    problem = _fill_layers(image, manifest)
    if problem:
        return problem
    if manifest.schema_version == 1:
        image.docker_image_manifest_media_type = SCHEMA1_MANIFEST
        if not manifest.history:
            return "the image has a schema 1 manifest, but it doesn't have history"
        described = _metadata_of(decode_text(manifest.history[0].v1_compatibility, ImageConfig))
    else:
        media_type = manifest.media_type or image.docker_image_manifest_media_type or SCHEMA2_MANIFEST
        image.docker_image_manifest_media_type = media_type
        if not image.docker_image_config:
            return f'dockerImageConfig must not be empty for manifest type "{media_type}"'
        described = _metadata_of(decode_text(image.docker_image_config, ImageConfig))
        described.id = manifest.config.digest
    described.size = _size(image, manifest)
    _set_metadata(image, described)
    return ""


def _fill_layers(image: Image, manifest: Manifest) -> str:
    if image.docker_image_layers:
        return ""
    if manifest.schema_version == 1:
        if len(manifest.history) != len(manifest.fs_layers):
            return "the image has mismatched history and fslayer cardinality"
        sizes = [_compatibility_size(entry.v1_compatibility) for entry in manifest.history]
        # Schema 1 names the youngest layer first.
        image.docker_image_layers = [
            ImageLayer(layer.blob_sum, size, SCHEMA1_LAYER)
            for layer, size in zip(reversed(manifest.fs_layers), reversed(sizes), strict=True)
        ]
    elif manifest.schema_version == 2:
        image.docker_image_layers = [ImageLayer(d.digest, d.size, d.media_type) for d in manifest.layers]
    else:
        return f"unrecognized container image manifest schema {manifest.schema_version}"
    _annotate_order(image)
    return ""


class _SizeOnly(Text):
    size: Int64 = 0


def _compatibility_size(text: str) -> int:
    try:
        return decode_text(text, _SizeOnly).size
    except DecodeError:
        return 0


def _metadata_of(config: ImageConfig) -> DockerImage:
    return DockerImage(**{name: getattr(config, name) for name in _SHARED_FIELDS})


def _size(image: Image, manifest: Manifest) -> int:
    """The config and each distinct layer, counted once."""
    counted: set[str] = set()
    size_bytes = 0
    if manifest.schema_version == 2:
        counted.add(manifest.config.digest)
        size_bytes = len(image.docker_image_config.encode())
    for layer in image.docker_image_layers or ():
        if layer.name not in counted:
            counted.add(layer.name)
            size_bytes += layer.size
    return size_bytes


def _members(image: Image) -> list[ImageManifest]:
    """The manifests that a list names."""
    if image.docker_image_manifest_media_type not in LISTS:
        return []
    try:
        listed = decode_text(image.docker_image_manifest, ManifestList)
    except DecodeError:
        return []
    if listed.media_type != image.docker_image_manifest_media_type:
        return []
    return [
        ImageManifest(m.digest, m.media_type, m.size, m.platform.architecture, m.platform.os, m.platform.variant)
        for m in listed.manifests
    ]
