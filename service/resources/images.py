"""images: create → RegisterImage, update and patch → ChangeImage, delete → DeleteImage."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from service.api import defaults
from service.api.image_v1 import GROUP, VERSION, Image, ImageList
from service.api.meta_v1 import DeleteOptions, ObjectMeta
from service.api.resource_info import ResourceInfo
from service.commands.image_registration import registration
from service.commands.images import ChangeImage, DeleteImage, RegisterImage, with_texts
from service.domain.errors import Invalid, NotFound
from service.domain.image import ImageState
from service.domain.image_metadata import complete_image
from service.domain.image_validation import validate_image
from service.domain.world import Collection, State
from service.resources.imagestreams import new_metadata, refuse_version
from service.resources.resource import Call, Resource, Shown, deleted
from service.resources.services import Services, await_version


class Images(Resource[Image]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="images",
        singular="image",
        kind="Image",
        namespaced=False,
        verbs=("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
        struct=Image,
        list_struct=ImageList,
    )
    collection = Collection.IMAGES
    stored_apart = True
    uid_is_precondition = True

    def __init__(self, services: Services) -> None:
        self._services = services

    def default(self, wanted: Image) -> Image:
        return defaults.default_image(wanted)

    async def get(self, call: Call, name: str) -> Shown[Image]:
        await await_version(self._services.state, call.resource_version)
        stored = self._services.state.image(name)
        if stored is None:
            raise NotFound(self.group_resource, name)
        return Shown(partial(with_texts, stored, await self._texts(stored)), (stored,))

    async def create(self, call: Call, wanted: Image) -> Image:
        refuse_version(wanted.metadata)
        wanted.metadata = new_metadata(wanted.metadata, call)
        image = complete_image(wanted)
        errors = validate_image(image)
        if errors:
            raise Invalid(self.kind, image.metadata.name, errors)
        intention = RegisterImage(
            resource=self.group_resource,
            verb="create",
            around=self._services.surroundings(call),
            name=image.metadata.name,
            registration=registration(image),
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        stored = world.images[image.metadata.name]
        shown = stored.decode()
        shown.docker_image_manifest, shown.docker_image_config = image.docker_image_manifest, image.docker_image_config
        return _versioned(shown, stored)

    async def update(self, call: Call, name: str, transform: Callable[[Image], Image]) -> tuple[Image, bool]:
        await self._services.state.fresh()
        stored = self._services.state.image(name)
        if stored is None:
            raise NotFound(self.group_resource, name)
        intention = ChangeImage(
            resource=self.group_resource,
            verb="update",
            around=self._services.surroundings(call),
            name=name,
            texts=await self._texts(stored),
            transform=transform,
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        after = world.images.get(name, stored)
        return _versioned(with_texts(after, await self._texts(after)), after), False

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> msgspec.Struct:
        intention = DeleteImage(
            resource=self.group_resource,
            verb="delete",
            around=self._services.surroundings(call),
            name=name,
            options=options,
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        stored = world.images.get(name)
        if stored is not None:
            return with_texts(stored, await self._texts(stored))
        return deleted(self.group_resource, intention.deleted or ObjectMeta(name=name))

    def item(self, state: State) -> Image:
        return image_of(state).decode()

    async def whole(self, state: State) -> Image:
        stored = image_of(state)
        return with_texts(stored, await self._texts(stored))

    async def _texts(self, stored: ImageState) -> dict[str, str]:
        texts: dict[str, str] = {}
        for digest in filter(None, (stored.manifest, stored.config)):
            content = await self._services.payloads.payload(digest)
            texts[digest] = content.decode() if content is not None else ""
        return texts


def image_of(state: State) -> ImageState:
    if not isinstance(state, ImageState):
        raise TypeError(f"{type(state).__name__} is no image")
    return state


def _versioned(image: Image, stored: ImageState) -> Image:
    image.metadata.resource_version = str(stored.changed) if stored.changed else ""
    return image
