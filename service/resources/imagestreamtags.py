"""imagestreamtags and imagetags: create → CreateTag, update and patch → TagUpdate, delete → DeleteTag.

The two show the same tag: an ImageStreamTag its newest image, an ImageTag its whole history. Both can be watched,
which the reference cannot (docs/reference/deviations.md).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from service.api import defaults
from service.api.image_v1 import (
    GROUP,
    VERSION,
    Image,
    ImageStreamTag,
    ImageStreamTagList,
    ImageTag,
    ImageTagList,
    TagReference,
)
from service.api.meta_v1 import DeleteOptions, ObjectMeta, Status
from service.api.resource_info import ResourceInfo
from service.commands.create_tag import CreateTag
from service.commands.delete_tag import DeleteTag
from service.commands.update_tag import ImageStreamTagUpdate, ImageTagUpdate, TagUpdate
from service.domain import references, served
from service.domain.errors import (
    BadRequest,
    GroupResource,
    InternalError,
    Invalid,
    NotFound,
    Unclassified,
    image_resource,
)
from service.domain.field_errors import FieldError, invalid, required
from service.domain.image import ImageState
from service.domain.image_policy import ImagePolicy
from service.domain.imagestream import Tag
from service.domain.object_meta import validate_new
from service.domain.tag_validation import is_insecure, validate_tag_reference
from service.domain.world import Collection, State, World
from service.resources.resource import Call, Resource, Shown
from service.resources.services import Services, await_version

T = TypeVar("T", ImageStreamTag, ImageTag)
ANNOTATIONS_DIFFER = "tag annotations must not be provided or must be equal to the object meta annotations"
VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


class Tags(Resource[T]):
    """What both share: names, reads, updates, and the deletion."""

    intention: type[TagUpdate[T]]
    """Of an update."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def _tag(self, call: Call, name: str) -> Tag:
        """The tag of that name. Raises BadRequest, or NotFound naming the stream if that is missing."""
        stream_name, tag_name = self.parts(name)
        await await_version(self._services.state, call.resource_version)
        stream = self._services.state.stream(call.namespace, stream_name)
        if stream is None:
            raise NotFound(self.group_resource, stream_name)
        tag = stream.tags.get(tag_name)
        if tag is None:
            raise NotFound(self.group_resource, name)
        return tag

    def parts(self, name: str) -> tuple[str, str]:
        """(stream, tag) of a name in a URL (spec: image-api 5.1)."""
        parts = references.split_tag_name(name)
        if parts is None:
            raise BadRequest(f"{self.info.kind}s must be retrieved with <name>:<tag>")
        return parts

    def _image(self, tag: Tag) -> ImageState | None:
        return self._services.state.image(tag.head.image) if tag.head and tag.head.image else None

    async def _create(self, call: Call, name: str, spec: TagReference | None, existing_as: GroupResource) -> T:
        stream_name, tag_name = references.split_tag_name_loosely(name)
        if not stream_name:
            raise BadRequest("Name parameter required.")
        if spec is not None:
            spec = msgspec.structs.replace(spec, name=tag_name)
        intention = CreateTag(
            resource=self.group_resource,
            verb="create",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            stream=stream_name,
            tag=tag_name,
            spec=spec,
            uid=str(uuid.uuid4()),
            existing_as=existing_as,
        )
        return await self._carry_out(call, intention)

    async def update(self, call: Call, name: str, transform: Callable[[T], T]) -> tuple[T, bool]:
        stream_name, tag_name = self.parts(name)
        intention = self.intention(
            resource=self.group_resource,
            verb="update",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            stream=stream_name,
            tag=tag_name,
            uid=str(uuid.uuid4()),
            transform=transform,
            may_create=call.may_create,
        )
        return await self._carry_out(call, intention), intention.created

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> Status:
        stream_name, tag_name = self.parts(name)
        intention = DeleteTag(
            resource=self.group_resource,
            verb="delete",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            stream=stream_name,
            tag=tag_name,
            options=options,
        )
        await self._services.executor.perform(intention, call.metadata, dry_run=call.dry_run)
        return Status(status="Success")

    async def _carry_out(self, call: Call, intention: CreateTag | TagUpdate[T]) -> T:
        """The tag that came of it."""
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        tag = tag_in(world, intention.namespace, intention.stream, intention.tag)
        return self._shown(tag, self._image(tag))

    def _shown(self, tag: Tag, image: ImageState | None) -> T:
        raise NotImplementedError


