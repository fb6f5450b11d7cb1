"""Who owns which field after an ordinary write: what a create, update or patch changed becomes the writer's.

Keeps: a path that is gone is owned by nobody; a path that was written is owned by its writer alone; nothing changed,
nothing recorded; an object without managed fields stays without. Failing to tell fields apart never fails a write, it
ends the tracking. Elsewhere: server-side apply (`apply.py`), validity of what clients send.
Source: spec: kube-api 5.5, 5.4.10.
"""

from __future__ import annotations

from functools import lru_cache

from service.api.json_types import Json, JsonObject
from service.merge.field_set import EMPTY, FieldSet
from service.merge.managers import (
    UPDATE,
    InvalidManagedFields,
    Managed,
    ManagerKey,
    Managers,
    decode_managers,
    encode_managers,
    manager_key,
    same_but_for_times,
)
from service.merge.path_elements import FIELD
from service.merge.schema import StructType
from service.merge.structure import NO_CHANGE, Comparison, UnnamedItem, compare

UPDATE_MANAGERS_LIMIT = 10
ANCIENT_CHANGES = "ancient-changes"
MANAGER_LIMIT_BYTES = 128
USER_AGENTS_LIMIT = 256
"""Whose managers are remembered: the same few clients write all day."""

_STRIPPED_METADATA = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
UNTRACKED = FieldSet.of(
    *((FIELD + name,) for name in ("apiVersion", "kind", "metadata")),
    *((FIELD + "metadata", FIELD + name) for name in _STRIPPED_METADATA),
)
"""What nobody owns (spec: kube-api 5.4.10)."""


@lru_cache(USER_AGENTS_LIMIT)
def manager_from_user_agent(user_agent: str) -> str:
    """The manager's name of a request that gives none."""
    name, size_bytes = "", 0
    for char in filter(str.isprintable, user_agent.partition("/")[0]):
        size_bytes += len(char.encode())
        if size_bytes > MANAGER_LIMIT_BYTES:
            break
        name += char
    return name or "unknown"


def track_update(
    schema: StructType,
    live: JsonObject | None,
    new: JsonObject,
    manager: str,
    api_version: str,
    now: str,
    subresource: str = "",
) -> list[Json]:
    """The managedFields of the object that is about to replace `live`; empty if it is not tracked.

    `live` is the object as stored, not as reads decorate it, None on create; `new` the object as the client wants it,
    decoded, defaulted and encoded again, without system metadata clients may not set, before the server sets anything
    in it, and with the managedFields the client sent, if any. `now` is in RFC 3339, UTC seconds.
    """
    live_entries, sent_entries = managed_fields_of(live), managed_fields_of(new)
    try:
        changes = compare(schema, schema.zero if live is None else live, new)
    except UnnamedItem:
        return []
    nothing_new = changes == NO_CHANGE or not any(part.difference(UNTRACKED) for part in changes)
    if nothing_new and sent_entries in (None, live_entries):
        return live_entries if isinstance(live_entries, list) else []
    managers = _managers_before(live_entries, None if subresource else sent_entries)
    if live is not None and not managers:
        return []
    if nothing_new:
        entries = encode_managers(managers)
        return live_entries if isinstance(live_entries, list) and same_but_for_times(live_entries, entries) else entries
    record_update(managers, changes, manager_key(manager, UPDATE, api_version, subresource), api_version, now)
    return encode_managers(managers)


def record_update(managers: Managers, changes: Comparison, key: ManagerKey, api_version: str, now: str) -> None:
    """Give what was written to the manager, take it and what was removed from all; `managers` is changed in place."""
    written = changes.written
    disown(managers, written.union(changes.removed))
    if mine := written.difference(UNTRACKED):
        previous = managers[key].fields if key in managers else EMPTY
        managers[key] = Managed(previous.union(mine), api_version, now)
    _cap(managers)


def disown(managers: Managers, fields: FieldSet) -> None:
    """Take the fields from every manager, and drop the managers that are left with none; in place."""
    for key, managed in list(managers.items()):
        rest = managed.fields.difference(fields)
        if rest:
            managers[key] = managed._replace(fields=rest)
        else:
            del managers[key]


def managed_fields_of(document: JsonObject | None) -> Json:
    """The list an object carries, as it is; None if there is none."""
    metadata = document.get("metadata") if document else None
    return metadata.get("managedFields") if isinstance(metadata, dict) else None


def only_times_differ(live: JsonObject, new: JsonObject) -> bool:
    """Whether the new object tells nothing new but when: then nothing has happened (spec: kube-api 4.4.8, 5.4.12)."""
    return same_but_for_times(managed_fields_of(live), managed_fields_of(new)) and (
        without_managed_fields(live) == without_managed_fields(new)
    )


def without_managed_fields(document: JsonObject) -> JsonObject:
    metadata = document.get("metadata")
    rest = {k: v for k, v in metadata.items() if k != "managedFields"} if isinstance(metadata, dict) else {}
    return {**document, "metadata": rest}


def _managers_before(live: Json, sent: Json) -> Managers:
    """The entries to start from: the client's if they make sense, none if it clears them, else the live ones."""
    if sent in ([], [{}]):
        return {}
    for entries in (sent, live):
        try:
            if managers := decode_managers(entries):
                return managers
        except InvalidManagedFields:
            continue
    return {}


def _cap(managers: Managers) -> None:
    """Fold the oldest updates into one entry per version until few enough are left."""
    updates = sorted((m.time or "", key) for key, m in managers.items() if key.operation == UPDATE)
    surplus = len(updates) - UPDATE_MANAGERS_LIMIT
    oldest_of: dict[str, ManagerKey] = {}
    for _, key in updates:
        if surplus <= 0:
            return
        oldest = oldest_of.setdefault(key.api_version, key)
        if oldest == key:
            continue
        bucket = ManagerKey(ANCIENT_CHANGES, UPDATE, key.api_version, "")
        if key == bucket:
            continue
        if bucket not in managers:
            managers[bucket] = managers.pop(oldest)
        folded = managers.pop(key)
        managers[bucket] = folded._replace(fields=folded.fields.union(managers[bucket].fields))
        surplus -= 1
