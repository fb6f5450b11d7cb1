"""JSON Merge Patch (RFC 7386), as the Go library of the reference applies it.

Keeps: null deletes, lists are replaced whole, nothing is changed in place; an object the patch reaches into comes out
with its members in byte order. Departs from the RFC where the library does: nulls inside a value that is new to the
document go too, also those of objects in its lists; null list elements stay.
Elsewhere: reading the body (the caller). Source: spec: kube-api 5.3.1.
"""

from __future__ import annotations

from service.api.json_types import Json, JsonObject
from service.merge.errors import PatchSyntaxError
from service.merge.go_values import json_kind


def apply_merge_patch(document: JsonObject, patch: Json) -> JsonObject:
    """The patched document. Raises PatchSyntaxError if the patch is not an object."""
    if patch is None:
        raise PatchSyntaxError("Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise PatchSyntaxError(
            f"error decoding patch: json: cannot unmarshal {json_kind(patch)} into Go value of type "
            "map[string]interface {}"
        )
    return _merge(document, patch)


def without_nulls(value: Json) -> Json:
    """The value without its null members, at any depth; null list elements stay."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _merge(document: JsonObject, patch: JsonObject) -> JsonObject:
    merged = dict(document)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged_value(merged.get(name), value)
    return dict(sorted(merged.items()))


def _merged_value(current: Json, value: Json) -> Json:
    if not isinstance(current, dict):
        return without_nulls(value)
    return _merge(current, value) if isinstance(value, dict) else value
