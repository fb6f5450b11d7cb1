"""What kind of value each field of an API struct is, as far as merging needs to know.

`schema_of` reads a msgspec Struct by introspection. A list may be marked `merge_key` (a map by that key) or
`merge: "set"`; anything may be marked `atomic` (owned and applied as one value); unmarked lists are atomic, dicts are
granular, a document of any shape is free-form.
Keeps: field names are the wire's; a struct knows its zero value as the wire shows it, which tells what exists before
anything is set, and what a missing list key stands for. Elsewhere: the structs (`api/`). Source: spec: kube-api 5.4.6.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import inspect

from service.api.json_types import Json, JsonObject

ScalarKind: TypeAlias = Literal["string", "numeric", "boolean"]
Marks: TypeAlias = dict[str, Any]
"""The `extra` of a msgspec.Meta: whatever its author wrote."""


class ScalarType(msgspec.Struct, frozen=True):
    kind: ScalarKind


class FreeFormType(msgspec.Struct, frozen=True):
    """Any JSON, merged and owned as one value."""


class MapType(msgspec.Struct, frozen=True):
    value: Schema


class ListType(msgspec.Struct, frozen=True):
    element: Schema
    strategy: Literal["atomic", "map", "set"] = "atomic"
    key: str = ""
    """The field that names an element; empty unless the strategy is "map"."""
    key_default: Json = None
    """What an element that leaves its key out is taken to say; None where it must not."""


class StructType(msgspec.Struct, frozen=True):
    name: str
    fields: dict[str, Schema]
    zero: JsonObject
    """The empty struct as it is encoded: fields that are always written have their zero values here."""
    atomic: bool = False


Schema: TypeAlias = ScalarType | FreeFormType | MapType | ListType | StructType

STRING = ScalarType("string")
NUMERIC = ScalarType("numeric")
BOOLEAN = ScalarType("boolean")
FREE_FORM = FreeFormType()


@lru_cache(maxsize=64)
def schema_of(struct_type: type[msgspec.Struct]) -> StructType:
    """The schema of an API kind, computed once per type.

    Raises TypeError for a field whose type has no meaning here, and for a struct with a required field: the structs
    of the API have a zero value, and contain themselves nowhere.
    """
    info = inspect.type_info(struct_type)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{struct_type!r} is not a Struct")
    return _struct(info, atomic=False)


def _schema(info: inspect.Type, marks: Marks) -> Schema:
    match info:
        case inspect.Metadata():
            return _schema(info.type, marks | (info.extra or {}))
        case inspect.UnionType():
            return _schema(_only_type(info), marks)
        case inspect.StrType():
            return STRING
        case inspect.IntType() | inspect.FloatType():
            return NUMERIC
        case inspect.BoolType():
            return BOOLEAN
        case inspect.AnyType():
            return FREE_FORM
        case inspect.DictType():
            return FREE_FORM if marks.get("atomic") else MapType(_schema(info.value_type, {}))
        case inspect.ListType():
            return _list(_schema(info.item_type, {}), marks)
        case inspect.StructType():
            return _struct(info, atomic=bool(marks.get("atomic")))
        case _:
            raise TypeError(f"no merge schema for {info!r}")


def _only_type(union: inspect.UnionType) -> inspect.Type:
    """The type beside None."""
    types = [t for t in union.types if not isinstance(t, inspect.NoneType)]
    if len(types) != 1:
        raise TypeError(f"no merge schema for a field of several types: {union!r}")
    return types[0]


def _list(element: Schema, marks: Marks) -> ListType:
    if marks.get("merge") == "set":
        return ListType(element, "set")
    if key := marks.get("merge_key"):
        default = element.zero.get(key) if isinstance(element, StructType) else None
        return ListType(element, "map", key, default)
    return ListType(element)


def _struct(info: inspect.StructType, *, atomic: bool) -> StructType:
    return StructType(
        name=info.cls.__name__,
        fields={field.encode_name: _schema(field.type, {}) for field in info.fields},
        zero=msgspec.to_builtins(info.cls()),
        atomic=atomic,
    )
