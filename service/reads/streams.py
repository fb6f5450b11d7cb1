"""Image streams as they were after a command, with their tags and histories.

Keeps: a list costs a few steps down the primary keys for each stream, and what `tags.py` says for its tags.
Elsewhere: which position is the end of a command (`snapshot.py`), the tables (schema.sql).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from asyncpg import Connection, Record

from service.domain.imagestream import ImageStream, Tag
from service.reads.key_range import KeyRange
from service.reads.tags import TagReader

_AS_OF: Final = """
FROM imagestream_names AS n
CROSS JOIN LATERAL (
    SELECT * FROM imagestreams AS h
    WHERE h.namespace = n.namespace AND h.name = n.name AND h.valid_from <= $1
    ORDER BY h.valid_from DESC LIMIT 1
) AS h
"""

_IN_RANGE: Final = """
WHERE (n.namespace, n.name) >= ($2, $3) AND (n.namespace, n.name) < ($4, $5)
  AND (h.valid_to IS NULL OR h.valid_to > $1)
"""

STREAMS_IN_RANGE: Final = f"""
SELECT n.namespace, n.name, h.header, h.valid_from, r.position {_AS_OF}
CROSS JOIN LATERAL (
    SELECT * FROM imagestream_revisions AS r
    WHERE r.namespace = n.namespace AND r.name = n.name AND r.position <= $1
    ORDER BY r.position DESC LIMIT 1
) AS r
{_IN_RANGE}
ORDER BY n.namespace, n.name
LIMIT $6
"""

STREAM_COUNT: Final = f"SELECT count(*) {_AS_OF} {_IN_RANGE}"


class StreamReader:
    """Reads image streams at one position, which must be the end of a command."""

    def __init__(self, connection: Connection, position: int) -> None:
        self._connection = connection
        self._position = position
        self.tags = TagReader(connection, position)

    async def page(self, keys: KeyRange, limit: int) -> list[ImageStream]:
        """The first streams of a range, in order, whole."""
        streams = await self.page_without_tags(keys, limit)
        tags = await self.tags.of_streams([(stream.namespace, stream.name) for stream in streams])
        return with_tags(streams, tags)

    async def page_without_tags(self, keys: KeyRange, limit: int) -> list[ImageStream]:
        rows = await self._connection.fetch(STREAMS_IN_RANGE, self._position, *keys, limit)
        return [self._stream(row) for row in rows]

    async def count(self, keys: KeyRange) -> int:
        """How many streams there are in a range."""
        count: int = await self._connection.fetchval(STREAM_COUNT, self._position, *keys)
        return count

    def _stream(self, row: Record) -> ImageStream:
        namespace, name, header, valid_from, position = row
        return ImageStream(namespace, name, self.tags.know_header(namespace, name, valid_from, header), position)


def with_tags(streams: Sequence[ImageStream], tags: Iterable[Tag]) -> list[ImageStream]:
    """The streams, each with those of the tags that are its own."""
    by_stream: dict[tuple[str, str], dict[str, Tag]] = defaultdict(dict)
    for tag in tags:
        by_stream[tag.namespace, tag.stream][tag.name] = tag
    return [
        ImageStream(s.namespace, s.name, s.header, s.changed, by_stream.get((s.namespace, s.name), {})) for s in streams
    ]
