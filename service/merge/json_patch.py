"""JSON Patch (RFC 6902), as the Go library of the reference applies it.

Keeps: all operations or none; the number of operations and the bytes that `copy` adds are bounded. Departs from the RFC
where that library does: indices count from the end when negative, `replace` of a missing member adds it, `test` of a
missing member for null passes, null stands in for a missing `value`, and the whole document cannot be named.
Elsewhere: reading the body, duplicate members (the caller). Source: spec: kube-api 5.2, recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec

from service.api.json_types import Json, JsonObject
from service.merge.errors import PatchFailed, PatchSyntaxError, PatchTooLarge
from service.merge.go_values import compact_json, json_kind

OPERATIONS_LIMIT = 10_000
COPIES_LIMIT_BYTES = 3 * 1024 * 1024

_TEXT_MEMBERS = ("op", "path", "from")
_MEMBERS = frozenset((*_TEXT_MEMBERS, "value"))
_APPEND = "-"

_INDEX = re.compile(r"[+-]?[0-9]{1,9}")

T = TypeVar("T")


def apply_json_patch(document: JsonObject, operations: Json) -> JsonObject:
    """The patched document.

    Raises PatchSyntaxError if the patch is no list of operations, PatchTooLarge, PatchFailed if one does not apply.
    """
    checked = _checked(operations)
    if len(checked) > OPERATIONS_LIMIT:
        raise PatchTooLarge(OPERATIONS_LIMIT, len(checked))
    patched = _clone(document)
    copied_bytes = 0
    for operation in _clone(checked):
        copied_bytes += _run(patched, operation)
        if copied_bytes > COPIES_LIMIT_BYTES:
            raise PatchFailed(f"copy operations add more than {COPIES_LIMIT_BYTES} bytes")
    return patched


def unknown_members(operations: Json) -> Iterator[str]:
    """A sentence for each member that means nothing in an operation, for strict field validation."""
    for index, operation in enumerate(operations if isinstance(operations, list) else []):
        for name in operation if isinstance(operation, dict) else ():
            if name not in _MEMBERS:
                yield f'json patch unknown field "[{index}].{name}"'


def _checked(operations: Json) -> list[JsonObject]:
    if operations is None:
        return []
    if not isinstance(operations, list):
        raise _wrong_type(operations, "value of type []handlers.jsonPatchOp")
    checked: list[JsonObject] = []
    for operation in operations:
        if not isinstance(operation, dict | None):
            raise _wrong_type(operation, "value of type handlers.jsonPatchOp")
        checked.append(operation or {})
        for name in _TEXT_MEMBERS:
            if not isinstance(text := checked[-1].get(name), str | None):
                raise _wrong_type(text, f"struct field jsonPatchOp.{name} of type string")
    return checked


def _wrong_type(value: Json, place: str) -> PatchSyntaxError:
    return PatchSyntaxError(f"error decoding patch: json: cannot unmarshal {json_kind(value)} into Go {place}")


class _Place(NamedTuple):
    """A member of a container; the member need not be there."""

    container: JsonObject | list[Json]
    key: str


def _run(document: JsonObject, operation: JsonObject) -> int:
    """Change the document; the number of bytes that were copied."""
    match operation.get("op"):
        case "add":
            _add(_place(document, operation, "path"), operation.get("value"))
        case "remove":
            _remove(_place(document, operation, "path"))
        case "replace":
            _replace(_place(document, operation, "path"), operation.get("value"))
        case "move":
            source = _place(document, operation, "from")
            value = _value(source)
            _remove(source)
            _add(_place(document, operation, "path"), value)
        case "copy":
            value = _value(_place(document, operation, "from"))
            _add(_place(document, operation, "path"), _clone(value))
            return len(compact_json(value).encode())
        case "test":
            if not _same(_value(_place(document, operation, "path")), operation.get("value")):
                raise PatchFailed(f"testing value {operation.get('path')} failed")
        case unknown:
            raise PatchFailed(f"unexpected kind of operation: {unknown}")
    return 0


def _place(document: JsonObject, operation: JsonObject, member: str) -> _Place:
    """Where the operation's pointer leads; all of the way there must exist, but not its end."""
    pointer = operation.get(member)
    _, *way = str(pointer or "").split("/")
    if not way:
        raise PatchFailed(f"no {member} to go to: {pointer}")
    *parents, key = (part.replace("~1", "/").replace("~0", "~") for part in way)
    place = _Place(document, key)
    for parent in parents:
        container = _value(place._replace(key=parent))
        if not isinstance(container, dict | list):
            raise PatchFailed(f"nothing at {parent} in {pointer}")
        place = _Place(container, key)
    return place


def _value(place: _Place) -> Json:
    """The value at the place; null where a member of an object is missing."""
    if isinstance(place.container, dict):
        return place.container.get(place.key)
    return place.container[_index(place.key, len(place.container))]


def _same(found: Json, wanted: Json) -> bool:
    """Whether the values are equal to JSON, which tells 1 from true and from 1.0; quick to say no to what is large."""
    return found == wanted and compact_json(found) == compact_json(wanted)


def _add(place: _Place, value: Json) -> None:
    if isinstance(place.container, dict):
        place.container[place.key] = value
    elif place.key == _APPEND:
        place.container.append(value)
    else:
        place.container.insert(_index(place.key, len(place.container) + 1), value)


def _replace(place: _Place, value: Json) -> None:
    if isinstance(place.container, dict):
        place.container[place.key] = value
    else:
        place.container[_index(place.key, len(place.container))] = value


def _remove(place: _Place) -> None:
    if isinstance(place.container, list):
        del place.container[_index(place.key, len(place.container))]
    elif place.key in place.container:
        del place.container[place.key]
    else:
        raise PatchFailed(f"nothing to remove at {place.key}")


def _index(text: str, places: int) -> int:
    if not _INDEX.fullmatch(text):
        raise PatchFailed(f"not an index: {text}")
    index = int(text)
    if not -places <= index < places:
        raise PatchFailed(f"index out of range: {text}")
    return index % places


def _clone(value: T) -> T:
    """A deep copy that shares nothing."""
    copied: T = msgspec.json.decode(msgspec.json.encode(value))
    return copied
