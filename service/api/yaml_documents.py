"""YAML bodies, by the rules of Go's YAML 1.1 library: only the first document counts, keys become strings.

Keeps: a document comes out as the JSON it stands for, keys sorted as Go's JSON encoder leaves them; repeated keys are
noted with their lines; aliases cannot blow a small body up. Nothing but DecodeError is ever raised.
Elsewhere: what a plain scalar means (`yaml_scalars.py`), answers in YAML (`yaml_writing.py`).
Source: spec: kube-api 8.6, 13, observed "YAML bodies".
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.scanner import ScannerError

from service.api.base64_text import InvalidBase64, normalise_base64
from service.api.go_text import quote
from service.api.json_parsing import NESTING_LIMIT, DecodeError, Number, Parsed
from service.api.yaml_scalars import MERGE_KEY, Scalar, resolve

_TAG_PREFIX = "tag:yaml.org,2002:"
_EXCESSIVE = "yaml: document contains excessive aliasing"
_ALIASES_UNWATCHED = 100
_NODES_UNWATCHED = 1000
_RATIO_FALLS_FROM, _RATIO_FALLS_TO = 400_000, 4_000_000
_RATIO_HIGH, _RATIO_LOW = 0.99, 0.10


def parse_yaml(body: bytes) -> Parsed:
    """The first document in a body; an empty body is null. Raises DecodeError."""
    reader = _Reader(body)
    try:
        document = reader.document()
    except yaml.reader.ReaderError as error:
        raise DecodeError(f"yaml: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        raise DecodeError(f"yaml: {_located(error)}") from None
    return Parsed(document, repeated_lines=reader.repeated_lines)


def strict_error(repeated_lines: list[str]) -> str:
    """The repeated keys of a body as the one error that strict decoding makes of them."""
    return "yaml: unmarshal errors:\n" + "\n".join(f"  {line}" for line in repeated_lines)


def _located(error: yaml.MarkedYAMLError) -> str:
    """The problem and its line, counted as Go's library counts: lines from 0, and none where that is 0."""
    line = 0
    if error.problem_mark is not None and error.problem_mark.line:
        line = error.problem_mark.line + isinstance(error, ScannerError)
    elif error.context_mark is not None:
        line = error.context_mark.line
    problem = error.problem or "unknown problem parsing YAML content"
    return f"line {line}: {problem}" if line else problem


class _Value(NamedTuple):
    content: Any
    nodes: int
    """How many nodes it would be without aliases."""


class _Reader:
    """One pass over the events of the parser."""

    def __init__(self, body: bytes) -> None:
        self._events: Iterator[Event] = iter(yaml.parse(body, Loader=yaml.CSafeLoader))
        self._anchors: dict[str, _Value | None] = {}
        """None while the value is being read."""
        self._nodes = 0
        self._aliased = 0
        self.repeated_lines: list[str] = []

    def document(self) -> Any:
        for event in self._events:
            if isinstance(event, StreamEndEvent):
                break
            if isinstance(event, DocumentStartEvent):
                return self._read(next(self._events), 0).content
        return None

    def _read(self, event: Event, depth: int) -> _Value:
        if depth >= NESTING_LIMIT and isinstance(event, (SequenceStartEvent, MappingStartEvent)):
            raise DecodeError(f"yaml: exceeded max depth of {NESTING_LIMIT}")
        self._nodes += 1
        if isinstance(event, AliasEvent):
            return self._alias(event.anchor or "")
        anchor: str | None = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = None
        if isinstance(event, SequenceStartEvent):
            value = self._sequence(depth)
        elif isinstance(event, MappingStartEvent):
            value = self._mapping(depth)
        elif isinstance(event, ScalarEvent):
            value = _Value(_json_number(_scalar(event)), 1)
        else:
            raise DecodeError("yaml: unknown problem parsing YAML content")
        if anchor:
            self._anchors[anchor] = value
        return value

    def _sequence(self, depth: int) -> _Value:
        items, nodes = [], 1
        while not isinstance(event := next(self._events), SequenceEndEvent):
            item = self._read(event, depth + 1)
            items.append(item.content)
            nodes += item.nodes
        return _Value(items, nodes)

    def _mapping(self, depth: int) -> _Value:
        pairs: dict[str, Any] = {}
        seen: set[tuple[type, Scalar]] = set()
        nodes = 1
        while not isinstance(event := next(self._events), MappingEndEvent):
            if _is_merge(event):
                merged = self._read(next(self._events), depth + 1)
                nodes += merged.nodes
                _merge(pairs, merged.content)
                continue
            key = self._key(event)
            value_event = next(self._events)
            value = self._read(value_event, depth + 1)
            nodes += value.nodes + 1
            if (type(key), key) in seen:
                line = value_event.start_mark.line + 1 if value_event.start_mark else 1
                self.repeated_lines.append(f"line {line}: key {_go_syntax(key)} already set in map")
            seen.add((type(key), key))
            pairs[_key_text(key)] = value.content
        return _Value({key: pairs[key] for key in sorted(pairs)}, nodes)

    def _key(self, event: Event) -> Scalar:
        key: Any
        if isinstance(event, ScalarEvent):
            key = _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = _Value(key, 1)
        elif isinstance(event, AliasEvent):
            key = self._alias(event.anchor or "").content
        else:
            raise DecodeError("yaml: invalid map key")
        if key is None:
            raise DecodeError("unsupported map key of type: %!s(<nil>), key: <nil>")
        if isinstance(key, (list, dict)):
            raise DecodeError("yaml: invalid map key")
        scalar: Scalar = key
        return scalar

    def _alias(self, anchor: str) -> _Value:
        if anchor not in self._anchors:
            raise DecodeError(f"yaml: unknown anchor '{anchor}' referenced")
        value = self._anchors[anchor]
        if value is None:
            raise DecodeError(f"yaml: anchor '{anchor}' value contains itself")
        self._nodes += value.nodes
        self._aliased += value.nodes
        if (
            self._aliased > _ALIASES_UNWATCHED
            and self._nodes > _NODES_UNWATCHED
            and self._aliased / self._nodes > _allowed_ratio(self._nodes)
        ):
            raise DecodeError(_EXCESSIVE)
        return _Value(_copied(value.content), value.nodes)


