"""Documents seen along a schema: what they hold, where two of them differ, what a configuration sets.

Keeps: list items are told apart by their key, so moving one changes nothing; a value that is atomic, scalar or empty is
one leaf; documents are as the structs encode them (absent, null and empty are three different things).
Elsewhere: making new documents (`typed_merge.py`), whose fields these are (`managed_fields.py`, `apply.py`).
Source: spec: kube-api 5.4.5, 5.4.6, 5.5.2a.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from service.api.json_types import Json
from service.merge.field_set import EMPTY, LEAF, FieldSet
from service.merge.path_elements import FIELD, key_element, value_element
from service.merge.schema import FREE_FORM, FreeFormType, ListType, MapType, ScalarType, Schema, StructType

Children: TypeAlias = dict[str, tuple[Schema, Json]]


class UnnamedItem(ValueError):
    """A list item that cannot be told from the others."""


class Comparison(NamedTuple):
    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def written(self) -> FieldSet:
        return self.added.union(self.modified)


NO_CHANGE = Comparison(EMPTY, EMPTY, EMPTY)
_MODIFIED = Comparison(EMPTY, LEAF, EMPTY)


def compare(schema: Schema, before: Json, after: Json) -> Comparison:
    """The paths that differ. Raises UnnamedItem."""
    if before == after:
        return NO_CHANGE
    if is_atomic(schema) or not (before or after):
        return _MODIFIED
    old, new = children_of(schema, before), children_of(schema, after)
    added: dict[str, FieldSet] = {}
    modified: dict[str, FieldSet] = {}
    removed: dict[str, FieldSet] = {}
    for element, (below, value) in new.items():
        if element not in old:
            added[element] = every_path(below, value)
            continue
        inner = compare(below, old[element][1], value)
        for whole, part in zip((added, modified, removed), inner, strict=True):
            if part:
                whole[element] = part
    for element, (below, value) in old.items():
        if element not in new:
            removed[element] = every_path(below, value)
    return Comparison(FieldSet(children=added), FieldSet(children=modified), FieldSet(children=removed))


def every_path(schema: Schema, value: Json) -> FieldSet:
    """The value as a node, and everything in it. Raises UnnamedItem."""
    if not value or is_atomic(schema):
        return LEAF
    return FieldSet(True, {e: every_path(below, item) for e, (below, item) in children_of(schema, value).items()})


def applied_paths(schema: Schema, config: Json) -> FieldSet:
    """What a configuration sets: leaves, list items, map entries, and what is explicitly null or empty.

    Raises UnnamedItem.
    """
    if is_atomic(schema):
        return LEAF
    children = {}
    for element, (below, value) in children_of(schema, config).items():
        node = applied_paths(below, value)
        if value is None or value == {} or not _is_declared(schema, element):
            node = FieldSet(True, node.children)
        if node:
            children[element] = node
    return FieldSet(children=children)


def with_declared_fields(schema: Schema, fields: FieldSet) -> FieldSet:
    """The set, and the struct fields on the way to its paths, which sets normally leave out."""
    children = {}
    for element, node in fields.children.items():
        below = with_declared_fields(_child_schema(schema, element), node)
        children[element] = FieldSet(node.member or _is_declared(schema, element), below.children)
    return FieldSet(fields.member, children)


def is_atomic(schema: Schema) -> bool:
    """Whether values of this schema are written and owned whole."""
    match schema:
        case ScalarType() | FreeFormType():
            return True
        case StructType():
            return schema.atomic
        case ListType():
            return schema.strategy == "atomic"
        case MapType():
            return False


def children_of(schema: Schema, value: Json) -> Children:
    """What a struct, map or keyed list holds, by path element; the last of items that have the same one.

    Raises UnnamedItem.
    """
    if isinstance(value, dict):
        return {FIELD + name: (field_schema(schema, name), item) for name, item in value.items()}
    if isinstance(value, list) and isinstance(schema, ListType):
        return {item_element(schema, item): (schema.element, item) for item in value}
    return {}


def item_element(schema: ListType, item: Json) -> str:
    """The path element of an item of a list that is a map or a set. Raises UnnamedItem."""
    if schema.strategy == "map":
        if not isinstance(item, dict):
            found = "a null element" if item is None else "non-map elements"
            raise UnnamedItem(f"associative list with keys may not have {found}")
        key = item.get(schema.key, schema.key_default)
        if key is None and schema.key not in item:
            raise UnnamedItem(
                f'associative list with keys has an element that omits key field "{schema.key}" '
                "(and doesn't have default value)"
            )
        return key_element(schema.key, key)
    match item:
        case dict():
            raise UnnamedItem("associative list without keys has an element that's a map type")
        case list():
            raise UnnamedItem("not supported: associative list with lists as elements")
        case None:
            raise UnnamedItem("associative list without keys has an element that's an explicit null")
    return value_element(item)


def field_schema(schema: Schema, name: str) -> Schema:
    """The schema of a struct's field or a map's value."""
    match schema:
        case StructType():
            return schema.fields.get(name, FREE_FORM)
        case MapType():
            return schema.value
        case _:
            return FREE_FORM


def _is_declared(schema: Schema, element: str) -> bool:
    return isinstance(schema, StructType) and element.removeprefix(FIELD) in schema.fields


def _child_schema(schema: Schema, element: str) -> Schema:
    return schema.element if isinstance(schema, ListType) else field_schema(schema, element.removeprefix(FIELD))
