"""Which blobs the images of a stream are made of: the view an image registry mounts blobs and checks access by.

Keeps: every image that the history of any tag names is here, known or missing, with the members of lists.
Source: spec: image-api 10.1, 7.2.
"""

from __future__ import annotations

from collections.abc import Callable

from service.api.image_v1 import Image, ImageBlobReferences, ImageLayerData, ImageStreamLayers
from service.domain.field_errors import FieldError, invalid
from service.domain.imagestream import ImageStream

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPES = {
    DOCKER_MANIFEST: "application/vnd.docker.container.image.v1+json",
    OCI_MANIFEST: "application/vnd.oci.image.config.v1+json",
}


def layers_of(stream: ImageStream, find_image: Callable[[str], Image | None]) -> ImageStreamLayers:
    """Blobs and images of the stream; its metadata is the caller's to set."""
    layers = ImageStreamLayers()
    waiting = [item.image for name in sorted(stream.tags) for item in stream.tags[name].items if item.image]
    while waiting:
        name = waiting.pop(0)
        if name in layers.images:
            continue
        image = find_image(name)
        layers.images[name] = _references(layers, image) if image else ImageBlobReferences(image_missing=True)
        waiting += layers.images[name].manifests
    return layers


def _references(layers: ImageStreamLayers, image: Image) -> ImageBlobReferences:
    blobs = layers.blobs
    for layer in image.docker_image_layers or ():
        blobs[layer.name] = ImageLayerData(size=layer.size, media_type=layer.media_type)
    references = ImageBlobReferences(
        layers=[layer.name for layer in image.docker_image_layers] if image.docker_image_layers else None,
        manifests=[manifest.digest for manifest in image.docker_image_manifests],
    )
    media_type = image.docker_image_manifest_media_type
    if media_type in CONFIG_TYPES:
        config = str((image.docker_image_metadata or {}).get("Id") or "")
        references.config = config
        if config:
            blobs[config] = ImageLayerData(media_type=CONFIG_TYPES[media_type])
    blobs[image.metadata.name] = ImageLayerData(media_type=media_type or DOCKER_MANIFEST)
    return references


def validate_layers(layers: ImageStreamLayers) -> list[FieldError]:
    return [
        invalid(f"images[{name}].config", "", "config cannot be an empty string")
        for name, references in layers.images.items()
        if references.config == ""
    ]
