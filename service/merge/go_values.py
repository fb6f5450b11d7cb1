"""JSON values as Go writes and prints them, because field paths, annotations and messages hold them that way.

Keeps: the texts of encoding/json, and of `fmt`'s %v, %q, %T and %#v for what it makes of a document. Elsewhere: the
sentences around them (`strategic_patch.py`, `typed_patch.py`).
"""

from __future__ import annotations

import msgspec

from service.api.go_text import quote
from service.api.json_types import Json

_EXPONENT_FROM = 1e21
"""Whole floats below it are printed without an exponent, unlike in Python."""

_HTML = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})

_encode = msgspec.json.Encoder(order="sorted").encode


def compact_json(value: Json) -> str:
    """json.Marshal of maps and lists: keys sorted, no spaces, what HTML gives a meaning to escaped."""
    return _encode(value).decode().translate(_HTML)


def plain(value: Json) -> str:
    """%v"""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case list():
            return "[" + " ".join(map(plain, value)) + "]"
        case dict():
            return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
        case _:
            return str(value)


def type_name(value: Json) -> str:
    """%T"""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case dict():
            return "map[string]interface {}"


def syntax(value: Json) -> str:
    """%#v"""
    match value:
        case None:
            return "interface {}(nil)"
        case str():
            return quote(value)
        case list():
            return type_name(value) + "{" + ", ".join(map(syntax, value)) + "}"
        case dict():
            return type_name(value) + "{" + ", ".join(f"{quote(k)}:{syntax(value[k])}" for k in sorted(value)) + "}"
        case _:
            return plain(value)


def json_kind(value: Json) -> str:
    """The word encoding/json has for the value when it cannot unmarshal it."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"


def _float(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _EXPONENT_FROM else repr(value)
