"""The queries behind `stream_states.py`: image streams, tags and histories as the views tell them now.

They run on a runner's own connection, between its batches, so "now" is its checkpoint; each answers for many keys.
Keeps: every lookup is a few steps down the primary key, whatever the number of versions, tags and entries.
Elsewhere: reading the past (`service/reads/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
from asyncpg import Connection, Record

from service.api.image_v1 import TagEventCondition, TagReference
from service.domain.events import Header, Item
from service.domain.history import History
from service.domain.imagestream import ImageStream, Tag

StreamKey = tuple[str, str]
"""Namespace and name."""
TagKey = tuple[StreamKey, str]

HEADERS: Final = """
SELECT h.namespace, h.name, h.header, h.valid_from
FROM unnest($1::text[], $2::text[]) AS wanted(namespace, name)
CROSS JOIN LATERAL (
    SELECT * FROM imagestreams AS h
    WHERE h.namespace = wanted.namespace AND h.name = wanted.name
    ORDER BY h.valid_from DESC LIMIT 1
) AS h
WHERE h.valid_to IS NULL
"""

TAGS: Final = """
SELECT t.namespace, t.name, t.spec, t.conditions, t.listed, t.valid_from AS changed,
       i.valid_from, i.ordinal, i.created, i.reference, i.image, i.generation
FROM unnest($1::text[], $2::text[]) AS wanted(namespace, name)
CROSS JOIN LATERAL (
    SELECT * FROM imagetags AS t
    WHERE t.namespace = wanted.namespace AND t.name = wanted.name
    ORDER BY t.valid_from DESC LIMIT 1
) AS t
LEFT JOIN imagetag_items AS i
  ON i.namespace = t.namespace AND i.name = t.name AND i.valid_from = t.head_from AND i.ordinal = t.head_ordinal
WHERE t.valid_to IS NULL
"""

TAG_NAMES: Final = """
SELECT n.namespace, n.name
FROM unnest($1::text[], $2::text[]) AS wanted(namespace, name)
JOIN imagetag_names AS n
  ON (n.namespace, n.name) >= (wanted.namespace, wanted.name || ':')
 AND (n.namespace, n.name) < (wanted.namespace, wanted.name || ';')
"""

HISTORIES: Final = """
SELECT i.namespace, i.name, i.valid_from, i.ordinal, i.created, i.reference, i.image, i.generation
FROM unnest($1::text[], $2::text[]) AS wanted(namespace, name)
JOIN imagetag_items AS i ON i.namespace = wanted.namespace AND i.name = wanted.name AND i.valid_to IS NULL
ORDER BY i.namespace, i.name, i.valid_from, i.ordinal
"""

_header = msgspec.json.Decoder(Header)
_spec = msgspec.json.Decoder(TagReference)
_conditions = msgspec.json.Decoder(tuple[TagEventCondition, ...])


class OpenEntry(NamedTuple):
    """An entry of a history and the rest of its row's key."""

    valid_from: int
    ordinal: int
    item: Item


async def streams(connection: Connection, keys: list[StreamKey]) -> dict[StreamKey, tuple[ImageStream, int]]:
    """The streams that there are, without tags, and the position since which their header is what it is."""
    return {
        (namespace, name): (ImageStream(namespace, name, _header.decode(header), valid_from), valid_from)
        for namespace, name, header, valid_from in await _fetch(connection, HEADERS, keys)
    }


async def tag_names(connection: Connection, keys: list[StreamKey]) -> list[TagKey]:
    """Every tag that the streams ever had."""
    return [_tag_key(row) for row in await _fetch(connection, TAG_NAMES, keys)]


async def tags(
    connection: Connection, keys: Iterable[TagKey], of: Mapping[StreamKey, ImageStream]
) -> list[tuple[Tag, OpenEntry | None]]:
    """The tags that there are, each with no more than the newest entry of its history, and that entry's row."""
    found: list[tuple[Tag, OpenEntry | None]] = []
    for row in await _fetch(connection, TAGS, [_names(key) for key in keys]):
        stream_key, name = _tag_key(row)
        newest = _entry(row) if row["valid_from"] is not None else None
        tag = Tag(
            *stream_key,
            name,
            # The fold never looks at the header a tag was last changed under.
            of[stream_key].header,
            row["changed"],
            _spec.decode(row["spec"]) if row["spec"] is not None else None,
            History(newest.item, None, 1) if newest else None,
            _conditions.decode(row["conditions"]) if row["conditions"] is not None else (),
            row["listed"],
        )
        found.append((tag, newest))
    return found


async def histories(connection: Connection, keys: Iterable[TagKey]) -> dict[TagKey, list[OpenEntry]]:
    """Whole histories, oldest entry first."""
    found: dict[TagKey, list[OpenEntry]] = {key: [] for key in keys}
    for row in await _fetch(connection, HISTORIES, [_names(key) for key in found]):
        found[_tag_key(row)].append(_entry(row))
    return found


async def _fetch(connection: Connection, statement: str, keys: list[tuple[str, str]]) -> list[Record]:
    """Rows for two parallel arrays; nothing is asked for no key."""
    if not keys:
        return []
    rows: list[Record] = await connection.fetch(statement, *zip(*keys, strict=True))
    return rows


def _names(key: TagKey) -> tuple[str, str]:
    (namespace, stream), tag = key
    return namespace, f"{stream}:{tag}"


def _tag_key(row: Record) -> TagKey:
    stream, _, tag = row["name"].partition(":")
    return (row["namespace"], stream), tag


def _entry(row: Record) -> OpenEntry:
    item = Item(row["created"], row["reference"], row["image"], row["generation"])
    return OpenEntry(row["valid_from"], row["ordinal"], item)
