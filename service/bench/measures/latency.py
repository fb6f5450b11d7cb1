"""How long after its commit an event is at the watchers, at 1,000 pushes per second: those of the process that appended
it, and those of another one.

The commit is taken to be at the event's `recorded_at`, which PostgreSQL sets before it writes: so the time to make the
commit durable is counted as well. Both clocks are this machine's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg

from service.bench.helpers import Link, Ready, helper, within
from service.bench.load.paced import Pace, PacedTally, paced_job
from service.bench.load.pushes import CREATED, GROUP_PATH, Pushes, Serials, prepare_streams
from service.bench.load.watchers import Arrivals, Poll, arrivals_job, watch_request
from service.bench.measures.plan import CONNECTIONS, Plan
from service.bench.report import Goal, Row
from service.bench.samples import Latency, latency_of
from service.bench.workbench import System, Workbench

PUSHES_PER_S = 1_000.0
WATCHERS = 10
"""In each of the two processes."""
NEW_SHARE = 0.5
ARRIVAL_TIMEOUT_S = 10.0
POLL_S = 0.05
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NS_PER_MICROSECOND = 1_000
NS_PER_S = 1e9
TAGS_PATH = f"{GROUP_PATH}/imagestreamtags"
GOAL = Goal(25, "at most", "ours")
NEWEST = "SELECT coalesce(max(position), 0) FROM events"
RECORDED = "SELECT position, recorded_at FROM events WHERE position > $1 AND type = 'TagImaged'"


async def measure(bench: Workbench, plan: Plan) -> list[Row]:
    async with bench.system(workers=2) as system, AsyncExitStack() as stack:
        appending, other = system.workers
        target = appending.secure
        await prepare_streams(target, CONNECTIONS)
        pushes = Pushes(target, 0, Serials().take(), NEW_SHARE)
        pushing = await stack.enter_async_context(helper(paced_job, target, pushes, CONNECTIONS, CREATED))
        await pushing.receive(Ready)
        await pushing.ask(Pace(PUSHES_PER_S, plan.warm_up_s), PacedTally)
        begin = await _newest(system)
        watching = []
        for worker in (appending, other):
            request = watch_request(worker.secure, TAGS_PATH, str(begin))
            watching.append(await stack.enter_async_context(helper(arrivals_job, worker.secure, request, WATCHERS)))
            await watching[-1].receive(Ready)
        pushed = await pushing.ask(Pace(PUSHES_PER_S, plan.seconds * plan.rounds), PacedTally)
        recorded_ns = await _recorded_ns(system, begin)
        seen = [await _delays(link, recorded_ns) for link in watching]
    return _rows(seen[0], seen[1], latency_of(pushed.times_s))


async def _delays(link: Link, recorded_ns: Mapping[int, int]) -> Latency:
    """Raises BenchError when not all events arrive."""
    arrivals: list[tuple[int, int]] = []
    async with within(ARRIVAL_TIMEOUT_S, "the arrival of all events"):
        while len(arrivals) < WATCHERS * len(recorded_ns):
            await asyncio.sleep(POLL_S)
            arrivals += (await link.ask(Poll(), Arrivals)).events
    return latency_of((came_ns - recorded_ns[version]) / NS_PER_S for version, came_ns in arrivals)


async def _newest(system: System) -> int:
    connection = await asyncpg.connect(system.dsn)
    try:
        position: int = await connection.fetchval(NEWEST)
        return position
    finally:
        await connection.close()


async def _recorded_ns(system: System, after: int) -> dict[int, int]:
    connection = await asyncpg.connect(system.dsn)
    try:
        rows = await connection.fetch(RECORDED, after)
    finally:
        await connection.close()
    return {position: _ns(at) for position, at in rows}


def _ns(moment: datetime) -> int:
    """Since the epoch; exact to the microsecond that PostgreSQL keeps."""
    return (moment - EPOCH) // MICROSECOND * NS_PER_MICROSECOND


def _rows(appending: Latency, other: Latency, push: Latency) -> list[Row]:
    at = f"at {PUSHES_PER_S:,.0f} pushes/s"
    note = f"{WATCHERS} watchers of all image stream tags in each of two processes, TLS"

    def row(what: str, value_ms: float, goal: Goal | None = None, note: str = "") -> Row:
        return Row(measure="latency", what=what, ours=value_ms, unit="ms", goal=goal, note=note)

    return [
        row(f"commit to watcher p50, {at}, same process", appending.p50_ms),
        row(f"commit to watcher p99, {at}, same process", appending.p99_ms, GOAL, note),
        row(f"commit to watcher p50, {at}, other process", other.p50_ms),
        row(f"commit to watcher p99, {at}, other process", other.p99_ms, GOAL),
        row(f"push p50 {at}", push.p50_ms),
        row(f"push p99 {at}", push.p99_ms),
    ]
