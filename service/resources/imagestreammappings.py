"""imagestreammappings: create → MapImage. The word of an image registry that a push is complete."""

from __future__ import annotations

from functools import partial

import msgspec

from service.api import defaults
from service.api.image_v1 import GROUP, VERSION, Image, ImageStreamMapping
from service.api.meta_v1 import Status
from service.api.resource_info import ResourceInfo
from service.commands.image_registration import Registration, registration
from service.commands.map_image import MapImage, refuse_large_image
from service.domain import mapping
from service.domain.errors import Invalid
from service.domain.image_metadata import complete_image
from service.domain.image_validation import validate_mapping
from service.resources.imagestreams import new_metadata
from service.resources.resource import Call, Resource
from service.resources.services import Services


class ImageStreamMappings(Resource[ImageStreamMapping]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="imagestreammappings",
        singular="imagestreammapping",
        kind="ImageStreamMapping",
        namespaced=True,
        verbs=("create",),
        struct=ImageStreamMapping,
        created_anywhere=True,
    )

    keeps_managed_fields = False

    def __init__(self, services: Services) -> None:
        self._services = services

    def default(self, wanted: ImageStreamMapping) -> ImageStreamMapping:
        return defaults.default_imagestreammapping(wanted)

    async def create(self, call: Call, wanted: ImageStreamMapping) -> Status:
        """A Status, as the reference answers; dryRun is not honoured there, but is here (deviations)."""
        name, image = wanted.metadata.name, wanted.image
        if not image.docker_image_reference:
            image.docker_image_reference = mapping.default_reference(
                self._services.registry.internal_hostname, call.namespace, name, image.metadata.name
            )
        limits = self._services.policy.limits_of(call.namespace)
        refuse_large_image(self.group_resource, name, limits, partial(complete_image, image))
        errors = validate_mapping(wanted)
        if errors:
            raise Invalid(self.kind, name, errors)
        intention = MapImage(
            resource=self.group_resource,
            verb="create",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            name=name,
            tag=wanted.tag,
            image=image.metadata.name,
            reference=image.docker_image_reference,
            managed=(image.metadata.annotations or {}).get(mapping.MANAGED) == "true",
            register=partial(self._register, call, image),
        )
        await self._services.executor.perform(intention, call.metadata, dry_run=call.dry_run)
        return Status(status="Success", code=201)

    def _register(self, call: Call, image: Image) -> Registration:
        image.signatures = []
        image.metadata = new_metadata(image.metadata, msgspec.structs.replace(call, namespace=""))
        return registration(complete_image(image))
