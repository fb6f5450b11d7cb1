"""What every API resource offers: its description, and one method per verb it has.

Keeps: a resource sees objects, never bytes; a verb it lacks is refused before it is called (`info.verbs`).
Elsewhere: lists and watches, which are the same for all (`listing.py`, `watch/`), and HTTP (`http/`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from service.api.meta_v1 import ApiObject, DeleteOptions, ListMeta, ObjectMeta, Status, StatusDetails
from service.api.resource_info import ResourceInfo
from service.auth.users import User
from service.domain.errors import GroupResource, MethodNotSupported
from service.domain.label_requirements import LabelSelector
from service.domain.selectors import DEFAULT_FIELDS, FieldSelector
from service.domain.world import Collection, State
from service.eventstore.records import Metadata
from service.merge.schema import StructType, schema_of
from service.resources.listing import Wanted

T = TypeVar("T", bound=ApiObject)


class Call(msgspec.Struct, frozen=True):
    """One authorized request, as far as a resource needs it."""

    user: User
    namespace: str
    """"" for cluster-scoped resources and for all namespaces"""
    now: str
    """RFC 3339, UTC, whole seconds"""
    metadata: Metadata
    """Who, how and why, for the events."""
    dry_run: bool = False
    resource_version: str = ""
    """Of a read: the version it must not be older than."""
    may_create: Callable[[], None] = lambda: None
    """Raises Forbidden unless the caller may also create, for updates that create."""


class Shown(NamedTuple, Generic[T]):
    """An object that is made when somebody needs it, and the states it is made of: equal states, equal object."""

    make: Callable[[], T]
    sources: tuple[State | None, ...] = ()
    """Empty where there is more to it than states: then nobody may keep what was made."""


class Selectors(msgspec.Struct, frozen=True):
    labels: LabelSelector = LabelSelector()
    fields: FieldSelector = FieldSelector()


class Objects(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list that no cache holds."""

    items: list[T]
    metadata: ListMeta


class Resource(Generic[T]):
    info: ResourceInfo
    collection: Collection | None = None
    """Set where lists and watches come from the cache; what can be listed without one has `objects`."""
    confidential = False
    """Whether errors must not quote objects."""
    takes_options = True
    """Whether a GET may have query parameters."""
    keeps_managed_fields = True
    """Whether who wrote which field of an object is recorded in it."""
    uid_is_precondition = False
    """Whether a uid in a replacement must be that of the object, or else is a conflict."""
    stored_apart = False
    """Whether objects have parts that their states do not hold; lists and watches show them, Tables do without."""
    known_fields: frozenset[str] = DEFAULT_FIELDS
    """What a field selector may name."""

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.info.group, self.info.plural)

    @property
    def kind(self) -> GroupResource:
        return GroupResource(self.info.group, self.info.kind)

    @property
    def struct(self) -> type[T]:
        struct: type[T] = self.info.struct  # type: ignore[assignment]  # the description names it without its type
        return struct

    @property
    def schema(self) -> StructType:
        return schema_of(self.info.struct)

    def default(self, wanted: T) -> T:
        """Fill in what a client may leave out. Raises DecodeError for what cannot be stored."""
        return wanted

    def written(self, value: T) -> T:
        """The part of an object that a user may write; its metadata is not looked at."""
        return value

    async def get(self, call: Call, name: str) -> Shown[T]:
        raise MethodNotSupported(self.group_resource, "get")

    async def objects(self, call: Call, wanted: Wanted, selectors: Selectors) -> Objects[T]:
        """A list, where there is no collection."""
        raise MethodNotSupported(self.group_resource, "list")

    async def create(self, call: Call, wanted: T) -> msgspec.Struct:
        raise MethodNotSupported(self.group_resource, "create")

    async def update(self, call: Call, name: str, transform: Callable[[T], T]) -> tuple[T, bool]:
        """The object as it is now, and whether it was created."""
        raise MethodNotSupported(self.group_resource, "update")

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> msgspec.Struct:
        """The object, if something still holds it, else a Status."""
        raise MethodNotSupported(self.group_resource, "delete")

    def item(self, state: State) -> T:
        """A state as lists and watches show it."""
        raise MethodNotSupported(self.group_resource, "list")

    async def whole(self, state: State) -> T:
        """The same with what is stored apart from the state. Raises Unavailable."""
        return self.item(state)


AnyResource = Resource[Any]
"""A resource among others; whoever holds it gives it only objects that it made or that were decoded as its kind."""


def subresource_info(parent: ResourceInfo, name: str) -> ResourceInfo:
    """What a subresource of another kind is called, for errors, bodies and answers."""
    sub = next(s for s in parent.subresources if s.name == name)
    return msgspec.structs.replace(parent, kind=sub.kind, struct=sub.struct, list_struct=None)


def deleted(resource: GroupResource, metadata: ObjectMeta) -> Status:
    """The answer to a deletion that is done (spec: kube-api 4.5.7)."""
    details = StatusDetails(name=metadata.name, group=resource.group, kind=resource.name, uid=metadata.uid)
    return Status(status="Success", details=details)
