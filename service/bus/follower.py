"""Follow the log: every event after a position, in order and without gaps, whole commands at a time, for ever.

Events come from three sides: from JetStream, from this process's own appends (`offer`), and, when neither has what is
next, from PostgreSQL. Keeps: a batch begins right after the one before it and ends where a command ends; nothing is
skipped, because what comes is only used where it fits, and whatever is missing is read from the log. The first two are
there for speed: they wait in a bounded buffer, what finds no room is dropped, and a tick stands behind them, so NATS
may be down, late or wrong, from the start and for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

from service.bus.connection import NatsConnection
from service.bus.envelope import EnvelopeCodec
from service.bus.event_buffer import EventBuffer
from service.bus.subscription import Subscription
from service.domain.errors import Expired, Unavailable
from service.eventstore.position import ends_command, is_dense
from service.eventstore.reader import PAGE_LIMIT_EVENTS, Reader
from service.eventstore.records import RecordedEvent
from service.runtime.logs import get_logger

TICK_S: Final = 1.0
TICK_WITHOUT_BUS_S: Final = 0.1
GAP_PATIENCE_S: Final = 0.01
"""How long a gap is left to what may be on its way: other processes' events, between our own."""
RETRY_S: Final = 0.25

log = get_logger("follower")


class Follower:
    """Start `run` as a task, and iterate over `batches` in one other task. `position` is that of the last batch."""

    def __init__(self, reader: Reader, nats: NatsConnection, after: int) -> None:
        self.position = after
        self._reader = reader
        self._subscription = Subscription(nats, start=lambda: self.position + 1, deliver=self._deliver)
        self._envelopes: EnvelopeCodec | None = None
        self._buffer = EventBuffer()
        self._news = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._next_look_s = 0.0
        self._not_before_s = 0.0
        self._gap_since_s: float | None = None
        self._hinted = 0
        self._heard_from_bus = 0
        self._not_heard_from_bus = 0

    async def run(self) -> None:
        """Listen to JetStream once the log was read to its end, until cancelled."""
        await self._caught_up.wait()
        while self._envelopes is None:
            try:
                self._envelopes = EnvelopeCodec(await self._reader.log_id())
            except Unavailable:
                await asyncio.sleep(RETRY_S)
        await self._subscription.run()

    async def batches(self) -> AsyncIterator[list[RecordedEvent]]:
        """The log after `position`, in batches of whole commands. Raises Expired when what is next was pruned."""
        while True:
            batch = self._buffer.take(self.position) or await self._look_if_due()
            if batch:
                self.position = batch[-1].position
                self._gap_since_s = None
                yield batch
            else:
                await self._wait()

    def offer(self, events: Sequence[RecordedEvent]) -> None:
        """Events that this process knows to be committed; they may come in any order, late, or not at all."""
        for event in events:
            if event.position > self.position:
                self._buffer.add(event)
        self._news.set()

    def hint(self, position: int) -> None:
        """Somebody waits for this position: go and look, rather than wait for it to come."""
        if position > max(self.position, self._hinted):
            self._hinted = position
            self._news.set()

    def _deliver(self, sequence: int, body: bytes) -> None:
        if self._envelopes is None:
            return
        if sequence > self.position and sequence not in self._buffer:
            event = self._envelopes.decode(body)
            if event is None or event.position != sequence:
                self._heard_from_bus = 0
                self.hint(sequence)
                return
            self._buffer.add(event)
        self._heard_from_bus = max(self._heard_from_bus, sequence)
        self._news.set()

    async def _look_if_due(self) -> list[RecordedEvent]:
        """Read the log, if it is time to."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._due_s(now_s):
            return []
        hinted, by_tick = self._hinted, now_s >= self._next_look_s
        try:
            events = await self._read_log()
        except Unavailable as error:
            log.warning("the log cannot be read for now", position=self.position, error=error)
            self._not_before_s = asyncio.get_running_loop().time() + RETRY_S
            return []
        if self._hinted == hinted:
            self._hinted = 0
        if by_tick and events and self._caught_up.is_set():
            self._not_heard_from_bus = events[-1].position
        if len(events) < PAGE_LIMIT_EVENTS:
            self._caught_up.set()
            self._next_look_s = asyncio.get_running_loop().time() + self._tick_s()
        return events

    async def _read_log(self) -> list[RecordedEvent]:
        """The next page of the log, up to the end of a command."""
        events = await self._reader.read_after(self.position)
        if not is_dense(self.position, events):
            raise Expired(f"the log begins at position {events[0].position}, and {self.position + 1} is next")
        while events and not ends_command(events[-1]):
            last = events[-1]
            events += await self._reader.read_after(last.position, last.command_last - last.position)
        self._buffer.forget(events)
        return events

    def _due_s(self, now_s: float) -> float:
        """When the log is to be read next."""
        due_s = self._next_look_s
        if self._hinted > self.position:
            due_s = now_s
        elif len(self._buffer):
            if self._gap_since_s is None:
                self._gap_since_s = now_s
            due_s = min(due_s, self._gap_since_s + GAP_PATIENCE_S)
        return max(due_s, self._not_before_s)

    def _tick_s(self) -> float:
        """A bus that lets us find what it should have told is as good as none."""
        bus_is_well = self._subscription.is_live and self._heard_from_bus >= self._not_heard_from_bus
        return TICK_S if bus_is_well else TICK_WITHOUT_BUS_S

    async def _wait(self) -> None:
        """Wait for news, or until the log is to be read."""
        now_s = asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._due_s(now_s) - now_s):
                await self._news.wait()
        self._news.clear()
