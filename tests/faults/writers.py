"""Writers: each sends one request after the other, and notes what became of it.

Keeps: every attempt has an Audit-Id of its own, under which the log keeps it, and is sent once; an outcome that is not
known is written down as such, and never tried again as if it were.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from random import Random

from service.domain.world import Collection
from tests.faults import requests
from tests.faults.client import Client, status_of
from tests.faults.history import History, Intent, Outcome, Write
from tests.faults.intents import Intents
from tests.faults.plan import KNOWN_IMAGES, NAMESPACES, STREAMS, TAGS
from tests.faults.wire import Answer, Endpoint, Lost

PAUSE_S = 0.04
"""On average, between an answer and the next request."""
RECONNECT_SHARE = 0.03
READ_BACK_SHARE = 0.3
CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


class Writer:
    def __init__(self, name: str, endpoint: Endpoint, history: History, random: Random) -> None:
        self._history = history
        self._random = random
        self._intents = Intents(name, random, history.images)
        self._client = Client(endpoint, history)
        self._other = Client(endpoint, history)

    async def begin(self) -> None:
        """Something to be found from the beginning on: every stream, and a push to each."""
        for namespace, stream in itertools.product(NAMESPACES, STREAMS):
            serial = f"first-{namespace}-{stream}"
            await self.send(requests.create_stream(namespace, stream, serial, {}))
            await self.send(requests.push(namespace, stream, TAGS[0], requests.image_of(serial), {}))

    async def run(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self._step()
                await asyncio.sleep(self._random.expovariate(1 / PAUSE_S))
        finally:
            self.close()

    def close(self) -> None:
        self._client.connection.drop()
        self._other.connection.drop()

    async def _step(self) -> None:
        for client in (self._client, self._other):
            if self._random.random() < RECONNECT_SHARE:
                # The next connection may be to another API process.
                client.connection.drop()
        intent: Intent | None = self._intents.next()
        if intent is not None and intent.action == "bump stream":
            intent = await self._bumped(intent)
        if intent is None:
            return
        write = await self.send(intent)
        if write.outcome is Outcome.ACKNOWLEDGED and self._random.random() < READ_BACK_SHARE:
            await self._read_back(write)

    async def send(self, intent: Intent) -> Write:
        """Once, whatever comes of it."""
        history = self._history
        await self._client.rest()
        request_id = f"{intent.action.replace(' ', '-')}/{uuid.UUID(int=self._random.getrandbits(128))}"
        write = Write(request_id, intent, history.now(), history.seen)
        history.writes.append(write)
        headers = {"Audit-Id": request_id}
        if intent.body:
            headers["Content-Type"] = CONTENT_TYPES.get(intent.method, "application/json")
        try:
            answer = await self._client.ask("write", intent.method, intent.path, intent.body, headers)
        except Lost as lost:
            write.was_sent = lost.was_sent
        else:
            self._take_down(write, answer)
        write.ended = history.now()
        return write

    def _take_down(self, write: Write, answer: Answer) -> None:
        history, status = self._history, status_of(answer)
        write.code = answer.code
        if answer.code >= 400:
            write.reason, write.message = str(status.get("reason", "")), str(status.get("message", ""))
            details = status.get("details")
            write.about = str(details.get("name", "")) if isinstance(details, dict) else ""
            return
        kind = str(status.get("kind", ""))
        if kind not in ("Status", "") and not kind.endswith("List"):
            write.shown = history.lines.object(answer.body)
            history.saw(write.shown.version)
        if write.intent.action == "push" and write.intent.trace.mark not in history.images[-KNOWN_IMAGES:]:
            history.images.append(write.intent.trace.mark)

    async def _bumped(self, intent: Intent) -> Intent | None:
        """Read, change, write: the update names the version that was read."""
        answer = await self._client.get(intent.collection, intent.key)
        if answer is None or answer.code != 200:
            return None
        document = status_of(answer)
        metadata = document["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), "mark": intent.trace.mark}
        await asyncio.sleep(self._random.uniform(0, PAUSE_S))
        intent.body, intent.based_on = json.dumps(document).encode(), int(metadata["resourceVersion"])
        return intent

    async def _read_back(self, write: Write) -> None:
        """Through a connection that the write did not use."""
        intent = write.intent
        if not intent.key[1]:
            return
        collection = intent.collection
        if intent.action == "push" and self._random.random() < 0.5:
            collection = Collection.IMAGE_TAGS
        await self._other.get(collection, intent.key)
