"""The bytes of objects, encoded once per state and encoding, shared by every reader and watcher that asks for them.

A state is immutable, so its bytes are kept beside it until the cache is full (bounded by bytes; the oldest go first).
Keeps: an item of a list, an object of a watch event and the answer to a GET of the same state have the same bytes, but
for kind and apiVersion, which items leave out (spec: kube-api 2.12).
Elsewhere: the encodings (`encodings.py`), other shapes (`forms.py`), what the objects say (`resources/`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from service.api.meta_v1 import ApiObject
from service.domain.world import Collection, State
from service.http.encodings import Encoding
from service.resources.resource import AnyResource, Shown

CACHE_LIMIT_BYTES = 128 * 1024 * 1024

Sources = tuple[State | None, ...]


class EncodedStates:
    """Bytes by the states they were made of, the oldest forgotten first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._held: dict[tuple[Hashable, ...], tuple[Sources, bytes]] = {}

    def get(self, what: Hashable, sources: Sources, make: Callable[[], bytes]) -> bytes:
        """What was made of these very states for this purpose, or is made now."""
        # The states are held with their bytes, so no other can come to have their id.
        name = (what, *map(id, sources))
        found = self._held.get(name)
        if found is not None:
            return found[1]
        data = make()
        self._held[name] = (sources, data)
        self._held_bytes += len(data)
        while self._held_bytes > self._limit_bytes:
            self._held_bytes -= len(self._held.pop(next(iter(self._held)))[1])
        return data


class Presenter:
    def __init__(self, resources: Mapping[Collection, AnyResource], limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._resources = resources
        self._encoded = EncodedStates(limit_bytes)

    def resource(self, collection: Collection) -> AnyResource:
        return self._resources[collection]

    def struct(self, collection: Collection, state: State, resource_version: int) -> ApiObject:
        """The object, at a version other than its own where a DELETED event shows it."""
        item: ApiObject = self._resources[collection].item(state)
        if resource_version != state.changed:
            item.metadata.resource_version = str(resource_version)
        return item

    def item(self, collection: Collection, state: State, encoding: Encoding) -> bytes:
        """The object as an item of a list."""
        what = collection, encoding.media_type
        return self._encoded.get(what, (state,), lambda: encoding.item(self._resources[collection].item(state)))

    def shown(self, resource: AnyResource, shown: Shown[ApiObject], encoding: Encoding) -> bytes:
        """The object that a GET shows, with kind and apiVersion."""
        info = resource.info

        def make() -> bytes:
            return encoding.whole(info.kind, info.group_version, encoding.item(shown.make()))

        what = id(resource), encoding.media_type
        return self._encoded.get(what, shown.sources, make) if shown.sources else make()

    def object(self, collection: Collection, state: State, resource_version: int, encoding: Encoding) -> bytes:
        """The object with kind and apiVersion."""
        if resource_version == state.changed:
            item = self.item(collection, state, encoding)
        else:
            item = encoding.item(self.struct(collection, state, resource_version))
        return self._whole(collection, item, encoding)

    async def fetched(self, collection: Collection, state: State, resource_version: int, encoding: Encoding) -> bytes:
        """The same with what is stored apart from the state. Raises Unavailable."""
        whole: ApiObject = await self._resources[collection].whole(state)
        whole.metadata.resource_version = str(resource_version)
        return self._whole(collection, encoding.item(whole), encoding)

    def _whole(self, collection: Collection, item: bytes, encoding: Encoding) -> bytes:
        info = self._resources[collection].info
        return encoding.whole(info.kind, info.group_version, item)
