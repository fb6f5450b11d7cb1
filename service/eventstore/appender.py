"""Append commands to the log: many senders, one writer, one transaction after the other (group commit).

While a transaction is in flight commands queue; the next takes them all. Each is judged alone: a conflict, or data that
PostgreSQL refuses, never touches its neighbours. The queue is bounded.

Keeps: an answer is never a guess. When a connection is lost the outcome is unknown: the old backend may have committed,
may still, or never will. The same batch is then sent again, under the same command ids, because `append_commands`
decides under the lock of the head row, on all that was committed before, and every verdict it gives is final:
'appended' and 'duplicate' say that the events are there, once, since a second execution finds the id and adds nothing;
'conflict' says that a forbidden event is there, and events never go away, so an execution that comes later meets it as
well. Whichever execution is first, and even if the old one comes back to life, both tell the same. Only a sender whose
time runs out before there is a verdict gets Unfinished; one whose command no server can have executed, Unavailable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
from asyncpg import Record
from prometheus_client import CollectorRegistry

from service.domain.errors import InternalError, Overloaded, Unavailable, Unfinished
from service.eventstore.batch import Batch, Waiting, arguments, recorded_events
from service.eventstore.command_queue import CommandQueue
from service.eventstore.database import ConnectionLost, NotConnected, RolledBack, Session
from service.eventstore.metrics import AppendMetrics
from service.eventstore.records import Appended, Command, RecordedEvent
from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff

ANSWER_TIMEOUT_S: Final = 15.0
RETRY_FIRST_S: Final = 0.05
RETRY_LIMIT_S: Final = 1.0

APPEND: Final = """
SELECT outcome, first_position, last_position, at, conflict_position
FROM append_commands($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
"""

log = get_logger("appender")


class CommandConflict(Exception):
    """An event that one of the command's guards forbids was recorded after the command was decided."""

    def __init__(self, position: int) -> None:
        super().__init__(f"the event at position {position} was recorded after the decision that it makes void")
        self.position = position


class Appender:
    """Start `run` as a task; `append` from anywhere in the same event loop.

    `on_committed` is told of each batch of events right after its commit and before any sender is answered, in log
    order; it may miss events (their connection was lost) and must not fail.
    """

    def __init__(
        self,
        dsn: str,
        *,
        on_committed: Callable[[Sequence[RecordedEvent]], None],
        registry: CollectorRegistry,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._session = Session(dsn, "append")
        self._on_committed = on_committed
        self._answer_timeout_s = answer_timeout_s
        self._queue = CommandQueue()
        self._wake = asyncio.Event()
        self._stopped = False
        self._metrics = AppendMetrics(registry, lambda: len(self._queue))

    async def append(self, command: Command) -> Appended:
        """Where the events are, once they are durable.

        Raises CommandConflict; Overloaded when the queue is full; Unavailable when PostgreSQL is away and nothing was
        appended; Unfinished when time ran out and the events may still be appended; InternalError when PostgreSQL
        refuses the data; ValueError for a command without events. Cancelling the caller leaves the outcome open.
        """
        if not command.events:
            raise ValueError("a command without events cannot be appended")
        loop = asyncio.get_running_loop()
        waiting = Waiting(command, loop.create_future())
        self._admit(waiting)
        timer = loop.call_later(self._answer_timeout_s, _give_up, waiting)
        try:
            return await waiting.answer
        finally:
            timer.cancel()

    async def run(self) -> None:
        """Append what is queued, until cancelled. Then whoever still waits is told what is known."""
        batch: Batch | None = None
        try:
            while True:
                await self._wake.wait()
                members = self._queue.take_batch()
                if not members:
                    self._wake.clear()
                    continue
                batch = Batch(members)
                await self._append(batch)
        finally:
            self._stopped = True
            self._session.drop()
            for waiting in [*(batch.members if batch else ()), *self._queue]:
                _give_up(waiting)

    def _admit(self, waiting: Waiting) -> None:
        if self._stopped:
            raise Unavailable("this process is stopping")
        try:
            self._queue.put(waiting)
        except Overloaded:
            self._metrics.overloaded()
            raise
        self._wake.set()

    async def _append(self, batch: Batch) -> None:
        """Send the batch until there is a verdict, or nobody waits for it any more."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        while batch.members:
            batch.in_flight = True
            try:
                with self._metrics.timed():
                    rows = await self._session.fetch(APPEND, *arguments(batch.members))
            except ConnectionLost as error:
                batch.maybe_committed = True
                log.warning("outcome of an append is unknown, asking again", commands=len(batch.members), error=error)
            except (NotConnected, RolledBack) as error:
                log.warning("append failed, trying again", commands=len(batch.members), error=error)
            except (asyncpg.PostgresError, ValueError) as error:
                batch.in_flight = False
                await self._isolate(batch, error)
                return
            else:
                self._answer(batch.members, rows)
                # They know their batch: without this only the collector could free them.
                batch.members = []
                return
            batch.in_flight = False
            await asyncio.sleep(backoff.next_delay_s())
            batch.drop_answered()

    async def _isolate(self, batch: Batch, error: Exception) -> None:
        """PostgreSQL, or its driver, refuses something in the batch: find the culprit, append the others."""
        if len(batch.members) > 1:
            for half in batch.halves():
                await self._append(half)
            return
        (culprit,) = batch.members
        log.error("the log refuses a command", command=culprit.command.id, error=error)
        if not culprit.answer.done():
            culprit.answer.set_exception(InternalError(f"the log refuses the command: {error}"))

    def _answer(self, members: Sequence[Waiting], rows: Sequence[Record]) -> None:
        committed: list[RecordedEvent] = []
        for waiting, (outcome, first, last, recorded_at, _) in zip(members, rows, strict=True):
            if outcome == "appended":
                committed.extend(recorded_events(waiting, first, last, recorded_at))
        try:
            if committed:
                self._on_committed(committed)
        finally:
            for waiting, (outcome, first, last, recorded_at, conflict_position) in zip(members, rows, strict=True):
                if waiting.answer.done():
                    continue
                if outcome == "conflict":
                    waiting.answer.set_exception(CommandConflict(conflict_position))
                else:
                    waiting.answer.set_result(Appended(first, last, recorded_at))
        self._metrics.answered(len(members), len(committed), [outcome for outcome, *_ in rows])


def _give_up(waiting: Waiting) -> None:
    if waiting.answer.done():
        return
    if waiting.batch is not None and waiting.batch.may_commit:
        waiting.answer.set_exception(Unfinished())
    else:
        waiting.answer.set_exception(Unavailable("the event log cannot be written at this time; nothing was changed"))
