"""How this room talks to PostgreSQL: connections with every timeout set, and errors in three words of our own.

Keeps: nothing waits for ever, in the server or here; a connection that was lost, or did not answer in time, is thrown
away and replaced at the next use. An error that is none of the three is about the statement itself and rises as it is.
Elsewhere: what an unknown outcome means for an append (`appender.py`), and for readers: nothing, they ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from asyncpg import Connection, Pool, Record

from service.domain.errors import Unavailable

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 8.0
"""Longer than the server's own limits, so that it is the server who gives up first, and says so."""

SERVER_SETTINGS: Final = {
    "lock_timeout": "4s",
    "statement_timeout": "6s",
    "idle_in_transaction_session_timeout": "6s",
    "default_transaction_isolation": "read committed",
    # Our statements are short; compiling one takes longer than running it.
    "jit": "off",
}

ROLLED_BACK_CLASSES: Final = ("25", "40", "53", "55", "57", "58")
"""SQLSTATE classes of what may pass: a standby, a deadlock, no space, no lock, a cancelled statement, a failed disk."""


class NotConnected(Unavailable):
    """There is no connection; nothing was sent."""


class ConnectionLost(Unavailable):
    """The connection broke, or stayed silent. What was sent may have happened, or may still happen."""


class RolledBack(Unavailable):
    """The server gave up for a reason that may pass; nothing happened."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Around the use of a connection. Raises ConnectionLost or RolledBack for what is not the statement's fault."""
    try:
        yield
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if getattr(error, "severity_en", None) in ("FATAL", "PANIC") or state.startswith("08"):
            raise ConnectionLost(f"PostgreSQL has closed the connection: {error}") from error
        if state.startswith(ROLLED_BACK_CLASSES):
            raise RolledBack(f"PostgreSQL could not: {error}") from error
        raise
    except asyncpg.InterfaceError as error:
        # asyncpg's words for an argument that does not fit its type are errors of the value, not of the connection.
        if isinstance(error, ValueError):
            raise
        raise ConnectionLost(f"the connection to PostgreSQL is unusable: {error}") from error
    except (OSError, TimeoutError, asyncpg.InternalClientError) as error:
        raise ConnectionLost(f"PostgreSQL does not answer: {error or type(error).__name__}") from error


async def connect(dsn: str, purpose: str) -> Connection:
    """Raises NotConnected, whatever the reason: an engine that starts or fails over gives many."""
    try:
        return await asyncpg.connect(
            dsn, timeout=CONNECT_TIMEOUT_S, command_timeout=ANSWER_TIMEOUT_S, server_settings=_settings(purpose)
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotConnected(f"cannot connect to PostgreSQL: {error or type(error).__name__}") from error


def open_pool(dsn: str, purpose: str, *, size_limit: int) -> Pool:
    """A pool for single statements (`async with open_pool(…) as pool`). It connects when it is first used."""
    return asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size_limit,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=ANSWER_TIMEOUT_S,
        server_settings=_settings(purpose),
        reset=_leave_as_is,
    )


class Session:
    """One connection for one user at a time, opened when it is needed."""

    def __init__(self, dsn: str, purpose: str) -> None:
        self._dsn = dsn
        self._purpose = purpose
        self._connection: Connection | None = None

    async def fetch(self, statement: str, *arguments: object) -> list[Record]:
        """Run one statement as one transaction. Raises NotConnected, ConnectionLost or RolledBack."""
        connection = await self._connected()
        try:
            with translated_errors():
                rows: list[Record] = await connection.fetch(statement, *arguments)
                return rows
        except (ConnectionLost, asyncio.CancelledError):
            self.drop()
            raise

    def drop(self) -> None:
        """Throw the connection away, without a word to the server: it may not be listening."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, self._purpose)
        return self._connection


def _settings(purpose: str) -> dict[str, str]:
    return {"application_name": f"tag-history {purpose}", **SERVER_SETTINGS}


async def _leave_as_is(_: Connection) -> None:
    """Single statements leave nothing behind on a connection, so there is nothing to reset."""