def _allowed_ratio(nodes: int) -> float:
    """How much of a document aliases may make up: the less, the larger it is."""
    share = (min(max(nodes, _RATIO_FALLS_FROM), _RATIO_FALLS_TO) - _RATIO_FALLS_FROM) / (
        _RATIO_FALLS_TO - _RATIO_FALLS_FROM
    )
    return _RATIO_HIGH - (_RATIO_HIGH - _RATIO_LOW) * share


def _copied(value: Any) -> Any:
    """What an alias stands for, so that no two places of a document are one object."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _is_merge(event: Event) -> bool:
    return (
        isinstance(event, ScalarEvent)
        and event.value == MERGE_KEY
        and (event.implicit[0] or event.tag == f"{_TAG_PREFIX}merge")
    )


def _merge(pairs: dict[str, Any], merged: Any) -> None:
    sources = merged if isinstance(merged, list) else [merged]
    if not all(isinstance(source, dict) for source in sources):
        raise DecodeError("yaml: map merge requires map or sequence of maps as the value")
    # Earlier maps take precedence, so they are written last.
    for source in reversed(sources):
        pairs.update(source)


def _scalar(event: ScalarEvent) -> Scalar:
    tag: str | None = event.tag
    if not tag or tag == "!":
        return resolve(event.value) if event.implicit[0] else str(event.value)
    short = tag.removeprefix(_TAG_PREFIX)
    text = str(event.value)
    if short == "binary":
        try:
            return base64.b64decode(normalise_base64(text)).decode("utf-8", "replace")
        except InvalidBase64:
            raise DecodeError("yaml: !!binary value contains invalid base64 data") from None
    return _tagged(short, text)


_TAGGED_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "null": (type(None),),
}


def _tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar that names its type; an unknown type is a string."""
    types = _TAGGED_TYPES.get(tag)
    if types is None:
        return text
    value = resolve(text)
    if type(value) not in types:
        names = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
        raise DecodeError(f"yaml: cannot decode !!{names[type(value)]} `{text}` as a !!{tag}")
    return value


def _json_number(value: Scalar) -> Scalar:
    if isinstance(value, float):
        if not math.isfinite(value):
            name = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
            raise DecodeError(f"json: unsupported value: {name}")
        return Number(repr(value))
    return value


def _key_text(key: Scalar) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float):
        special = {math.inf: ".inf", -math.inf: "-.inf"}
        return ".nan" if math.isnan(key) else special.get(key, repr(key))
    return str(key)


def _go_syntax(key: Scalar) -> str:
    return quote(key) if isinstance(key, str) else _key_text(key)
