"""imagestreams: create → CreateImageStream, update and patch → UpdateImageStream, delete → DeleteImageStream.

imagestreams/status: get, update and patch, the same commands on the status.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import msgspec

from service.api import defaults
from service.api.core_v1 import SecretList
from service.api.image_v1 import (
    GROUP,
    VERSION,
    ImageStream,
    ImageStreamLayers,
    ImageStreamList,
    ImageStreamStatus,
)
from service.api.meta_v1 import DeleteOptions, ObjectMeta
from service.api.resource_info import ResourceInfo, Subresource
from service.commands.create_imagestream import CreateImageStream
from service.commands.delete_imagestream import DeleteImageStream
from service.commands.update_imagestream import UpdateImageStream
from service.domain import served
from service.domain.errors import NotFound, Unclassified
from service.domain.imagestream import ImageStream as StreamState
from service.domain.object_meta import generate_name
from service.domain.selectors import DEFAULT_FIELDS
from service.domain.world import Collection, State
from service.resources.resource import Call, Resource, Shown, deleted
from service.resources.services import Services, await_version

INFO = ResourceInfo(
    group=GROUP,
    version=VERSION,
    plural="imagestreams",
    singular="imagestream",
    kind="ImageStream",
    namespaced=True,
    verbs=("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
    struct=ImageStream,
    list_struct=ImageStreamList,
    short_names=("is",),
    categories=("all",),
    subresources=(
        Subresource("layers", "ImageStreamLayers", ("get",), ImageStreamLayers),
        Subresource("secrets", "SecretList", ("get",), SecretList),
        Subresource("status", "ImageStream", ("get", "patch", "update"), ImageStream),
    ),
)


class ImageStreams(Resource[ImageStream]):
    info = INFO
    collection = Collection.IMAGE_STREAMS
    uid_is_precondition = True
    known_fields = DEFAULT_FIELDS | {"spec.dockerImageRepository", "status.dockerImageRepository"}

    def __init__(self, services: Services, *, status: bool = False) -> None:
        self._services = services
        self._status = status

    def default(self, wanted: ImageStream) -> ImageStream:
        return defaults.default_imagestream(wanted, self._services.import_mode)

    def written(self, value: ImageStream) -> ImageStream:
        return msgspec.structs.replace(value, status=ImageStreamStatus())

    async def get(self, call: Call, name: str) -> Shown[ImageStream]:
        await await_version(self._services.state, call.resource_version)
        stream = self._services.state.stream(call.namespace, name)
        if stream is None:
            raise NotFound(self.group_resource, name)
        return Shown(partial(self._served, stream), (stream,))

    async def create(self, call: Call, wanted: ImageStream) -> ImageStream:
        refuse_version(wanted.metadata)
        metadata = new_metadata(wanted.metadata, call)
        intention = CreateImageStream(
            resource=self.group_resource,
            verb="create",
            around=self._services.surroundings(call),
            wanted=msgspec.structs.replace(wanted, metadata=metadata),
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        return self._served(world.streams[call.namespace, metadata.name])

    async def update(
        self, call: Call, name: str, transform: Callable[[ImageStream], ImageStream]
    ) -> tuple[ImageStream, bool]:
        shown: list[ImageStream] = []
        intention = UpdateImageStream(
            resource=self.group_resource,
            verb="update",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            name=name,
            transform=partial(_remember, shown, transform),
            status=self._status,
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        stream = world.streams.get((call.namespace, name))
        return (self._served(stream) if stream else shown[-1]), False

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> msgspec.Struct:
        intention = DeleteImageStream(
            resource=self.group_resource,
            verb="delete",
            around=self._services.surroundings(call),
            namespace=call.namespace,
            name=name,
            options=options,
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        stream = world.streams.get((call.namespace, name))
        if stream is not None:
            return self._served(stream)
        return deleted(self.group_resource, ObjectMeta(name=name, uid=intention.uid))

    def item(self, state: State) -> ImageStream:
        return served.imagestream(_stream(state), self._services.registry)

    def _served(self, stream: StreamState) -> ImageStream:
        return served.imagestream(stream, self._services.registry, stored=self._status)


def refuse_version(metadata: ObjectMeta) -> None:
    """A new object has no version yet; what is no number above 0 does not count (spec: kube-api 4.2.2, observed)."""
    given = metadata.resource_version
    if given.isdecimal() and int(given) > 0:
        raise Unclassified("resourceVersion should not be set on objects to be created")


def new_metadata(metadata: ObjectMeta, call: Call) -> ObjectMeta:
    """What the server says of a new object (spec: kube-api 4.2)."""
    return msgspec.structs.replace(
        metadata,
        name=metadata.name or (generate_name(metadata.generate_name) if metadata.generate_name else ""),
        namespace=call.namespace,
        uid=str(uuid.uuid4()),
        self_link="",
        resource_version="",
        creation_timestamp=call.now,
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
    )


def _remember(
    shown: list[ImageStream], transform: Callable[[ImageStream], ImageStream], current: ImageStream
) -> ImageStream:
    """What the client asked for, which is the answer to an update that ends in the deletion of the object."""
    wanted = transform(current)
    shown[:] = [wanted]
    return wanted


def _stream(state: State) -> StreamState:
    if not isinstance(state, StreamState):
        raise TypeError(f"{type(state).__name__} is no image stream")
    return state
