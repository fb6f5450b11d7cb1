"""One active process for each task: a session advisory lock, held by the connection that the task itself writes with.

Keeps: who has lost the lock has lost the connection, so what it was writing is rolled back. A holder that is gone, or
that was frozen and has said nothing for a while, loses its session, and one of those who wait takes over.
Waiting is asking again and again: a statement that waits for a lock would hold back VACUUM for as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from asyncpg import Connection

from service.eventstore.database import CONNECT_TIMEOUT_S, SERVER_SETTINGS, NotConnected, translated_errors

WAIT_INTERVAL_S: Final = 0.5
HEARTBEAT_S: Final = 0.5
STATEMENT_TIMEOUT_S: Final = 60
"""Long enough to close the history of a tag with a million entries."""

SETTINGS: Final = SERVER_SETTINGS | {
    # Rows and checkpoint are lost together, and made again together.
    "synchronous_commit": "off",
    "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
    # A holder says something every HEARTBEAT_S.
    "idle_session_timeout": "3s",
    "idle_in_transaction_session_timeout": "3s",
    "client_connection_check_interval": "1s",
    # Rows are only ever looked up by their keys, also while the statistics say that the tables are empty.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('tag-history ' || $1, 0))"


async def connect(dsn: str, purpose: str, **settings: str) -> Connection:
    """A connection that writes views. Raises NotConnected."""
    try:
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S + 1,
            server_settings=SETTINGS | settings | {"application_name": f"tag-history {purpose}"},
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotConnected(f"cannot connect to PostgreSQL: {error or type(error).__name__}") from error


async def try_lock(connection: Connection, name: str) -> bool:
    """Take the lock for as long as the connection lasts, unless somebody has it."""
    taken: bool = await connection.fetchval(TRY_LOCK, name)
    return taken


@asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """Like the driver's own, but never waits for the server once cancelled: if that fails, it fails with an error which
    hides that we are to stop. Whoever is cancelled throws the connection away.
    """
    await connection.execute("BEGIN")
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException:
        await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


@asynccontextmanager
async def lease(dsn: str, name: str, on_waiting: Callable[[], None]) -> AsyncIterator[Connection]:
    """A connection of which there is only one with this name. Waits for it; `on_waiting` is called when it has to.

    Raises Unavailable when PostgreSQL is away. Whoever holds it must say something every HEARTBEAT_S.
    """
    connection = await connect(dsn, name)
    try:
        with translated_errors():
            while not await try_lock(connection, name):
                on_waiting()
                await asyncio.sleep(WAIT_INTERVAL_S)
        yield connection
    finally:
        # Without a word to the server: it may not be listening, and it lets go of the lock either way.
        connection.terminate()
