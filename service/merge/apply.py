"""Server-side apply: a manager says what it wants, and owns exactly that.

Keeps: what the manager wants is in the result; what it wanted last time and no longer wants is not, unless others own
it; nobody loses a field to it without force; applying the same again changes nothing. Elsewhere: decoding and
defaulting the result, which may hold explicit nulls (the caller), and the times of a result that turns out to be no
change (`managed_fields.only_times_differ`). Source: spec: kube-api 5.4.
"""

from __future__ import annotations

from functools import reduce

from service.api.json_types import Json, JsonObject
from service.merge.errors import ApplyConflicts, Conflict, PatchSyntaxError, TypedPatchError
from service.merge.field_set import EMPTY, FieldSet
from service.merge.kubectl import KUBECTL, refreshed_last_applied, unchanged_since_last_applied
from service.merge.managed_fields import UNTRACKED, disown, managed_fields_of, record_update, without_managed_fields
from service.merge.managers import (
    APPLY,
    UPDATE,
    Managed,
    ManagerKey,
    Managers,
    decode_managers,
    encode_managers,
    manager_key,
)
from service.merge.path_elements import Path, display
from service.merge.schema import StructType
from service.merge.structure import Comparison, UnnamedItem, applied_paths, compare, with_declared_fields
from service.merge.typed_merge import merge, without
from service.merge.typed_patch import check_typed, told

BEFORE_FIRST_APPLY = "before-first-apply"


def apply(
    schema: StructType,
    live: JsonObject | None,
    config: JsonObject,
    *,
    manager: str,
    force: bool,
    api_version: str,
    now: str,
    subresource: str = "",
) -> JsonObject:
    """The object with the configuration in it, and with its new managedFields.

    `schema` is that of the kind, and carries its name; `live` the stored object, None to create one; `now` is in
    RFC 3339, UTC seconds. Raises PatchSyntaxError for a configuration of another type or with managedFields,
    TypedPatchError for one that breaks the schema, ApplyConflicts.
    """
    described = _check_config(schema, config, api_version)
    managers = decode_managers(managed_fields_of(live))
    empty: JsonObject = {"kind": schema.name, "apiVersion": api_version, **schema.zero}
    base = empty if live is None else without_managed_fields(live)
    try:
        if not managers:
            creator = manager_key(BEFORE_FIRST_APPLY, UPDATE, api_version, subresource)
            record_update(managers, compare(schema, schema.zero, base), creator, api_version, now)
        key = manager_key(manager, APPLY, api_version, subresource)
        previous = managers.get(key, Managed(EMPTY, api_version))
        managers[key] = Managed(applied_paths(schema, config), api_version, previous.time)
        result = _object(_pruned(schema, merge(schema, base, config), managers, previous.fields))
        changes = compare(schema, base, result)
    except UnnamedItem as error:
        problem = told(schema, base) or str(error)
        raise TypedPatchError(f"failed to create typed live object ({described}): {problem}") from error
    if not force:
        allowed = unchanged_since_last_applied(schema, base, api_version) if manager == KUBECTL else EMPTY
        _refuse_conflicts(managers, key, changes, allowed)
    _settle(managers, key, changes, now if result != base else previous.time)
    applied = _with_entries(result, encode_managers(managers))
    return refreshed_last_applied(applied, config) if manager == KUBECTL else applied


def _check_config(schema: StructType, config: JsonObject, api_version: str) -> str:
    """Which object it is for, as messages say it."""
    object_type = _object_type(config)
    if (config.get("apiVersion"), config.get("kind")) != (api_version, schema.name):
        raise PatchSyntaxError(f"invalid object type: {object_type}")
    if isinstance(managed_fields_of(config), list):
        raise PatchSyntaxError("metadata.managedFields must be nil")
    names = _object(config.get("metadata"))
    described = f"{names.get('namespace') or ''}/{names.get('name') or ''}; {object_type}"
    check_typed(schema, config, described)
    return described


def _object_type(config: JsonObject) -> str:
    api_version, kind = config.get("apiVersion") or "", config.get("kind") or ""
    group, _, version = str(api_version).rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _pruned(schema: StructType, merged: Json, managers: Managers, previous: FieldSet) -> Json:
    """The merged object without what the manager applied last time and nobody owns any more.

    Three steps, as cutting out a parent also cuts out children that are not the manager's to remove: cut out all it
    had; put back what anybody owns; of what is then still missing, only what it had may go, and never what nobody
    can own.
    """
    if not previous:
        return merged
    had = with_declared_fields(schema, previous)
    there = with_declared_fields(schema, applied_paths(schema, merged))
    owned = with_declared_fields(schema, reduce(FieldSet.union, (m.fields for m in managers.values()), EMPTY))
    left = with_declared_fields(schema, applied_paths(schema, without(schema, merged, had)))
    returned = without(schema, merged, there.difference(left.union(owned)))
    kept = with_declared_fields(schema, applied_paths(schema, returned))
    return without(schema, merged, there.difference(kept).intersection(had).difference(UNTRACKED))


def _refuse_conflicts(managers: Managers, key: ManagerKey, changes: Comparison, allowed: FieldSet) -> None:
    """Raise ApplyConflicts if others own what would change, beyond the allowed paths."""
    conflicts = [
        Conflict(str(other), display(path))
        for other, managed in sorted(managers.items())
        if other != key
        for path in _overlap(managed, changes)
        if not allowed.has(path)
    ]
    if conflicts:
        raise ApplyConflicts(conflicts)


def _overlap(managed: Managed, changes: Comparison) -> list[Path]:
    return list(managed.fields.intersection(changes.written).paths())


def _with_entries(document: JsonObject, entries: list[Json]) -> JsonObject:
    if not entries:
        return document
    return {**document, "metadata": {**_object(document.get("metadata")), "managedFields": entries}}


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _settle(managers: Managers, key: ManagerKey, changes: Comparison, time: str | None) -> None:
    """What changed leaves the others; the manager has what it applied; in place."""
    mine = managers.pop(key)
    disown(managers, changes.written.union(changes.removed))
    if fields := mine.fields.difference(UNTRACKED):
        managers[key] = mine._replace(fields=fields, time=time)
