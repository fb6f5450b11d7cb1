"""The elements of a field path: a struct field or map key, a list item by its key, a set item, a list index.

An element is kept as the string it is in FieldsV1, because that is cheap to hash, to compare and to write.
Keeps: one item has one spelling (that of `go_values.compact_json`), so equal elements are equal strings.
Source: spec: kube-api 5.4.4 (spelling, order) and 5.4.8 (what messages print).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from service.api.go_text import quote
from service.api.json_types import Json
from service.merge.go_values import compact_json, plain

FIELD, KEY, VALUE, INDEX = "f:", "k:", "v:", "i:"
_RANK = {FIELD: 0, KEY: 1, VALUE: 2, INDEX: 3}

_decode = msgspec.json.Decoder().decode

Path: TypeAlias = tuple[str, ...]
_Comparable: TypeAlias = tuple[Any, ...]


class BadElement(ValueError):
    """A FieldsV1 key that cannot be read."""


def key_element(name: str, value: Json) -> str:
    """The list item whose field `name` has this value."""
    return KEY + compact_json({name: value})


def value_element(value: Json) -> str:
    """The set item with this value."""
    return VALUE + compact_json(value)


def canonical(text: str) -> str | None:
    """The one spelling of an element a client wrote; None for a kind we do not know, which readers skip.

    Raises BadElement for text that no version of the format could mean.
    """
    if text[1:2] != ":":
        raise BadElement(f"missing colon: {text}")
    kind, content = text[:2], text[2:]
    if kind == FIELD:
        return text
    try:
        match kind:
            case "k:":
                fields = _decode(content)
                return KEY + compact_json(fields) if isinstance(fields, dict) else _reject(text)
            case "v:":
                return VALUE + compact_json(_decode(content))
            case "i:":
                return INDEX + str(int(content))
    except ValueError as error:
        raise BadElement(f"{text}: {error}") from error
    return None


def display(path: Path) -> str:
    """The path as messages print it: `.spec.tags[name="a"].from`."""
    return "".join(map(display_element, path))


def display_element(element: str) -> str:
    kind, content = element[:2], element[2:]
    match kind:
        case "f:":
            return "." + content
        case "k:":
            return "[" + ",".join(f"{name}={_shown(value)}" for name, value in _decode(content).items()) + "]"
        case "v:":
            return f"[={_shown(_decode(content))}]"
        case _:
            return f"[{content}]"


def sort_key(element: str) -> _Comparable:
    """Fields, then keys, then values, then indices; each by what it says, not by how it is spelled."""
    kind, content = element[:2], element[2:]
    match kind:
        case "f:":
            return (_RANK[kind], content)
        case "k:":
            return (_RANK[kind], *((name, *_order(value)) for name, value in _decode(content).items()))
        case "v:":
            return (_RANK[kind], *_order(_decode(content)))
        case _:
            return (_RANK[kind], int(content))


def _reject(text: str) -> str:
    raise ValueError(f"not an object: {text}")


def _shown(value: Json) -> str:
    match value:
        case str():
            return quote(value)
        case None:
            return "null"
        case _:
            return plain(value)


def _order(value: Json) -> _Comparable:
    """Values of any types in one order: numbers, strings, booleans, null, then whatever is not a scalar."""
    match value:
        case bool():
            return (2, value)
        case int() | float():
            return (0, value)
        case str():
            return (1, value)
        case None:
            return (3,)
        case _:
            return (4, compact_json(value))
