"""Bring a database to the schema this program needs (schema.sql).

Keeps: the schema is applied whole or not at all, once, whatever number of processes start at the same time; a database
that a newer program has migrated is left alone. What a table is for is said in schema.sql.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncpg

import service
from service.eventstore.database import translated_errors

SCHEMA_VERSION: Final = 1
MIGRATION_LOCK: Final = 0x7461676869737400
"""Key of the advisory lock under which one process migrates."""
MIGRATION_TIMEOUT_S: Final = 600.0


class SchemaMismatch(Exception):
    """The database was migrated by a program newer than this one."""


def schema_file() -> Path:
    """schema.sql, which is installed beside the `service` package."""
    if service.__file__ is None:
        raise RuntimeError("the package `service` has no file")
    return Path(service.__file__).parent.parent / "schema.sql"


async def migrate(dsn: str) -> None:
    """Make the schema, unless it is there. Raises SchemaMismatch, or Unavailable when the database is away."""
    with translated_errors():
        connection = await asyncpg.connect(dsn, timeout=MIGRATION_TIMEOUT_S, command_timeout=MIGRATION_TIMEOUT_S)
        try:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
                await _migrate(connection)
        finally:
            await connection.close(timeout=MIGRATION_TIMEOUT_S)


async def _migrate(connection: asyncpg.Connection) -> None:
    stored = await _stored_version(connection)
    if stored is None:
        await connection.execute(schema_file().read_text())
    elif stored > SCHEMA_VERSION:
        raise SchemaMismatch(
            f"the database has schema version {stored}, and this program knows {SCHEMA_VERSION}: run a newer program"
        )


async def _stored_version(connection: asyncpg.Connection) -> int | None:
    if await connection.fetchval("SELECT to_regclass('schema_version')") is None:
        return None
    version: int | None = await connection.fetchval("SELECT max(version) FROM schema_version")
    return version
