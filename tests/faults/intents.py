"""What writers may want: every kind of change that the API offers, as requests, with the trace each must leave.

Keeps: no request is idle. Each carries a mark of its own (a serial, a digest), which its event must hold, so that a
write that was carried out is found in the log by what it says, and not only by the id of its request.
"""

from __future__ import annotations

import json
from random import Random

from service.api.json_types import JsonObject
from service.domain.world import Collection
from tests.faults.history import Intent, Trace
from tests.faults.plan import NAMESPACES, REGISTRY_HOSTNAME, STREAMS, TAGS, TIERS, weighted
from tests.faults.wish import API, collection_path, object_path
from tests.real_images import docker_image, docker_list, oci_image, schema1_image

MERGE_PATCH = "application/merge-patch+json"
VERSION = "image.openshift.io/v1"

WEIGHTS = {
    "push": 500,
    "create stream": 80,
    "label stream": 80,
    "bump stream": 60,
    "set tag": 90,
    "annotate tag": 60,
    "delete tag": 60,
    "delete stream": 20,
    "label image": 30,
    "delete image": 40,
    "delete streams": 4,
    "label namespace": 10,
    "create namespace": 5,
    "delete namespace": 2,
}
NO_IMAGE = f"sha256:{'0' * 64}"
KINDS_OF_IMAGES = (docker_image, oci_image, schema1_image, lambda serial: docker_list(serial)[0])


class Intents:
    """The wishes of one writer. `pushed` are the digests that anybody pushed, the newest last."""

    def __init__(self, name: str, random: Random, pushed: list[str]) -> None:
        self._name = name
        self._random = random
        self._pushed = pushed
        self._serial = 0
        self._serials: list[str] = []

    def next(self) -> Intent:
        random = self._random
        self._serial += 1
        namespace, stream, tag = random.choice(NAMESPACES), random.choice(STREAMS), random.choice(TAGS)
        mark = f"{self._name}-{self._serial}"
        match weighted(random, WEIGHTS):
            case "push":
                return self._push(namespace, stream, tag, mark)
            case "create stream":
                return create_stream(namespace, stream, mark, self._labels())
            case "label stream":
                return label_stream(namespace, stream, mark, {"tier": random.choice((*TIERS, None))})
            case "bump stream":
                return bump_stream(namespace, stream, mark)
            case "set tag":
                return self._set_tag(namespace, stream, tag, mark)
            case "annotate tag":
                return annotate_tag(namespace, stream, tag, mark)
            case "delete tag":
                collection = random.choice((Collection.IMAGE_STREAM_TAGS, Collection.IMAGE_TAGS))
                return delete_tag(collection, namespace, stream, tag)
            case "delete stream":
                return delete_stream(namespace, stream)
            case "delete streams":
                return delete_streams(namespace)
            case "label namespace":
                return label_namespace(namespace, mark, {"tier": random.choice((*TIERS, None))})
            case "create namespace":
                return create_namespace(namespace, mark)
            case "delete namespace":
                return delete_namespace(namespace)
            case "label image":
                return label_image(self._image(), mark, {"tier": random.choice((*TIERS, None))})
            case _:
                return delete_image(self._image())

    def _push(self, namespace: str, stream: str, tag: str, mark: str) -> Intent:
        """Of an image that nobody has seen, or of one pushed before, by whomever it was first."""
        if not self._serials or self._random.random() < 0.5:
            self._serials = [*self._serials[-9:], mark]
        return push(namespace, stream, tag, self._random.choice(self._serials), self._labels())

    def _set_tag(self, namespace: str, stream: str, tag: str, mark: str) -> Intent:
        random = self._random
        match random.randrange(4):
            case 0:
                source = {"kind": "ImageStreamTag", "name": random.choice([t for t in TAGS if t != tag])}
            case 1:
                source = {"kind": "ImageStreamTag", "name": f"{random.choice(STREAMS)}:{random.choice(TAGS)}"}
            case 2:
                source = {"kind": "ImageStreamImage", "name": f"{stream}@{self._image()}"}
            case _:
                source = {"kind": "DockerImage", "name": f"quay.faults/{stream}:{mark}"}
        collection = random.choice((Collection.IMAGE_STREAM_TAGS, Collection.IMAGE_TAGS))
        is_reference = source["kind"] == "DockerImage" and random.random() < 0.5
        return set_tag(collection, namespace, stream, tag, mark, source, is_reference=is_reference)

    def _image(self) -> str:
        return self._random.choice(self._pushed[-40:]) if self._pushed else NO_IMAGE

    def _labels(self) -> dict[str, str]:
        tier = self._random.choice((*TIERS, None))
        return {"tier": tier} if tier else {}


