"""The tables of a projection beside the ones in use: made, filled, and put in their place.

The new set lives in a schema of its own until then, under the same names, so every statement of a projection works on
either set: the connection's search_path decides. Its definition is the projection's part of schema.sql, so old and new
cannot differ.
Keeps: the exchange is one short transaction; a reader sees the old tables or the new ones, both true at its position.
Elsewhere: filling (`rebuild.py`).
"""

from __future__ import annotations

from typing import Final

from asyncpg import Connection

from projections.lease import transaction
from projections.projection import Projection
from service.eventstore.schema import schema_file

LOCK_TIMEOUT_MS: Final = 500
"""For the old tables. Readers wait behind us for as long; it is shorter than PostgreSQL's deadlock_timeout, so whoever
waits for us while we wait for them, it is us who gives in."""

IS_THERE: Final = "SELECT to_regclass($1 || '.projections') IS NOT NULL"
VERSION: Final = "SELECT version FROM {schema}.projections WHERE name = $1"
ENSURE: Final = "INSERT INTO {schema}.projections (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING"
LOCK_CHECKPOINT: Final = "SELECT position FROM {schema}.projections WHERE name = $1 FOR UPDATE"
REPLACE_CHECKPOINT: Final = """
UPDATE {schema}.projections SET
    version = $2, position = $3, generation = generation + 1, stopped_by = NULL, moved_at = clock_timestamp()
WHERE name = $1
"""


class NewTables:
    def __init__(self, projection: Projection, live_schema: str) -> None:
        self.schema = f"rebuild_{projection.name}"
        self.search_path = f"{self.schema}, {live_schema}"
        self._projection = projection
        self._live = live_schema

    async def ensure(self, connection: Connection) -> None:
        """Make them, unless an interrupted rebuild has left some that this program can go on with."""
        if await self._version(connection) == self._projection.version:
            return
        async with transaction(connection):
            await self._drop_schema(connection)
            await connection.execute(f"CREATE SCHEMA {self.schema}")
            await connection.execute(f"SET LOCAL search_path = {self.search_path}")
            await connection.execute(f"CREATE TABLE projections (LIKE {self._live}.projections INCLUDING ALL)")
            await connection.execute(definition(self._projection.name))
            await connection.execute(ENSURE.format(schema=self.schema), *self._name_and_version)

    async def analyze(self, connection: Connection) -> None:
        """Readers plan by statistics."""
        await connection.execute(f"ANALYZE {', '.join(f'{self.schema}.{table}' for table in self._projection.tables)}")

    async def lock_checkpoint(self, connection: Connection) -> int:
        """Let no runner move on before the end of the transaction. Returns the position of the tables in use."""
        await connection.execute(ENSURE.format(schema=self._live), *self._name_and_version)
        statement = LOCK_CHECKPOINT.format(schema=self._live)
        position: int = await connection.fetchval(statement, self._projection.name)
        return position

    async def take_place(self, connection: Connection, position: int) -> None:
        """Become the tables in use, true up to the position. The transaction has locked the checkpoint."""
        tables, views = self._projection.tables, [v for v in self._projection.views if v not in self._projection.tables]
        statements = [
            f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'",
            # Who was told that it is done finds it done, also after a crash.
            "SET LOCAL synchronous_commit = on",
            *(f"DROP VIEW {self._live}.{view}" for view in views),
            f"DROP TABLE {', '.join(f'{self._live}.{table}' for table in tables)}",
            *(f"ALTER TABLE {self.schema}.{table} SET SCHEMA {self._live}" for table in tables),
            *(f"ALTER VIEW {self.schema}.{view} SET SCHEMA {self._live}" for view in views),
        ]
        for statement in statements:
            await connection.execute(statement)
        await connection.execute(REPLACE_CHECKPOINT.format(schema=self._live), *self._name_and_version, position)
        await self._drop_schema(connection)

    async def _version(self, connection: Connection) -> int | None:
        if not await connection.fetchval(IS_THERE, self.schema):
            return None
        version: int | None = await connection.fetchval(VERSION.format(schema=self.schema), self._projection.name)
        return version

    async def _drop_schema(self, connection: Connection) -> None:
        await connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")

    @property
    def _name_and_version(self) -> tuple[str, int]:
        return self._projection.name, self._projection.version


def definition(name: str) -> str:
    """The part of schema.sql between a projection's marks."""
    _, _, rest = schema_file().read_text().partition(f"-- projection {name}: begin\n")
    text, _, _ = rest.partition(f"-- projection {name}: end\n")
    if not text:
        raise ValueError(f"schema.sql has no part for the projection {name}")
    return text
