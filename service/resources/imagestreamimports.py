"""imagestreamimports: create → fetch → ImportImages. What remote registries have now, into the tags of an image stream.

Keeps: a request that asks only to look (`import: false`, dryRun) stores nothing; what could not be fetched is part of
the answer and, as a condition of its tag, of the stream.
Source: spec: image-api 9. Elsewhere: fetching (`importer/`), what comes of it (`domain/imports.py`).
"""

from __future__ import annotations

import uuid
from functools import partial

import msgspec

from service.api import defaults
from service.api.image_v1 import (
    GROUP,
    VERSION,
    Image,
    ImageImportStatus,
    ImageStream,
    ImageStreamImport,
    ImageStreamImportStatus,
)
from service.api.resource_info import ResourceInfo
from service.auth.rbac_index import Attributes
from service.commands.images import IMAGE_KIND
from service.commands.import_images import ImportImages, refuse_other_version
from service.domain import served
from service.domain.errors import Invalid
from service.domain.image_metadata import without_payloads
from service.domain.image_validation import validate_image
from service.domain.import_validation import validate_import
from service.importer.credentials import CredentialRing
from service.importer.importer import Importer, Outcome, Wishes
from service.importer.manifests import DEFAULT_PLATFORM, Platform
from service.importer.targets import tag_outcomes, tagged_images, with_images
from service.resources.imagestreams import new_metadata
from service.resources.resource import Call, Resource
from service.resources.services import Services

PREFER_ARCHITECTURE = "importer.image.openshift.io/prefer-arch"
PREFER_OS = "importer.image.openshift.io/prefer-os"


class ImageStreamImports(Resource[ImageStreamImport]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="imagestreamimports",
        singular="imagestreamimport",
        kind="ImageStreamImport",
        namespaced=True,
        verbs=("create",),
        struct=ImageStreamImport,
    )

    def __init__(self, services: Services, importer: Importer) -> None:
        self._services = services
        self._importer = importer

    def default(self, wanted: ImageStreamImport) -> ImageStreamImport:
        return defaults.default_imagestreamimport(wanted, self._services.import_mode)

    async def create(self, call: Call, wanted: ImageStreamImport) -> ImageStreamImport:
        name, version = wanted.metadata.name, wanted.metadata.resource_version
        self._refuse_invalid(call, wanted)
        await self._services.state.fresh()
        refuse_other_version(self._services.state.stream(call.namespace, name), name, version)
        outcome = await self._importer.fetch(wanted, await self._wishes(call, name))
        status = ImageStreamImportStatus()
        if wanted.spec.import_:
            status.import_, outcome = await self._imported(call, wanted, outcome)
        outcome = _without_payloads(wanted, outcome)
        status.repository, status.images = outcome.repository, outcome.images
        metadata = msgspec.structs.replace(new_metadata(wanted.metadata, call), resource_version=version)
        return msgspec.structs.replace(wanted, metadata=metadata, status=status)

    def _refuse_invalid(self, call: Call, wanted: ImageStreamImport) -> None:
        """Raise Invalid. Whoever may create images may have them from anywhere."""
        errors = validate_import(wanted)
        asked = Attributes("create", GROUP, "images")
        if not errors and not self._services.authorizer.authorize(call.user, asked).allowed:
            errors = self._services.policy.registries.import_errors(wanted)
        if errors:
            raise Invalid(self.kind, wanted.metadata.name, errors)

    async def _wishes(self, call: Call, name: str) -> Wishes:
        secrets = self._services.secrets
        found = (await secrets.pull_secrets(call.namespace)).secrets if secrets.has_keys else []
        return Wishes(
            now=call.now,
            sources=self._services.policy.sources,
            credentials=CredentialRing(found),
            platform_of=partial(self._platform_of, call.namespace, name),
        )

    def _platform_of(self, namespace: str, name: str, tag: str) -> Platform:
        """What the tag's annotations prefer, of a list with several (spec: image-api 9.3.1)."""
        stream = self._services.state.stream(namespace, name)
        known = stream.tags.get(tag) if stream else None
        annotations = (known.spec.annotations if known and known.spec else None) or {}
        return Platform(
            annotations.get(PREFER_ARCHITECTURE) or DEFAULT_PLATFORM.architecture,
            annotations.get(PREFER_OS) or DEFAULT_PLATFORM.os,
        )

    async def _imported(self, call: Call, wanted: ImageStreamImport, outcome: Outcome) -> tuple[ImageStream, Outcome]:
        """The stream as it is now, and the outcome with what was stored. Raises what the command raises."""
        everywhere = msgspec.structs.replace(call, namespace="")
        images = {name: _new(image, everywhere) for name, image in tagged_images(wanted, outcome).items()}
        for name, image in images.items():
            errors = validate_image(image)
            if errors:
                raise Invalid(IMAGE_KIND, name, errors)
        intention = ImportImages(
            resource=self.group_resource,
            verb="create",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            name=wanted.metadata.name,
            uid=str(uuid.uuid4()),
            resource_version=wanted.metadata.resource_version,
            outcomes=tag_outcomes(wanted, outcome),
            images=images,
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)

        def as_stored(image: Image) -> Image:
            name = image.metadata.name
            registered = world.images.get(name)
            return registered.decode() if registered else images.get(name, image)

        stream = served.imagestream(world.streams[call.namespace, wanted.metadata.name], self._services.registry)
        return stream, with_images(outcome, as_stored)


def _new(image: Image, call: Call) -> Image:
    """As the image is registered, should it be new: its manifest and config stay where they are."""
    return msgspec.structs.replace(without_payloads(image), metadata=new_metadata(image.metadata, call))


def _without_payloads(wanted: ImageStreamImport, outcome: Outcome) -> Outcome:
    """Manifests and configs are shown to whoever asks for them."""
    repository = outcome.repository
    if repository is not None and not (wanted.spec.repository and wanted.spec.repository.include_manifest):
        repository = msgspec.structs.replace(repository, images=[_bare(status) for status in repository.images])
    asked = zip(wanted.spec.images, outcome.images, strict=True)
    return Outcome(repository, [status if spec.include_manifest else _bare(status) for spec, status in asked])


def _bare(status: ImageImportStatus) -> ImageImportStatus:
    if status.image is None:
        return status
    return msgspec.structs.replace(status, image=without_payloads(status.image))