class ImageStreamTags(Tags[ImageStreamTag]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="imagestreamtags",
        singular="imagestreamtag",
        kind="ImageStreamTag",
        namespaced=True,
        verbs=VERBS,
        struct=ImageStreamTag,
        created_anywhere=True,
        list_struct=ImageStreamTagList,
        short_names=("istag",),
    )
    collection = Collection.IMAGE_STREAM_TAGS
    intention = ImageStreamTagUpdate

    def default(self, wanted: ImageStreamTag) -> ImageStreamTag:
        return defaults.default_imagestreamtag(wanted, self._services.import_mode)

    def written(self, value: ImageStreamTag) -> ImageStreamTag:
        return msgspec.structs.replace(value, generation=0, conditions=[], image=Image())

    async def get(self, call: Call, name: str) -> Shown[ImageStreamTag]:
        tag = await self._tag(call, name)
        if tag.head is None or not tag.head.image:
            raise NotFound(self.group_resource, name)
        image = self._image(tag)
        if image is None:
            raise NotFound(self.group_resource, tag.head.image)
        return Shown(partial(self._shown, tag, image), (tag, image))

    async def create(self, call: Call, wanted: ImageStreamTag) -> ImageStreamTag:
        name = wanted.metadata.name
        refuse_generated_name(wanted.metadata)
        errors = _new_tag_errors(wanted.metadata, wanted.tag, "tag", call, self._services.policy)
        annotations = (wanted.tag.annotations if wanted.tag else None) or {}
        if annotations and annotations != (wanted.metadata.annotations or {}):
            errors.append(invalid("tag.annotations", "<map>", ANNOTATIONS_DIFFER))
        if errors:
            raise Invalid(self.kind, name, errors)
        if name and ":" not in name:
            raise Unclassified(f'"{name}" must be of the form <stream_name>:<tag>')
        return await self._create(call, name, wanted.tag, image_resource("imagestreamtag"))

    def item(self, state: State) -> ImageStreamTag:
        return served.imagestreamtag(tag_of(state), None, self._services.registry)

    def _shown(self, tag: Tag, image: ImageState | None) -> ImageStreamTag:
        return served.imagestreamtag(tag, image.decode() if image else None, self._services.registry)


class ImageTags(Tags[ImageTag]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="imagetags",
        singular="imagetag",
        kind="ImageTag",
        namespaced=True,
        verbs=VERBS,
        struct=ImageTag,
        list_struct=ImageTagList,
        short_names=("itag",),
    )
    collection = Collection.IMAGE_TAGS
    intention = ImageTagUpdate

    def default(self, wanted: ImageTag) -> ImageTag:
        return defaults.default_imagetag(wanted, self._services.import_mode)

    def written(self, value: ImageTag) -> ImageTag:
        return msgspec.structs.replace(value, status=None, image=None)

    async def get(self, call: Call, name: str) -> Shown[ImageTag]:
        tag = await self._tag(call, name)
        image = self._image(tag)
        return Shown(partial(self._shown, tag, image), (tag, image))

    async def create(self, call: Call, wanted: ImageTag) -> ImageTag:
        name = wanted.metadata.name
        refuse_generated_name(wanted.metadata)
        errors = _new_tag_errors(wanted.metadata, wanted.spec, "spec", call, self._services.policy)
        tag_name = references.split_tag_name_loosely(name)[1]
        if wanted.spec is None:
            errors.append(required("spec", "spec is a required field during creation"))
        elif (wanted.spec.name or tag_name) != tag_name or ":" not in name:
            errors.append(invalid("spec.name", wanted.spec.name or tag_name, "must match image tag name"))
        if errors:
            raise Invalid(self.kind, name, errors)
        return await self._create(call, name, wanted.spec, self.group_resource)

    def item(self, state: State) -> ImageTag:
        return served.imagetag(tag_of(state), None, self._services.registry)

    def _shown(self, tag: Tag, image: ImageState | None) -> ImageTag:
        return served.imagetag(tag, image.decode() if image else None, self._services.registry)


def refuse_generated_name(metadata: ObjectMeta) -> None:
    """A tag's name says which tag of which stream; nobody can make one up (spec: observed)."""
    if metadata.generate_name and not metadata.name:
        raise InternalError("metadata.name was not generated")


def tag_of(state: State) -> Tag:
    if not isinstance(state, Tag):
        raise TypeError(f"{type(state).__name__} is no tag")
    return state


def tag_in(world: World, namespace: str, stream_name: str, tag_name: str) -> Tag:
    """The tag after a command; blank where only its stream is there."""
    stream = world.streams[namespace, stream_name]
    return stream.tags.get(tag_name) or Tag(namespace, stream_name, tag_name, stream.header, stream.changed)


def _new_tag_errors(
    metadata: ObjectMeta, spec: TagReference | None, field: str, call: Call, policy: ImagePolicy
) -> list[FieldError]:
    errors = validate_new(msgspec.structs.replace(metadata, namespace=call.namespace))
    if spec is None:
        return errors
    return errors + validate_tag_reference(spec, field, policy.admission(), is_insecure(metadata.annotations))
