"""FieldsV1: a set of field paths as a nested JSON object, the way `metadata.managedFields` carries it.

Keeps: what we write is sorted (fields, keys, values, indices; `.` first) and has one spelling, so equal sets are equal
documents; a node without children is a member, one with children is a member if it has a `.`; kinds of elements that
a later version may add are dropped. Elsewhere: the entries around it (`managers.py`). Source: spec: kube-api 5.4.4.
"""

from __future__ import annotations

from service.api.json_types import Json, JsonObject
from service.merge.field_set import LEAF, FieldSet
from service.merge.path_elements import BadElement, canonical, sort_key

_SELF = "."


def decode_fields(fields: Json) -> FieldSet:
    """The set a FieldsV1 document describes. Raises BadElement if it is not one."""
    return FieldSet(children=_decode_node(fields).children)


def encode_fields(fields: FieldSet) -> JsonObject:
    """The document of a set; children only, as nobody owns a whole object."""
    return {element: _encode_node(fields.children[element]) for element in sorted(fields.children, key=sort_key)}


def _decode_node(node: Json) -> FieldSet:
    if not isinstance(node, dict):
        raise BadElement(f"expected an object, got {node!r}")
    if not node:
        return LEAF
    children = {}
    for key, below in node.items():
        if key != _SELF and (element := canonical(key)) is not None:
            children[element] = _decode_node(below)
    return FieldSet(_SELF in node or not children, children)


def _encode_node(node: FieldSet) -> JsonObject:
    if not node.children:
        return {}
    below = encode_fields(node)
    return {_SELF: {}, **below} if node.member else below
