"""The projection of images: the view images.

Reads the events of Image, writes images. States are loaded for each batch, since an image hardly ever changes twice.
Replayable because rows hold positions of events and what the events say, and nothing else.
Elsewhere: manifest and config, which are payloads of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asyncpg import Connection

from projections.projection import Command, Happening, Projection
from projections.rows import VersionedRows
from service.domain import image as images
from service.domain.events import ImageEvent
from service.domain.image import ImageState
from service.domain.imagestream import UnfoldableEventError
from service.domain.world import IMAGE

COLUMNS: Final = ("name", "valid_from", "document", "manifest", "config", "valid_to")

CLOSE_IMAGES: Final = """
UPDATE images AS i SET valid_to = closed.valid_to
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS closed(name, valid_from, valid_to)
WHERE i.name = closed.name AND i.valid_from = closed.valid_from AND i.valid_to IS NULL
"""

CURRENT_IMAGES: Final = """
SELECT i.name, i.document, i.valid_from, i.manifest, i.config
FROM unnest($1::text[]) AS wanted(name)
CROSS JOIN LATERAL (
    SELECT * FROM images AS i WHERE i.name = wanted.name ORDER BY i.valid_from DESC LIMIT 1
) AS i
WHERE i.valid_to IS NULL
"""


class Images(Projection):
    name = "images"
    version = 1
    kind = IMAGE
    views = ("images",)
    tables = ("images",)

    def __init__(self) -> None:
        self._states: dict[str, ImageState] = {}
        self._rows = VersionedRows("images", COLUMNS, CLOSE_IMAGES)

    async def load(self, connection: Connection, commands: Sequence[Command]) -> None:
        names = {happened.name for command in commands for happened in command.events}
        if names:
            rows = await connection.fetch(CURRENT_IMAGES, list(names))
            self._states = {
                name: ImageState(name, document.encode(), valid_from, manifest, config)
                for name, document, valid_from, manifest, config in rows
            }

    def fold(self, command: Command) -> None:
        for happened in command.events:
            self._fold(happened)

    async def write(self, connection: Connection) -> None:
        await self._rows.close_earlier(connection)
        await self._rows.insert(connection)
        self._states.clear()

    def forget(self) -> None:
        self._states.clear()
        self._rows.forget()

    def _fold(self, happened: Happening) -> None:
        name, position, event = happened.name, happened.position, happened.event
        if not isinstance(event, ImageEvent):
            raise UnfoldableEventError(f"{type(event).__name__} at {position} is no event of an image")
        old = self._states.pop(name, None)
        new = images.apply(old, name, event, position)
        if old is not None:
            self._rows.close((name, old.changed), position)
        if new is not None:
            self._states[name] = new
            values = new.document.decode(), new.manifest, new.config
            self._rows.open((name, position), values)