def push(namespace: str, stream: str, tag: str, serial: str, labels: dict[str, str]) -> Intent:
    kind = KINDS_OF_IMAGES[sum(serial.encode()) % len(KINDS_OF_IMAGES)]
    pushed = kind(serial)
    mapping = pushed.mapping(stream, tag, f"{namespace}/{stream}")
    mapping["image"]["metadata"]["labels"] = labels
    return _intent(
        *("push", "POST", _path(namespace, "imagestreammappings"), Collection.IMAGE_STREAM_TAGS),
        *(namespace, f"{stream}:{tag}", Trace(("TagImaged",), namespace, stream, pushed.digest)),
        mapping,
    )


def create_stream(namespace: str, stream: str, mark: str, labels: dict[str, str]) -> Intent:
    metadata = {"name": stream, "labels": labels, "annotations": {"mark": mark}}
    body = {"kind": "ImageStream", "apiVersion": VERSION, "metadata": metadata}
    return _intent(
        *("create stream", "POST", _path(namespace, "imagestreams"), Collection.IMAGE_STREAMS),
        *(namespace, stream, Trace(("ImageStreamCreated",), namespace, stream, mark), body),
    )


def label_stream(namespace: str, stream: str, mark: str, labels: dict[str, str | None]) -> Intent:
    patch = {"metadata": {"labels": labels, "annotations": {"mark": mark}}}
    return _intent(
        *("label stream", "PATCH", _path(namespace, "imagestreams", stream), Collection.IMAGE_STREAMS),
        *(namespace, stream, Trace(("ImageStreamChanged",), namespace, stream, mark), patch, MERGE_PATCH),
    )


def bump_stream(namespace: str, stream: str, mark: str) -> Intent:
    """To be completed by `bumped`, once the stream was read."""
    return _intent(
        *("bump stream", "PUT", _path(namespace, "imagestreams", stream), Collection.IMAGE_STREAMS),
        *(namespace, stream, Trace(("ImageStreamChanged",), namespace, stream, mark)),
    )


def set_tag(
    collection: Collection,
    namespace: str,
    stream: str,
    tag: str,
    mark: str,
    source: dict[str, str],
    *,
    is_reference: bool,
) -> Intent:
    name = f"{stream}:{tag}"
    reference = {
        **{"name": tag, "from": source, "reference": is_reference, "annotations": {"mark": mark}},
        "referencePolicy": {"type": "Source"},
    }
    body: JsonObject = {"apiVersion": VERSION, "metadata": {"name": name, "namespace": namespace}}
    if collection is Collection.IMAGE_TAGS:
        body |= {"kind": "ImageTag", "spec": reference}
    else:
        body |= {"kind": "ImageStreamTag", "tag": reference}
        body["metadata"] = {"name": name, "namespace": namespace, "annotations": {"mark": mark}}
    return _intent(
        *("set tag", "PUT", _path(namespace, collection.value, name), collection),
        *(namespace, name, Trace(("TagSet",), namespace, stream, mark), body),
    )


