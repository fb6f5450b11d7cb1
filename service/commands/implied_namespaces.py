"""What a command on image streams means for their namespaces.

The first image stream in a namespace creates it; a namespace that is being deleted takes no new ones, and goes with its
last one. Keeps: every creation of a stream guards its namespace, so none slips in between the deletion of the
namespace and the look at what is in it.
Elsewhere: namespaces that are created and deleted by request (`namespaces.py`). Source: spec: kube-api 9.6.6.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Protocol

import msgspec

from service.api.meta_v1 import ObjectMeta
from service.domain.draft import Draft
from service.domain.errors import GroupResource, NamespaceTerminating, image_resource
from service.domain.events import NamespaceCreated, NamespaceDeleted, NamespaceEvent
from service.domain.namespace import Namespace, stored_metadata
from service.domain.world import NAMESPACE
from service.eventstore.records import Aggregate, Guard

STREAMS = image_resource("imagestreams")


class NamespaceDecision(msgspec.Struct, frozen=True):
    name: str
    before: Namespace | None
    event: NamespaceEvent


class Namespaces(Protocol):
    def namespace(self, name: str) -> Namespace | None: ...

    def stream_count(self, namespace: str) -> int: ...


def implied(drafts: Sequence[Draft], state: Namespaces) -> tuple[list[NamespaceDecision], list[Guard]]:
    """What else is to be appended, and guarded. Raises NamespaceTerminating."""
    decisions: list[NamespaceDecision] = []
    guards: list[Guard] = []
    for draft in drafts:
        current = state.namespace(draft.namespace)
        if draft.before is None and draft.stream is not None:
            guards.append(namespace_guard(draft.namespace))
            if current is None:
                created = NamespaceCreated(_first_metadata(draft.namespace, draft.stream.header.metadata))
                decisions.append(NamespaceDecision(draft.namespace, None, created))
            elif current.is_terminating:
                raise NamespaceTerminating(STREAMS, draft.name, draft.namespace)
        elif draft.before is not None and draft.stream is None and _goes_with_last_stream(current, state):
            guards.append(namespace_guard(draft.namespace))
            decisions.append(NamespaceDecision(draft.namespace, current, NamespaceDeleted()))
    return decisions, guards


def refuse_terminating(state: Namespaces, namespace: str, resource: GroupResource, name: str) -> None:
    """Raise NamespaceTerminating, in the words of the request, where nothing new may come to be."""
    current = state.namespace(namespace)
    if current is not None and current.is_terminating:
        raise NamespaceTerminating(resource, name, namespace)


def namespace_guard(name: str) -> Guard:
    return Guard(namespace_aggregate(name), None)


def namespace_aggregate(name: str) -> Aggregate:
    return Aggregate(NAMESPACE, "", name)


def _first_metadata(namespace: str, stream: ObjectMeta) -> ObjectMeta:
    """Of a namespace that nobody created: as old as the first stream in it."""
    metadata = ObjectMeta(uid=str(uuid.uuid4()), creation_timestamp=stream.creation_timestamp)
    return stored_metadata(metadata, namespace)


def _goes_with_last_stream(namespace: Namespace | None, state: Namespaces) -> bool:
    """Whether one stream is all that a namespace waits for that is being deleted."""
    if namespace is None or not namespace.is_terminating or namespace.metadata.finalizers:
        return False
    return state.stream_count(namespace.name) == 1
