"""A client with one connection at a time, who notes down what went wrong on it, and comes again when it was told to."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from service.domain.world import Collection
from tests.faults.history import Get, History, Moment, Trouble
from tests.faults.wire import Answer, Connection, Endpoint, Lost
from tests.faults.wish import Key, object_path

LOST_PAUSE_S = 0.2
RETRY_AFTER_LIMIT_S = 5.0
MAY_BE_REFUSED = ("write", "get")
REFUSALS = (400, 403, 404, 409, 422)
"""What a write, or the read of one object, may find; everything else of 400 and above is trouble."""


class Client:
    def __init__(self, endpoint: Endpoint, history: History, receive_buffer_bytes: int | None = None) -> None:
        self.connection = Connection(endpoint, receive_buffer_bytes)
        self.history = history
        self._not_before_s = 0.0

    async def ask(
        self, what: str, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Raises Lost."""
        await self.rest()
        begun = self.history.now()
        try:
            answer = await self.connection.request(method, target, body, headers)
        except Lost as lost:
            self.note_lost(what, lost, begun)
            raise
        self.note(what, answer, begun)
        return answer

    async def rest(self) -> None:
        """Until it is time to come again."""
        await asyncio.sleep(max(0.0, self._not_before_s - asyncio.get_running_loop().time()))

    async def get(self, collection: Collection, key: Key, resource_version: int | None = None) -> Answer | None:
        """Read an object. None where there was no answer to be had."""
        history = self.history
        at_least = history.seen if resource_version is None else resource_version
        begun = history.now()
        try:
            answer = await self.ask("get", "GET", object_path(collection, key, resource_version))
        except Lost:
            return None
        if answer.code not in (200, 404):
            return None
        shown = history.lines.object(answer.body) if answer.code == 200 else None
        history.gets.append(Get(collection, key, at_least, resource_version is None, begun, history.now(), shown))
        if shown is not None:
            history.saw(shown.version)
        return answer

    def note(self, what: str, answer: Answer, begun: Moment) -> None:
        if answer.code < 400 or (what in MAY_BE_REFUSED and answer.code in REFUSALS):
            return
        status = status_of(answer)
        reason, message = str(status.get("reason", "")), str(status.get("message", ""))
        wait_s = answer.retry_after_s
        self.history.troubles.append(Trouble(what, answer.code, reason, message, wait_s, begun, self.history.now()))
        self._wait(LOST_PAUSE_S if wait_s is None else min(wait_s, RETRY_AFTER_LIMIT_S))

    def note_lost(self, what: str, lost: Lost, begun: Moment) -> None:
        self.history.troubles.append(Trouble(what, 0, "", str(lost), None, begun, self.history.now()))
        self._wait(LOST_PAUSE_S)

    def _wait(self, seconds: float) -> None:
        self._not_before_s = asyncio.get_running_loop().time() + seconds


def status_of(answer: Answer) -> dict[str, Any]:
    """The answer as a document, which a refusal of ours always is."""
    document: Any = msgspec.json.decode(answer.body) if answer.body else {}
    return document if isinstance(document, dict) else {}
