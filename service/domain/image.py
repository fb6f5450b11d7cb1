"""The state of an image and how each event changes it.

Keeps: the API object stays encoded until somebody asks for it, so that a hundred thousand images fit in memory;
manifest and config are only named here, by the digest of their bytes.
Elsewhere: completing an image from its manifest (`image_metadata.py`), what clients see (`served.py`).
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from service.api.image_v1 import Image
from service.domain.events import (
    ImageChanged,
    ImageDeleted,
    ImageEvent,
    ImageRegistered,
    ImageSignatureRemoved,
    ImageSigned,
)
from service.domain.imagestream import UnfoldableEventError

_decoder = msgspec.json.Decoder(Image)


class ImageState(msgspec.Struct, frozen=True, gc=False):
    name: str
    document: bytes
    """The API object as JSON, without manifest, config and resourceVersion."""
    changed: int
    """Position of the last event that changed it: its resourceVersion."""
    manifest: str = ""
    """Digest of the payload that holds the manifest, or ""."""
    config: str = ""

    def decode(self) -> Image:
        """A fresh object, with its resourceVersion, without manifest and config."""
        image = _decoder.decode(self.document)
        image.metadata.resource_version = str(self.changed)
        return image


def encode_document(image: Image) -> bytes:
    """The document an event stores: the object without kind, manifest, config and resourceVersion."""
    metadata = msgspec.structs.replace(image.metadata, resource_version="", namespace="")
    return msgspec.json.encode(
        msgspec.structs.replace(
            image, kind="", api_version="", metadata=metadata, docker_image_manifest="", docker_image_config=""
        )
    )


def apply(image: ImageState | None, name: str, event: ImageEvent, position: int) -> ImageState | None:
    """The image after the event. Raises UnfoldableEventError if the event needs an image and there is none."""
    if isinstance(event, ImageRegistered):
        return ImageState(name, bytes(event.image), position, event.manifest, event.config)
    if image is None:
        raise UnfoldableEventError(f"{type(event).__name__} at {position}: no image {name}")
    match event:
        case ImageChanged():
            return ImageState(name, bytes(event.image), position, event.manifest, event.config)
        case ImageSigned():
            document = image.decode()
            document.signatures = [*document.signatures, event.signature]
        case ImageSignatureRemoved():
            document = image.decode()
            document.signatures = [s for s in document.signatures if s.metadata.name != event.name]
        case ImageDeleted():
            return None
        case _:
            assert_never(event)
    # Signatures are written past the field managers, which ends what was known of these.
    document.metadata.managed_fields = None
    return msgspec.structs.replace(image, document=encode_document(document), changed=position)
