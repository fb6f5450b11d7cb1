"""The requests that writers send, each with the trace that it must leave in the log.

Keeps: no request is idle. Each carries a mark of its own (a serial, a digest), which its event must hold, so that a
write that was carried out is found in the log by what it says, and not only by the id of its request.
"""

from __future__ import annotations

import json
from typing import Any

from service.domain.world import Collection
from tests.faults.history import Intent, Trace
from tests.faults.plan import STREAMS, TIERS
from tests.faults.wish import API, Key, collection_path, object_path
from tests.real_images import PushedImage, docker_image, docker_list, oci_image, schema1_image

VERSION = "image.openshift.io/v1"
KINDS_OF_IMAGES = (docker_image, oci_image, schema1_image, lambda serial: docker_list(serial)[0])
STREAMS_OF = Collection.IMAGE_STREAMS

Labels = dict[str, str | None]
"""A patch of them; None removes one."""


def image_of(serial: str) -> PushedImage:
    """The image with this serial, always the same; of any kind there is."""
    return KINDS_OF_IMAGES[sum(serial.encode()) % len(KINDS_OF_IMAGES)](serial)


def push(namespace: str, stream: str, tag: str, pushed: PushedImage, labels: dict[str, str]) -> Intent:
    mapping = pushed.mapping(stream, tag, f"{namespace}/{stream}")
    mapping["image"]["metadata"]["labels"] = labels
    path = f"{API}/namespaces/{namespace}/imagestreammappings"
    trace = Trace(("TagImaged",), namespace, stream, pushed.digest)
    return _intent("push", "POST", path, Collection.IMAGE_STREAM_TAGS, (namespace, f"{stream}:{tag}"), trace, mapping)


def create_stream(namespace: str, stream: str, mark: str, labels: dict[str, str]) -> Intent:
    metadata = {"name": stream, "labels": labels, "annotations": {"mark": mark}}
    body = {"kind": "ImageStream", "apiVersion": VERSION, "metadata": metadata}
    trace = Trace(("ImageStreamCreated",), namespace, stream, mark)
    path = collection_path(STREAMS_OF, namespace)
    return _intent("create stream", "POST", path, STREAMS_OF, (namespace, stream), trace, body)


def label_stream(namespace: str, stream: str, mark: str, labels: Labels) -> Intent:
    trace = Trace(("ImageStreamChanged",), namespace, stream, mark)
    return _on_object("label stream", "PATCH", STREAMS_OF, (namespace, stream), trace, _patch(mark, labels))


def bump_stream(namespace: str, stream: str, mark: str) -> Intent:
    """Without a body: that is made of the stream, once it was read."""
    trace = Trace(("ImageStreamChanged",), namespace, stream, mark)
    return _on_object("bump stream", "PUT", STREAMS_OF, (namespace, stream), trace)


def delete_stream(namespace: str, stream: str) -> Intent:
    trace = Trace(("ImageStreamDeleted",), namespace, stream, "")
    return _on_object("delete stream", "DELETE", STREAMS_OF, (namespace, stream), trace)


def delete_streams(namespace: str) -> Intent:
    """All of a namespace with a label, one by one."""
    path = f"{collection_path(STREAMS_OF, namespace)}?labelSelector=tier%3D{TIERS[1]}"
    trace = Trace(("ImageStreamDeleted",), namespace, "", "")
    intent = _intent("delete streams", "DELETE", path, STREAMS_OF, (namespace, ""), trace)
    intent.commands_limit = len(STREAMS)
    return intent


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
    spec = {"name": tag, "from": source, "reference": is_reference, "annotations": {"mark": mark}}
    metadata: dict[str, Any] = {"name": f"{stream}:{tag}", "namespace": namespace}
    if collection is Collection.IMAGE_TAGS:
        body = {"kind": "ImageTag", "apiVersion": VERSION, "metadata": metadata, "spec": spec}
    else:
        metadata["annotations"] = {"mark": mark}
        body = {"kind": "ImageStreamTag", "apiVersion": VERSION, "metadata": metadata, "tag": spec}
    trace = Trace(("TagSet",), namespace, stream, mark)
    return _on_object("set tag", "PUT", collection, (namespace, f"{stream}:{tag}"), trace, body)


def annotate_tag(namespace: str, stream: str, tag: str, mark: str) -> Intent:
    trace = Trace(("TagSet",), namespace, stream, mark)
    key = (namespace, f"{stream}:{tag}")
    return _on_object("annotate tag", "PATCH", Collection.IMAGE_STREAM_TAGS, key, trace, _patch(mark))


def delete_tag(collection: Collection, namespace: str, stream: str, tag: str) -> Intent:
    trace = Trace(("TagDeleted",), namespace, stream, f'"{tag}"')
    return _on_object("delete tag", "DELETE", collection, (namespace, f"{stream}:{tag}"), trace)


def label_image(image: str, mark: str, labels: Labels) -> Intent:
    trace = Trace(("ImageChanged",), "", image, mark)
    return _on_object("label image", "PATCH", Collection.IMAGES, ("", image), trace, _patch(mark, labels))


def delete_image(image: str) -> Intent:
    return _on_object("delete image", "DELETE", Collection.IMAGES, ("", image), Trace(("ImageDeleted",), "", image, ""))


def create_namespace(namespace: str, mark: str) -> Intent:
    body = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": namespace, "annotations": {"mark": mark}}}
    trace = Trace(("NamespaceCreated",), "", namespace, mark)
    path = collection_path(Collection.NAMESPACES)
    return _intent("create namespace", "POST", path, Collection.NAMESPACES, ("", namespace), trace, body)


def label_namespace(namespace: str, mark: str, labels: Labels) -> Intent:
    trace = Trace(("NamespaceChanged",), "", namespace, mark, end="NamespaceDeleted")
    return _on_object("label namespace", "PATCH", Collection.NAMESPACES, ("", namespace), trace, _patch(mark, labels))


def delete_namespace(namespace: str) -> Intent:
    """A command that marks it, one for each stream in it, and one that ends it."""
    trace = Trace(("NamespaceChanged", "NamespaceDeleted", "ImageStreamDeleted"), namespace, "", "")
    intent = _on_object("delete namespace", "DELETE", Collection.NAMESPACES, ("", namespace), trace)
    intent.commands_limit = 2 + len(STREAMS)
    return intent


def _patch(mark: str, labels: Labels | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"annotations": {"mark": mark}}
    if labels is not None:
        metadata["labels"] = labels
    return {"metadata": metadata}


def _on_object(
    action: str, method: str, collection: Collection, key: Key, trace: Trace, body: dict[str, Any] | None = None
) -> Intent:
    return _intent(action, method, object_path(collection, key), collection, key, trace, body)


def _intent(
    action: str,
    method: str,
    path: str,
    collection: Collection,
    key: Key,
    trace: Trace,
    body: dict[str, Any] | None = None,
) -> Intent:
    return Intent(action, method, path, collection, key, trace, json.dumps(body).encode() if body else b"")
