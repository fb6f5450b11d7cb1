"""The schemas of an OpenAPI document, from the wire types.

Keeps: a field's type, its merge key and whether it is always written come from the Struct alone, so a schema can not
disagree with what is served; a type and every type it contains come out, each once, under a name made from the package
clients know it by. Elsewhere: the sentences (`api/descriptions.py`), the paths (`openapi_paths.py`).
Source: spec: kube-api 1.4.8, 1.4.11, 1.4.13.
"""

from __future__ import annotations

from typing import Any

import msgspec

from service.api.descriptions import description
from service.api.json_types import Json, JsonObject
from service.api.shapes import Kind, Shape, fields_of

Struct = type[msgspec.Struct]
Schemas = dict[str, JsonObject]

_CORE_PACKAGE = "io.k8s.api.core.v1"
_PACKAGES = {
    "service.api.authentication_v1": "io.k8s.api.authentication.v1",
    "service.api.authorization_v1": "io.k8s.api.authorization.v1",
    "service.api.core_v1": _CORE_PACKAGE,
    "service.api.image_v1": "com.github.openshift.api.image.v1",
    "service.api.meta_v1": "io.k8s.apimachinery.pkg.apis.meta.v1",
}
_CORE_TYPES = frozenset({"LocalObjectReference", "ObjectReference"})
_PLAIN: dict[Kind, JsonObject] = {
    Kind.STRING: {"type": "string"},
    Kind.BOOL: {"type": "boolean"},
    Kind.TIME: {"type": "string", "format": "date-time"},
    Kind.BYTES: {"type": "string", "format": "byte"},
    Kind.RAW: {"type": "object"},
}
_ZEROS: dict[Kind, Any] = {Kind.STRING: "", Kind.BOOL: False, Kind.INTEGER: 0}


def schema_name(struct: Struct) -> str:
    if struct.__name__ in _CORE_TYPES:
        return f"{_CORE_PACKAGE}.{struct.__name__}"
    package = _PACKAGES.get(struct.__module__) or "io." + struct.__module__.rpartition(".")[2].replace("_", ".")
    return f"{package}.{struct.__name__}"


def reference(struct: Struct) -> JsonObject:
    return {"$ref": f"#/components/schemas/{schema_name(struct)}"}


def add_schemas(struct: Struct, schemas: Schemas) -> None:
    """The type's schema and those of all it contains."""
    name = schema_name(struct)
    if name in schemas:
        return
    schema: JsonObject = {"type": "object", "description": description(struct.__name__)}
    schemas[name] = schema
    properties: JsonObject = {}
    required: list[Json] = []
    infos = {info.encode_name: info for info in msgspec.structs.fields(struct)}
    for field, of_field in fields_of(struct).items():
        properties[field] = {
            "description": description(struct.__name__, field),
            **_schema(of_field.shape, schemas),
            **_extensions(infos[field].type, of_field.shape),
            **({"nullable": True} if _may_be_null(infos[field]) else {}),
        }
        if _is_required(infos[field], of_field.shape):
            required.append(field)
    schema["properties"] = properties
    if required:
        schema["required"] = required


def _schema(shape: Shape, schemas: Schemas) -> JsonObject:
    match shape.kind:
        case Kind.INTEGER:
            return {"type": "integer", "format": "int32" if shape.limit == 1 << 31 else "int64"}
        case Kind.LIST if shape.item:
            return {"type": "array", "items": _item(shape.item, schemas)}
        case Kind.MAP if shape.item:
            return {"type": "object", "additionalProperties": _item(shape.item, schemas)}
        case Kind.STRUCT if shape.struct:
            add_schemas(shape.struct, schemas)
            # Nothing may stand beside a $ref, and a description has to.
            return {"allOf": [reference(shape.struct)], "default": {}}
        case kind:
            return dict(_PLAIN[kind])


def _item(shape: Shape, schemas: Schemas) -> JsonObject:
    schema = _schema(shape, schemas)
    if shape.kind in _ZEROS:
        schema["default"] = _ZEROS[shape.kind]
    return schema


def _extensions(annotation: Any, shape: Shape) -> JsonObject:
    """How patches and applies merge the field; what is not said is replaced as a whole."""
    extra = {k: v for meta in getattr(annotation, "__metadata__", ()) for k, v in (meta.extra or {}).items()}
    extensions: JsonObject = {}
    if key := extra.get("merge_key"):
        extensions |= {"x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": key}
    if extra.get("merge") == "set":
        extensions |= {"x-kubernetes-patch-strategy": "merge", "x-kubernetes-list-type": "set"}
    if extra.get("replace"):
        extensions["x-kubernetes-patch-strategy"] = "replace"
    if extra.get("atomic"):
        extensions["x-kubernetes-list-type" if shape.kind is Kind.LIST else "x-kubernetes-map-type"] = "atomic"
    return extensions


def _is_required(info: msgspec.structs.FieldInfo, shape: Shape) -> bool:
    """A plain value that is always written. The server fills in what is missing, so this tells readers, not writers."""
    always_written = info.default_factory not in (msgspec.NODEFAULT, list, dict)
    return always_written and shape.kind in _ZEROS and not _may_be_null(info)


def _may_be_null(info: msgspec.structs.FieldInfo) -> bool:
    factory = info.default_factory
    return callable(factory) and factory() is None
