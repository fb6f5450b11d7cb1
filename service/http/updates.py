"""What an update asks for, as a function of the current object: a replacement, a patch, or an applied configuration.

The function is pure and may be called several times, on newer and newer objects (`commands/execute.py`). It ends with
the field managers: whoever wrote what is written into the object before the resource's own rules see it.
Keeps: name, namespace and kind of the result are those of the URL, or the client is told (spec: kube-api 4.4, 5.1).
Elsewhere: patch algorithms and field sets (`merge/`), what may change (`commands/`, `domain/`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from service.api.decoding import DecodeError, inspect
from service.api.json_types import Json, JsonObject
from service.api.meta_v1 import ApiObject, ManagedFieldsEntry, ObjectMeta
from service.domain.errors import BadRequest, Conflict, GroupResource, Invalid, Unclassified
from service.domain.field_errors import ErrorType, FieldError, required
from service.domain.go_syntax import parse_uint64
from service.http.bodies import LEGACY_VERSION, NOT_SHOWN, Decoded, object_of, sent_managed_fields
from service.http.patches import Patch
from service.merge.errors import StrategicPatchError, TypedPatchError
from service.merge.managed_fields import only_times_differ, track_update
from service.resources.resource import Resource

T = TypeVar("T", bound=ApiObject)

NO_KIND = GroupResource("", "")


class Target(msgspec.Struct, Generic[T], frozen=True):
    """The object of an update, and who writes."""

    resource: Resource[T]
    namespace: str
    name: str
    manager: str
    now: str
    subresource: str = ""

    @property
    def api_version(self) -> str:
        return self.resource.info.group_version


def replacement(target: Target[T], decoded: Decoded[T]) -> Callable[[T], T]:
    """The update of a PUT."""
    check_names(target, decoded.value.metadata, decoded.value.metadata.name)
    check_version(decoded.value.metadata)

    def transform(current: T) -> T:
        wanted = object_of(target.resource, decoded.document)
        if target.resource.uid_is_precondition:
            _check_uid(target, wanted.metadata, current.metadata)
        if not wanted.metadata.namespace:
            wanted.metadata.namespace = target.namespace
        return tracked(target, current, wanted, decoded.managed_fields)

    return transform


def patched(target: Target[T], patch: Patch, field_validation: str, warnings: list[str]) -> Callable[[T | None], T]:
    """The update of a patch; a patch that creates takes None for an object that is not there yet.

    `warnings` receives what is odd about the patched object.
    """

    def transform(current: T | None) -> T:
        live = as_document(target.resource, current) if current is not None else None
        document = _applied(target, patch, live)
        wanted = _decoded(target, document, patch, field_validation, warnings)
        check_names(target, wanted.metadata, wanted.metadata.name)
        check_version(wanted.metadata)
        if patch.creates:
            unchanged = live is not None and only_times_differ(live, as_document(target.resource, wanted))
            return current if unchanged and current is not None else wanted
        return tracked(target, current, wanted, sent_managed_fields(document))

    return transform


def _applied(target: Target[T], patch: Patch, live: JsonObject | None) -> JsonObject:
    try:
        return patch.apply(live)
    except (StrategicPatchError, TypedPatchError) as error:
        if target.resource.confidential:
            # Their sentences quote values.
            raise type(error)(f"the patch does not fit a {target.resource.info.kind}") from None
        raise


def _decoded(target: Target[T], document: JsonObject, patch: Patch, field_validation: str, warnings: list[str]) -> T:
    info = target.resource.info
    try:
        if document.get("kind") != info.kind or document.get("apiVersion") not in (info.group_version, LEGACY_VERSION):
            raise DecodeError(_other_kind(document, info.kind))
        inspection = inspect(document, info.struct)
        value = object_of(target.resource, inspection.document)
    except DecodeError as error:
        raise _invalid_patch(target, patch, document, str(error)) from error
    found = [f'unknown field "{path}"' for path in inspection.unknown] + patch.warnings
    if found and field_validation == "Strict":
        raise _invalid_patch(target, patch, document, f"strict decoding error: {', '.join(found)}")
    warnings[:] = [] if field_validation == "Ignore" else found
    return value


def tracked(target: Target[T], current: T | None, wanted: T, sent: Json) -> T:
    """The object with its field managers brought up to date; `sent` are those the client sent."""
    if not target.resource.keeps_managed_fields:
        return wanted
    live = as_document(target.resource, current) if current is not None else None
    document = as_document(target.resource, wanted)
    metadata = document["metadata"]
    if isinstance(metadata, dict) and sent is not None:
        metadata["managedFields"] = sent
    entries = track_update(
        target.resource.schema,
        live,
        document,
        target.manager,
        target.api_version,
        target.now,
        target.subresource,
    )
    wanted.metadata.managed_fields = msgspec.convert(entries, list[ManagedFieldsEntry]) or None
    return wanted


def as_document(resource: Resource[T], value: T) -> JsonObject:
    """The object as JSON, with kind and apiVersion."""
    document: JsonObject = msgspec.to_builtins(value)
    return {**document, "kind": resource.info.kind, "apiVersion": resource.info.group_version}


def check_names(target: Target[T], metadata: ObjectMeta, name: str) -> None:
    """Raise BadRequest where an object names itself other than its URL does."""
    if not name:
        raise BadRequest(
            f"the name of the object ({target.name} based on URL) was undeterminable: name must be provided"
        )
    if name != target.name:
        raise BadRequest(f"the name of the object ({name}) does not match the name on the URL ({target.name})")
    check_namespace(metadata, target.namespace)


def check_namespace(metadata: ObjectMeta, namespace: str) -> None:
    if metadata.namespace and namespace and metadata.namespace != namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")


def named_namespace(metadata: ObjectMeta) -> str:
    """The namespace an object names, where its URL names none. Raises BadRequest."""
    if not metadata.namespace:
        raise BadRequest(str(required("metadata.namespace", "the path names no namespace")))
    return metadata.namespace


def check_version(metadata: ObjectMeta) -> None:
    """A resourceVersion that is no number is the reference's bare error (spec: observed "General")."""
    if metadata.resource_version:
        try:
            parse_uint64(metadata.resource_version)
        except ValueError as wrong:
            raise Unclassified(str(wrong)) from wrong


def _check_uid(target: Target[T], wanted: ObjectMeta, current: ObjectMeta) -> None:
    """The uid in a replacement is a precondition; told in the words of the reference's store (spec: kube-api 4.4.2)."""
    if not wanted.uid or wanted.uid == current.uid:
        return
    place = f"{target.namespace}/{target.name}" if target.namespace else target.name
    why = (
        f"StorageError: invalid object, Code: 4, Key: /openshift.io/{target.resource.info.plural}/{place}, "
        f"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted.uid}, "
        f"UID in object meta: {current.uid}"
    )
    raise Conflict(target.resource.group_resource, target.name, why)


def _other_kind(document: JsonObject, kind: str) -> str:
    given = document.get("kind")
    return f"converting (v1.{given}) to (image.{kind}): unknown conversion"


def _invalid_patch(target: Target[T], patch: Patch, document: JsonObject, why: str) -> Invalid:
    shown = NOT_SHOWN if target.resource.confidential else patch.shown(document)
    return Invalid(NO_KIND, "", [FieldError(ErrorType.INVALID, "patch", why, shown)])
