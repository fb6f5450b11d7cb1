"""What an append or a read costs does not depend on the length of the log, not even with statistics that mislead."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from service.eventstore.reader import READ_AFTER, READ_AGGREGATE
from tests.integration.eventstore.support import connected

LENGTH = 20_000

FILL = """
INSERT INTO events
SELECT n, gen_random_uuid(), n, n, 'ImageStream', 'shop', CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'app' END,
       'latest', 'TagImaged', 1, clock_timestamp(), '{}', '{}'
FROM generate_series(1, $1::integer) AS n
"""

APPEND_ONE = """
SELECT * FROM append_commands(
    ARRAY[gen_random_uuid()], ARRAY[$2::bigint], ARRAY['{}'::json], ARRAY[1],
    ARRAY[1], ARRAY['ImageStream'], ARRAY['shop'], ARRAY[$1], ARRAY[NULL],
    ARRAY[1], ARRAY['ImageStream'], ARRAY['shop'], ARRAY[$1], ARRAY['latest'],
    ARRAY['TagImaged'], ARRAY[1::smallint], ARRAY['{}'::json], '{}', '{}', '{}'
)
"""

TOUCHED = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'events'"


@pytest_asyncio.fixture
async def long_log(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Nearly all of its events belong to one aggregate."""
    async with connected(database) as connection:
        await connection.execute(FILL, LENGTH)
        await connection.execute("VACUUM ANALYZE events")
        # The plan of a statement that has run often: made without looking at its arguments.
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        yield connection


@pytest.mark.parametrize(
    ("guarded", "decided_at", "outcome"),
    [("new", 0, "appended"), ("rare", LENGTH, "appended"), ("rare", 0, "conflict"), ("app", 0, "conflict")],
)
async def test_an_append_touches_a_handful_of_events(
    long_log: asyncpg.Connection, guarded: str, decided_at: int, outcome: str
) -> None:
    """However old the decision, and however many events the aggregate has."""
    async with long_log.transaction():
        assert await long_log.fetchval(APPEND_ONE, guarded, decided_at) == outcome
        assert await long_log.fetchval(TOUCHED) <= 5


async def test_reading_a_rare_aggregate_does_not_walk_the_log(long_log: asyncpg.Connection) -> None:
    async with long_log.transaction():
        rows = await long_log.fetch(READ_AGGREGATE, "ImageStream", "shop", "rare", 1000, 1000)
        assert [row["position"] for row in rows] == list(range(2000, LENGTH + 1, 1000))
        assert await long_log.fetchval(TOUCHED) == len(rows)


async def test_reading_a_page_touches_that_page(long_log: asyncpg.Connection) -> None:
    async with long_log.transaction():
        rows = await long_log.fetch(READ_AFTER, 12_000, 50, 1_000_000)
        assert [row["position"] for row in rows] == list(range(12_001, 12_051))
        assert await long_log.fetchval(TOUCHED) == len(rows)
