"""A list and a watch kept equal to a collection the way client-go's Reflector does it, to see how servers treat it.

One LIST, then watches that each begin where the last event or bookmark left off. A watch that ends, breaks or cannot
begin is begun again; only a server that says the position is gone (410, in an answer or an ERROR event) makes it list
again. Keeps: `store` is what the server told, and `positions` are in the order they were told.
"""

from __future__ import annotations

import asyncio

import aiohttp

from tests.acceptance.api import Api, Document

WATCH_TIMEOUT_S = 2
"""How long the server is asked to keep each watch open: client-go asks for five to ten minutes."""
PAUSE_S = 0.05
GONE = 410
TRY_AGAIN = frozenset({429, 500, 503, 504})


class Reflector:
    def __init__(self, api: Api, path: str) -> None:
        self.store: dict[str, Document] = {}
        self.events: list[Document] = []
        self.lists = 0
        self.watches = 0
        self.breaks = 0
        self._api = api
        self._path = path
        self._version = ""

    @property
    def position(self) -> int:
        return int(self._version or 0)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                self.breaks += 1
                await asyncio.sleep(PAUSE_S)

    async def _list(self) -> None:
        answer = await self._api.get(self._path)
        if answer.status in TRY_AGAIN:
            await asyncio.sleep(PAUSE_S)
            return
        listed = answer.ok()
        self.lists += 1
        self.store = {item["metadata"]["name"]: item for item in listed["items"]}
        self._version = listed["metadata"]["resourceVersion"]

    async def _watch(self) -> None:
        if not self._version:
            return
        self.watches += 1
        options = {
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": WATCH_TIMEOUT_S,
        }
        async with self._api.watch(self._path, **options) as events:
            async for event in events:
                self._take(event)
                if not self._version:
                    return

    def _take(self, event: Document) -> None:
        found = event["object"]
        if event["type"] == "ERROR":
            assert found["code"] == GONE, found
            self._version = ""
            return
        self._version = found["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            return
        self.events.append(event)
        if event["type"] == "DELETED":
            del self.store[found["metadata"]["name"]]
        else:
            self.store[found["metadata"]["name"]] = found
