"""Events that came before their turn, or ahead of their reader. Bounded: what finds no room is not kept."""

from __future__ import annotations

from typing import Final

from service.eventstore.position import ends_command
from service.eventstore.records import RecordedEvent

LIMIT_EVENTS: Final = 10_000
LIMIT_BYTES: Final = 32 * 1024 * 1024
BATCH_LIMIT_EVENTS: Final = 1_000
EVENT_OVERHEAD_BYTES: Final = 512
"""Roughly what an event takes in memory beside its data and metadata."""


class EventBuffer:
    def __init__(self) -> None:
        self._events: dict[int, RecordedEvent] = {}
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, position: int) -> bool:
        return position in self._events

    def add(self, event: RecordedEvent) -> None:
        """Keep the event, unless it is there already or there is no room."""
        if event.position in self._events or len(self._events) >= LIMIT_EVENTS or self._size_bytes >= LIMIT_BYTES:
            return
        self._events[event.position] = event
        self._size_bytes += _size_bytes(event)

    def take(self, after: int) -> list[RecordedEvent]:
        """Take out whole commands that come right after a position; none if what is next is not there, or not all."""
        events: list[RecordedEvent] = []
        whole = 0
        while (event := self._events.get(after + 1 + len(events))) is not None:
            events.append(event)
            if ends_command(event):
                whole = len(events)
                if whole >= BATCH_LIMIT_EVENTS:
                    break
        del events[whole:]
        self.forget(events)
        return events

    def forget(self, events: list[RecordedEvent]) -> None:
        """Drop these events if they are there: their reader has them."""
        for event in events:
            kept = self._events.pop(event.position, None)
            if kept is not None:
                self._size_bytes -= _size_bytes(kept)


def _size_bytes(event: RecordedEvent) -> int:
    return len(event.data) + len(event.metadata) + EVENT_OVERHEAD_BYTES
