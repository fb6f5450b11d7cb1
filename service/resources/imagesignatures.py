"""imagesignatures: create → SignImage, delete → RemoveSignature. They live in their image and are named after it."""

from __future__ import annotations

import msgspec

from service.api.image_v1 import GROUP, VERSION, ImageSignature
from service.api.meta_v1 import DeleteOptions, Status
from service.api.resource_info import ResourceInfo
from service.commands.signatures import RemoveSignature, SignImage
from service.domain.errors import BadRequest, Invalid, image_resource
from service.domain.image_validation import validate_signature
from service.resources.imagestreams import new_metadata
from service.resources.imagestreamtags import refuse_generated_name
from service.resources.resource import Call, Resource
from service.resources.services import Services

SIGNATURES = image_resource("imageSignatures")


class ImageSignatures(Resource[ImageSignature]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="imagesignatures",
        singular="imagesignature",
        kind="ImageSignature",
        namespaced=False,
        verbs=("create", "delete"),
        struct=ImageSignature,
    )

    def __init__(self, services: Services) -> None:
        self._services = services

    async def create(self, call: Call, wanted: ImageSignature) -> ImageSignature:
        refuse_generated_name(wanted.metadata)
        metadata = new_metadata(wanted.metadata, call)
        signature = ImageSignature(metadata=metadata, type=wanted.type, content=wanted.content)
        errors = validate_signature(signature)
        if errors:
            raise Invalid(self.kind, metadata.name, errors)
        intention = SignImage(
            resource=self.group_resource,
            verb="create",
            around=self._services.surroundings(call),
            image=metadata.name.partition("@")[0],
            signature=signature,
            signatures=SIGNATURES,
        )
        await self._services.executor.perform(intention, call.metadata, dry_run=call.dry_run)
        return signature

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> msgspec.Struct:
        image, separator, own = name.partition("@")
        if not (image and separator and own) or "@" in own:
            raise BadRequest("ImageSignatures must be accessed with <imageName>@<signatureName>")
        intention = RemoveSignature(
            resource=self.group_resource,
            verb="delete",
            around=self._services.surroundings(call),
            image=image,
            name=name,
            signatures=SIGNATURES,
        )
        await self._services.executor.perform(intention, call.metadata, dry_run=call.dry_run)
        return Status(status="Success")
