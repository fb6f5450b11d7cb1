"""The JSON of objects, encoded once per state and shared by every reader and watcher that asks for it.

A state is immutable, so its bytes are kept beside it until the cache is full (bounded by bytes; the oldest go first).
Keeps: an item of a list, an object of a watch event and the answer to a GET of the same state have the same bytes, but
for kind and apiVersion, which items leave out (spec: kube-api 2.12).
Elsewhere: other forms (`forms.py`), what the objects say (`resources/`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from service.api.meta_v1 import ApiObject
from service.domain.world import Collection, State
from service.resources.resource import AnyResource

CACHE_LIMIT_BYTES = 128 * 1024 * 1024

encode = msgspec.json.Encoder().encode


class Presenter:
    def __init__(self, resources: Mapping[Collection, AnyResource], limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._resources = resources
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._items: dict[tuple[Collection, int], tuple[State, bytes]] = {}
        self._prefixes = {
            collection: encode_prefix(resource.info.kind, resource.info.group_version)
            for collection, resource in resources.items()
        }

    def resource(self, collection: Collection) -> AnyResource:
        return self._resources[collection]

    def struct(self, collection: Collection, state: State, resource_version: int) -> ApiObject:
        """The object, at a version other than its own where a DELETED event shows it."""
        item: ApiObject = self._resources[collection].item(state)
        if resource_version != state.changed:
            item.metadata.resource_version = str(resource_version)
        return item

    def item(self, collection: Collection, state: State) -> bytes:
        """The object as an item of a list."""
        name = (collection, id(state))
        found = self._items.get(name)
        if found is not None and found[0] is state:
            return found[1]
        data = encode(self._resources[collection].item(state))
        self._items[name] = (state, data)
        self._held_bytes += len(data)
        while self._held_bytes > self._limit_bytes:
            self._held_bytes -= len(self._items.pop(next(iter(self._items)))[1])
        return data

    def object(self, collection: Collection, state: State, resource_version: int) -> bytes:
        """The object with kind and apiVersion."""
        if resource_version == state.changed:
            item = self.item(collection, state)
        else:
            item = encode(self.struct(collection, state, resource_version))
        return self._prefixes[collection] + item[1:]


def encode_prefix(kind: str, api_version: str) -> bytes:
    """What stands before the fields of an item to make it an object of its own."""
    return b'{"kind":%b,"apiVersion":%b,' % (encode(kind), encode(api_version))
