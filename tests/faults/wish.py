"""What a list or a watch asks for: a collection, a place, selectors; as a request, and said once more in plain words.

Keeps: whether an object is wanted is told here without the service's own selectors, so that a mistake there shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from urllib.parse import urlencode

import msgspec

from service.domain.image import ImageState
from service.domain.imagestream import ImageStream, Tag
from service.domain.namespace import Namespace
from service.domain.world import Collection, State
from tests.faults.plan import NAMESPACES, REGISTRY_HOSTNAME, STREAMS, TAGS, TIERS

API = "/apis/image.openshift.io/v1"
CORE_API = "/api/v1"
CLUSTER_SCOPED = (Collection.IMAGES, Collection.NAMESPACES)
KINDS = {
    Collection.IMAGE_STREAMS: "ImageStream",
    Collection.IMAGE_STREAM_TAGS: "ImageStreamTag",
    Collection.IMAGE_TAGS: "ImageTag",
    Collection.IMAGES: "Image",
    Collection.NAMESPACES: "Namespace",
}

Labels = Mapping[str, str]

LABEL_SELECTORS: dict[str, Callable[[Labels], bool]] = {
    "": lambda labels: True,
    f"tier={TIERS[0]}": lambda labels: labels.get("tier") == TIERS[0],
    f"tier!={TIERS[0]}": lambda labels: labels.get("tier") != TIERS[0],
    "tier": lambda labels: "tier" in labels,
    "!tier": lambda labels: "tier" not in labels,
    f"tier in ({TIERS[0]},{TIERS[1]})": lambda labels: labels.get("tier") in TIERS,
}

FIELD_SELECTORS: dict[str, Callable[[str, str], bool]] = {
    "": lambda namespace, name: True,
    f"metadata.namespace={NAMESPACES[1]}": lambda namespace, name: namespace == NAMESPACES[1],
    f"metadata.namespace!={NAMESPACES[1]}": lambda namespace, name: namespace != NAMESPACES[1],
    f"metadata.name!={STREAMS[0]}": lambda namespace, name: name != STREAMS[0],
    f"metadata.name!={STREAMS[0]}:{TAGS[0]}": lambda namespace, name: name != f"{STREAMS[0]}:{TAGS[0]}",
    f"status.dockerImageRepository={REGISTRY_HOSTNAME}/{NAMESPACES[0]}/{STREAMS[0]}": lambda namespace, name: (
        (namespace, name) == (NAMESPACES[0], STREAMS[0])
    ),
}
"""By namespace and name, which is all that these fields depend on."""


class Wish(msgspec.Struct, frozen=True):
    collection: Collection
    namespace: str | None = None
    name: str | None = None
    labels: str = ""
    fields: str = ""

    def path(self, **parameters: str | int | None) -> str:
        """The request line's target, with these query parameters beside those of the wish."""
        fields = [self.fields] if self.fields else []
        if self.name is not None:
            fields.append(f"metadata.name={self.name}")
        query = {"labelSelector": self.labels, "fieldSelector": ",".join(fields), **parameters}
        given = {name: value for name, value in query.items() if value not in ("", None)}
        return collection_path(self.collection, self.namespace or "") + (f"?{urlencode(given)}" if given else "")

    def covers(self, namespace: str, name: str) -> bool:
        return self.namespace in (None, namespace) and self.name in (None, name)

    def matches(self, state: State) -> bool:
        if self.labels and not LABEL_SELECTORS[self.labels](labels_of(state)):
            return False
        return not self.fields or FIELD_SELECTORS[self.fields](*key_of(state))

    def __str__(self) -> str:
        return self.path()


Key = tuple[str, str]


def key_of(state: State) -> Key:
    """Namespace and name of the object as served."""
    match state:
        case ImageStream():
            return state.namespace, state.name
        case Tag():
            return state.namespace, f"{state.stream}:{state.name}"
        case ImageState() | Namespace():
            return "", state.name


def labels_of(state: State) -> Labels:
    match state:
        case ImageState():
            found: Labels | None = msgspec.json.decode(state.document)["metadata"].get("labels")
            return found or {}
        case Namespace():
            return state.metadata.labels or {}
        case _:
            return state.header.metadata.labels or {}


def collection_path(collection: Collection, namespace: str = "") -> str:
    """`namespace` "" is all of them."""
    api = CORE_API if collection is Collection.NAMESPACES else API
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{api}{place}/{collection.value}"


def object_path(collection: Collection, key: Key, resource_version: int | None = None) -> str:
    namespace, name = key
    query = f"?resourceVersion={resource_version}" if resource_version is not None else ""
    return f"{collection_path(collection, namespace)}/{name}{query}"


def random_wish(random: Random, some_images: Sequence[str]) -> Wish:
    """Any collection, whole or in part."""
    collection = random.choice(list(Collection))
    if collection in CLUSTER_SCOPED:
        names = some_images if collection is Collection.IMAGES else NAMESPACES
        name = random.choice(names) if names and random.random() < 0.2 else None
        return Wish(collection, None, name, _labels(random))
    namespace = random.choice((None, *NAMESPACES))
    name = None
    if random.random() < 0.3:
        name = random.choice(STREAMS)
        if collection is not Collection.IMAGE_STREAMS:
            name += f":{random.choice(TAGS)}"
    return Wish(collection, namespace, name, _labels(random), _fields(random, collection))


def _labels(random: Random) -> str:
    return random.choice(list(LABEL_SELECTORS)) if random.random() < 0.4 else ""


def _fields(random: Random, collection: Collection) -> str:
    if random.random() < 0.7:
        return ""
    known = [text for text in FIELD_SELECTORS if not text.startswith("status.")]
    return random.choice(list(FIELD_SELECTORS) if collection is Collection.IMAGE_STREAMS else known)
