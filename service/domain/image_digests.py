"""Digests of contents, and the proof that a manifest or a config belongs to an image: it has the digest that names it.

Keeps: bytes that prove nothing are no match, and no error. A signed schema 1 manifest is named by what was signed,
which is not all of its bytes. Source: spec: image-api 9.3.3, 11.1.2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

import msgspec

from service.api.decoding import DecodeError
from service.api.docker_metadata import decode_text
from service.api.docker_types import Manifest
from service.api.image_v1 import Image
from service.api.pull_specs import InvalidPullSpec, check_digest
from service.domain.media_types import OCI_MANIFEST, SCHEMA1_MANIFEST, SCHEMA2_MANIFEST


class _Signature(msgspec.Struct):
    protected: str


class _SignedManifest(msgspec.Struct):
    signatures: list[_Signature]


class _Protected(msgspec.Struct, rename="camel"):
    format_length: int
    format_tail: str


def sha256_digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_like(digest: str, content: bytes) -> str:
    """The digest of the bytes by the algorithm of another digest. Raises InvalidPullSpec where that is none."""
    algorithm, _ = check_digest(digest)
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def manifest_matches(image: Image, manifest: str) -> bool:
    """Whether these are the bytes that the image's name is the digest of."""
    media_type = image.docker_image_manifest_media_type
    content: bytes | None = manifest.encode()
    if media_type in ("", SCHEMA1_MANIFEST):
        content = signed_payload(manifest)
    elif _parsed(manifest, media_type) is None:
        return False
    return content is not None and _has_digest(content, image.metadata.name)


def config_matches(image: Image, config: str) -> bool:
    """Whether the image's manifest names these bytes as its config."""
    manifest = _parsed(image.docker_image_manifest, image.docker_image_manifest_media_type)
    return manifest is not None and _has_digest(config.encode(), manifest.config.digest)


def _parsed(manifest: str, media_type: str) -> Manifest | None:
    """A schema 2 or OCI manifest of this media type, or None."""
    try:
        parsed = decode_text(manifest, Manifest)
    except DecodeError:
        return None
    if media_type == SCHEMA2_MANIFEST:
        return parsed if parsed.media_type == SCHEMA2_MANIFEST else None
    if media_type == OCI_MANIFEST:
        return parsed if parsed.media_type in ("", OCI_MANIFEST) else None
    return None


def _has_digest(content: bytes, digest: str) -> bool:
    try:
        return digest_like(digest, content) == digest
    except InvalidPullSpec:
        return False


def signed_payload(manifest: str) -> bytes | None:
    """What a schema 1 manifest signs: its beginning up to a length, and a tail, both said in a signature's header."""
    try:
        signatures = msgspec.json.decode(manifest, type=_SignedManifest).signatures
        protected = msgspec.json.decode(_from_base64url(signatures[0].protected), type=_Protected)
        tail = _from_base64url(protected.format_tail)
    except (msgspec.MsgspecError, IndexError, binascii.Error, UnicodeError):
        return None
    length = protected.format_length
    content = manifest.encode()
    return content[:length] + tail if 0 <= length <= len(content) else None


def _from_base64url(text: str) -> bytes:
    """Base64 for URLs, without its padding."""
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
