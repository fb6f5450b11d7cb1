"""Read the log: what is after a position, what happened to one aggregate, and payloads by digest.

Keeps: pages are dense, in order, and bounded in events and in bytes, except that a page holds at least one event. That
nothing is skipped between two pages is explained in `position.py`; where the log ends, `head.py` tells.
"""

from __future__ import annotations

from typing import Final

from asyncpg import Pool, Record

from service.eventstore.database import translated_errors
from service.eventstore.records import Aggregate, RecordedEvent

PAGE_LIMIT_EVENTS: Final = 1_000
PAGE_LIMIT_BYTES: Final = 8 * 1024 * 1024
"""Of data and metadata as stored; compressed data may be larger in memory."""

READ_AFTER: Final = """
SELECT position, command_id, command_first, command_last, type, schema_version,
       kind, namespace, name, tag, recorded_at, metadata, data
FROM (
    SELECT *, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before
    FROM (
        SELECT *, pg_column_size(data) + pg_column_size(metadata) AS bytes
        FROM events
        WHERE position > $1
        ORDER BY position
        LIMIT $2
    ) AS next
) AS page
WHERE bytes_before < $3
ORDER BY position
"""

# Two row comparisons are one range of events_by_aggregate; the primary key cannot serve them by walking the whole log.
READ_AGGREGATE: Final = """
SELECT position, command_id, command_first, command_last, type, schema_version,
       kind, namespace, name, tag, recorded_at, metadata, data
FROM events
WHERE (kind, namespace, name, position) > ($1, $2, $3, $4::bigint)
  AND (kind, namespace, name, position) <= ($1, $2, $3, 9223372036854775807)
ORDER BY kind, namespace, name, position
LIMIT $5
"""

PAYLOAD: Final = "SELECT content FROM payloads WHERE digest = $1"
LOG_ID: Final = "SELECT log_id::text FROM log_head"
OLDEST: Final = "SELECT min(position) FROM events"
NEWEST: Final = "SELECT coalesce(max(position), 0) FROM events"


class Reader:
    """Errors are translated: Unavailable when PostgreSQL is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read_after(self, position: int, limit: int = PAGE_LIMIT_EVENTS) -> list[RecordedEvent]:
        """The next events after a position; empty only at the end of the log."""
        with translated_errors():
            rows = await self._pool.fetch(READ_AFTER, position, min(limit, PAGE_LIMIT_EVENTS), PAGE_LIMIT_BYTES)
        return [_event(row) for row in rows]

    async def read_aggregate(
        self, aggregate: Aggregate, after: int = 0, limit: int = PAGE_LIMIT_EVENTS
    ) -> list[RecordedEvent]:
        """The next events of one aggregate after a position; empty only when there are no more."""
        key = (aggregate.kind, aggregate.namespace, aggregate.name)
        with translated_errors():
            rows = await self._pool.fetch(READ_AGGREGATE, *key, after, min(limit, PAGE_LIMIT_EVENTS))
        return [_event(row) for row in rows]

    async def payload(self, digest: str) -> bytes | None:
        with translated_errors():
            content: bytes | None = await self._pool.fetchval(PAYLOAD, digest)
        return content

    async def log_id(self) -> str:
        """The identity of this log, made with its schema: another database's log has another."""
        with translated_errors():
            log_id: str = await self._pool.fetchval(LOG_ID)
        return log_id

    async def oldest(self) -> int | None:
        """The position of the oldest event there is; None for an empty log."""
        with translated_errors():
            position: int | None = await self._pool.fetchval(OLDEST)
        return position

    async def newest(self) -> int:
        """The position of the newest event; 0 for an empty log. For many readers at once see `head.py`."""
        with translated_errors():
            position: int = await self._pool.fetchval(NEWEST)
        return position


def _event(row: Record) -> RecordedEvent:
    (
        position,
        command_id,
        command_first,
        command_last,
        type_name,
        schema_version,
        kind,
        namespace,
        name,
        tag,
        recorded_at,
        metadata,
        data,
    ) = row
    return RecordedEvent(
        position,
        command_id,
        command_first,
        command_last,
        type_name,
        schema_version,
        Aggregate(kind, namespace, name),
        tag,
        recorded_at,
        metadata.encode(),
        data.encode(),
    )
