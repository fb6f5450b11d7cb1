"""How many events of 1.5 kB one API process delivers per second to 1,000 watchers of all image streams, over plain HTTP
and over TLS, against the same frames written straight to as many transports.

Changes are made through another API process, so that the one that is measured only watches. Keeps: not more changes are
on their way than a connection may hold, so nobody is parked; what is counted has arrived at the clients.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

import msgspec

from service.bench.helpers import Link, Ready, helper, within
from service.bench.limits.raw_writes import WriteFor, Wrote, raw_writes_job
from service.bench.load.http_client import Client, Target
from service.bench.load.pushes import CREATED, GROUP_PATH, MAPPINGS_PATH, create_stream, push_body
from service.bench.load.watchers import Counted, Poll, counting_job, first_frames, watch_request
from service.bench.machine import cpu_s
from service.bench.measures.plan import CLIENT_PROCESSES, Plan, client_note
from service.bench.report import Goal, Row, number
from service.bench.workbench import System, Workbench
from service.runtime.config import TlsSettings
from service.runtime.tasks import Supervisor

WATCHERS = 1_000
STREAMS = 16
"""Each is changed by one client, so no change meets another."""
OBJECT_BYTES = 1_500
WINDOW_CHANGES = 64
POLL_S = 0.005
STALL_TIMEOUT_S = 30.0
MERGE_PATCH = "application/merge-patch+json"
STREAMS_PATH = f"{GROUP_PATH}/imagestreams"
GOAL_PLAIN = Goal(60_000, "at least", "ours")
GOAL_TLS = Goal(0.6, "at least", "ratio")


class Rate(msgspec.Struct, frozen=True):
    """One round of ours, or of the limit."""

    per_s: float
    server_cpu: float
    """Share of a processor that the writing process took."""
    client_cpu: float

    @property
    def per_cpu_s(self) -> float:
        return self.per_s / self.server_cpu


async def measure(bench: Workbench, plan: Plan) -> list[Row]:
    rows = []
    async with bench.system(workers=2) as system:
        watched, changed = system.workers
        frame_bytes = await _prepare(changed.secure)
        for target, tls in ((watched.plain, None), (watched.secure, bench.certificates.tls)):
            rounds = await _rounds(bench, system, target, tls, plan)
            rows.append(_row(rounds, frame_bytes, over_tls=tls is not None))
    return rows


async def _rounds(
    bench: Workbench, system: System, target: Target, tls: TlsSettings | None, plan: Plan
) -> list[tuple[Rate, Rate]]:
    async with AsyncExitStack() as stack:
        changes = await stack.enter_async_context(_changes(system.workers[1].secure))
        request = watch_request(target, STREAMS_PATH, await _newest(target))
        async with first_frames(target, request, WINDOW_CHANGES) as captured:
            changes.allow(WINDOW_CHANGES + 1)
            async with within(STALL_TIMEOUT_S, "the first events"):
                frames = await captured
        raw = await stack.enter_async_context(helper(raw_writes_job, frames, tls))
        raw_target = bench.target((await raw.receive(Ready)).port, secure=tls is not None)
        await changes.settled()
        request = watch_request(target, STREAMS_PATH, await _newest(target))
        watchers = await _watchers(stack, target, request)
        raw_watchers = await _watchers(stack, raw_target, None)
        pid = system.workers[0].pid
        return [
            (await _our_round(watchers, changes, pid, plan), await _raw_round(raw_watchers, raw, plan))
            for _ in range(plan.rounds)
        ]


async def _watchers(stack: AsyncExitStack, target: Target, request: bytes | None) -> list[Link]:
    each = WATCHERS // CLIENT_PROCESSES
    links = [
        await stack.enter_async_context(helper(counting_job, target, request, each)) for _ in range(CLIENT_PROCESSES)
    ]
    for link in links:
        await link.receive(Ready)
    return links


async def _our_round(watchers: Sequence[Link], changes: Changes, pid: int, plan: Plan) -> Rate:
    """Changes follow what has arrived, WINDOW_CHANGES ahead of it."""
    before = await _counted(watchers)
    allowed_before = changes.allowed
    begin: list[Counted] = []
    begin_cpu_s = 0.0
    end_s = time.perf_counter() + plan.warm_up_s + plan.seconds
    while (now_s := time.perf_counter()) < end_s:
        counted = await _counted(watchers)
        if not begin and now_s > end_s - plan.seconds:
            begin, begin_cpu_s = counted, cpu_s(pid)
        arrived = _frames(before, counted) // WATCHERS
        changes.allow(allowed_before + arrived + WINDOW_CHANGES - changes.allowed)
        await asyncio.sleep(POLL_S)
    end, took_cpu_s = await _counted(watchers), cpu_s(pid) - begin_cpu_s
    await changes.settled()
    await _until_arrived(watchers, before, (changes.allowed - allowed_before) * WATCHERS)
    return _rate(begin, end, took_cpu_s / (end[0].at_s - begin[0].at_s))


async def _raw_round(watchers: Sequence[Link], raw: Link, plan: Plan) -> Rate:
    raw.send(WriteFor(plan.warm_up_s + plan.seconds))
    await asyncio.sleep(plan.warm_up_s)
    begin = await _counted(watchers)
    await asyncio.sleep(plan.seconds)
    end = await _counted(watchers)
    return _rate(begin, end, (await raw.receive(Wrote)).cpu)


async def _counted(watchers: Sequence[Link]) -> list[Counted]:
    for link in watchers:
        link.send(Poll())
    return [await link.receive(Counted) for link in watchers]


async def _until_arrived(watchers: Sequence[Link], before: Sequence[Counted], frames: int) -> None:
    async with within(STALL_TIMEOUT_S, "the delivery of all events"):
        while _frames(before, await _counted(watchers)) < frames:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(POLL_S)


def _frames(before: Sequence[Counted], after: Sequence[Counted]) -> int:
    return sum(a.frames - b.frames for a, b in zip(after, before, strict=True))


def _rate(begin: Sequence[Counted], end: Sequence[Counted], server_cpu: float) -> Rate:
    per_s = sum((e.frames - b.frames) / (e.at_s - b.at_s) for b, e in zip(begin, end, strict=True))
    client_cpu = max((e.cpu_s - b.cpu_s) / (e.at_s - b.at_s) for b, e in zip(begin, end, strict=True))
    return Rate(per_s, server_cpu, client_cpu)


class Changes:
    """Clients that change their own image stream again and again, as often as they are allowed to."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self.allowed = 0
        self._made = 0
        self._clients = clients
        self._permits = asyncio.Semaphore(0)
        self._settled = asyncio.Event()

    def allow(self, count: int) -> None:
        for _ in range(count):
            self._permits.release()
        self.allowed += max(count, 0)
        self._note()

    async def settled(self) -> None:
        """Until all that is allowed is made."""
        async with within(STALL_TIMEOUT_S, "the last changes"):
            await self._settled.wait()

    async def change(self, number: int) -> None:
        """The work of one client, for ever."""
        while True:
            await self._permits.acquire()
            patch = {"metadata": {"annotations": {"bench/time": f"{time.time_ns():020d}"}}}
            path = f"{STREAMS_PATH}/{_name(number)}"
            await self._clients[number].ask("PATCH", path, msgspec.json.encode(patch), content_type=MERGE_PATCH)
            self._made += 1
            self._note()

    def _note(self) -> None:
        if self._made < self.allowed:
            self._settled.clear()
        else:
            self._settled.set()


