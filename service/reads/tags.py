"""Tags as they were at a position, with the whole of their history or only its newest entry.

Keeps: a list costs a few steps down the primary key for each tag that ever had a name in its range, and one row for
each entry that it returns, however often the tags have moved since.
Elsewhere: whether the views have reached the position (`snapshot.py`), the tables (schema.sql).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from asyncpg import Connection, Record

from service.api.image_v1 import TagEventCondition, TagReference
from service.domain.events import Header, Item
from service.domain.history import History
from service.domain.imagestream import Tag, with_generation
from service.reads.key_range import KeyRange

ENTRIES_AT_ONCE: Final = 5_000

HeaderKey = tuple[str, str, int]
"""Namespace and name of a stream, and the position since which it had the header."""

_TAG_COLUMNS: Final = "n.namespace, n.name, t.header_from, t.valid_from, t.spec, t.conditions, t.listed"

_AS_OF: Final = """
CROSS JOIN LATERAL (
    SELECT * FROM imagetags AS t
    WHERE t.namespace = n.namespace AND t.name = n.name AND t.valid_from <= $1
    ORDER BY t.valid_from DESC LIMIT 1
) AS t
"""

_NEWEST_ENTRY: Final = """
JOIN imagetag_items AS i
  ON i.namespace = t.namespace AND i.name = t.name AND i.valid_from = t.head_from AND i.ordinal = t.head_ordinal
 AND i.image <> ''
