"""secrets: create, get, list, update, patch, delete. No commands: a secret is no part of the log, nor of any event.

Every read asks PostgreSQL, so read-your-writes holds at every replica; there is no past and no watch. A resourceVersion
counts the changes of secrets alone, and guards updates as everywhere. Like an image stream, a secret makes its
namespace by being there first (the namespace is an event, the secret is not); one that got into a namespace while that
was being deleted is taken out again: it is written first, and the namespace looked at after that.
Elsewhere: rows and encryption (`secretstore/`), rules (`domain/secret.py`), the end of a namespace (`namespaces.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import msgspec

from service.api.core_v1 import GROUP, VERSION, Namespace, Secret, SecretList
from service.api.meta_v1 import DeleteOptions, ListMeta, ObjectMeta
from service.api.resource_info import ResourceInfo
from service.commands.delete_imagestream import marked_for_deletion, refuse_precondition
from service.commands.intention import with_server_fields
from service.domain import secret as domain
from service.domain.errors import (
    AlreadyExists,
    Conflict,
    Expired,
    FuturePosition,
    Invalid,
    NamespaceTerminating,
    NotFound,
    RetryLater,
)
from service.domain.field_errors import FieldError
from service.domain.selectors import DEFAULT_FIELDS
from service.resources.continue_token import REST_OF_NEWEST, ContinueToken, decode
from service.resources.imagestreams import new_metadata, refuse_version
from service.resources.listing import Wanted
from service.resources.namespaces import Namespaces
from service.resources.resource import Call, Objects, Resource, Selectors, Shown, deleted
from service.resources.services import Services

R = TypeVar("R")

TRIES = 10


class Secrets(Resource[Secret]):
    info = ResourceInfo(
        group=GROUP,
        version=VERSION,
        plural="secrets",
        singular="secret",
        kind="Secret",
        namespaced=True,
        verbs=("create", "delete", "get", "list", "patch", "update"),
        struct=Secret,
        list_struct=SecretList,
    )
    uid_is_precondition = True
    confidential = True
    known_fields = DEFAULT_FIELDS | {"type"}

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.secrets

    def default(self, wanted: Secret) -> Secret:
        return domain.with_defaults(wanted)

    async def get(self, call: Call, name: str) -> Shown[Secret]:
        found = await self._store.get(call.namespace, name)
        secret = found.secret
        _refuse_future(call.resource_version, found.newest)
        if secret is None:
            raise NotFound(self.group_resource, name)
        return Shown(lambda: secret)

    async def objects(self, call: Call, wanted: Wanted, selectors: Selectors) -> Objects[Secret]:
        """Pages are read one by one, each as things are by then: there is no past to read them from."""
        after = _start(wanted.continue_token, call.namespace)
        newest: int | None = None
        found: list[Secret] = []
        while True:
            page = await self._store.page(call.namespace or None, after)
            if newest is None:
                newest = page.newest
                _refuse_other_moments(wanted, newest)
            for secret in page.secrets:
                if not _selected(secret, selectors):
                    continue
                if wanted.limit and len(found) == wanted.limit:
                    return Objects(found, ListMeta(resource_version=str(newest), continue_=_rest(found[-1], call)))
                found.append(secret)
            if page.is_last:
                return Objects(found, ListMeta(resource_version=str(newest)))
            last = page.secrets[-1].metadata
            after = last.namespace, last.name

    async def create(self, call: Call, wanted: Secret) -> Secret:
        refuse_version(wanted.metadata)
        secret = msgspec.structs.replace(wanted, metadata=new_metadata(wanted.metadata, call))
        name = secret.metadata.name
        _refuse(name, domain.validate_new_secret(secret))
        if (await self._store.get(call.namespace, name)).secret is not None:
            raise AlreadyExists(self.group_resource, name)
        await self._enter(call, name)
        if call.dry_run:
            return secret
        stored = await self._store.insert(secret)
        if stored is None:
            raise AlreadyExists(self.group_resource, name)
        await self._leave_what_ended(call, stored)
        return stored

    async def update(self, call: Call, name: str, transform: Callable[[Secret], Secret]) -> tuple[Secret, bool]:
        return await self._until_settled(call, name, "update", partial(self._change, call, transform)), False

    async def delete(self, call: Call, name: str, options: DeleteOptions) -> msgspec.Struct:
        """Finalizers hold a secret; what becomes of dependents is no question, for it has none."""
        return await self._until_settled(call, name, "delete", partial(self._remove, call, options))

    async def _until_settled(
        self, call: Call, name: str, verb: str, attempt: Callable[[Secret], Awaitable[R | None]]
    ) -> R:
        """The outcome of the first attempt that nobody overtakes. Raises RetryLater after TRIES."""
        for _ in range(TRIES):
            current = (await self._store.get(call.namespace, name)).secret
            if current is None:
                raise NotFound(self.group_resource, name)
            outcome = await attempt(current)
            if outcome is not None:
                return outcome
        raise RetryLater(self.group_resource, verb)

    async def _change(self, call: Call, transform: Callable[[Secret], Secret], current: Secret) -> Secret | None:
        """The secret as it is after the change; None where somebody else was first."""
        old = current.metadata
        wanted = transform(current)
        if wanted.metadata.resource_version not in ("", "0", old.resource_version):
            raise Conflict(self.group_resource, old.name)
        given = msgspec.structs.replace(wanted, metadata=with_server_fields(wanted.metadata, old))
        _refuse(old.name, domain.validate_secret_update(given, current))
        if call.dry_run or given == current:
            return given
        if old.deletion_timestamp is not None and not given.metadata.finalizers:
            return given if await self._store.delete(current) else None
        return await self._store.replace(given, int(old.resource_version))

    async def _remove(self, call: Call, options: DeleteOptions, current: Secret) -> msgspec.Struct | None:
        """The Status of a deletion, or the secret where finalizers hold it; None where somebody else was first."""
        old, version = current.metadata, int(current.metadata.resource_version)
        refuse_precondition(domain.SECRET_KIND, old.name, old, version, options)
        if not old.finalizers:
            is_gone = call.dry_run or await self._store.delete(current)
            return deleted(self.group_resource, ObjectMeta(name=old.name, uid=old.uid)) if is_gone else None
        marked = msgspec.structs.replace(current, metadata=marked_for_deletion(old, old.finalizers, call.now))
        if call.dry_run or marked == current:
            return marked
        return await self._store.replace(marked, version)

    async def _enter(self, call: Call, name: str) -> None:
        """Make the namespace unless it is there. Raises NamespaceTerminating."""
        await self._services.state.fresh()
        namespace = self._services.state.namespace(call.namespace)
        if namespace is None:
            wanted = Namespace(metadata=ObjectMeta(name=call.namespace))
            try:
                await Namespaces(self._services).create(msgspec.structs.replace(call, namespace=""), wanted)
            except AlreadyExists:
                # Somebody else was first, which is as good.
                return
        elif namespace.is_terminating:
            raise NamespaceTerminating(self.group_resource, name, call.namespace)

    async def _leave_what_ended(self, call: Call, stored: Secret) -> None:
        """A deletion that began before the secret was stored may have missed it. Raises NamespaceTerminating."""
        await self._services.state.fresh()
        namespace = self._services.state.namespace(call.namespace)
        if namespace is None or namespace.is_terminating:
            name, uid = stored.metadata.name, stored.metadata.uid
            with suppress(NotFound):
                await self._until_settled(call, name, "create", partial(self._take_out, uid))
            raise NamespaceTerminating(self.group_resource, name, call.namespace)

    async def _take_out(self, uid: str, current: Secret) -> bool | None:
        """Whoever changed it meanwhile changed what should not be there."""
        return True if current.metadata.uid != uid or await self._store.delete(current) else None


def _refuse(name: str, errors: list[FieldError]) -> None:
    if errors:
        raise Invalid(domain.SECRET_KIND, name, errors)


def _refuse_future(version: str, newest: int) -> None:
    if version and int(version) > newest:
        raise FuturePosition(int(version), newest)


def _refuse_other_moments(wanted: Wanted, newest: int) -> None:
    """Only the present can be listed."""
    _refuse_future(wanted.resource_version, newest)
    if wanted.match == "Exact" and int(wanted.resource_version) != newest:
        raise Expired("The resourceVersion for the provided list is too old.")


def _start(token: str, namespace: str) -> tuple[str, str]:
    if not token:
        return "", ""
    decoded = decode(token)
    return decoded.namespace or namespace, decoded.name


def _rest(last: Secret, call: Call) -> str:
    namespace = "" if call.namespace else last.metadata.namespace
    return ContinueToken(REST_OF_NEWEST, namespace, last.metadata.name).encode()


def _selected(secret: Secret, selectors: Selectors) -> bool:
    metadata = secret.metadata
    fields = {"metadata.name": metadata.name, "metadata.namespace": metadata.namespace, "type": secret.type}
    return selectors.labels.matches(metadata.labels) and selectors.fields.matches(fields)
