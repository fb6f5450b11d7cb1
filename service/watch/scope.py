"""What a watch or a list is about, and which event a change is for it.

Keeps: one rule for everybody, live, resumed and replayed (spec: kube-api 7.3). An object that starts to match is
ADDED, one that stops to match or goes is DELETED as it was, at the position of the change.
Elsewhere: the selectors themselves (`domain/selectors.py`), the bytes of an event (`frames.py`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from service.domain.image import ImageState
from service.domain.imagestream import ImageStream, Tag
from service.domain.label_requirements import LabelSelector
from service.domain.namespace import Namespace
from service.domain.selectors import FieldSelector
from service.domain.served import Registry
from service.domain.world import Change, Collection, State


class EventType(enum.Enum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Seen(NamedTuple):
    """A change as one scope sees it: the object to show, to be served with the position of the change."""

    type: EventType
    state: State


CLUSTER_SCOPED = frozenset({Collection.IMAGES, Collection.NAMESPACES})


class Key(NamedTuple):
    """Where an object stands in its collection; `namespace` is "" for what is in none."""

    namespace: str
    name: str


def key_of(state: State) -> Key:
    match state:
        case ImageStream():
            return Key(state.namespace, state.name)
        case Tag():
            return Key(state.namespace, state.full_name)
        case ImageState() | Namespace():
            return Key("", state.name)


class Scope(msgspec.Struct, frozen=True):
    """A part of a collection. None in `namespace` or `name` means any."""

    collection: Collection
    namespace: str | None = None
    name: str | None = None
    labels: LabelSelector = LabelSelector()
    fields: FieldSelector = FieldSelector()
    registry: Registry = Registry()
    """Needed by the field selector status.dockerImageRepository."""

    @property
    def selects(self) -> bool:
        """Whether there are selectors beyond the place."""
        return bool(self.labels) or bool(self.fields)

    @property
    def stream(self) -> str | None:
        """The image stream that the scope is confined to, if it is to one."""
        if self.name is None or self.collection in CLUSTER_SCOPED:
            return None
        return self.name.partition(":")[0]

    def covers(self, namespace: str, name: str) -> bool:
        return (self.namespace is None or self.namespace == namespace) and (self.name is None or self.name == name)

    def matches(self, state: State) -> bool:
        """Whether the selectors hold; the place is not looked at."""
        if self.labels and not self.labels.matches(labels_of(state)):
            return False
        return not self.fields or self.fields.matches(fields_of(state, self.registry))

    def seen(self, change: Change) -> Seen | None:
        """The event that a change within `covers` is, or None if it is none."""
        before = change.old is not None and self.matches(change.old)
        if change.new is not None and self.matches(change.new):
            return Seen(EventType.MODIFIED if before else EventType.ADDED, change.new)
        return Seen(EventType.DELETED, change.old) if before and change.old is not None else None


class _Labels(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Labelled(msgspec.Struct):
    metadata: _Labels


_labelled = msgspec.json.Decoder(_Labelled)


def labels_of(state: State) -> Mapping[str, str] | None:
    """The labels of the object as served."""
    if isinstance(state, ImageState):
        return _labelled.decode(state.document).metadata.labels
    if isinstance(state, Namespace):
        return state.metadata.labels
    return state.header.metadata.labels


def fields_of(state: State, registry: Registry) -> dict[str, str]:
    """Every field that a field selector may name, as served (spec: image-api 14.5)."""
    namespace, name = key_of(state)
    fields = {"metadata.name": name, "metadata.namespace": namespace}
    if isinstance(state, ImageStream):
        repository = state.header.docker_image_repository
        fields["spec.dockerImageRepository"] = repository
        fields["status.dockerImageRepository"] = registry.repository(namespace, name, repository)
    elif isinstance(state, Namespace):
        fields["status.phase"] = state.phase
    return fields
