"""imagestreamimages: get. An image by its digest, or a prefix of it, as long as the stream's history names it."""

from __future__ import annotations

from service.api.image_v1 import GROUP, VERSION, ImageStreamImage
from service.api.meta_v1 import ObjectMeta
from service.api.resource_info import ResourceInfo
from service.domain.errors import BadRequest, NotFound, image_resource
from service.domain.references import image_matches
from service.resources.imagestreamlayers import checked_layers
from service.resources.resource import Call, Resource, Shown
from service.resources.services import Services, await_version


class ImageStreamImages(Resource[ImageStreamImage]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="imagestreamimages",
        singular="imagestreamimage",
        kind="ImageStreamImage",
        namespaced=True,
        verbs=("get",),
        struct=ImageStreamImage,
        short_names=("isimage",),
    )

    def __init__(self, services: Services) -> None:
        self._services = services

    async def get(self, call: Call, name: str) -> Shown[ImageStreamImage]:
        stream_name, separator, image_id = name.partition("@")
        if not (stream_name and separator and image_id) or "@" in image_id:
            raise BadRequest("ImageStreamImages must be retrieved with <name>@<id>")
        await await_version(self._services.state, call.resource_version)
        stream = self._services.state.stream(call.namespace, stream_name)
        if stream is None:
            raise NotFound(self.group_resource, stream_name)
        matching = [n for n in sorted(checked_layers(stream, self._services).images) if image_matches(n, image_id)]
        if not matching:
            raise NotFound(image_resource("imagestreamimage"), name)
        stored = self._services.state.image(matching[0])
        if stored is None:
            raise NotFound(self.group_resource, matching[0])
        image = stored.decode()
        metadata = ObjectMeta(
            name=name,
            namespace=stream.namespace,
            creation_timestamp=image.metadata.creation_timestamp,
            annotations=stream.header.metadata.annotations,
        )
        return Shown(lambda: ImageStreamImage(metadata=metadata, image=image))
