"""What the tests of the log share: commands to append, parts that run beside a test, the whole log to compare with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import asyncpg
from prometheus_client import CollectorRegistry

from service.eventstore.appender import Appender
from service.eventstore.database import open_pool
from service.eventstore.position import is_dense
from service.eventstore.reader import Reader
from service.eventstore.records import (
    Aggregate,
    Command,
    Guard,
    Metadata,
    NewEvent,
    Payload,
    RecordedEvent,
    new_command_id,
)
from service.runtime.tasks import Supervisor

METADATA = Metadata(actor="alice", uid="7", groups=("developers", "system:authenticated"), verb="create", reason="tést")
LOCK_HEAD = "SELECT log_id FROM log_head FOR UPDATE"


def stream(name: str = "app") -> Aggregate:
    return Aggregate("ImageStream", "shop", name)


def tag_event(aggregate: Aggregate, tag: str | None = "latest", data: bytes = b'{"n":1}') -> NewEvent:
    return NewEvent("TagImaged" if tag is not None else "ImageStreamChanged", 1, aggregate, tag, data)


def command(
    *events: NewEvent, decided_at: int = 0, guards: Iterable[Guard] = (), payloads: Iterable[Payload] = ()
) -> Command:
    """One that nothing forbids, unless guards are given."""
    return Command(
        id=new_command_id(),
        decided_at=decided_at,
        guards=tuple(guards),
        events=events or (tag_event(stream()),),
        payloads=tuple(payloads),
        metadata=METADATA,
    )


def ignore(events: Sequence[RecordedEvent]) -> None:
    """For appenders nobody follows."""


@asynccontextmanager
async def beside(*work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run these for ever while the block runs; if one of them fails, so does the block."""
    async with Supervisor("test") as supervisor:
        for number, coroutine in enumerate(work, 1):
            supervisor.start(f"work {number}", coroutine)
        yield


@asynccontextmanager
async def appending(
    dsn: str,
    *,
    on_committed: Callable[[Sequence[RecordedEvent]], None] = ignore,
    answer_timeout_s: float = 30.0,
) -> AsyncIterator[Appender]:
    appender = Appender(dsn, on_committed=on_committed, registry=CollectorRegistry(), answer_timeout_s=answer_timeout_s)
    async with beside(appender.run()):
        yield appender


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[Reader]:
    async with open_pool(dsn, "test", size_limit=4) as pool:
        yield Reader(pool)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def head_locked(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """While the block runs no append can come to an end, so commands queue up behind the one in flight."""
    async with connected(dsn) as connection, connection.transaction():
        await connection.execute(LOCK_HEAD)
        yield connection


async def until_append_waits(connection: asyncpg.Connection) -> int:
    """Wait until an appender stands at the lock of the head row; returns its backend's process id."""
    query = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'tag-history append' AND wait_event_type = 'Lock'
    """
    while (pid := await connection.fetchval(query)) is None:
        await asyncio.sleep(0.005)
        # Statistics are taken once per transaction unless told otherwise.
        await connection.execute("SELECT pg_stat_clear_snapshot()")
    return int(pid)


async def whole_log(dsn: str) -> list[RecordedEvent]:
    """Everything in the log, having checked that it is one: dense, commands whole, time in order."""
    events: list[RecordedEvent] = []
    async with reading(dsn) as reader:
        while page := await reader.read_after(len(events)):
            events += page
    assert is_dense(0, events)
    for event in events:
        command_events = events[event.command_first - 1 : event.command_last]
        assert {other.command_id for other in command_events} == {event.command_id}
    assert len({event.command_id for event in events}) == sum(event.position == event.command_first for event in events)
    assert all(earlier.recorded_at <= later.recorded_at for earlier, later in pairwise(events))
    return events
