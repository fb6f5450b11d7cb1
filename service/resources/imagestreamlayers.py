"""imagestreams/layers: get. Who may get it may pull from the stream."""

from __future__ import annotations

from service.api.image_v1 import Image, ImageStreamLayers
from service.domain import served
from service.domain.errors import GroupResource, Invalid, NotFound
from service.domain.imagestream import ImageStream
from service.domain.layers import layers_of, validate_layers
from service.resources.imagestreams import INFO
from service.resources.resource import Call, Resource, Shown, subresource_info
from service.resources.services import Services, await_version


class ImageStreamLayersOf(Resource[ImageStreamLayers]):
    info = subresource_info(INFO, "layers")

    def __init__(self, services: Services) -> None:
        self._services = services

    async def get(self, call: Call, name: str) -> Shown[ImageStreamLayers]:
        await await_version(self._services.state, call.resource_version)
        stream = self._services.state.stream(call.namespace, name)
        if stream is None:
            raise NotFound(self.group_resource, name)
        layers = checked_layers(stream, self._services)
        layers.metadata = served.stream_metadata(stream.header, stream.namespace, stream.name, stream.changed)
        return Shown(lambda: layers)


def checked_layers(stream: ImageStream, services: Services) -> ImageStreamLayers:
    """The layers view. Raises Invalid where an image contradicts itself, in the reference's nameless words."""

    def find_image(name: str) -> Image | None:
        stored = services.state.image(name)
        return stored.decode() if stored else None

    layers = layers_of(stream, find_image)
    errors = validate_layers(layers)
    if errors:
        raise Invalid(GroupResource(INFO.group, ""), "", errors)
    return layers
