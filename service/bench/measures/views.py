"""How fast the views follow the log and are made anew from it, and what a push takes on disk in the end.

The log is that of real pushes, made while nothing projects. Then the daemon catches up, from where it stands to the
end; then `tag-history rebuild` makes all views anew, of which the time that it takes to start is not counted.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from signal import SIGKILL

import asyncpg
import msgspec

from service.bench.helpers import BenchError, within
from service.bench.limits.raw_commit import append_function, write_all
from service.bench.load.closed_loop import closed_loop
from service.bench.load.pushes import CREATED, KNOWN_IMAGES, Serials, prepare_streams, sources
from service.bench.load.recorded import Copier, Span, read_commands
from service.bench.machine import folder_bytes
from service.bench.measures.plan import CLIENT_PROCESSES, CONNECTIONS, Plan
from service.bench.report import Goal, Row
from service.bench.workbench import System, Workbench, command_environment
from service.runtime.config import EngineSettings
from service.runtime.processes import spawn
from service.runtime.roles import role_environment

GOAL_REBUILD = Goal(15_000, "at least", "ours")
EVENTS_PER_SECOND_OF_PLAN = 7_000
"""How long the log is: so many events for each second that the plan has."""
NEW_SHARE = 0.5
PUSH_S = 1.0
"""Of real pushes; the rest of the log are copies of them."""
APPENDERS = 256
POLL_S = 0.02
CATCH_UP_TIMEOUT_S = 120.0
SETTLE_S = 0.5
KIB = 1024.0

HEAD = "SELECT max(position) FROM events"
PROGRESS = "SELECT coalesce(max(position), 0), coalesce(min(position), 0) FROM projections"
LOG_BYTES = "SELECT pg_total_relation_size('events') + pg_total_relation_size('payloads')"
VIEW_BYTES = """
SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND c.relname NOT IN ('events', 'payloads', 'log_head', 'schema_version')
"""


class Bytes(msgspec.Struct, frozen=True):
    log: int
    views: int
    jetstream: int


async def measure(bench: Workbench, plan: Plan) -> list[Row]:
    wanted = int(EVENTS_PER_SECOND_OF_PLAN * plan.seconds * plan.rounds)
    async with bench.system(projecting=False) as system:
        connection = await asyncpg.connect(system.dsn)
        try:
            pushes = await _fill(system, connection, wanted)
            head: int = await connection.fetchval(HEAD)
            projected_per_s = await _catch_up(system, connection, head)
            size = await _sizes(system, connection)
        finally:
            await connection.close()
        rebuild_s = await _rebuild_s(system.engines)
        start_s = await _rebuild_s(msgspec.structs.replace(system.engines, postgres_dsn=await bench.database()))
    return _rows(head, pushes, projected_per_s, rebuild_s, start_s, size)


async def _fill(system: System, connection: asyncpg.Connection, wanted: int) -> int:
    """A log of at least so many events; returns the number of pushes that it has."""
    target = system.workers[0].secure
    await prepare_streams(target, CONNECTIONS)
    pushes = sources([target] * CLIENT_PROCESSES, CONNECTIONS, NEW_SHARE, Serials())
    async with closed_loop([target], pushes, CONNECTIONS, CREATED) as load:
        tally = await load.run(PUSH_S)
    in_one = CONNECTIONS * KNOWN_IMAGES + tally.count
    head: int = await connection.fetchval(HEAD)
    copier = Copier(await read_commands(connection, Span(0, head)))
    copies = range(max(0, wanted // head))
    async with append_function(system.dsn) as writer:
        for number in copies:
            await write_all(writer, list(copier.copy(number)), APPENDERS)
    return in_one * (1 + len(copies))


async def _catch_up(system: System, connection: asyncpg.Connection, head: int) -> float:
    """Events per second, from the first look at which something is projected, to the end of the log."""
    starting = asyncio.create_task(system.project.start(), name="bench/project")
    begin: tuple[float, int] | None = None
    async with within(CATCH_UP_TIMEOUT_S, "the projection of the log"):
        while True:
            furthest, last = await connection.fetchrow(PROGRESS)
            now_s = time.perf_counter()
            if begin is None and furthest:
                begin = (now_s, last)
            if begin is not None and last >= head:
                break
            await asyncio.sleep(POLL_S)
        await starting
    since_s, from_position = begin
    return (head - from_position) / (now_s - since_s)


async def _sizes(system: System, connection: asyncpg.Connection) -> Bytes:
    return Bytes(
        log=await connection.fetchval(LOG_BYTES),
        views=await connection.fetchval(VIEW_BYTES),
        jetstream=await _settled_bytes(system.jetstream),
    )


async def _settled_bytes(folder: Path) -> int:
    """The size of the folder once it no longer grows: the relay may be behind the views."""
    size = 0
    async with within(CATCH_UP_TIMEOUT_S, "the relay of the log"):
        while (now := folder_bytes(folder)) != size:
            size = now
            await asyncio.sleep(SETTLE_S)
    return size


async def _rebuild_s(engines: EngineSettings) -> float:
    """How long `tag-history rebuild` takes."""
    begin_s = time.perf_counter()
    process = await spawn(
        [sys.executable, "-P", "-m", "service.cli", "rebuild"],
        death_signal=SIGKILL,
        environment=role_environment(command_environment(engines)),
    )
    try:
        if await process.exit_code(CATCH_UP_TIMEOUT_S) != 0:
            raise BenchError("`tag-history rebuild` has failed")
    finally:
        await process.end(())
    return time.perf_counter() - begin_s


def _rows(head: int, pushes: int, projected_per_s: float, rebuild_s: float, start_s: float, size: Bytes) -> list[Row]:
    def disk(what: str, size_bytes: int) -> Row:
        return Row(measure="views", what=f"disk per push, {what}", ours=size_bytes / pushes / KIB, unit="kB")

    return [
        Row(
            measure="views",
            what="projection, all views and the relay",
            ours=projected_per_s,
            unit="events/s",
            note=f"{head:,} events of {pushes:,} pushes, half of them of new images",
        ),
        Row(
            measure="views",
            what="rebuild, all views",
            ours=head / (rebuild_s - start_s),
            unit="events/s",
            goal=GOAL_REBUILD,
            note=f"{rebuild_s:.1f} s, of which {start_s:.1f} s to start, not counted",
        ),
        disk("log", size.log),
        disk("views", size.views),
        disk("JetStream", size.jetstream),
    ]
