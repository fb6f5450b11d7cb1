"""namespaces: create → CreateNamespace, update and patch → ChangeNamespace, delete → MarkNamespace … FinishNamespace.

Here is a namespace what image streams are in: created by request, or by its first image stream, and `default` from the
beginning. Keeps: deleting one deletes its secrets, whatever would hold them, and then all of its image streams, each by
a command of its own, before the namespace goes; where finalizers hold something back it stays, Terminating, and goes
with the last of them.
Elsewhere: what creates and ends one along with image streams (`commands/implied_namespaces.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from service.api.core_v1 import GROUP, VERSION, Namespace, NamespaceList, NamespaceStatus
from service.api.meta_v1 import DeleteOptions, ObjectMeta
from service.api.resource_info import ResourceInfo
from service.auth.users import MASTERS, User
from service.commands.delete_imagestream import DeleteImageStream
from service.commands.namespaces import ChangeNamespace, CreateNamespace, FinishNamespace, MarkNamespace
from service.domain import namespace as domain
from service.domain.errors import AlreadyExists, NotFound, image_resource
from service.domain.namespace import NAMESPACES
from service.domain.selectors import DEFAULT_FIELDS
from service.domain.world import Collection, State
from service.eventstore.records import Metadata
from service.resources.imagestreams import new_metadata, refuse_version
from service.resources.resource import Call, Resource, Shown, deleted
from service.resources.services import Services, await_version

DELETIONS_AT_A_TIME = 64
STREAMS = image_resource("imagestreams")


SERVER = User("system:apiserver", groups=(MASTERS,))
"""The service itself, as the author of what it does of its own accord."""


async def ensure_default(services: Services, now: str) -> None:
    """Create `default` unless it is there. `now` is RFC 3339 in UTC with whole seconds."""
    metadata = Metadata(actor=SERVER.name, groups=SERVER.groups, verb="create", reason="the service has started")
    call = Call(user=SERVER, namespace="", now=now, metadata=metadata)
    if services.state.namespace(domain.DEFAULT_NAMESPACE) is None:
        # Another process may be first.
        with suppress(AlreadyExists):
            await Namespaces(services).create(call, Namespace(metadata=ObjectMeta(name=domain.DEFAULT_NAMESPACE)))


class Namespaces(Resource[Namespace]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="namespaces",
        singular="namespace",
        kind="Namespace",
        namespaced=False,
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
        struct=Namespace,
        list_struct=NamespaceList,
        short_names=("ns",),
    )
    collection = Collection.NAMESPACES
    uid_is_precondition = True
    known_fields = DEFAULT_FIELDS | {"status.phase"}

    def __init__(self, services: Services) -> None:
        self._services = services

    def written(self, value: Namespace) -> Namespace:
        return msgspec.structs.replace(value, status=NamespaceStatus())

    async def get(self, call: Call, name: str) -> Shown[Namespace]:
        await await_version(self._services.state, call.resource_version)
        namespace = self._services.state.namespace(name)
        if namespace is None:
            raise NotFound(self.group_resource, name)
        return Shown(lambda: domain.served(namespace), (namespace,))

    async def create(self, call: Call, wanted: Namespace) -> Namespace:
        refuse_version(wanted.metadata)
        metadata = new_metadata(wanted.metadata, call)
        intention = CreateNamespace(
            resource=NAMESPACES, verb="create", around=self._services.surroundings(call), metadata=metadata
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        return domain.served(world.namespaces[metadata.name])

    async def update(
        self, call: Call, name: str, transform: Callable[[Namespace], Namespace]
    ) -> tuple[Namespace, bool]:
        shown: list[Namespace] = []

        def remembered(current: Namespace) -> Namespace:
            # A decision that changes nothing, or ends the namespace, leaves no other answer.
            wanted = transform(current)
            shown[:] = [msgspec.structs.replace(current, metadata=wanted.metadata)]
            return wanted

        intention = ChangeNamespace(
            resource=NAMESPACES,
            verb="update",
            around=self._services.surroundings(call),
            name=name,
            transform=remembered,
        )
        world = await self._services.executor.execute(intention, call.metadata, dry_run=call.dry_run)
        namespace = world.namespaces.get(name)
        return (domain.served(namespace) if namespace else shown[-1]), False

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> msgspec.Struct:
        around = self._services.surroundings(call)
        mark = MarkNamespace(resource=NAMESPACES, verb="delete", around=around, name=name, options=options)
        world = await self._services.executor.execute(mark, call.metadata, dry_run=call.dry_run)
        held = world.namespaces.get(name)
        if call.dry_run:
            held = held if held is not None and held.metadata.finalizers else None
        else:
            if held is not None:
                # From here on the state knows of all that is in it.
                await self._services.state.wait_for(held.changed)
            held = await self._empty(call, name)
        if held is not None:
            return domain.served(held)
        return deleted(self.group_resource, ObjectMeta(name=name, uid=mark.uid))

    def item(self, state: State) -> Namespace:
        if not isinstance(state, domain.Namespace):
            raise TypeError(f"{type(state).__name__} is no namespace")
        return domain.served(state)

    async def _empty(self, call: Call, name: str) -> domain.Namespace | None:
        """Delete what is in a marked namespace, and then itself. Returns it where something holds it back."""
        around, executor = self._services.surroundings(call), self._services.executor
        await self._services.secrets.delete_namespace(name)
        streams = self._services.state.stream_names(name)
        for start in range(0, len(streams), DELETIONS_AT_A_TIME):
            some = streams[start : start + DELETIONS_AT_A_TIME]
            outcomes = await asyncio.gather(*(self._delete_stream(call, name, s) for s in some), return_exceptions=True)
            for outcome in outcomes:
                if outcome is not None and not isinstance(outcome, NotFound):
                    raise outcome
        finish = FinishNamespace(resource=NAMESPACES, verb="delete", around=around, name=name)
        await executor.perform(finish, call.metadata)
        return finish.left

    async def _delete_stream(self, call: Call, namespace: str, name: str) -> None:
        intention = DeleteImageStream(
            resource=STREAMS,
            verb="delete",
            around=self._services.surroundings(call),
            namespace=namespace,
            name=name,
            options=DeleteOptions(),
        )
        await self._services.executor.perform(intention, call.metadata)
