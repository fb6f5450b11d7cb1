"""How a completed image becomes an event: the object as a document, manifest and config as payloads of the log."""

from __future__ import annotations

import msgspec

from service.api.image_v1 import Image
from service.domain.events import ImageChanged, ImageRegistered
from service.domain.image import encode_document
from service.domain.image_digests import sha256_digest
from service.eventstore.records import Payload


class Registration(msgspec.Struct, frozen=True):
    event: ImageRegistered
    payloads: tuple[Payload, ...]


def registration(image: Image) -> Registration:
    document, manifest, config, payloads = _parts(image)
    return Registration(ImageRegistered(document, manifest, config), payloads)


def change(image: Image) -> tuple[ImageChanged, tuple[Payload, ...]]:
    document, manifest, config, payloads = _parts(image)
    return ImageChanged(document, manifest, config), payloads


def _parts(image: Image) -> tuple[msgspec.Raw, str, str, tuple[Payload, ...]]:
    texts = (image.docker_image_manifest, image.docker_image_config)
    digests = [sha256_digest(text.encode()) if text else "" for text in texts]
    payloads = tuple(Payload(d, text.encode()) for d, text in zip(digests, texts, strict=True) if d)
    return msgspec.Raw(encode_document(image)), digests[0], digests[1], payloads
