"""Answers in YAML as Go's library writes them: block style, keys in its "natural" order, quotes only where needed.

Keeps: reading an answer back gives the document it was made from.
Elsewhere: reading (`yaml_documents.py`), which strings need quotes (`yaml_scalars.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cmp_to_key, lru_cache

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from service.api.json_types import Json
from service.api.yaml_scalars import needs_quotes

LINE_WIDTH_CHARACTERS = 80
_CACHED_KEYS = 64
_CACHED_KEY_CHARACTERS = 64


def dump_yaml(document: Json) -> str:
    """The document as YAML text, with a line break at its end."""
    text: str = yaml.emit(_stream(document), Dumper=yaml.CSafeDumper, width=LINE_WIDTH_CHARACTERS, allow_unicode=True)
    return text


def _stream(document: Json) -> Iterator[Event]:
    yield StreamStartEvent()
    yield DocumentStartEvent(explicit=False)
    yield from _events(document)
    yield DocumentEndEvent(explicit=False)
    yield StreamEndEvent()


def _events(value: Json) -> Iterator[Event]:
    if isinstance(value, dict):
        yield MappingStartEvent(None, None, True, flow_style=False)
        for key in natural_order(value):
            yield _string(key)
            yield from _events(value[key])
        yield MappingEndEvent()
    elif isinstance(value, list):
        yield SequenceStartEvent(None, None, True, flow_style=False)
        for item in value:
            yield from _events(item)
        yield SequenceEndEvent()
    elif isinstance(value, str):
        yield _string(value)
    else:
        yield _plain(value)


def _string(text: str) -> Event:
    style = "|" if "\n" in text else '"' if needs_quotes(text) else None
    return ScalarEvent(None, None, (True, True), text, style=style)


def _plain(value: bool | int | float | None) -> Event:
    if value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value)
    return ScalarEvent(None, None, (True, True), text)


def natural_order(keys: dict[str, Json]) -> tuple[str, ...]:
    """The keys as Go's library sorts them: letters after all else, numbers inside by value."""
    as_given = tuple(keys)
    if len(as_given) <= _CACHED_KEYS and all(len(key) <= _CACHED_KEY_CHARACTERS for key in as_given):
        return _cached_order(as_given)
    return _order(as_given)


def _order(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(keys, key=cmp_to_key(_compare)))


_cached_order = lru_cache(maxsize=4096)(_order)


def _compare(a: str, b: str) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x == y:
            continue
        if x.isalpha() and y.isalpha():
            return -1 if x < y else 1
        if x.isalpha() or y.isalpha():
            return 1 if x.isalpha() else -1
        return _compare_numbers(a, b, i)
    return len(a) - len(b)


def _compare_numbers(a: str, b: str, i: int) -> int:
    """Compare where two keys differ and neither has a letter; a zero in front counts only at the start of a number."""
    lead = "1" if "0" in (a[i], b[i]) and a[:i].rstrip("0") != a[:i].rstrip("0123456789") else ""
    run_a, run_b = _digits(a, i), _digits(b, i)
    value_a, value_b = int(lead + run_a or "0"), int(lead + run_b or "0")
    if value_a != value_b:
        return -1 if value_a < value_b else 1
    if len(run_a) != len(run_b):
        return len(run_a) - len(run_b)
    return -1 if a[i] < b[i] else 1


def _digits(text: str, start: int) -> str:
    rest = text[start:]
    return rest[: len(rest) - len(rest.lstrip("0123456789"))]