def annotate_tag(namespace: str, stream: str, tag: str, mark: str) -> Intent:
    name, patch = f"{stream}:{tag}", {"metadata": {"annotations": {"mark": mark}}}
    collection = Collection.IMAGE_STREAM_TAGS
    return _intent(
        *("annotate tag", "PATCH", _path(namespace, collection.value, name), collection),
        *(namespace, name, Trace(("TagSet",), namespace, stream, mark), patch, MERGE_PATCH),
    )


def delete_tag(collection: Collection, namespace: str, stream: str, tag: str) -> Intent:
    name = f"{stream}:{tag}"
    return _intent(
        *("delete tag", "DELETE", _path(namespace, collection.value, name), collection),
        *(namespace, name, Trace(("TagDeleted",), namespace, stream, f'"{tag}"')),
    )


def delete_stream(namespace: str, stream: str) -> Intent:
    return _intent(
        *("delete stream", "DELETE", _path(namespace, "imagestreams", stream), Collection.IMAGE_STREAMS),
        *(namespace, stream, Trace(("ImageStreamDeleted",), namespace, stream, "")),
    )


def delete_streams(namespace: str) -> Intent:
    path = _path(namespace, f"imagestreams?labelSelector=tier%3D{TIERS[1]}")
    trace = Trace(("ImageStreamDeleted",), namespace, "", "")
    return Intent(
        *("delete streams", "DELETE", path, Collection.IMAGE_STREAMS, (namespace, ""), trace),
        commands_limit=len(STREAMS),
    )


def label_image(image: str, mark: str, labels: dict[str, str | None]) -> Intent:
    patch = {"metadata": {"labels": labels, "annotations": {"mark": mark}}}
    return _intent(
        *("label image", "PATCH", object_path(Collection.IMAGES, ("", image)), Collection.IMAGES),
        *("", image, Trace(("ImageChanged",), "", image, mark)),
        patch,
        MERGE_PATCH,
    )


def delete_image(image: str) -> Intent:
    return _intent(
        *("delete image", "DELETE", object_path(Collection.IMAGES, ("", image)), Collection.IMAGES),
        *("", image, Trace(("ImageDeleted",), "", image, "")),
    )


def label_namespace(namespace: str, mark: str, labels: dict[str, str | None]) -> Intent:
    patch = {"metadata": {"labels": labels, "annotations": {"mark": mark}}}
    return _intent(
        *("label namespace", "PATCH", object_path(Collection.NAMESPACES, ("", namespace)), Collection.NAMESPACES),
        *("", namespace, Trace(("NamespaceChanged",), "", namespace, mark)),
        patch,
        MERGE_PATCH,
    )


def create_namespace(namespace: str, mark: str) -> Intent:
    metadata = {"name": namespace, "annotations": {"mark": mark}}
    return _intent(
        *("create namespace", "POST", collection_path(Collection.NAMESPACES), Collection.NAMESPACES),
        *("", namespace, Trace(("NamespaceCreated",), "", namespace, mark)),
        {"kind": "Namespace", "apiVersion": "v1", "metadata": metadata},
    )


def delete_namespace(namespace: str) -> Intent:
    """A command that marks it, one for each stream in it, and one that ends it."""
    trace = Trace(("NamespaceChanged", "NamespaceDeleted", "ImageStreamDeleted"), namespace, "", "")
    path = object_path(Collection.NAMESPACES, ("", namespace))
    return Intent(
        *("delete namespace", "DELETE", path, Collection.NAMESPACES, ("", namespace), trace),
        commands_limit=2 + len(STREAMS),
    )


def _intent(
    action: str,
    method: str,
    path: str,
    collection: Collection,
    namespace: str,
    name: str,
    trace: Trace,
    body: object = None,
    content_type: str = "application/json",
) -> Intent:
    content = json.dumps(body).encode() if body is not None else b""
    return Intent(action, method, path, collection, (namespace, name), trace, content, content_type)


def _path(namespace: str, plural: str, name: str = "") -> str:
    return f"{API}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")
