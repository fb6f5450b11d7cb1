"""Where the log ends now: the question that makes a read consistent.

A read that waits until its state has reached the head, as it was at some moment after the read began, sees every write
that was acknowledged before it began. Many readers share one query, as with etcd's ReadIndex. Keeps: a reader is never
given the answer of a query that was sent before it asked, because that query may be older than a write the reader
knows of; it waits for the next one.
"""

from __future__ import annotations

import asyncio
from typing import Final

from service.domain.errors import Unavailable
from service.eventstore.database import ConnectionLost, NotConnected, RolledBack, Session
from service.eventstore.reader import NEWEST

STOPPING: Final = "this process is stopping"


class HeadReader:
    """Start `run` as a task; `read` from anywhere in the same event loop."""

    def __init__(self, dsn: str) -> None:
        self._session = Session(dsn, "head")
        self._next: asyncio.Future[int] | None = None
        self._asked = asyncio.Event()
        self._stopped = False

    async def read(self) -> int:
        """A position that was the log's last at a moment after this call; 0 for an empty log. Raises Unavailable."""
        if self._stopped:
            raise Unavailable(STOPPING)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._asked.set()
        # Readers share the future: one that goes away must not take it from the others.
        return await asyncio.shield(self._next)

    async def run(self) -> None:
        """Answer readers, one query at a time, until cancelled."""
        answer: asyncio.Future[int] | None = None
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                answer, self._next = self._next, None
                if answer is not None:
                    await self._answer(answer)
        finally:
            self._stopped = True
            self._session.drop()
            for unanswered in (answer, self._next):
                if unanswered is not None and not unanswered.done():
                    _fail(unanswered, Unavailable(STOPPING))

    async def _answer(self, answer: asyncio.Future[int]) -> None:
        try:
            ((position,),) = await self._session.fetch(NEWEST)
        except (NotConnected, ConnectionLost, RolledBack) as error:
            _fail(answer, error)
        else:
            answer.set_result(position)


def _fail(answer: asyncio.Future[int], error: Unavailable) -> None:
    answer.set_exception(error)
    # Nobody may be left to hear it, and that is no mistake.
    answer.exception()
