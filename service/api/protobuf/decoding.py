"""From the bytes of a message to its document, as JSON would have brought it.

Keeps: a field that comes again replaces a scalar, adds to a list or a map and merges into a message, as everywhere in
protobuf; unknown fields are passed over. Nothing but DecodeError is raised.
Elsewhere: whether the document makes sense (`api/decoding.py`), what is around a message (`envelope.py`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec

from service.api.json_parsing import parse_json
from service.api.json_types import Json, JsonObject
from service.api.protobuf.encoding import SCALARS
from service.api.protobuf.instants import time_of
from service.api.protobuf.messages import MESSAGES
from service.api.protobuf.schema import Field
from service.api.protobuf.wire import DELIMITED, key_of, read_fields, signed

Read = Callable[[Any], Json]
"""Takes what the wire type of its field brings: bytes, or an integer."""
Put = Callable[[JsonObject, Any], None]
"""Puts what was read into a document."""


def decode_message(name: str, data: bytes) -> JsonObject:
    """Raises DecodeError."""
    document: JsonObject = {}
    _decoder(name).decode_into(document, data)
    return document


class _Known(msgspec.Struct, frozen=True):
    name: str
    wire_type: int
    put: Put


class _Decoder:
    def __init__(self, name: str, fields: Iterable[Field]) -> None:
        self._name = name
        known = [(field.number, _known(field)) for field in fields]
        self._fields = {key_of(number, field.wire_type): field for number, field in known}

    def decode_into(self, document: JsonObject, data: bytes) -> None:
        for field, value in read_fields(data, self._fields, self._name):
            field.put(document, value)


@cache
def _decoder(name: str) -> _Decoder:
    """There are as many as there are messages."""
    return _Decoder(name, MESSAGES[name])


def _known(field: Field) -> _Known:
    wire_type = DELIMITED if field.map else SCALARS.get(field.type, DELIMITED)
    return _Known(field.name, wire_type, _putter(field))


def _putter(field: Field) -> Put:
    name = field.name
    if field.inline:
        return _decoder(field.type).decode_into
    if field.map:
        entry = _Decoder(f"{field.name}Entry", [Field(1, "key", "string"), Field(2, "value", field.type)])
        return _put_entry(name, entry, _reader(field.type))
    if not field.repeated and field.type not in SCALARS and field.type not in _CONTENTS:
        return _merge(name, _decoder(field.type))
    read = _reader(field.type)
    return _append(name, read) if field.repeated else _replace(name, read)


def _replace(name: str, read: Read) -> Put:
    def put(document: JsonObject, value: Any) -> None:
        document[name] = read(value)

    return put


def _append(name: str, read: Read) -> Put:
    def put(document: JsonObject, value: Any) -> None:
        items: Any = document.setdefault(name, [])
        items.append(read(value))

    return put


def _merge(name: str, decoder: _Decoder) -> Put:
    def put(document: JsonObject, value: Any) -> None:
        inner: Any = document.setdefault(name, {})
        decoder.decode_into(inner, value)

    return put


def _put_entry(name: str, entry: _Decoder, read: Read) -> Put:
    """An entry may leave out its key or its value where it is empty."""

    def put(document: JsonObject, value: Any) -> None:
        pair: JsonObject = {}
        entry.decode_into(pair, value)
        entries: Any = document.setdefault(name, {})
        entries[pair.get("key", "")] = pair["value"] if "value" in pair else read(b"")

    return put


def _reader(type_name: str) -> Read:
    match type_name:
        case "bool":
            return bool
        case "int32" | "int64":
            bits = int(type_name.removeprefix("int"))
            return lambda value: signed(value, bits)
        case "string":
            return _text
        case "bytes":
            return lambda content: base64.b64encode(content).decode()
        case _:
            return _CONTENTS.get(type_name) or (lambda data: decode_message(type_name, data))


def _text(content: bytes) -> str:
    """What is no Unicode is replaced as Go's JSON does: one replacement character per byte."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return re.sub("[\udc80-\udcff]", "\ufffd", content.decode("utf-8", "surrogateescape"))


def _time(data: bytes) -> Json:
    """Without its seconds a time is in 1970, without any field it is no time at all."""
    seconds: Any = decode_message("Time", data).get("seconds", 0)
    return time_of(seconds) if data else None


def _items(name: str) -> Read:
    return lambda data: decode_message(name, data).get("items", [])


def _json(name: str) -> Read:
    def read(data: bytes) -> Json:
        raw: Any = decode_message(name, data).get("raw", "")
        return parse_json(base64.b64decode(raw)).document if raw else None

    return read


_CONTENTS: dict[str, Read] = {
    "Time": _time,
    "Verbs": _items("Verbs"),
    "ExtraValue": _items("ExtraValue"),
    "RawExtension": _json("RawExtension"),
    "FieldsV1": _json("FieldsV1"),
}
"""Messages that are something else in JSON."""
