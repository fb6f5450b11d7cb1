"""The newest events of the log, for all projections of a process, which share its one follower.

Each projection asks for what is after its own checkpoint. One that is behind the newest events reads the log itself,
until it has caught up. Bounded: a number of events and of bytes is kept, the oldest are dropped.
Keeps: an answer begins right after the position asked for and ends where a command ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, Sequence
from typing import Final

from projections.log_pages import page_after
from service.eventstore.reader import Reader
from service.eventstore.records import RecordedEvent

KEPT_EVENTS: Final = 20_000
KEPT_BYTES: Final = 64 * 1024 * 1024
EVENT_OVERHEAD_BYTES: Final = 500
ANSWER_LIMIT_EVENTS: Final = 2_000


class Feed:
    """Start `run` as a task; `after` from anywhere in the same event loop."""

    def __init__(self, reader: Reader, position: int) -> None:
        self.position = position
        """Of the newest event."""
        self._reader = reader
        self._batches: deque[Sequence[RecordedEvent]] = deque()
        self._events = 0
        self._bytes = 0
        self._news = asyncio.Event()

    async def run(self, batches: AsyncIterable[Sequence[RecordedEvent]]) -> None:
        """Take in the log, in batches of whole commands that begin after `position`."""
        async for batch in batches:
            self._keep(batch)

    async def after(self, position: int, timeout_s: float) -> list[RecordedEvent]:
        """The next commands; none if there are none in time. Raises Expired, Unavailable."""
        if position >= self.position:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
        if position >= self.position:
            return []
        if not self._batches or position + 1 < self._batches[0][0].position:
            return await page_after(self._reader, position)
        return self._kept_after(position)

    def _kept_after(self, position: int) -> list[RecordedEvent]:
        newer: list[Sequence[RecordedEvent]] = []
        for batch in reversed(self._batches):
            if batch[-1].position <= position:
                break
            newer.append(batch)
        found: list[RecordedEvent] = []
        while newer and len(found) < ANSWER_LIMIT_EVENTS:
            found += newer.pop()
        return found

    def _keep(self, batch: Sequence[RecordedEvent]) -> None:
        self._batches.append(batch)
        self._events += len(batch)
        self._bytes += _size_bytes(batch)
        while len(self._batches) > 1 and (self._events > KEPT_EVENTS or self._bytes > KEPT_BYTES):
            oldest = self._batches.popleft()
            self._events -= len(oldest)
            self._bytes -= _size_bytes(oldest)
        self.position = batch[-1].position
        self._news.set()
        self._news = asyncio.Event()


def _size_bytes(batch: Sequence[RecordedEvent]) -> int:
    return sum(len(event.data) + len(event.metadata) + EVENT_OVERHEAD_BYTES for event in batch)
