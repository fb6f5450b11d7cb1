"""The meta.k8s.io/v1 types every object shares: ObjectMeta, ListMeta, Status, DeleteOptions.

Keeps: a field with a plain default is left out of JSON when it has that default; a field built by `always(...)` is
always written, as the Kubernetes types do. Field order is the order of the wire.
Elsewhere: descriptions for `kubectl explain` (`descriptions.py`), protobuf numbers, and any rule about the values.
Source: spec: kube-api 2, 2.1, 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec

from service.api.json_types import JsonObject

T = TypeVar("T")


def always(make: Callable[[], T]) -> T:
    """A default that is written even when the field still has it.

    msgspec leaves out plain defaults and empty built-in containers; it cannot see through a function of ours.
    """
    result: T = msgspec.field(default_factory=lambda: make())
    return result


def null() -> None:
    return None


ATOMIC = msgspec.Meta(extra={"atomic": True})
"""Owned and applied as one value (spec: kube-api 5.4.6)."""


class Wire(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """The base of every type on the wire: camelCase names, defaults left out."""


class OwnerReference(Wire):
    api_version: str = always(str)
    kind: str = always(str)
    name: str = always(str)
    uid: str = always(str)
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ManagedFieldsEntry(Wire):
    manager: str = ""
    operation: str = ""
    api_version: str = ""
    time: str | None = None
    fields_type: str = ""
    fields_v1: Annotated[JsonObject | None, ATOMIC] = msgspec.field(default=None, name="fieldsV1")
    subresource: str = ""


class ObjectMeta(Wire):
    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    self_link: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: Annotated[
        list[Annotated[OwnerReference, ATOMIC]] | None, msgspec.Meta(extra={"merge_key": "uid"})
    ] = None
    finalizers: Annotated[list[str] | None, msgspec.Meta(extra={"merge": "set"})] = None
    managed_fields: list[ManagedFieldsEntry] | None = None


class ApiObject(Wire):
    """What every object begins with. Objects inside others leave kind and apiVersion out."""

    kind: str = ""
    api_version: str = ""
    metadata: ObjectMeta = always(ObjectMeta)


class ListMeta(Wire):
    self_link: str = ""
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class StatusCause(Wire):
    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Wire):
    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: list[StatusCause] = []
    retry_after_seconds: int = 0


class Status(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = always(ListMeta)
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: int = 0


class Preconditions(Wire):
    uid: str | None = None
    resource_version: str | None = None


class DeleteOptions(Wire):
    kind: str = ""
    api_version: str = ""
    grace_period_seconds: int | None = None
    preconditions: Preconditions | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    dry_run: list[str] | None = None


class ObjectReference(Wire):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    resource_version: str = ""
    field_path: str = ""


class LocalObjectReference(Wire):
    name: str = ""
