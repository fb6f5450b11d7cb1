"""Manifests and configs by the digest of their bytes, with the most recently read ones in memory.

Keeps: bounded in bytes; a payload never changes, so what is held is never out of date.
"""

from __future__ import annotations

from collections import OrderedDict

from service.eventstore.reader import Reader

CACHE_LIMIT_BYTES = 32 * 1024 * 1024


class Payloads:
    def __init__(self, reader: Reader, limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
        self._reader = reader
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._held: OrderedDict[str, bytes] = OrderedDict()

    async def payload(self, digest: str) -> bytes | None:
        """Raises Unavailable when PostgreSQL is away."""
        content = self._held.get(digest)
        if content is not None:
            self._held.move_to_end(digest)
            return content
        content = await self._reader.payload(digest)
        if content is not None and digest not in self._held and len(content) <= self._limit_bytes:
            self._held[digest] = content
            self._held_bytes += len(content)
            while self._held_bytes > self._limit_bytes:
                self._held_bytes -= len(self._held.popitem(last=False)[1])
        return content
