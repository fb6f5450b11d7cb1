"""Create, change or delete this namespace.

A deletion takes two commands, with those that delete its image streams in between: the first marks the namespace, after
which nothing new goes into it, so the last can know that it is empty. Whoever repeats a deletion that was cut off goes
on with it. Elsewhere: namespaces that come and go with image streams (`implied_namespaces.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from service.api.core_v1 import Namespace as NamespaceObject
from service.api.meta_v1 import DeleteOptions, ObjectMeta
from service.commands.delete_imagestream import finalizers_after, marked_for_deletion, refuse_precondition
from service.commands.execute import Decision, State
from service.commands.implied_namespaces import NamespaceDecision, namespace_guard
from service.commands.intention import BaseIntention, already_exists, with_server_fields
from service.domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.domain.events import NamespaceChanged, NamespaceCreated, NamespaceDeleted, NamespaceEvent
from service.domain.namespace import (
    DEFAULT_NAMESPACE,
    NAMESPACE_KIND,
    Namespace,
    name_problems,
    served,
    stored_metadata,
)
from service.domain.object_meta import validate_any_update, validate_new


class CreateNamespace(BaseIntention, kw_only=True):
    """`metadata` has name, uid and creationTimestamp. May raise Invalid, AlreadyExists."""

    metadata: ObjectMeta

    def decide(self, state: State) -> Decision:
        name = self.metadata.name
        errors = validate_new(self.metadata, name_rule=name_problems, namespaced=False)
        if errors:
            raise Invalid(NAMESPACE_KIND, name, errors)
        existing = state.namespace(name)
        if existing is not None:
            raise already_exists(self.resource, name, existing.metadata)
        return _decision(name, None, NamespaceCreated(stored_metadata(self.metadata, name)))


class ChangeNamespace(BaseIntention, kw_only=True):
    """Its labels, annotations, owners and finalizers.

    May raise NotFound, Conflict, Invalid, and what the transform raises.
    """

    name: str
    transform: Callable[[NamespaceObject], NamespaceObject]

    def decide(self, state: State) -> Decision:
        namespace = _existing(self, state, self.name)
        old = served(namespace).metadata
        wanted = self.transform(served(namespace)).metadata
        if wanted.resource_version not in ("", "0", old.resource_version):
            raise Conflict(self.resource, self.name)
        given = with_server_fields(wanted, old)
        errors = validate_any_update(given, old, namespaced=False)
        if errors:
            raise Invalid(NAMESPACE_KIND, self.name, errors)
        if namespace.is_terminating and not given.finalizers and not state.stream_count(self.name):
            return _decision(self.name, namespace, NamespaceDeleted())
        metadata = stored_metadata(given, self.name)
        return Decision() if metadata == namespace.metadata else _changed(namespace, metadata)


class MarkNamespace(BaseIntention, kw_only=True):
    """Begin a deletion: nothing new goes into the namespace. May raise NotFound, Conflict, Forbidden."""

    name: str
    options: DeleteOptions
    uid: str = ""
    """Of the namespace, once decided."""

    def decide(self, state: State) -> Decision:
        namespace = _existing(self, state, self.name)
        self.uid = namespace.metadata.uid
        if self.name == DEFAULT_NAMESPACE:
            raise Forbidden(self.resource, self.name, "this namespace may not be deleted")
        refuse_precondition(NAMESPACE_KIND, self.name, namespace.metadata, namespace.changed, self.options)
        finalizers = finalizers_after(namespace.metadata.finalizers or [], self.options)
        metadata = marked_for_deletion(namespace.metadata, finalizers or None, self.around.now)
        return Decision() if metadata == namespace.metadata else _changed(namespace, metadata)


class FinishNamespace(BaseIntention, kw_only=True):
    """End a deletion, unless image streams or finalizers still hold the namespace, or it is gone."""

    name: str
    left: Namespace | None = None
    """The namespace that is still held, once decided."""

    def decide(self, state: State) -> Decision:
        self.left = None
        namespace = state.namespace(self.name)
        if namespace is None or not namespace.is_terminating:
            return Decision()
        if namespace.metadata.finalizers or state.stream_count(self.name):
            self.left = namespace
            return Decision()
        return _decision(self.name, namespace, NamespaceDeleted())


def _existing(intention: BaseIntention, state: State, name: str) -> Namespace:
    namespace = state.namespace(name)
    if namespace is None:
        raise NotFound(intention.resource, name)
    return namespace


def _changed(namespace: Namespace, metadata: ObjectMeta) -> Decision:
    return _decision(namespace.name, namespace, NamespaceChanged(metadata))


def _decision(name: str, before: Namespace | None, event: NamespaceEvent) -> Decision:
    return Decision((namespace_guard(name),), namespaces=(NamespaceDecision(name, before, event),))
