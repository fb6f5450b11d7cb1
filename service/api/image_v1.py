"""The image.openshift.io/v1 types as they travel: images, streams, tags, mappings, imports, layers.

Keeps: field order and presence are the wire's (spec: image-api 2): plain defaults are left out, `always(...)` fields
are always written. Merge keys for strategic merge and server-side apply are marked on the lists that have them (2.5).
Elsewhere: what the fields mean and may hold (`domain/`), their descriptions (`descriptions.py`).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from service.api.json_types import JsonObject
from service.api.meta_v1 import (
    ATOMIC,
    ApiObject,
    ListMeta,
    LocalObjectReference,
    ObjectReference,
    Status,
    Wire,
    always,
    null,
)

GROUP = "image.openshift.io"
VERSION = "v1"
API_VERSION = f"{GROUP}/{VERSION}"


class ImageLayer(Wire):
    name: str = always(str)
    size: int = always(int)
    media_type: str = always(str)


class ImageManifest(Wire):
    digest: str = always(str)
    media_type: str = always(str)
    manifest_size: int = always(int)
    architecture: str = always(str)
    os: str = always(str)
    variant: str = ""


class SignatureCondition(Wire):
    type: str = always(str)
    status: str = always(str)
    last_probe_time: str | None = always(null)
    last_transition_time: str | None = always(null)
    reason: str = ""
    message: str = ""


class SignatureIssuer(Wire):
    organization: str = ""
    common_name: str = ""


class SignatureSubject(Wire):
    organization: str = ""
    common_name: str = ""
    public_key_id: str = msgspec.field(default_factory=str, name="publicKeyID")


class ImageSignature(ApiObject):
    type: str = always(str)
    content: str | None = always(null)
    """base64"""
    conditions: Annotated[list[SignatureCondition], msgspec.Meta(extra={"merge_key": "type"})] = []
    image_identity: str = ""
    signed_claims: dict[str, str] = {}
    created: str | None = None
    issued_by: SignatureIssuer | None = None
    issued_to: SignatureSubject | None = None


class Image(ApiObject):
    docker_image_reference: str = ""
    docker_image_metadata: Annotated[JsonObject | None, msgspec.Meta(extra={"atomic": True, "replace": True})] = always(
        null
    )
    docker_image_metadata_version: str = ""
    docker_image_manifest: str = ""
    docker_image_layers: list[ImageLayer] | None = None
    signatures: Annotated[list[ImageSignature], msgspec.Meta(extra={"merge_key": "name"})] = []
    docker_image_signatures: list[str] = []
    docker_image_manifest_media_type: str = ""
    docker_image_config: str = ""
    docker_image_manifests: list[ImageManifest] = []


class ImageList(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    items: list[Image] = always(list)


class TagImportPolicy(Wire):
    insecure: bool = False
    scheduled: bool = False
    import_mode: str = ""


class TagReferencePolicy(Wire):
    type: str = always(str)


class TagReference(Wire):
    name: str = always(str)
    annotations: dict[str, str] | None = always(null)
    from_: Annotated[ObjectReference | None, ATOMIC] = msgspec.field(default=None, name="from")
    reference: bool = False
    generation: int | None = always(null)
    import_policy: TagImportPolicy = always(TagImportPolicy)
    reference_policy: TagReferencePolicy = always(TagReferencePolicy)


class TagEvent(Wire):
    created: str | None = always(null)
    docker_image_reference: str = always(str)
    image: str = always(str)
    generation: int = always(int)


class TagEventCondition(Wire):
    type: str = always(str)
    status: str = always(str)
    last_transition_time: str | None = always(null)
    reason: str = ""
    message: str = ""
    generation: int = always(int)


class NamedTagEventList(Wire):
    tag: str = always(str)
    items: list[TagEvent] | None = always(null)
    conditions: list[TagEventCondition] = []


class ImageLookupPolicy(Wire):
    local: bool = always(bool)


class ImageStreamSpec(Wire):
    lookup_policy: ImageLookupPolicy = always(ImageLookupPolicy)
    docker_image_repository: str = ""
    tags: Annotated[list[TagReference], msgspec.Meta(extra={"merge_key": "name"})] = []


class ImageStreamStatus(Wire):
    docker_image_repository: str = always(str)
    public_docker_image_repository: str = ""
    tags: Annotated[list[NamedTagEventList], msgspec.Meta(extra={"merge_key": "tag"})] = []


class ImageStream(ApiObject):
    spec: ImageStreamSpec = always(ImageStreamSpec)
    status: ImageStreamStatus = always(ImageStreamStatus)


class ImageStreamList(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    items: list[ImageStream] = always(list)


class ImageStreamTag(ApiObject):
    tag: TagReference | None = always(null)
    generation: int = always(int)
    lookup_policy: ImageLookupPolicy = always(ImageLookupPolicy)
    conditions: list[TagEventCondition] = []
    image: Image = always(Image)


class ImageStreamTagList(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    items: list[ImageStreamTag] = always(list)


class ImageTag(ApiObject):
    spec: TagReference | None = always(null)
    status: NamedTagEventList | None = always(null)
    image: Image | None = always(null)


class ImageTagList(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    items: list[ImageTag] = always(list)


class ImageStreamImage(ApiObject):
    image: Image = always(Image)


class ImageStreamMapping(ApiObject):
    image: Image = always(Image)
    tag: str = always(str)


class ImageLayerData(Wire):
    size: int | None = always(null)
    media_type: str = always(str)


class ImageBlobReferences(Wire):
    image_missing: bool = always(bool)
    layers: list[str] | None = always(null)
    config: str | None = always(null)
    manifests: list[str] = []


class ImageStreamLayers(ApiObject):
    blobs: dict[str, ImageLayerData] = always(dict)
    images: dict[str, ImageBlobReferences] = always(dict)


class ImageImportSpec(Wire):
    from_: Annotated[ObjectReference, ATOMIC] = msgspec.field(default_factory=ObjectReference, name="from")
    to: Annotated[LocalObjectReference | None, ATOMIC] = None
    import_policy: TagImportPolicy = always(TagImportPolicy)
    reference_policy: TagReferencePolicy = always(TagReferencePolicy)
    include_manifest: bool = False


class RepositoryImportSpec(Wire):
    from_: Annotated[ObjectReference, ATOMIC] = msgspec.field(default_factory=ObjectReference, name="from")
    import_policy: TagImportPolicy = always(TagImportPolicy)
    reference_policy: TagReferencePolicy = always(TagReferencePolicy)
    include_manifest: bool = False


class ImageStreamImportSpec(Wire):
    import_: bool = msgspec.field(default_factory=bool, name="import")
    repository: RepositoryImportSpec | None = None
    images: list[ImageImportSpec] = []


class ImageImportStatus(Wire):
    status: Status = always(Status)
    image: Image | None = None
    tag: str = ""
    manifests: list[Image] = []


class RepositoryImportStatus(Wire):
    status: Status = always(Status)
    images: list[ImageImportStatus] = []
    additional_tags: list[str] = []


class ImageStreamImportStatus(Wire):
    import_: ImageStream | None = msgspec.field(default=None, name="import")
    repository: RepositoryImportStatus | None = None
    images: list[ImageImportStatus] = []


class ImageStreamImport(ApiObject):
    spec: ImageStreamImportSpec = always(ImageStreamImportSpec)
    status: ImageStreamImportStatus = always(ImageStreamImportStatus)
