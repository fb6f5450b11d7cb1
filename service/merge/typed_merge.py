"""Server-side apply's two ways to make a new document: lay a configuration over the live one, and cut paths out.

Keeps: what the configuration does not mention stays as and where it was; the new document shares unchanged parts with
the old. Elsewhere: which paths to cut (`apply.py`). Source: spec: kube-api 5.4.7 a, b.
"""

from __future__ import annotations

from service.api.json_types import Json, JsonObject
from service.merge.field_set import FieldSet
from service.merge.path_elements import FIELD
from service.merge.schema import ListType, Schema
from service.merge.structure import field_schema, is_atomic, item_element


def merge(schema: Schema, live: Json, config: Json) -> Json:
    """The live value with what the configuration says in it.

    Null and empty say nothing about a map or a list that has something in it. Raises UnnamedItem.
    """
    if is_atomic(schema) or not live:
        return config
    if not config:
        return live
    if isinstance(schema, ListType) and isinstance(live, list) and isinstance(config, list):
        return _merge_lists(schema, live, config)
    if not (isinstance(live, dict) and isinstance(config, dict)):
        return config
    merged = dict(live)
    for name, value in config.items():
        merged[name] = merge(field_schema(schema, name), live[name], value) if name in live else value
    return merged


def _merge_lists(schema: ListType, live: list[Json], config: list[Json]) -> list[Json]:
    """Shared items come in the configuration's order; items of the live list alone keep their place between them."""
    ours = {item_element(schema, item): item for item in config}
    theirs = [(item_element(schema, item), item) for item in live]
    live_of = dict(theirs)
    shared = iter([element for element in ours if element in live_of])
    next_shared = next(shared, None)
    merged: list[Json] = []
    place = 0
    for element, value in ours.items():
        while place < len(theirs) and theirs[place][0] != next_shared:
            if theirs[place][0] not in ours:
                merged.append(theirs[place][1])
            place += 1
        if element != next_shared:
            merged.append(value)
            continue
        merged.append(merge(schema.element, live_of[element], value))
        next_shared = next(shared, None)
    merged += [item for element, item in theirs[place:] if element not in ours]
    return merged


def without(schema: Schema, value: Json, paths: FieldSet) -> Json:
    """The value with the paths cut out, and everything below them; what they were in may be left empty.

    Raises UnnamedItem.
    """
    if not paths.children or is_atomic(schema):
        return value
    if isinstance(value, list):
        return _list_without(schema, value, paths) if isinstance(schema, ListType) else value
    if not isinstance(value, dict):
        return value
    rest: JsonObject = {}
    for name, item in value.items():
        cut = paths.children.get(FIELD + name)
        if cut is None:
            rest[name] = item
        elif not cut.member:
            rest[name] = without(field_schema(schema, name), item, cut)
    return rest


def _list_without(schema: ListType, items: list[Json], paths: FieldSet) -> list[Json]:
    rest = []
    for item in items:
        cut = paths.children.get(item_element(schema, item))
        if cut is None:
            rest.append(item)
        elif not cut.member:
            rest.append(without(schema.element, item, cut))
    return rest
