"""An instance where nothing happens but what the one test does that has its turn, so that a head that stays tells.

Keeps: after every test the head of the log is where the test says it is, the instance is ready, and events still get
from the log into the views: what was bad for a client has been bad for nobody else.
"""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.acceptance.api import Api, Entrance, api_of, imagestream, reference_tag


class Quiet:
    def __init__(self, entrance: Entrance, api: Api, namespace: str, head: int) -> None:
        self.entrance = entrance
        self.api = api
        self.namespace = namespace
        self._head = head

    @property
    def streams(self) -> str:
        return f"namespaces/{self.namespace}/imagestreams"

    async def appended(self) -> None:
        """What was appended up to here is as it should be."""
        self._head = await self.api.head()

    async def check(self) -> None:
        """Nothing was appended since, and everything still works."""
        assert await self.api.head() == self._head
        assert (await self.api.request("GET", "/readyz")).body == b"ok"
        name = f"alive-{uuid.uuid4().hex[:8]}"
        created = (await self.api.create(self.streams, imagestream(name))).ok()
        version = created["metadata"]["resourceVersion"]
        (await self.api.delete(f"{self.streams}/{name}")).ok()
        # What is no longer so is only in the views.
        past = await self.api.get(self.streams, resourceVersion=version, resourceVersionMatch="Exact")
        assert name in [item["metadata"]["name"] for item in past.ok()["items"]]


@asynccontextmanager
async def turn(entrance: Entrance, folder: Path, namespace: str) -> AsyncIterator[Quiet]:
    """The instance alone, for the time of the block, among all workers of the run."""
    with (folder / "turn").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with api_of(entrance) as api:
            web = imagestream("web", reference_tag("base", "quay.io/team/base:1"))
            (await api.create(f"namespaces/{namespace}/imagestreams", web)).ok()
            quiet = Quiet(entrance, api, namespace, await api.head())
            yield quiet
            await quiet.check()
