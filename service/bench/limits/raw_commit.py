"""The limit of pushes: the events and payloads of real pushes, committed in groups by 64 writers, and nothing else.

`PlainInserts` is what asyncpg and PostgreSQL can do with the same rows in the same tables: one statement per group that
inserts what is queued. `AppendFunction` is our own append under the same load, with guards, ids and verdicts.
Keeps: rows come from the log of a system under load, in its order; a writer has one command on its way at a time.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import asyncpg
import msgspec
from prometheus_client import CollectorRegistry

from service.bench.helpers import Link, Ready
from service.bench.load.recorded import Recorded, Span, read_commands
from service.eventstore.appender import Appender
from service.eventstore.records import Command, Guard, Metadata, NewEvent, new_command_id
from service.runtime.tasks import Supervisor

JOB_TIMEOUT_S = 3600.0
NEVER_OVERTAKEN: Final = 2**62
"""Decided at a position that no log reaches: guards are looked at and never forbid."""

INSERT: Final = """
WITH inserted AS (
    INSERT INTO events (position, command_id, command_first, command_last, kind, namespace, name, tag, type,
                        schema_version, recorded_at, metadata, data)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::text[], $10::smallint[], $11::timestamptz[], $12::json[], $13::json[])
)
INSERT INTO payloads SELECT * FROM unnest($14::text[], $15::bytea[]) ON CONFLICT DO NOTHING
"""


class Replayed(msgspec.Struct, frozen=True):
    commands: int
    events: int
    seconds: float
    times_s: array[float]


class Writer(Protocol):
    async def write(self, recorded: Recorded) -> None:
        """Return once it is durable."""


async def raw_commit_job(link: Link, source_dsn: str, scratch_dsn: str, writers: int, *, plain: bool) -> None:
    """Each Span is read beforehand, and answered with what writing it took."""
    source = await asyncpg.connect(source_dsn)
    async with _plain_inserts(scratch_dsn) if plain else append_function(scratch_dsn) as writer:
        link.send(Ready())
        while True:
            span = await link.receive(Span, JOB_TIMEOUT_S)
            link.send(await write_all(writer, await read_commands(source, span), writers))


async def write_all(writer: Writer, commands: Sequence[Recorded], writers: int) -> Replayed:
    """By so many writers, each of which has one command on its way at a time."""
    times_s: array[float] = array("d")
    left = iter(commands)

    async def work() -> None:
        for recorded in left:
            begin_s = time.perf_counter()
            await writer.write(recorded)
            times_s.append(time.perf_counter() - begin_s)

    begin_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(writers):
            group.create_task(work(), name=f"bench/writer-{number}")
    seconds = time.perf_counter() - begin_s
    return Replayed(len(commands), sum(len(recorded.events) for recorded in commands), seconds, times_s)


class _PlainInserts:
    """Group commit at its barest: while one insert is in flight, the next group forms."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Recorded, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def write(self, recorded: Recorded) -> None:
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((recorded, durable))
        self._wake.set()
        await durable

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            if group:
                await self._connection.fetch(INSERT, *_columns([recorded for recorded, _ in group]))
            for _, durable in group:
                durable.set_result(None)


class _AppendFunction:
    def __init__(self, appender: Appender) -> None:
        self._appender = appender

    async def write(self, recorded: Recorded) -> None:
        guards = tuple(Guard(event.aggregate, (event.tag,) if event.tag else None) for event in recorded.events)
        events = tuple(
            NewEvent(event.type, event.schema_version, event.aggregate, event.tag, event.data)
            for event in recorded.events
        )
        metadata = msgspec.json.decode(recorded.events[0].metadata, type=Metadata)
        command = Command(new_command_id(), NEVER_OVERTAKEN, guards, events, tuple(recorded.payloads), metadata)
        await self._appender.append(command)


@asynccontextmanager
async def _plain_inserts(dsn: str) -> AsyncIterator[Writer]:
    connection = await asyncpg.connect(dsn)
    writer = _PlainInserts(connection)
    async with Supervisor("bench") as supervisor:
        supervisor.start("inserts", writer.run())
        yield writer


@asynccontextmanager
async def append_function(dsn: str) -> AsyncIterator[Writer]:
    """Our own append."""
    appender = Appender(dsn, on_committed=lambda _: None, registry=CollectorRegistry())
    async with Supervisor("bench") as supervisor:
        supervisor.start("appender", appender.run())
        yield _AppendFunction(appender)


def _columns(group: Sequence[Recorded]) -> tuple[list[object], ...]:
    """The arguments of INSERT."""
    events = [event for recorded in group for event in recorded.events]
    payloads = [payload for recorded in group for payload in recorded.payloads]
    return (
        [event.position for event in events],
        [event.command_id for event in events],
        [event.command_first for event in events],
        [event.command_last for event in events],
        [event.aggregate.kind for event in events],
        [event.aggregate.namespace for event in events],
        [event.aggregate.name for event in events],
        [event.tag for event in events],
        [event.type for event in events],
        [event.schema_version for event in events],
        [event.recorded_at for event in events],
        [event.metadata.decode() for event in events],
        [event.data.decode() for event in events],
        [payload.digest for payload in payloads],
        [payload.content for payload in payloads],
    )
