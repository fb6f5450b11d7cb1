"""What a manifest means: the digest that names it, the config it needs, the member of a list that is meant.

Keeps: an image is made of bytes that have the digests which name them. A list of members (a manifest list, an index)
is either replaced by one of them, or kept with all of them; a list within a list is refused.
Source: spec: image-api 9.3. Elsewhere: fetching (`repository.py`), layers and metadata (`domain/image_metadata.py`).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from service.api.decoding import DecodeError
from service.api.docker_metadata import decode_text
from service.api.docker_types import Manifest, ManifestDescriptor, ManifestList
from service.api.image_v1 import Image
from service.api.meta_v1 import ObjectMeta
from service.api.pull_specs import PullSpec, is_digest
from service.domain.image_digests import sha256_digest, signed_payload
from service.domain.image_metadata import complete_image
from service.domain.media_types import LISTS
from service.importer.failures import RegistryError
from service.importer.repository import Content, Repository, verify

M = TypeVar("M", Manifest, ManifestList)

MEMBERS_LIMIT = 64


class Platform(msgspec.Struct, frozen=True):
    """What an image is built for; "" is anything."""

    architecture: str = ""
    os: str = ""


DEFAULT_PLATFORM = Platform("amd64", "linux")


class Fetched(msgspec.Struct, frozen=True):
    image: Image
    members: tuple[Image, ...] = ()
    """Of a list that is kept, in its order"""


class Fetcher:
    """Images of one repository, as `spec` spells it. `now`: RFC 3339, the time of the import."""

    def __init__(self, repository: Repository, spec: PullSpec, now: str) -> None:
        self._repository = repository
        self._spec = spec
        self._now = now

    async def fetch(self, reference: str, *, keep_lists: bool, platform: Platform) -> Fetched:
        """The image of a tag or digest. Raises RegistryError."""
        content = await self._repository.manifest(reference)
        digest = _digest_of(content, reference)
        if content.media_type not in LISTS:
            return Fetched(await self._image(content, digest))
        members = _members(content)
        if not keep_lists:
            return Fetched(await self._member(choose(members, platform)))
        image = self._completed(content, digest, config=b"")
        return Fetched(image, tuple([await self._member(member) for member in members]))

    async def _member(self, member: ManifestDescriptor) -> Image:
        if not is_digest(member.digest):
            raise RegistryError(f'the manifest list names no digest: "{member.digest}"')
        content = await self._repository.manifest(member.digest)
        if content.media_type in LISTS:
            raise RegistryError(f"the manifest list {member.digest} is a member of another")
        return await self._image(content, _digest_of(content, member.digest))

    async def _image(self, content: Content, digest: str) -> Image:
        manifest = _decoded(content, Manifest)
        if manifest.schema_version == 1:
            return self._completed(content, digest, config=b"")
        if manifest.schema_version != 2:
            raise RegistryError(f"unsupported manifest schema {manifest.schema_version}")
        return self._completed(content, digest, await self._repository.config(manifest.config.digest))

    def _completed(self, content: Content, digest: str, config: bytes) -> Image:
        """The image as it would be created at the time of the import."""
        image = complete_image(
            Image(
                metadata=ObjectMeta(name=digest, creation_timestamp=self._now),
                docker_image_reference=msgspec.structs.replace(self._spec, tag="", id=digest).exact(),
                docker_image_manifest=_text(content.body),
                docker_image_manifest_media_type=content.media_type,
                docker_image_config=_text(config),
            )
        )
        image.metadata.creation_timestamp = None
        return image


def choose(members: list[ManifestDescriptor], platform: Platform) -> ManifestDescriptor:
    """The member for a platform, or else for the usual one, or else the first. Raises RegistryError."""
    if not members:
        raise RegistryError("the manifest list is empty")
    for wanted in (platform, DEFAULT_PLATFORM):
        for member in members:
            if (member.platform.architecture, member.platform.os) == (wanted.architecture, wanted.os):
                return member
    return members[0]


def _members(content: Content) -> list[ManifestDescriptor]:
    members = _decoded(content, ManifestList).manifests
    if len(members) > MEMBERS_LIMIT:
        raise RegistryError(f"the manifest list has more than {MEMBERS_LIMIT} members")
    return members


def _digest_of(content: Content, reference: str) -> str:
    """The digest of a manifest that was asked for by tag or digest. A signed one is named by what was signed."""
    text = _text(content.body)
    signed = signed_payload(text) if '"signatures"' in text else None
    body = content.body if signed is None else signed
    if is_digest(reference):
        verify(body, reference)
        return reference
    return sha256_digest(body)


def _decoded(content: Content, kind: type[M]) -> M:
    try:
        return decode_text(_text(content.body), kind)
    except DecodeError as error:
        raise RegistryError(f"unable to read the manifest: {error}") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise RegistryError("the manifest or config is not UTF-8 text") from None
