"""The Swagger 2.0 document in protobuf: the one form in which kubectl reads it.

kubectl reads it to check an object of a kind that cannot be patched, such as an ImageStreamMapping, before it sends
it; so the definitions are here, and of the rest only what makes it a document. Keeps: a schema is written whole, or
not at all: a key that has no place raises KeyError at start. Elsewhere: the content (`openapi_v2.py`).
Source: the message types of gnostic's openapiv2/OpenAPIv2.proto.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from service.api.json_types import Json, JsonObject
from service.api.protobuf.wire import DELIMITED, delimited, tag

PROTOBUF_TYPES = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
)
"""The second is how clients spell it to this day, though it is no media type."""

_EXTENSION = 31


def encode_swagger(document: JsonObject) -> bytes:
    info, definitions = _object(document["info"]), _object(document["definitions"])
    about = _text(1, info["title"]) + _text(2, info["version"])
    schemas = b"".join(_field(1, _named(name, _schema(schema))) for name, schema in definitions.items())
    return _text(1, document["swagger"]) + _field(2, about) + _field(8, b"") + _field(9, schemas)


def _schema(schema: Json) -> bytes:
    written = []
    for key, value in _object(schema).items():
        if key.startswith("x-"):
            written.append(_field(_EXTENSION, _named(key, _any(value))))
        else:
            number, write = _PLACES[key]
            written += [_field(number, content) for content in write(value)]
    return b"".join(written)


def _field(number: int, content: bytes) -> bytes:
    return delimited(tag(number, DELIMITED), content)


def _text(number: int, value: Json) -> bytes:
    return _field(number, str(value).encode())


def _named(name: str, value: bytes) -> bytes:
    """An entry of a map, which is a list of pairs there."""
    return _text(1, name) + _field(2, value)


def _any(value: Json) -> bytes:
    """A value of any type stands there as YAML, which JSON is."""
    return _field(2, msgspec.json.encode(value))


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _plain(value: Json) -> list[bytes]:
    return [str(value).encode()]


def _each(value: Json) -> list[bytes]:
    return [str(item).encode() for item in value] if isinstance(value, list) else []


def _properties(value: Json) -> list[bytes]:
    return [b"".join(_field(1, _named(name, _schema(schema))) for name, schema in _object(value).items())]


def _inside(value: Json) -> list[bytes]:
    """A schema where there could be something else, or several."""
    return [_field(1, _schema(value))]


_PLACES: dict[str, tuple[int, Callable[[Json], list[bytes]]]] = {
    "$ref": (1, _plain),
    "format": (2, _plain),
    "description": (4, _plain),
    "default": (5, lambda value: [_any(value)]),
    "required": (19, _each),
    "enum": (20, lambda value: [_any(item) for item in value] if isinstance(value, list) else []),
    "additionalProperties": (21, _inside),
    "type": (22, lambda value: [_text(1, value)]),
    "items": (23, _inside),
    "properties": (25, _properties),
}
"""Key → (number of the field, contents of that field, one for each time it occurs)."""
