"""The rows of tags: imagetags, imagetag_items, imagetag_names, and so the view imagestreamtags.

Keeps: one new row per change of a tag; an entry of a history is written once and closed when it is overwritten,
pruned or deleted, so entries that stay are never touched. An entry's place in a history is its place in the key.
Elsewhere: the streams that the tags belong to, and the fold (`imagestreams.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from asyncpg import Connection

from projections.rows import VersionedRows
from projections.stream_loader import OpenEntry
from projections.stream_states import OpenEntries, StreamState
from service.domain.events import Item, TagHistoryPruned, TagStatusWritten
from service.domain.imagestream import Tag, TagLevelEvent

TAG_COLUMNS: Final = (
    *("namespace", "name", "valid_from"),
    *("spec", "conditions", "listed", "header_from", "head_from", "head_ordinal", "valid_to"),
)
ITEM_COLUMNS: Final = (
    *("namespace", "name", "valid_from", "ordinal"),
    *("created", "reference", "image", "generation", "valid_to"),
)

CLOSE_TAGS: Final = """
UPDATE imagetags AS t SET valid_to = closed.valid_to
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS closed(namespace, name, valid_from, valid_to)
WHERE t.namespace = closed.namespace AND t.name = closed.name AND t.valid_from = closed.valid_from
  AND t.valid_to IS NULL
"""

CLOSE_ITEMS: Final = """
UPDATE imagetag_items AS i SET valid_to = closed.valid_to
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[])
    AS closed(namespace, name, valid_from, ordinal, valid_to)
WHERE i.namespace = closed.namespace AND i.name = closed.name AND i.valid_from = closed.valid_from
  AND i.ordinal = closed.ordinal AND i.valid_to IS NULL
"""

CLOSE_HISTORIES: Final = """
UPDATE imagetag_items AS i SET valid_to = gone.valid_to
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS gone(namespace, name, valid_to)
WHERE i.namespace = gone.namespace AND i.name = gone.name AND i.valid_to IS NULL
"""

ADD_NAMES: Final = """
INSERT INTO imagetag_names (namespace, name)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT DO NOTHING
"""


class TagRows:
    """The rows of tags that a batch writes."""

    def __init__(self) -> None:
        self._tags = VersionedRows("imagetags", TAG_COLUMNS, CLOSE_TAGS)
        self._items = VersionedRows("imagetag_items", ITEM_COLUMNS, CLOSE_ITEMS)
        self._ended_histories: list[tuple[str, str, int]] = []
        """Tags of whose entries not all are known, and where all of them end."""
        self._names: set[tuple[str, str]] = set()

    def change(
        self, state: StreamState, event: TagLevelEvent, position: int, before: Tag | None, after: Tag | None
    ) -> None:
        """One event changed one tag of a stream, which is gone now if there is no `after`."""
        some = after or before
        if some is None:
            return
        key = some.namespace, some.full_name
        history = state.history(some.name)
        if isinstance(event, TagStatusWritten | TagHistoryPruned):
            self._rewrite(key, history, event.items, position)
        elif after is None:
            self._end(key, history, position)
        else:
            self._move(key, history, position, before, after)
        if before is None:
            self._names.add(key)
        else:
            self._tags.close((*key, before.changed), position)
        if after is not None:
            newest = history.entries[-1] if history.entries else None
            self._tags.open((*key, position), _values(after, state.header_from, newest))

    async def write(self, connection: Connection) -> None:
        if self._names:
            await connection.execute(ADD_NAMES, *zip(*self._names, strict=True))
        await self._tags.close_earlier(connection)
        await self._items.close_earlier(connection)
        if self._ended_histories:
            await connection.execute(CLOSE_HISTORIES, *zip(*self._ended_histories, strict=True))
        await self._tags.insert(connection)
        await self._items.insert(connection)
        self._ended_histories.clear()
        self._names.clear()

    def forget(self) -> None:
        self._tags.forget()
        self._items.forget()
        self._ended_histories.clear()
        self._names.clear()

    def _move(self, key: tuple[str, str], history: OpenEntries, position: int, before: Tag | None, after: Tag) -> None:
        """The newest entry of the history is another, either a new one or in place of the newest."""
        old = before.history if before else None
        new = after.history
        if new is old or new is None:
            return
        if old is not None and new.rest is not old:
            self._close(key, history.entries.pop(), position)
        self._append(key, history, [new.head], position)

    def _rewrite(self, key: tuple[str, str], history: OpenEntries, items: Iterable[Item], position: int) -> None:
        """The history is now `items`, newest first. The oldest that stay in order keep their rows."""
        wanted = list(items)[::-1]
        kept: list[OpenEntry] = []
        for entry in history.entries:
            if len(kept) < len(wanted) and entry.item == wanted[len(kept)]:
                kept.append(entry)
            else:
                self._close(key, entry, position)
        history.entries = kept
        self._append(key, history, wanted[len(kept) :], position)

    def _end(self, key: tuple[str, str], history: OpenEntries, position: int) -> None:
        for entry in history.entries:
            self._close(key, entry, position)
        if not history.complete:
            self._ended_histories.append((*key, position))
        history.entries = []
        history.complete = True

    def _append(self, key: tuple[str, str], history: OpenEntries, items: list[Item], position: int) -> None:
        for ordinal, item in enumerate(items):
            history.entries.append(OpenEntry(position, ordinal, item))
            values = item.created, item.docker_image_reference, item.image, item.generation
            self._items.open((*key, position, ordinal), values)

    def _close(self, key: tuple[str, str], entry: OpenEntry, position: int) -> None:
        self._items.close((*key, entry.valid_from, entry.ordinal), position)


def _values(tag: Tag, header_from: int, newest: OpenEntry | None) -> tuple[object, ...]:
    return (
        msgspec.json.encode(tag.spec).decode() if tag.spec is not None else None,
        msgspec.json.encode(tag.conditions).decode() if tag.conditions else None,
        tag.listed,
        header_from,
        newest.valid_from if newest else None,
        newest.ordinal if newest else None,
    )
