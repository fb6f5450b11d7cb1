"""Strategic merge patch: a merge patch that knows which lists are maps or sets, and takes directives.

Keeps: neither document nor patch is changed; what the patch brings in new carries no nulls and no `$patch`.
Elsewhere: the lists (`strategic_lists.py`), reading the body (the caller), scalar fields nobody knows, which are simply
set here and found by whoever decodes the result. Source: spec: kube-api 5.3.2.
"""

from __future__ import annotations

from service.api.go_text import quote
from service.api.json_types import Json, JsonObject
from service.merge.errors import PatchSyntaxError, StrategicPatchError
from service.merge.go_values import json_kind, plain, type_name
from service.merge.merge_patch import without_nulls
from service.merge.schema import FreeFormType, ListType, MapType, Schema, StructType
from service.merge.strategic_lists import PATCH, check_order, in_order, merge_lists
from service.merge.structure import is_atomic

RETAIN_KEYS = "$retainKeys"
DELETE_FROM_LIST = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"


def apply_strategic_patch(schema: StructType, document: JsonObject, patch: Json) -> JsonObject:
    """The patched document.

    Raises PatchSyntaxError for a patch that is no object or has a malformed directive, PatchFailed for lists of lists,
    StrategicPatchError for one that does not fit the schema or the document.
    """
    if patch is None:
        return document
    if not isinstance(patch, dict):
        raise PatchSyntaxError(
            f"json: cannot unmarshal {json_kind(patch)} into Go value of type map[string]interface {{}}"
        )
    return _merge_maps(schema, document, patch)


def _merge_maps(schema: Schema, live: JsonObject, patch: JsonObject) -> JsonObject:
    if PATCH in patch:
        return _replaced_map(patch)
    merged, patch = dict(live), dict(patch)
    _retain_keys(merged, patch)
    _merge_ordered_lists(schema, merged, patch)
    for key, value in patch.items():
        deleting = key.startswith(DELETE_FROM_LIST)
        name = _directive_field(key, DELETE_FROM_LIST, "primitive list") if deleting else key
        if value is None:
            merged.pop(name, None)
        elif name in merged and type(merged[name]) is type(value):
            merged[name] = _merged_member(schema, name, merged[name], value, deleting=deleting)
        elif not deleting:
            _introduce(merged, name, value)
    return merged


def _replaced_map(patch: JsonObject) -> JsonObject:
    match patch[PATCH]:
        case "replace":
            return {name: value for name, value in patch.items() if name != PATCH}
        case "delete":
            return {}
        case unknown:
            raise StrategicPatchError(f"unknown patch type: {plain(unknown)} in map: {plain(patch)}")


def _retain_keys(merged: JsonObject, patch: JsonObject) -> None:
    """Obey and remove `$retainKeys`: what it does not list goes, and may not be in the patch; in place."""
    if RETAIN_KEYS not in patch:
        return
    wrong = PatchSyntaxError("invalid patch format of retainKeys")
    retained = patch.pop(RETAIN_KEYS)
    if not isinstance(retained, list):
        raise wrong
    for name, value in patch.items():
        if value is not None and name not in retained and not name.startswith((DELETE_FROM_LIST, SET_ORDER)):
            raise wrong
    for name in set(merged).difference(name for name in retained if isinstance(name, str)):
        del merged[name]


def _merge_ordered_lists(schema: Schema, merged: JsonObject, patch: JsonObject) -> None:
    """Obey every `$setElementOrder`, and take it and the list it is about out of the patch; in place."""
    for key in [key for key in patch if key.startswith(SET_ORDER)]:
        order = _as_list(patch.pop(key))
        name = _directive_field(key, SET_ORDER, "setElementOrder list")
        live_list = _as_list(merged[name]) if name in merged else None
        patch_list = _as_list(patch[name]) if name in patch else None
        field = _field(schema, name)
        list_key = field.key if isinstance(field, ListType) else ""
        check_order(list_key, patch_list or [], order)
        patch.pop(name, None)
        if patch_list is not None:
            if live_list is None:
                _introduce(merged, name, patch_list)
            else:
                merged[name] = _merged_list(field, live_list, patch_list, deleting=False)
        if name in merged:
            merged[name] = in_order(list_key, _as_list(merged[name]), order, live_list or [])


def _merged_member(schema: Schema, name: str, live: Json, value: Json, *, deleting: bool) -> Json:
    """Two values of the same JSON type made one."""
    if isinstance(live, dict) and isinstance(value, dict):
        field = _field(schema, name)
        return value if isinstance(field, FreeFormType) else _merge_maps(field, live, value)
    if isinstance(live, list) and isinstance(value, list):
        return _merged_list(_field(schema, name), live, value, deleting=deleting)
    return value


def _merged_list(field: Schema, live: list[Json], patch: list[Json], *, deleting: bool) -> list[Json]:
    if not isinstance(field, ListType) or is_atomic(field):
        return patch
    element = field.element
    return merge_lists(field, live, patch, lambda item, change: _merge_maps(element, item, change), deleting=deleting)


def _introduce(merged: JsonObject, name: str, value: Json) -> None:
    """Set a value that nothing is merged with; one that is itself a directive has nothing to work on, and vanishes."""
    if isinstance(value, dict) and PATCH in value:
        merged.pop(name, None)
    else:
        merged[name] = _without_directives(without_nulls(value))


def _without_directives(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_directives(item) for name, item in value.items() if not _is_directive(item)}
    if isinstance(value, list):
        return [_without_directives(item) for item in value if not _is_directive(item)]
    return value


def _is_directive(value: Json) -> bool:
    return isinstance(value, dict) and PATCH in value


def _directive_field(key: str, directive: str, about: str) -> str:
    """The field a directive like `$setElementOrder/tags` is about."""
    found, slash, name = key.partition("/")
    if found != directive or not slash:
        raise PatchSyntaxError(f"invalid patch format of {about}")
    return name


def _as_list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise StrategicPatchError(f"expected a []interface {{}}, but received a {type_name(value)}")
    return value


def _field(schema: Schema, name: str) -> Schema:
    match schema:
        case StructType():
            if name in schema.fields:
                return schema.fields[name]
            raise StrategicPatchError(
                f"unable to find api field in struct {schema.name} for the json field {quote(name)}"
            )
        case MapType():
            kind = "map"
        case _:
            kind = "interface"
    raise StrategicPatchError(f"merging an object in json but data type is not struct, instead is: {kind}")