@asynccontextmanager
async def _changes(target: Target) -> AsyncIterator[Changes]:
    clients = [Client(target) for _ in range(STREAMS)]
    for client in clients:
        await client.connect()
    changes = Changes(clients)
    async with Supervisor("bench") as supervisor:
        for number in range(STREAMS):
            supervisor.start(f"changes-{number}", changes.change(number))
        yield changes
    for client in clients:
        client.close()


def _name(number: int) -> str:
    return f"watched-{number:02d}"


async def _prepare(target: Target) -> int:
    """Image streams of OBJECT_BYTES each. Returns how long the last one is."""
    client = Client(target)
    await client.connect()
    served = b""
    for serial in range(STREAMS):
        name = _name(serial)
        await create_stream(client, name, {"bench/time": f"{0:020d}"})
        await client.ask("POST", MAPPINGS_PATH, push_body(name, "latest", serial), expect=CREATED)
        path = f"{STREAMS_PATH}/{name}"
        room = OBJECT_BYTES - len(await client.ask("GET", path)) - len(',"bench/text":""')
        patch = {"metadata": {"annotations": {"bench/text": "x" * max(room, 0)}}}
        served = await client.ask("PATCH", path, msgspec.json.encode(patch), content_type=MERGE_PATCH)
    client.close()
    return len(served)


async def _newest(target: Target) -> str:
    client = Client(target)
    await client.connect()
    collection = msgspec.json.decode(await client.ask("GET", STREAMS_PATH), type=_List)
    client.close()
    return collection.metadata.resource_version


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str


class _List(msgspec.Struct):
    metadata: _ListMeta


def _row(rounds: Sequence[tuple[Rate, Rate]], object_bytes: int, *, over_tls: bool) -> Row:
    ours, limit = [r for r, _ in rounds], [r for _, r in rounds]
    over = "TLS" if over_tls else "plain HTTP"
    per_cpu_s, limit_per_cpu_s = median(r.per_cpu_s for r in ours), median(r.per_cpu_s for r in limit)
    return Row(
        measure="watch",
        what=f"events to {WATCHERS:,} watchers, {over}, 1 worker",
        ours=median(r.per_s for r in ours),
        unit="deliveries/s",
        limit=median(r.per_s for r in limit),
        limit_is="the same frames by transport.write, to as many connections",
        goal=GOAL_TLS if over_tls else GOAL_PLAIN,
        rounds=tuple(r.per_s for r in ours),
        note=f"image streams of {object_bytes} bytes; {number(per_cpu_s)} per second of processor time of the"
        f" writing process, limit {number(limit_per_cpu_s)}" + client_note(max(r.client_cpu for r in [*ours, *limit])),
    )
