"""Hear of new events: PostgreSQL notifies each commit of the log (HEAD_CHANNEL).

A notification is a hint and may be lost with its connection, so whoever waits here waits with a limit, and then looks.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from asyncpg import Connection

from service.domain.errors import Unavailable
from service.eventstore.database import connect, translated_errors
from service.eventstore.position import HEAD_CHANNEL
from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff

RETRY_FIRST_S: Final = 0.1
RETRY_LIMIT_S: Final = 2.0
CHECK_INTERVAL_S: Final = 10.0

log = get_logger("listener")


class HeadListener:
    """Start `run` as a task; one other task at a time may `wait`."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._news = asyncio.Event()
        self._closed = asyncio.Event()

    async def wait(self, timeout_s: float) -> bool:
        """Return True when there may be new events since the last call, False after the timeout."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        heard = self._news.is_set()
        self._news.clear()
        return heard

    async def run(self) -> None:
        """Listen, with a connection that is replaced when it is lost, until cancelled."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        while True:
            try:
                connection = await connect(self._dsn, "listen")
                try:
                    with translated_errors():
                        await self._listen(connection, backoff)
                finally:
                    connection.terminate()
            except Unavailable as error:
                log.warning("cannot hear of new events for now", error=error)
            await asyncio.sleep(backoff.next_delay_s())

    async def _listen(self, connection: Connection, backoff: Backoff) -> None:
        self._closed.clear()
        connection.add_termination_listener(lambda _: self._closed.set())
        await connection.add_listener(HEAD_CHANNEL, lambda *_: self._news.set())
        backoff.reset()
        # What happened before we listened was not announced to us.
        self._news.set()
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_INTERVAL_S):
                    await self._closed.wait()
            if not self._closed.is_set():
                await connection.execute("SELECT")
