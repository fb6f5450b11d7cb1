"""The annotation in which client-side `kubectl apply` keeps what it applied last, seen from the server side.

Keeps: only the manager named exactly `kubectl` is given its due here: fields that stand as the annotation says were its
own all along, and the annotation follows what it applies now. Source: spec: kube-api 5.4.13.
"""

from __future__ import annotations

import msgspec

from service.api.json_types import JsonObject
from service.merge.field_set import EMPTY, FieldSet
from service.merge.go_values import compact_json
from service.merge.schema import StructType
from service.merge.structure import UnnamedItem, applied_paths, compare
from service.merge.typed_patch import problems_of

KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATIONS_LIMIT_BYTES = 256 * 1024


def unchanged_since_last_applied(schema: StructType, live: JsonObject, api_version: str) -> FieldSet:
    """The fields that client-side apply set and that still have its values; empty where the annotation is no use."""
    try:
        last = msgspec.json.decode(_last_applied(live) or "null")
        if not isinstance(last, dict) or last.get("apiVersion") != api_version or any(problems_of(schema, last)):
            return EMPTY
        changes = compare(schema, last, live)
        return applied_paths(schema, last).difference(changes.written.union(changes.removed))
    except (msgspec.DecodeError, UnnamedItem):
        return EMPTY


def refreshed_last_applied(applied: JsonObject, config: JsonObject) -> JsonObject:
    """The object with its annotation, if it has one, telling the configuration; without it if it grew too large."""
    if not _last_applied(applied):
        return applied
    annotations = _annotations(applied) | {LAST_APPLIED: _as_last_applied(config)}
    if sum(len(k.encode()) + len(str(v).encode()) for k, v in annotations.items()) > ANNOTATIONS_LIMIT_BYTES:
        del annotations[LAST_APPLIED]
    return _with_annotations(applied, annotations)


def _as_last_applied(config: JsonObject) -> str:
    if annotations := _annotations(config):
        annotations.pop(LAST_APPLIED, None)
        config = _with_annotations(config, annotations)
    return compact_json(config) + "\n"


def _last_applied(document: JsonObject) -> str:
    value = _annotations(document).get(LAST_APPLIED)
    return value if isinstance(value, str) else ""


def _annotations(document: JsonObject) -> JsonObject:
    """A copy."""
    metadata = document.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return dict(annotations) if isinstance(annotations, dict) else {}


def _with_annotations(document: JsonObject, annotations: JsonObject) -> JsonObject:
    """The document, which has metadata, with these annotations."""
    metadata = document.get("metadata")
    rest = metadata if isinstance(metadata, dict) else {}
    return {**document, "metadata": {**rest, "annotations": annotations}}