"""

_IN_RANGE: Final = """
WHERE (n.namespace, n.name) >= ($2, $3) AND (n.namespace, n.name) < ($4, $5) AND (t.valid_to IS NULL OR t.valid_to > $1)
"""

IMAGE_TAGS: Final = f"""
SELECT {_TAG_COLUMNS} FROM imagetag_names AS n {_AS_OF} {_IN_RANGE} ORDER BY n.namespace, n.name LIMIT $6
"""

IMAGE_STREAM_TAGS: Final = f"""
SELECT {_TAG_COLUMNS}, i.created, i.reference, i.image, i.generation
FROM imagetag_names AS n {_AS_OF} {_NEWEST_ENTRY} {_IN_RANGE} ORDER BY n.namespace, n.name LIMIT $6
"""

IMAGE_TAG_COUNT: Final = f"SELECT count(*) FROM imagetag_names AS n {_AS_OF} {_IN_RANGE}"
IMAGE_STREAM_TAG_COUNT: Final = f"SELECT count(*) FROM imagetag_names AS n {_AS_OF} {_NEWEST_ENTRY} {_IN_RANGE}"

# The subqueries are run for one stream, or one tag, at a time, which their ORDER BY makes sure of.
TAGS_OF_STREAMS: Final = f"""
SELECT {_TAG_COLUMNS}
FROM unnest($2::text[], $3::text[]) AS wanted(namespace, stream)
CROSS JOIN LATERAL (
    SELECT * FROM imagetag_names AS n
    WHERE n.namespace = wanted.namespace AND n.name >= wanted.stream || ':' AND n.name < wanted.stream || ';'
    ORDER BY n.name
) AS n {_AS_OF}
WHERE t.valid_to IS NULL OR t.valid_to > $1
"""

ENTRIES: Final = """
SELECT wanted.index, i.created, i.reference, i.image, i.generation
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS wanted(namespace, name, index)
CROSS JOIN LATERAL (
    SELECT * FROM imagetag_items AS i
    WHERE i.namespace = wanted.namespace AND i.name = wanted.name AND i.valid_from <= $1
      AND (i.valid_to IS NULL OR i.valid_to > $1)
    ORDER BY i.valid_from, i.ordinal
) AS i
"""

HEADERS: Final = """
SELECT h.namespace, h.name, h.valid_from, h.header, (newest.header->'metadata'->>'generation')::bigint
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS wanted(namespace, name, valid_from)
JOIN imagestreams AS h USING (namespace, name, valid_from)
CROSS JOIN LATERAL (
    SELECT * FROM imagestreams AS newest
    WHERE newest.namespace = wanted.namespace AND newest.name = wanted.name AND newest.valid_from <= $1
    ORDER BY newest.valid_from DESC LIMIT 1
) AS newest
"""

_header = msgspec.json.Decoder(Header)
_spec = msgspec.json.Decoder(TagReference)
_conditions = msgspec.json.Decoder(tuple[TagEventCondition, ...])


class TagReader:
    """Reads tags at one position, within a transaction. Headers are decoded once, for all tags that it meets."""

    def __init__(self, connection: Connection, position: int) -> None:
        self._connection = connection
        self._position = position
        self._headers: dict[HeaderKey, Header] = {}

    def know_header(self, namespace: str, stream: str, valid_from: int, header: str) -> Header:
        return self._headers.setdefault((namespace, stream, valid_from), _header.decode(header))

    async def image_tags(self, keys: KeyRange, limit: int) -> list[Tag]:
        """The first tags of a range, in order, with the whole of their history."""
        rows = await self._connection.fetch(IMAGE_TAGS, self._position, *keys, limit)
        return await self._tags(rows, await self._histories(rows))

    async def image_stream_tags(self, keys: KeyRange, limit: int) -> list[Tag]:
        """The first tags of a range that have an image, in order, with the newest entry of their history alone."""
        rows = await self._connection.fetch(IMAGE_STREAM_TAGS, self._position, *keys, limit)
        return await self._tags(rows, [History(Item(*row[-4:]), None, 1) for row in rows])

    async def of_streams(self, streams: Sequence[tuple[str, str]]) -> list[Tag]:
        """All tags of some image streams, with the whole of their history, in no order."""
        if not streams:
            return []
        rows = await self._connection.fetch(TAGS_OF_STREAMS, self._position, *zip(*streams, strict=True))
        return await self._tags(rows, await self._histories(rows))

    async def count(self, keys: KeyRange, *, with_image: bool) -> int:
        """How many tags there are in a range."""
        statement = IMAGE_STREAM_TAG_COUNT if with_image else IMAGE_TAG_COUNT
        count: int = await self._connection.fetchval(statement, self._position, *keys)
        return count

    async def _tags(self, rows: Sequence[Record], histories: Sequence[History | None]) -> list[Tag]:
        header_keys = [(row["namespace"], row["name"].partition(":")[0], row["header_from"]) for row in rows]
        await self._fetch_headers(set(header_keys))
        return [self._tag(*of_one) for of_one in zip(rows, header_keys, histories, strict=True)]

    async def _fetch_headers(self, keys: Iterable[HeaderKey]) -> None:
        missing = [key for key in keys if key not in self._headers]
        if missing:
            rows = await self._connection.fetch(HEADERS, self._position, *zip(*missing, strict=True))
            for *key, header, generation in rows:
                self._headers[tuple(key)] = with_generation(_header.decode(header), generation or 0)

    async def _histories(self, rows: Sequence[Record]) -> list[History | None]:
        """The whole history of each row's tag. Must be called within a transaction."""
        histories: list[History | None] = [None] * len(rows)
        namespaces, names = [row["namespace"] for row in rows], [row["name"] for row in rows]
        cursor = await self._connection.cursor(ENTRIES, self._position, namespaces, names)
        while entries := await cursor.fetch(ENTRIES_AT_ONCE):
            for number, *values in entries:
                older = histories[number - 1]
                histories[number - 1] = History(Item(*values), older, older.length + 1 if older else 1)
        return histories

    def _tag(self, row: Record, header_key: HeaderKey, history: History | None) -> Tag:
        namespace, stream, _ = header_key
        _, name, _, valid_from, spec, conditions, listed, *_ = row
        return Tag(
            namespace,
            stream,
            name[len(stream) + 1 :],
            self._headers[header_key],
            valid_from,
            _spec.decode(spec) if spec is not None else None,
            history,
            _conditions.decode(conditions) if conditions is not None else (),
            listed,
        )
