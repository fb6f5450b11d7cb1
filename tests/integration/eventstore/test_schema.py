"""Bringing a database to the schema."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.errors import Unavailable
from service.eventstore.schema import SCHEMA_VERSION, SchemaMismatch, migrate
from tests.engines import TestDatabases
from tests.integration.eventstore.support import appending, command, connected, whole_log


async def test_many_processes_may_start_at_once_on_an_empty_database(databases: TestDatabases, database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await asyncio.gather(*(migrate(database) for _ in range(5)))
    async with connected(database) as connection:
        assert await connection.fetch("SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]
        assert await connection.fetchval("SELECT count(*) FROM log_head") == 1


async def test_what_is_there_stays(database: str) -> None:
    async with appending(database) as appender:
        await appender.append(command())
    await migrate(database)
    assert len(await whole_log(database)) == 1


async def test_a_newer_database_is_left_alone(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", SCHEMA_VERSION + 1)
    with pytest.raises(SchemaMismatch, match="run a newer program"):
        await migrate(database)


async def test_no_database_is_a_clear_error() -> None:
    with pytest.raises(Unavailable):
        await migrate("postgresql://nobody@127.0.0.1:1/nothing")


async def test_there_is_one_head_to_lock(database: str) -> None:
    """Two rows would let two appends run at the same time."""
    async with connected(database) as connection:
        with pytest.raises(Exception, match="log_head_is_one_row"):
            await connection.execute("INSERT INTO log_head DEFAULT VALUES")
