"""Readers: lists of now, of any moment that ever was, and in pages that are fetched over minutes."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec

from service.domain.world import Collection
from tests.faults.client import Client
from tests.faults.history import History, List, Page
from tests.faults.plan import KNOWN_IMAGES, NAMESPACES, NO_IMAGE, STREAMS, TAGS, weighted
from tests.faults.wire import Answer, Endpoint, Lost
from tests.faults.wish import Wish, random_wish

PAUSE_S = 0.15
"""On average, between an answer and the next request."""
PAGE_TRIES = 40
OPEN_LISTS_LIMIT = 8
"""Lists in pages that one reader has begun and not finished."""

KINDS_OF_READS = {"now": 30, "as it is": 8, "not older": 10, "exact": 22, "pages": 22, "get": 8}


class _Items(msgspec.Struct):
    metadata: dict[str, Any]
    items: list[msgspec.Raw]


_items = msgspec.json.Decoder(_Items)


class Reader:
    def __init__(self, endpoint: Endpoint, history: History, random: Random) -> None:
        self._history = history
        self._random = random
        self._client = Client(endpoint, history)
        self._open: list[tuple[List, str]] = []
        """Lists in pages, with the token that continues each."""

    async def run(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self._step()
                await asyncio.sleep(self._random.expovariate(1 / PAUSE_S))
            for begun, token in self._open:
                await self._finish(begun, token)
        finally:
            self.close()

    def close(self) -> None:
        self._client.connection.drop()

    async def _step(self) -> None:
        random, seen = self._random, self._history.seen
        if random.random() < 0.05:
            self._client.connection.drop()
        if self._open and random.random() < 0.4:
            await self._next_page()
            return
        wish = random_wish(random, self._history.images)
        match weighted(random, KINDS_OF_READS):
            case "now":
                await self.list(wish)
            case "as it is":
                await self.list(wish, any_age=True, resourceVersion=0)
            case "not older" if seen:
                version = random.randint(1, seen)
                await self.list(wish, at_least=version, resourceVersion=version, resourceVersionMatch="NotOlderThan")
            case "exact" if seen:
                version = random.randint(1, seen)
                await self.list(wish, exact=version, resourceVersion=version, resourceVersionMatch="Exact")
            case "pages" if len(self._open) < OPEN_LISTS_LIMIT:
                await self._first_page(wish)
            case _:
                await self._get()

    async def list(
        self,
        wish: Wish,
        *,
        exact: int | None = None,
        at_least: int | None = None,
        any_age: bool = False,
        limit: int = 0,
        **parameters: str | int,
    ) -> tuple[List, str] | None:
        """One page, and the token that continues it. None where there was no answer to be had."""
        history = self._history
        is_current = exact is None and at_least is None and not any_age
        floor = history.seen if is_current else at_least or 0
        begun = List(wish, floor, is_current, history.now(), exact, limit, [])
        if limit:
            parameters["limit"] = limit
        token = await self._page(begun, wish.path(**parameters))
        if token is None:
            return None
        history.lists.append(begun)
        return begun, token

    async def _first_page(self, wish: Wish) -> None:
        random, seen = self._random, self._history.seen
        limit = random.choice((1, 2, 3, 5, 10))
        if seen and random.random() < 0.4:
            version = random.randint(1, seen)
            started = await self.list(
                wish, exact=version, limit=limit, resourceVersion=version, resourceVersionMatch="Exact"
            )
        else:
            started = await self.list(wish, limit=limit)
        if started is not None and started[1]:
            self._open.append(started)

    async def _next_page(self) -> None:
        begun, token = self._open.pop(self._random.randrange(len(self._open)))
        following = await self._page(begun, self._continued(begun, token))
        if following is None:
            self._open.append((begun, token))
        elif following:
            self._open.append((begun, following))

    async def _finish(self, begun: List, token: str) -> None:
        for _ in range(PAGE_TRIES):
            following = await self._page(begun, self._continued(begun, token))
            if following == "":
                return
            token = following or token

    def _continued(self, begun: List, token: str) -> str:
        return begun.wish.path(limit=begun.limit, **{"continue": token})

    async def _page(self, begun: List, target: str) -> str | None:
        """Fetch a page. Returns the token of the next one, "" if it was the last; None without an answer."""
        try:
            answer = await self._client.ask("list", "GET", target)
        except Lost:
            return None
        return self._take_down(begun, answer) if answer.code == 200 else None

    def _take_down(self, begun: List, answer: Answer) -> str:
        history, document = self._history, _items.decode(answer.body)
        position = int(document.metadata["resourceVersion"])
        token = str(document.metadata.get("continue", ""))
        lines = [history.lines.object(bytes(item)) for item in document.items]
        remaining = document.metadata.get("remainingItemCount")
        begun.pages.append(Page(position, lines, remaining, bool(token), history.now()))
        history.saw(position)
        return token

    async def _get(self) -> None:
        """Of now, or not older than some moment."""
        random, history = self._random, self._history
        collection = random.choice(list(Collection))
        key = (random.choice(NAMESPACES), random.choice(STREAMS))
        match collection:
            case Collection.IMAGES:
                key = ("", random.choice(history.images[-KNOWN_IMAGES:] or [NO_IMAGE]))
            case Collection.NAMESPACES:
                key = ("", key[0])
            case Collection.IMAGE_TAGS | Collection.IMAGE_STREAM_TAGS:
                key = (key[0], f"{key[1]}:{random.choice(TAGS)}")
        version = random.randint(1, history.seen) if history.seen and random.random() < 0.3 else None
        await self._client.get(collection, key, version)
