"""Lists of any collection, of now or of any moment of the past, whole or in pages.

The whole matrix of resourceVersion, resourceVersionMatch, limit and continue (spec: kube-api 6.1): the present comes
from the watch cache, the past from the views. A list in pages is one snapshot, and its continue token never expires.
Keeps: a list at position r equals the fold of all events up to r; every page has the snapshot's position.
Elsewhere: what the items look like (the resource), query parameters (`http/options.py`).
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from service.domain.image import ImageState
from service.domain.imagestream import ImageStream, Tag
from service.domain.namespace import Namespace
from service.domain.world import Collection, State
from service.resources.continue_token import ContinueToken, decode
from service.watch.cache import Cache
from service.watch.scope import Key, Scope, key_of

PAST_PAGE_LIMIT = 500
"""How many objects of the past are read from the views at a time."""


VIEWS_TIMEOUT_MS = 3_000
"""How long a read of the past waits for the views to get there."""


class Past(Protocol):
    """The views, as of a position."""

    async def wait_for(self, position: int, timeout_ms: int) -> None: ...

    async def streams_page(
        self, position: int, *, namespace: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[ImageStream]: ...

    async def tags_page(
        self,
        position: int,
        collection: Collection,
        *,
        namespace: str | None,
        after: tuple[str, str] | None,
        limit: int,
    ) -> list[Tag]: ...

    async def images_page(self, position: int, *, after: str, limit: int) -> list[ImageState]: ...

    async def namespaces_page(self, position: int, *, after: str, limit: int) -> list[Namespace]: ...

    async def count(
        self, position: int, collection: Collection, *, namespace: str | None, after: tuple[str, str] | None
    ) -> int: ...


class Wanted(msgspec.Struct, frozen=True):
    """What a client asks of a list. `limit` 0 means all."""

    resource_version: str = ""
    match: str = ""
    limit: int = 0
    continue_token: str = ""


class Page(msgspec.Struct, frozen=True):
    states: list[State]
    position: int
    continue_token: str = ""
    remaining: int | None = None
    """How many objects follow this page; not told with selectors."""


class Lists:
    def __init__(self, cache: Cache, past: Past) -> None:
        self._cache = cache
        self._past = past

    async def page(self, scope: Scope, wanted: Wanted) -> Page:
        """Raises BadRequest for a token that is none, FuturePosition for a version that does not come in time."""
        version, limit = wanted.resource_version, max(wanted.limit, 0)
        if wanted.continue_token:
            token = decode(wanted.continue_token)
            after = Key(token.namespace or scope.namespace or "", token.name)
            position = await self._newest() if token.is_of_newest else token.position
            return await self._at(scope, position, after, 0 if version == "0" else limit)
        if version in ("", "0"):
            if not version:
                await self._newest()
            return self._present(scope, None, limit if not version else 0)
        position = int(version)
        await self._cache.wait_for(position)
        if wanted.match == "Exact" or (limit and not wanted.match):
            return await self._at(scope, position, None, limit)
        return self._present(scope, None, limit)

    async def _newest(self) -> int:
        await self._cache.fresh()
        return self._cache.position

    async def _at(self, scope: Scope, position: int, after: Key | None, limit: int) -> Page:
        """The collection exactly as it was: by the cache while nothing in it has changed since, else by the views."""
        await self._cache.wait_for(position)
        if self._cache.collection_changed(scope.collection) <= position:
            return msgspec.structs.replace(self._present(scope, after, limit, position), position=position)
        await self._past.wait_for(position, VIEWS_TIMEOUT_MS)
        states: list[State] = []
        more = True
        while more and not (limit and len(states) > limit):
            found = await self._past_page(scope, position, after)
            states.extend(state for state in found if _in_scope(scope, state))
            more = len(found) == PAST_PAGE_LIMIT
            after = key_of(found[-1]) if found else after
        if not limit or len(states) <= limit:
            return Page(states, position)
        states = states[:limit]
        last = key_of(states[-1])
        remaining = None
        if not scope.selects:
            remaining = await self._past.count(position, scope.collection, namespace=scope.namespace, after=last)
        return Page(states, position, self._token(scope, position, last), remaining)

    def _present(self, scope: Scope, after: Key | None, limit: int, position: int | None = None) -> Page:
        at = self._cache.position if position is None else position
        selection = self._cache.select(scope, after, limit)
        if not selection.more:
            return Page(selection.states, at)
        last = key_of(selection.states[-1])
        remaining = None if scope.selects else self._cache.count(scope, last)
        return Page(selection.states, at, self._token(scope, at, last), remaining)

    async def _past_page(self, scope: Scope, position: int, after: Key | None) -> list[State]:
        namespace = scope.namespace
        match scope.collection:
            case Collection.IMAGE_STREAMS:
                return [
                    *await self._past.streams_page(position, namespace=namespace, after=after, limit=PAST_PAGE_LIMIT)
                ]
            case Collection.IMAGES:
                name = after.name if after else ""
                return [*await self._past.images_page(position, after=name, limit=PAST_PAGE_LIMIT)]
            case Collection.NAMESPACES:
                name = after.name if after else ""
                return [*await self._past.namespaces_page(position, after=name, limit=PAST_PAGE_LIMIT)]
            case collection:
                return [
                    *await self._past.tags_page(
                        position, collection, namespace=namespace, after=after, limit=PAST_PAGE_LIMIT
                    )
                ]

    @staticmethod
    def _token(scope: Scope, position: int, last: Key) -> str:
        namespace = last.namespace if scope.namespace is None else ""
        return ContinueToken(position, namespace, last.name).encode()


def _in_scope(scope: Scope, state: State) -> bool:
    return scope.covers(*key_of(state)) and scope.matches(state)
