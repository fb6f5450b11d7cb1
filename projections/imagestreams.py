"""The projection of image streams and their tags: views imagestreams, imagestreamtags and imagetags.

Reads the events of ImageStream. Writes imagestreams, imagestream_names and imagestream_revisions, and by `imagetags.py`
the tables of tags. The three views are one projection because they are one fold: they move together, in one
transaction, and what one of them needs to know of the others is in its own tables.
Replayable because rows hold positions of events and what the events say, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from asyncpg import Connection

from projections.imagetags import TagRows
from projections.projection import Command, Happening, Projection
from projections.rows import VersionedRows, copy_rows
from projections.stream_loader import StreamKey
from projections.stream_states import WEIGHT_LIMIT, Needs, StreamState, StreamStates
from service.domain import imagestream as imagestreams
from service.domain.events import ImageStreamCreated, StreamEvent
from service.domain.imagestream import TAG_EVENTS, ImageStream, UnfoldableEventError
from service.domain.world import IMAGE_STREAM

HEADER_COLUMNS: Final = ("namespace", "name", "valid_from", "header", "valid_to")
REVISION_COLUMNS: Final = ("namespace", "name", "position")

CLOSE_HEADERS: Final = """
UPDATE imagestreams AS h SET valid_to = closed.valid_to
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS closed(namespace, name, valid_from, valid_to)
WHERE h.namespace = closed.namespace AND h.name = closed.name AND h.valid_from = closed.valid_from
  AND h.valid_to IS NULL
"""

ADD_NAMES: Final = """
INSERT INTO imagestream_names (namespace, name)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT DO NOTHING
"""


class ImageStreams(Projection):
    name = "imagestreams"
    version = 1
    kind = IMAGE_STREAM
    views = ("imagestreams", "imagestreamtags", "imagetags")
    tables = (
        "imagestream_names",
        "imagestreams",
        "imagestream_revisions",
        "imagetag_names",
        "imagetags",
        "imagetag_items",
    )

    def __init__(self, weight_limit: int = WEIGHT_LIMIT) -> None:
        self._states = StreamStates(weight_limit)
        self._used: set[StreamKey] = set()
        self._headers = VersionedRows("imagestreams", HEADER_COLUMNS, CLOSE_HEADERS)
        self._revisions: list[tuple[str, str, int]] = []
        self._names: set[StreamKey] = set()
        self._tags = TagRows()

    async def load(self, connection: Connection, commands: Sequence[Command]) -> None:
        needs = Needs()
        for command in commands:
            for happened in command.events:
                needs.add((happened.namespace, happened.name), happened.event)
        self._used.update(needs.tags)
        await self._states.load(connection, needs)

    def fold(self, command: Command) -> None:
        before: dict[StreamKey, ImageStream | None] = {}
        for happened in command.events:
            key = happened.namespace, happened.name
            state = self._states[key]
            before.setdefault(key, state.stream)
            self._fold(state, happened)
        for key, old in before.items():
            new = self._states[key].stream
            if new is not None and new is not old:
                self._revisions.append((*key, command.last))

    async def write(self, connection: Connection) -> None:
        if self._names:
            await connection.execute(ADD_NAMES, *zip(*self._names, strict=True))
        await self._headers.close_earlier(connection)
        await self._headers.insert(connection)
        await copy_rows(connection, "imagestream_revisions", REVISION_COLUMNS, self._revisions)
        await self._tags.write(connection)
        self._names.clear()
        self._revisions.clear()
        self._states.trim(self._used)
        self._used.clear()

    def forget(self) -> None:
        self._states.forget()
        self._used.clear()
        self._headers.forget()
        self._revisions.clear()
        self._names.clear()
        self._tags.forget()

    def _fold(self, state: StreamState, happened: Happening) -> None:
        event, position, old = happened.event, happened.position, state.stream
        if not isinstance(event, StreamEvent):
            raise UnfoldableEventError(f"{type(event).__name__} at {position} is no event of an image stream")
        if isinstance(event, ImageStreamCreated) and old is not None:
            raise UnfoldableEventError(f"created at {position}: {old.namespace}/{old.name}, which is there already")
        new = imagestreams.apply(old, happened.namespace, happened.name, event, position)
        if new is old:
            return
        state.stream = new
        self._header_rows(state, position, old, new)
        if isinstance(event, TAG_EVENTS):
            tag_before = old.tags.get(event.tag) if old else None
            tag_after = new.tags.get(event.tag) if new else None
            if tag_before is not tag_after:
                self._tags.change(state, event, position, tag_before, tag_after)

    def _header_rows(self, state: StreamState, position: int, old: ImageStream | None, new: ImageStream | None) -> None:
        if old is not None and new is not None and old.header is new.header:
            return
        if old is not None:
            self._headers.close((old.namespace, old.name, state.header_from), position)
        if new is not None:
            key = new.namespace, new.name
            self._headers.open((*key, position), (msgspec.json.encode(new.header).decode(),))
            state.header_from = position
            if old is None:
                self._names.add(key)
