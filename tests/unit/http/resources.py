"""Resources with everything a description of a resource can say, for the tests of discovery and OpenAPI."""

from __future__ import annotations

from service.api.core_v1 import Namespace, NamespaceList
from service.api.image_v1 import Image, ImageList, ImageStream, ImageStreamLayers, ImageStreamList
from service.api.resource_info import ResourceInfo, Subresource
from service.http.negotiation import JSON, YAML

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
MEDIA_TYPES = (JSON, YAML)

IMAGE_STREAMS = ResourceInfo(
    group="image.openshift.io",
    version="v1",
    plural="imagestreams",
    singular="imagestream",
    kind="ImageStream",
    namespaced=True,
    verbs=ALL_VERBS,
    struct=ImageStream,
    list_struct=ImageStreamList,
    short_names=("is",),
    categories=("all",),
    subresources=(
        Subresource("status", "ImageStream", ("get", "patch", "update"), ImageStream),
        Subresource("layers", "ImageStreamLayers", ("get",), ImageStreamLayers),
    ),
)
IMAGES = ResourceInfo(
    group="image.openshift.io",
    version="v1",
    plural="images",
    singular="image",
    kind="Image",
    namespaced=False,
    verbs=("get", "list"),
    struct=Image,
    list_struct=ImageList,
)
RESOURCES = (IMAGE_STREAMS, IMAGES)
NAMESPACES = ResourceInfo(
    group="",
    version="v1",
    plural="namespaces",
    singular="namespace",
    kind="Namespace",
    namespaced=False,
    verbs=("get", "list"),
    struct=Namespace,
    list_struct=NamespaceList,
    short_names=("ns",),
)
WITH_CORE = (*RESOURCES, NAMESPACES)
