"""The state of a namespace and how each event changes it.

A namespace is there from its first use or from when it was created, whichever was first, until it is deleted; after
that it may be used or created anew, as another one. `default` is created when the service starts for the first time.
Keeps: what is served follows from the metadata alone; one with a deletionTimestamp takes no new image streams, which is
what makes its deletion whole.
Elsewhere: who creates it by use, and what deleting it takes with it (`commands/`).
"""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from service.api import core_v1
from service.api.meta_v1 import ObjectMeta
from service.domain.errors import GroupResource, NotFound
from service.domain.events import NamespaceChanged, NamespaceCreated, NamespaceDeleted, NamespaceEvent
from service.domain.imagestream import UnfoldableEventError
from service.domain.object_meta import dns_label_problems

DEFAULT_NAMESPACE: Final = "default"
NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""Holds the name, so that selectors can pick namespaces by it."""
NAMESPACES: Final = GroupResource("", "namespaces")
NAMESPACE_KIND: Final = GroupResource("", "Namespace")


class Namespace(msgspec.Struct, frozen=True):
    name: str
    metadata: ObjectMeta
    """Without name and resourceVersion."""
    changed: int
    """Position of the last event that changed it: its resourceVersion."""

    @property
    def is_terminating(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def phase(self) -> str:
        return "Terminating" if self.is_terminating else "Active"


def apply(namespace: Namespace | None, name: str, event: NamespaceEvent, position: int) -> Namespace | None:
    """The namespace after the event. Raises UnfoldableEventError for an event that cannot have happened to it."""
    if isinstance(event, NamespaceCreated):
        if namespace is not None:
            raise UnfoldableEventError(f"namespace {name} is created at {position}, and is there already")
        return Namespace(name, event.metadata, position)
    if namespace is None:
        raise UnfoldableEventError(f"{type(event).__name__} at {position}: no namespace {name}")
    match event:
        case NamespaceChanged():
            return Namespace(name, event.metadata, position)
        case NamespaceDeleted():
            return None
        case _:
            assert_never(event)


def served(namespace: Namespace) -> core_v1.Namespace:
    """As clients see it; a fresh object."""
    version = str(namespace.changed) if namespace.changed else ""
    metadata = msgspec.structs.replace(namespace.metadata, name=namespace.name, resource_version=version)
    return core_v1.Namespace(metadata=metadata, status=core_v1.NamespaceStatus(phase=namespace.phase))


def stored_metadata(metadata: ObjectMeta, name: str) -> ObjectMeta:
    """The metadata an event keeps: with the label of the name, without what each reader knows anyway."""
    labels = {**(metadata.labels or {}), NAME_LABEL: name}
    return msgspec.structs.replace(metadata, name="", namespace="", resource_version="", self_link="", labels=labels)


def refuse_impossible(name: str) -> None:
    """Raise NotFound for a name no namespace can have; whatever else is not there yet may be filled ("" is none)."""
    if name and name_problems(name, prefix=False):
        raise NotFound(NAMESPACES, name)


def name_problems(name: str, prefix: bool) -> list[str]:
    """The rule of names of namespaces. A prefix may end as no name may."""
    return dns_label_problems(f"{name}x" if prefix else name)
