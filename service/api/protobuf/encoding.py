"""From a document to the bytes of its message, as Go's generated code writes them.

Keeps: fields stand in the order of their numbers, entries of maps in the order of their keys; what is no pointer is
written even when there is nothing in it. For each message the work is planned once, from `messages.py`.
Elsewhere: what goes around a message (`envelope.py`), the way back (`decoding.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from typing import Any

import msgspec

from service.api.json_types import JsonObject
from service.api.protobuf.instants import seconds_of
from service.api.protobuf.messages import MESSAGES
from service.api.protobuf.schema import Field
from service.api.protobuf.wire import DELIMITED, VARINT, delimited, tag, varint

Write = Callable[[Any], bytes]
"""Takes a value of the one type it is made for: documents come from our own types, so a wrong one is a defect."""

SCALARS = {"string": DELIMITED, "bytes": DELIMITED, "bool": VARINT, "int32": VARINT, "int64": VARINT}
"""Their wire types; messages are delimited too."""
REMEMBERED_TIMES_LIMIT = 4096


def encode_message(name: str, document: JsonObject) -> bytes:
    return _encoder(name).encode(document)


def encode_struct(value: msgspec.Struct) -> bytes:
    """The message named like the Struct, without kind and apiVersion, which are no part of messages."""
    return _encoder(type(value).__name__).encode(msgspec.to_builtins(value))


def encode_list(metadata: msgspec.Struct, items: Iterable[bytes]) -> bytes:
    """A list of encoded objects. All lists have the same two numbers."""
    encoded = [delimited(_LIST_METADATA, encode_struct(metadata))]
    encoded += [delimited(_LIST_ITEMS, item) for item in items]
    return b"".join(encoded)


def tag_of(message: str, name: str) -> bytes:
    return next(_tag(field) for field in MESSAGES[message] if field.name == name)


class _Encoder:
    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = [(field.name, _writer(field), _nothing(field)) for field in fields]
        self._inlined = [field.name for field in fields if field.inline]

    def encode(self, document: JsonObject) -> bytes:
        if self._inlined:
            document = {**document, **dict.fromkeys(self._inlined, document)}
        get = document.get
        return b"".join(
            [nothing if (value := get(name)) is None else write(value) for name, write, nothing in self._fields]
        )


@cache
def _encoder(name: str) -> _Encoder:
    """There are as many as there are messages."""
    return _Encoder(MESSAGES[name])


def _tag(field: Field) -> bytes:
    return tag(field.number, DELIMITED if field.map else SCALARS.get(field.type, DELIMITED))


def _nothing(field: Field) -> bytes:
    """What stands for a field that the document lacks."""
    if field.pointer or field.repeated or field.map or field.type == "bytes":
        return b""
    empty = b"" if field.type in SCALARS or field.type in _CONTENTS else encode_message(field.type, {})
    return delimited(_tag(field), empty)


def _writer(field: Field) -> Write:
    if field.map:
        key, value = _single(tag(1, DELIMITED), "string"), _single(_tag(Field(2, "value", field.type)), field.type)
        return partial(_write_map, _tag(field), key, value)
    write = _single(_tag(field), field.type)
    return partial(_write_all, write) if field.repeated else write


def _write_map(before: bytes, key: Write, value: Write, entries: dict[str, Any]) -> bytes:
    return b"".join([delimited(before, key(name) + value(entries[name])) for name in sorted(entries)])


def _write_all(write: Write, values: list[Any]) -> bytes:
    return b"".join([write(value) for value in values])


def _single(before: bytes, type_name: str) -> Write:
    match type_name:
        case "bool":
            texts = before + b"\0", before + b"\1"
            return lambda value: texts[value]
        case "int32" | "int64":
            return lambda value: before + varint(value)
        case "string":
            empty = before + b"\0"
            return lambda text: delimited(before, text.encode()) if text else empty
        case "bytes":
            return lambda text: delimited(before, base64.b64decode(text))
        case _:
            content = _CONTENTS.get(type_name) or _encoder(type_name).encode
            return lambda value: delimited(before, content(value))


@lru_cache(maxsize=REMEMBERED_TIMES_LIMIT)
def _time(text: str) -> bytes:
    return encode_message("Time", {"seconds": seconds_of(text), "nanos": 0})


def _items(name: str) -> Write:
    return lambda items: encode_message(name, {"items": items})


def _object(value: JsonObject) -> bytes:
    """An object inside an object ends with a newline, as everything that Go's JSON serializer writes."""
    return delimited(_OBJECT_RAW, msgspec.json.encode(value) + b"\n")


def _fields(value: JsonObject) -> bytes:
    return delimited(_FIELDS_RAW, msgspec.json.encode(value))


_CONTENTS: dict[str, Write] = {
    "Time": _time,
    "Verbs": _items("Verbs"),
    "ExtraValue": _items("ExtraValue"),
    "RawExtension": _object,
    "FieldsV1": _fields,
}
"""Messages that are something else in JSON."""
_OBJECT_RAW, _FIELDS_RAW = tag_of("RawExtension", "raw"), tag_of("FieldsV1", "raw")
_LIST_METADATA = tag_of("PartialObjectMetadataList", "metadata")
_LIST_ITEMS = tag_of("PartialObjectMetadataList", "items")
