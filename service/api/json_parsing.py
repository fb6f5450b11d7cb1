"""From the bytes of a JSON body to a document, noticing keys that come twice.

Keeps: what Go accepts is accepted and what it refuses is refused with its text, except for nesting (see the limit);
the common case, no duplicates, is one pass of the C parser. Nothing but DecodeError is ever raised.
Elsewhere: the texts of refusals (`json_syntax.py`), what the document means (`decoding.py`).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

from service.api.findings import Findings, Place, path_of
from service.api.json_syntax import TOO_DEEP, syntax_error
from service.api.json_types import Json

NESTING_LIMIT = 256
"""Go goes 10,000 deep, Python cannot; no object of ours needs a tenth of this."""
INT64_DIGITS = 19


class DecodeError(ValueError):
    """The body cannot be decoded; the message is Go's."""


class Number(float):
    """A JSON number that is no integer, or too long for one: it remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


class Pairs(list[tuple[str, Any]]):
    """An object of a body in which some key came twice: its pairs as they came."""


class Parsed(msgspec.Struct):
    document: Json
    duplicates: list[str] = []
    """Paths of keys that came twice; the last one counts."""
    repeated_lines: list[str] = []
    """The same for a YAML body: `line 5: key "spec" already set in map`."""
    pairs: Any = None
    """The document again, with Pairs for objects, if there are duplicates."""


class _RepeatedKey(Exception):
    pass


class _NotJson(Exception):
    pass


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _RepeatedKey
    return document


def _refuse_constant(_: str) -> NoReturn:
    raise _NotJson


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= INT64_DIGITS + 1 else Number(text)


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_float=Number, parse_constant=_refuse_constant)
_careful_decoder = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_float=Number, parse_int=_integer, parse_constant=_refuse_constant
)
_HALF_PAIRS = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
_LONE_LENGTH = len("\\ud800")


def parse_json(body: bytes) -> Parsed:
    """The document in a body. Raises DecodeError."""
    text = _decoded(body)
    try:
        parsed = Parsed(_decoder.decode(text))
    except (json.JSONDecodeError, _NotJson):
        raise DecodeError(syntax_error(body)) from None
    except RecursionError:
        raise DecodeError(TOO_DEEP) from None
    except (_RepeatedKey, ValueError):
        # A ValueError that is no JSONDecodeError: an integer of more digits than Python likes to read.
        return _parse_carefully(text, body)
    if body.count(b"{") + body.count(b"[") > NESTING_LIMIT:
        refuse_deep(parsed.document)
    return parsed


def refuse_deep(document: Json) -> None:
    """Raise DecodeError if the document is nested deeper than what all code here can follow."""
    level: list[Any] = [document]
    for _ in range(NESTING_LIMIT):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise DecodeError(TOO_DEEP)


def _decoded(body: bytes) -> str:
    """The text, with what is no Unicode replaced as Go does: one replacement character per byte."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = re.sub("[\udc80-\udcff]", "\ufffd", body.decode("utf-8", "surrogateescape"))
    return _ESCAPES.sub(_whole, text) if "\\u" in text and _HALF_PAIRS.search(text) else text


def _whole(escape: re.Match[str]) -> str:
    lone = escape[0].startswith("\\u") and len(escape[0]) == _LONE_LENGTH
    return "\\ufffd" if lone else escape[0]


def _parse_carefully(text: str, body: bytes) -> Parsed:
    try:
        tree = _careful_decoder.decode(text)
    except (json.JSONDecodeError, _NotJson):
        raise DecodeError(syntax_error(body)) from None
    except RecursionError:
        raise DecodeError(TOO_DEEP) from None
    duplicates = Findings()
    document = _merged(tree, None, 0, duplicates)
    paths = duplicates.texts()
    return Parsed(document, paths, pairs=tree if paths else None)


def _merged(node: Any, place: Place, depth: int, duplicates: Findings) -> Json:
    """The document of a tree of Pairs."""
    if depth >= NESTING_LIMIT and isinstance(node, list):
        raise DecodeError(TOO_DEEP)
    if isinstance(node, Pairs):
        document: dict[str, Json] = {}
        for key, value in node:
            here: Place = (place, key, False)
            if key in document and not duplicates.full:
                duplicates.add(path_of(here))
            document[key] = _merged(value, here, depth + 1, duplicates)
        return document
    if isinstance(node, list):
        return [_merged(item, (place, i, False), depth + 1, duplicates) for i, item in enumerate(node)]
    result: Json = node
    return result
