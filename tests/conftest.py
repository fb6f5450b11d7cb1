"""Fixtures for everything that needs an engine: a database of its own, a nats-server of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.embedded_postgres import EmbeddedPostgres
from tests.engines import TestDatabases


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestDatabases]:
    """PostgreSQL with the template, once per pytest process. Tests ask for `database`."""
    folder = tmp_path_factory.mktemp("postgres")
    postgres = EmbeddedPostgres(folder, durable=False)
    await postgres.start()
    try:
        databases = TestDatabases(postgres)
        await databases.make_template()
        yield databases
    finally:
        await postgres.stop()
        shutil.rmtree(folder)


@pytest_asyncio.fixture
async def database(databases: TestDatabases) -> AsyncIterator[str]:
    """The DSN of a database with our schema and nothing in it."""
    async with databases.fresh() as dsn:
        yield dsn


@pytest.fixture
def engine_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a path short enough for PostgreSQL's socket; removed at once, because it is large."""
    folder = tmp_path_factory.mktemp("d")
    yield folder
    shutil.rmtree(folder)


@pytest_asyncio.fixture
async def postgres_server(engine_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL of the test's own, to be restarted and killed. Its database has no schema yet."""
    postgres = EmbeddedPostgres(engine_dir, durable=False)
    await postgres.start()
    try:
        yield postgres
    finally:
        await postgres.stop()


@pytest_asyncio.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    """A nats-server of the test's own with an empty JetStream; restart, kill, stop, wipe and start it at will."""
    nats = EmbeddedNats(tmp_path)
    await nats.start()
    try:
        yield nats
    finally:
        await nats.stop()


@pytest.fixture
def nats_url(nats_server: EmbeddedNats) -> str:
    """Where a client finds an empty JetStream."""
    return nats_server.url
