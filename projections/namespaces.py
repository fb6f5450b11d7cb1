"""The projection of namespaces: the view namespaces.

Reads the events of Namespace, writes namespaces. States are loaded for each batch, since a namespace hardly ever
changes. Replayable because rows hold positions of events and what the events say, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from asyncpg import Connection

from projections.projection import Command, Happening, Projection
from projections.rows import VersionedRows
from service.api.meta_v1 import ObjectMeta
from service.domain import namespace as namespaces
from service.domain.events import NamespaceEvent
from service.domain.imagestream import UnfoldableEventError
from service.domain.namespace import Namespace
from service.domain.world import NAMESPACE

COLUMNS: Final = ("name", "valid_from", "metadata", "valid_to")

CLOSE_NAMESPACES: Final = """
UPDATE namespaces AS n SET valid_to = closed.valid_to
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS closed(name, valid_from, valid_to)
WHERE n.name = closed.name AND n.valid_from = closed.valid_from AND n.valid_to IS NULL
"""

CURRENT_NAMESPACES: Final = """
SELECT n.name, n.metadata, n.valid_from
FROM unnest($1::text[]) AS wanted(name)
CROSS JOIN LATERAL (
    SELECT * FROM namespaces AS n WHERE n.name = wanted.name ORDER BY n.valid_from DESC LIMIT 1
) AS n
WHERE n.valid_to IS NULL
"""

_decoder = msgspec.json.Decoder(ObjectMeta)


class Namespaces(Projection):
    name = "namespaces"
    version = 1
    kind = NAMESPACE
    views = ("namespaces",)
    tables = ("namespaces",)

    def __init__(self) -> None:
        self._states: dict[str, Namespace] = {}
        self._rows = VersionedRows("namespaces", COLUMNS, CLOSE_NAMESPACES)

    async def load(self, connection: Connection, commands: Sequence[Command]) -> None:
        names = {happened.name for command in commands for happened in command.events}
        if names:
            rows = await connection.fetch(CURRENT_NAMESPACES, list(names))
            self._states = {
                name: Namespace(name, _decoder.decode(metadata), valid_from) for name, metadata, valid_from in rows
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
        if not isinstance(event, NamespaceEvent):
            raise UnfoldableEventError(f"{type(event).__name__} at {position} is no event of a namespace")
        old = self._states.pop(name, None)
        new = namespaces.apply(old, name, event, position)
        if old is not None:
            self._rows.close((name, old.changed), position)
        if new is not None:
            self._states[name] = new
            self._rows.open((name, position), (msgspec.json.encode(new.metadata).decode(),))
