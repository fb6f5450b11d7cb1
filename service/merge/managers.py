"""The entries of `metadata.managedFields`: which manager owns which fields, and since when.

Keeps: one entry per manager, operation, subresource and, for updates, version; entries without fields are not written;
written entries are sorted; times are UTC seconds. Elsewhere: who gets which field (`managed_fields.py`, `apply.py`).
Source: spec: kube-api 5.4.3, 5.4.8, 5.4.15.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from service.api.go_text import quote
from service.api.json_types import Json, JsonObject
from service.merge.field_set import FieldSet
from service.merge.fields_v1 import decode_fields, encode_fields

APPLY, UPDATE = "Apply", "Update"
_FIELDS_TYPE = "FieldsV1"
_TIME, _TIME_SIZE = "%Y-%m-%dT%H:%M:%SZ", len("2000-01-01T00:00:00Z")


class InvalidManagedFields(ValueError):
    """A list that is not one of managed fields entries."""


class ManagerKey(NamedTuple):
    """What makes two entries the same one."""

    manager: str
    operation: str
    api_version: str
    """Empty for Apply: an applier keeps its entry when it moves to another version."""
    subresource: str

    def __str__(self) -> str:
        """The manager as conflicts name it."""
        within = f" with subresource {quote(self.subresource)}" if self.subresource else ""
        using = f" using {self.api_version}" if self.operation == UPDATE else ""
        return quote(self.manager) + within + using


class Managed(NamedTuple):
    fields: FieldSet
    api_version: str
    time: str | None = None
    """RFC 3339; None for an applier that has changed nothing yet."""


Managers: TypeAlias = dict[ManagerKey, Managed]


def manager_key(manager: str, operation: str, api_version: str, subresource: str) -> ManagerKey:
    return ManagerKey(manager or "unknown", operation, api_version if operation == UPDATE else "", subresource)


def decode_managers(entries: Json) -> Managers:
    """Raises InvalidManagedFields, and nothing is known of the list then."""
    if entries is None:
        return {}
    if not isinstance(entries, list):
        raise InvalidManagedFields("managedFields must be a list")
    return dict(map(_decode, entries))


def encode_managers(managers: Managers) -> list[Json]:
    entries = [_encode(key, managed) for key, managed in sorted(managers.items(), key=_order) if managed.fields]
    return list(entries)


def same_but_for_times(one: Json, other: Json) -> bool:
    """Whether two encoded lists tell the same ownership."""
    if not (isinstance(one, list) and isinstance(other, list)) or len(one) != len(other):
        return one == other
    return all(_timeless(a) == _timeless(b) for a, b in zip(one, other, strict=True))


def _timeless(entry: Json) -> Json:
    return {k: v for k, v in entry.items() if k != "time"} if isinstance(entry, dict) else entry


def _decode(entry: Json) -> tuple[ManagerKey, Managed]:
    if not isinstance(entry, dict):
        raise InvalidManagedFields("an entry of managedFields must be an object")
    operation, api_version = _text(entry, "operation"), _text(entry, "apiVersion")
    if operation not in (APPLY, UPDATE):
        raise InvalidManagedFields("operation must be `Apply` or `Update`")
    if not api_version:
        raise InvalidManagedFields("apiVersion must not be empty")
    if _text(entry, "fieldsType") != _FIELDS_TYPE:
        raise InvalidManagedFields(f"fieldsType must be {_FIELDS_TYPE}")
    try:
        fields = decode_fields(entry.get("fieldsV1") or {})
    except ValueError as error:
        raise InvalidManagedFields(f"error decoding set: {error}") from error
    key = manager_key(_text(entry, "manager"), operation, api_version, _text(entry, "subresource"))
    return key, Managed(fields, api_version, _utc(_text(entry, "time")))


def _text(entry: JsonObject, name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidManagedFields(f"{name} must be a string")
    return value


def _utc(time: str) -> str | None:
    if not time or (len(time) == _TIME_SIZE and time.endswith("Z")):
        return time or None
    try:
        return datetime.fromisoformat(time).astimezone(UTC).strftime(_TIME)
    except ValueError as error:
        raise InvalidManagedFields(f"time: {error}") from error


def _encode(key: ManagerKey, managed: Managed) -> JsonObject:
    entry: JsonObject = {"manager": key.manager, "operation": key.operation, "apiVersion": managed.api_version}
    if managed.time:
        entry["time"] = managed.time
    entry["fieldsType"] = _FIELDS_TYPE
    entry["fieldsV1"] = encode_fields(managed.fields)
    if key.subresource:
        entry["subresource"] = key.subresource
    return entry


def _order(item: tuple[ManagerKey, Managed]) -> tuple[str, ...]:
    key, managed = item
    return key.operation, managed.time or "", key.manager, managed.api_version, key.subresource
