"""The events table, read with a statement of the checker's own."""

from __future__ import annotations

from typing import Final

import asyncpg

from service.eventstore.records import Aggregate, RecordedEvent

PAGE_ROWS: Final = 5_000
EVERYTHING: Final = """
SELECT position, command_id, command_first, command_last, type, schema_version,
       kind, namespace, name, tag, recorded_at, metadata::text, data::text
FROM events ORDER BY position
"""


async def read_events(dsn: str) -> list[RecordedEvent]:
    """The whole log."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(readonly=True, isolation="repeatable_read"):
            return [_event(row) async for row in connection.cursor(EVERYTHING, prefetch=PAGE_ROWS)]
    finally:
        await connection.close()


def _event(row: asyncpg.Record) -> RecordedEvent:
    position, command_id, first, last, event_type, version, kind, namespace, name, tag, at, metadata, data = row
    return RecordedEvent(
        *(position, command_id, first, last, event_type, version, Aggregate(kind, namespace, name), tag, at),
        metadata.encode(),
        data.encode(),
    )
