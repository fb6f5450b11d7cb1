"""From a document to a wire type, as Go's strict and lenient decoders do it.

Keeps: a document is refused for Go's reasons, in Go's words; what Go would ignore is listed, not lost; a document that
needs no change is not copied. Nothing but DecodeError is ever raised.
Elsewhere: bytes to documents (`json_parsing.py`, `yaml_documents.py`), what the types look like (`shapes.py`), defaults
(`defaults.py`). Source: spec: kube-api 4.1, 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from service.api.base64_text import InvalidBase64, normalise_base64
from service.api.findings import Findings, Place, fields_on_the_way, path_of
from service.api.json_parsing import DecodeError, Number, Pairs, Parsed, parse_json
from service.api.json_types import Json, JsonObject
from service.api.shapes import RAW_EXTENSION, Field, Kind, Shape, fields_of, go_name
from service.api.timestamps import InvalidTime, normalise_time

__all__ = ["DecodeError", "Inspection", "Parsed", "findings", "inspect", "parse_json", "to_struct", "type_meta"]
"""With the first step, `json_parsing.parse_json`, so that whoever decodes needs one door."""

T = TypeVar("T", bound=msgspec.Struct)


class Inspection(msgspec.Struct):
    document: JsonObject
    """Without what Go takes for nothing: nulls, unknown fields, empty lists and maps that are not written."""
    unknown: list[str] = []
    """Paths of fields that the type does not have, in the order of the document."""
    unknown_is_cut: bool = False
    """Whether there may be more of them than are listed."""


def inspect(document: Json, struct: type[msgspec.Struct]) -> Inspection:
    """Check a document against a type. Raises DecodeError for what the type cannot hold."""
    walk = _Walk()
    inspected = walk.root(document, struct)
    error = walk.error or walk.conversion_error
    if error:
        raise DecodeError(error)
    return Inspection(inspected, walk.unknown.texts(), walk.unknown.full)


def to_struct(document: JsonObject, struct: type[T]) -> T:
    """The object of an inspected document. Raises DecodeError."""
    try:
        return msgspec.convert(document, struct)
    except msgspec.ValidationError as error:
        raise DecodeError(f"json: {error}") from error


def findings(parsed: Parsed, inspection: Inspection, struct: type[msgspec.Struct]) -> list[str]:
    """What is odd about a body, one sentence each, in the order of the reference (spec: kube-api 8.2, 8.7)."""
    if parsed.pairs is None:
        return [*parsed.repeated_lines, *(f'unknown field "{path}"' for path in inspection.unknown)]
    odd = Findings()
    for text in _oddities(parsed.pairs, Shape(Kind.STRUCT, "", struct=struct), None):
        odd.add(text)
        if odd.full:
            break
    return odd.texts()


def type_meta(document: Json) -> tuple[str, str]:
    """apiVersion and kind, read before the type is known. Raises DecodeError.

    Go reads them without regard to case here, and only here.
    """
    if document is None:
        return "", ""
    if not isinstance(document, dict):
        raise DecodeError(f"json: cannot unmarshal {_kind_of(document)} into Go value of type {_TYPE_META}")
    values = {"apiversion": "", "kind": ""}
    for key, value in document.items():
        name = key.lower()
        if name not in values or value is None:
            continue
        if not isinstance(value, str):
            field = {"apiversion": "apiVersion", "kind": "kind"}[name]
            raise DecodeError(f"json: cannot unmarshal {_kind_of(value)} into Go struct field .{field} of type string")
        values[name] = value
    return values["apiversion"], values["kind"]


_TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


class _Walk:
    """One walk over a document. Go goes on after a wrong type and reports the first; a bad time ends its walk."""

    def __init__(self) -> None:
        self.unknown = Findings()
        self.error = ""
        self.conversion_error = ""
        """What the step after decoding would say; it counts only if decoding says nothing."""

    def root(self, document: Json, struct: type[msgspec.Struct]) -> JsonObject:
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise DecodeError(f"json: cannot unmarshal {_kind_of(document)} into Go value of type {go_name(struct)}")
        return self._struct(document, struct, None)

    def _struct(self, document: JsonObject, struct: type[msgspec.Struct], place: Place) -> JsonObject:
        fields = fields_of(struct)
        result = document
        for key, value in document.items():
            field = fields.get(key)
            if field is None:
                if not self.unknown.full:
                    self.unknown.add(path_of((place, key, True)))
            elif value is not None:
                if field.plain is type(value) and (not isinstance(value, int) or -field.limit <= value < field.limit):
                    continue
                decoded = self._value(value, field.shape, (place, key, True), struct)
                if decoded is value and (decoded or not field.drops_empty):
                    continue
                if decoded is not None and (decoded or not field.drops_empty):
                    result = dict(document) if result is document else result
                    result[key] = decoded
                    continue
            result = dict(document) if result is document else result
            del result[key]
        return result

    def _value(self, value: Json, shape: Shape, place: Place, owner: type[msgspec.Struct]) -> Json:
        """What Go makes of a value that is not null; None where that is nothing."""
        kind = shape.kind
        if kind is Kind.STRING and isinstance(value, str):
            return value
        if kind is Kind.INTEGER and isinstance(value, int) and not isinstance(value, bool):
            if -shape.limit <= value < shape.limit:
                return value
        elif kind is Kind.STRUCT and isinstance(value, dict) and shape.struct is not None:
            return self._struct(value, shape.struct, place)
        elif kind is Kind.LIST and isinstance(value, list) and shape.item is not None:
            return self._list(value, shape.item, place, owner)
        elif kind is Kind.MAP and isinstance(value, dict) and shape.item is not None:
            return self._map(value, shape.item, place, owner)
        elif kind is Kind.RAW:
            return self._raw(value, shape)
        elif kind is Kind.TIME and isinstance(value, str):
            try:
                return normalise_time(value)
            except InvalidTime as error:
                raise DecodeError(str(error)) from None
        elif kind is Kind.BYTES and isinstance(value, str):
            try:
                return normalise_base64(value)
            except InvalidBase64 as error:
                self._save(str(error))
                return None
        elif kind is Kind.BOOL and isinstance(value, bool):
            return value
        self._refuse(value, shape, place, owner)
        return None

    def _raw(self, value: Json, shape: Shape) -> Json:
        """A free-form object. Where it is none, Go forgets it, or fails to make a DockerImage of it."""
        if isinstance(value, dict):
            return _plain(value)
        if shape.go_type == RAW_EXTENSION:
            refusal = f"json: cannot unmarshal {_kind_of(value)} into Go value of type {_TYPE_META}"
            self.conversion_error = f"couldn't get version/kind; json parse error: {refusal}"
        return None

    def _list(self, values: list[Json], item: Shape, place: Place, owner: type[msgspec.Struct]) -> list[Json]:
        result = values
        for i, value in enumerate(values):
            if value is None:
                decoded = _zero(item)
            else:
                decoded = self._value(value, item, (place, i, False), owner)
            if decoded is not value:
                result = list(values) if result is values else result
                result[i] = decoded
        return result

    def _map(self, values: JsonObject, item: Shape, place: Place, owner: type[msgspec.Struct]) -> JsonObject:
        result = values
        for key, value in values.items():
            if value is None:
                decoded = _zero(item)
            else:
                decoded = self._value(value, item, (place, key, False), owner)
            if decoded is not value:
                result = dict(values) if result is values else result
                result[key] = decoded
        # Go writes the keys of its maps in order.
        in_order = sorted(values)
        return result if in_order == list(values) else {key: result[key] for key in in_order}

    def _refuse(self, value: Json, shape: Shape, place: Place, owner: type[msgspec.Struct]) -> None:
        kind = _kind_of(value)
        if shape.kind is Kind.INTEGER and kind == "number":
            kind = f"number {value.text if isinstance(value, Number) else value}"
        where = f"{go_name(owner).rpartition('.')[2]}.{fields_on_the_way(place)}"
        error = f"json: cannot unmarshal {kind} into Go struct field {where} of type {shape.go_type}"
        if shape.kind is Kind.TIME:
            raise DecodeError(error)
        self._save(error)

    def _save(self, error: str) -> None:
        self.error = self.error or error


_PLAIN_TYPES = frozenset({str, int, bool, type(None)})


def _kind_of(value: Json) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"


def _zero(shape: Shape) -> Json:
    """What a null leaves in a list or a map: they keep their keys."""
    zeros: dict[Kind, Json] = {Kind.STRING: "", Kind.BOOL: False, Kind.INTEGER: 0, Kind.BYTES: ""}
    return {} if shape.kind is Kind.STRUCT else zeros.get(shape.kind)


def _plain(value: Json) -> Json:
    """A free-form value without our Numbers, which only remember their spelling for messages."""
    if isinstance(value, Number):
        return float(value)
    if isinstance(value, dict):
        changed = {}
        for key, item in value.items():
            if type(item) not in _PLAIN_TYPES and (plain := _plain(item)) is not item:
                changed[key] = plain
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _oddities(node: object, shape: Shape, place: Place) -> Iterator[str]:
    """Unknown and duplicate fields as Go meets them: inside unknown and free-form fields it does not look."""
    if isinstance(node, Pairs):
        fields: dict[str, Field] | None = fields_of(shape.struct) if shape.struct is not None else None
        seen: set[str] = set()
        for key, value in node:
            here: Place = (place, key, False)
            inner = shape.item if fields is None else fields[key].shape if key in fields else None
            if inner is None:
                if fields is not None:
                    yield f'unknown field "{path_of(here)}"'
                continue
            if key in seen:
                yield f'duplicate field "{path_of(here)}"'
            seen.add(key)
            yield from _oddities(value, inner, here)
    elif isinstance(node, list) and shape.item is not None:
        for i, item in enumerate(node):
            yield from _oddities(item, shape.item, (place, i, False))
