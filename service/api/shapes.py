"""What the wire types look like to a decoder: for each Struct its fields by JSON name, and what each may hold.

Keeps: the tables are built once per type, from the annotations; what Go knows and the annotations do not (times, bytes,
named string types, small integers) is in the two tables here and nowhere else.
Elsewhere: the walk over a document (`decoding.py`).
"""

from __future__ import annotations

import enum
import types
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from service.api import core_v1, image_v1, meta_v1


class Kind(enum.Enum):
    STRING = enum.auto()
    BOOL = enum.auto()
    INTEGER = enum.auto()
    TIME = enum.auto()
    BYTES = enum.auto()
    """base64"""
    STRUCT = enum.auto()
    LIST = enum.auto()
    MAP = enum.auto()
    RAW = enum.auto()
    """any JSON, kept as it is"""


class Shape(msgspec.Struct, frozen=True):
    kind: Kind
    go_type: str
    """The name Go prints for it."""
    item: Shape | None = None
    """Of a list or a map."""
    struct: type[msgspec.Struct] | None = None
    limit: int = 1 << 63
    """The first integer that is too large; its negative is the least."""


class Field(msgspec.Struct, frozen=True):
    shape: Shape
    plain: type | None
    """The Python type of which every value will do, an integer within the limit."""
    limit: int
    drops_empty: bool
    """Whether an empty list or map is the same as none, because it would not be written either."""


Fields = dict[str, Field]
RAW_EXTENSION = "runtime.RawExtension"
FIELDS_V1 = "v1.FieldsV1"

_TIMES = frozenset(
    {"creationTimestamp", "deletionTimestamp", "time", "created", "Created", "lastProbeTime", "lastTransitionTime"}
)
_BYTES = frozenset({"content", "data", "dockerImageSignatures"})
_NAMED_TYPES: dict[tuple[type[msgspec.Struct], str], str] = {
    (meta_v1.ObjectMeta, "uid"): "types.UID",
    (meta_v1.OwnerReference, "uid"): "types.UID",
    (meta_v1.ObjectReference, "uid"): "types.UID",
    (meta_v1.StatusDetails, "uid"): "types.UID",
    (meta_v1.Preconditions, "uid"): "types.UID",
    (meta_v1.ManagedFieldsEntry, "operation"): "v1.ManagedFieldsOperationType",
    (meta_v1.Status, "reason"): "v1.StatusReason",
    (meta_v1.Status, "code"): "int32",
    (meta_v1.StatusDetails, "retryAfterSeconds"): "int32",
    (meta_v1.StatusCause, "reason"): "v1.CauseType",
    (meta_v1.DeleteOptions, "propagationPolicy"): "v1.DeletionPropagation",
    (core_v1.Secret, "type"): "v1.SecretType",
    (image_v1.SignatureCondition, "type"): "v1.SignatureConditionType",
    (image_v1.SignatureCondition, "status"): "v1.ConditionStatus",
    (image_v1.TagImportPolicy, "importMode"): "v1.ImportModeType",
    (image_v1.TagReferencePolicy, "type"): "v1.TagReferencePolicyType",
    (image_v1.TagEventCondition, "type"): "v1.TagEventConditionType",
    (image_v1.TagEventCondition, "status"): "v1.ConditionStatus",
}


def go_name(struct: type[msgspec.Struct]) -> str:
    """The package and name of the Go type: `v1.` unless the Struct says otherwise in `go_name`."""
    name: str = getattr(struct, "go_name", f"v1.{struct.__name__}")
    return name


@cache
def fields_of(struct: type[msgspec.Struct]) -> Fields:
    """The fields of a wire type by JSON name. There are as many types as there are classes."""
    return {info.encode_name: _field(struct, info) for info in msgspec.structs.fields(struct)}


def _field(struct: type[msgspec.Struct], info: FieldInfo) -> Field:
    shape = _shape(info.type, info.encode_name, _NAMED_TYPES.get((struct, info.encode_name)))
    always_written = info.default_factory not in (msgspec.NODEFAULT, list, dict)
    plain = {Kind.STRING: str, Kind.BOOL: bool, Kind.INTEGER: int}.get(shape.kind)
    return Field(shape, plain, shape.limit, drops_empty=not always_written and shape.kind in (Kind.LIST, Kind.MAP))


def _shape(annotation: Any, name: str, named: str | None) -> Shape:
    if get_origin(annotation) is Annotated:
        return _shape(annotation.__origin__, name, named)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _shape(next(a for a in arguments if a is not type(None)), name, named)
    if origin is list:
        item = _shape(arguments[0], name, None)
        return Shape(Kind.LIST, f"[]{item.go_type}", item)
    if origin is dict:
        if arguments[1] is Any:
            return Shape(Kind.RAW, FIELDS_V1 if name == "fieldsV1" else RAW_EXTENSION)
        item = _shape(arguments[1], name, None)
        return Shape(Kind.MAP, f"map[string]{item.go_type}", item)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return Shape(Kind.STRUCT, go_name(annotation), struct=annotation)
    return _scalar(annotation, name, named)


def _scalar(annotation: Any, name: str, named: str | None) -> Shape:
    if annotation is bool:
        return Shape(Kind.BOOL, "bool")
    if annotation is int:
        return Shape(Kind.INTEGER, named or "int64", limit=1 << (31 if named == "int32" else 63))
    if annotation is not str:
        raise TypeError(f"no decoder for {annotation} of {name}")
    if name in _TIMES:
        return Shape(Kind.TIME, "string")
    if name in _BYTES:
        return Shape(Kind.BYTES, "[]uint8")
    return Shape(Kind.STRING, named or "string")
