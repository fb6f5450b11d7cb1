"""Clients that each send their next request as soon as the last one was answered: how much can be done, how fast.

Spread over several processes, because one would be the bottleneck. Keeps: connections stay open from round to round;
every answer has the expected status, or the measure fails.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import msgspec

from service.bench.helpers import BenchError, Link, Ready, helper, within
from service.bench.load.http_client import HttpConnection, Target, connect
from service.bench.samples import Latency, latency_of

ROUND_GRACE_S = 30.0
"""How long after its end the last answers of a round may take."""


class RequestSource(Protocol):
    """Where the requests of one process come from."""

    def next(self, connection: int) -> bytes:
        """The next request of the connection with this number (from 0)."""


class SameRequest(msgspec.Struct, frozen=True):
    request: bytes

    def next(self, connection: int) -> bytes:
        return self.request


class Run(msgspec.Struct, frozen=True):
    seconds: float


class Tally(msgspec.Struct, frozen=True):
    """One round of one process, or of all."""

    per_s: float
    times_s: array[float]
    client_cpu: float
    """Share of a processor that the busiest client process used; near 1, it was the clients that were measured."""

    @property
    def latency(self) -> Latency:
        return latency_of(self.times_s)

    @property
    def count(self) -> int:
        return len(self.times_s)


class Load:
    """The processes of a closed loop, from our side."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links

    async def run(self, seconds: float) -> Tally:
        """One round."""
        for link in self._links:
            link.send(Run(seconds))
        return _together([await link.receive(Tally, seconds + 2 * ROUND_GRACE_S) for link in self._links])


@asynccontextmanager
async def closed_loop(
    targets: Sequence[Target], sources: Sequence[RequestSource], connections: int, expect: int
) -> AsyncIterator[Load]:
    """One process per source, each with its part of the connections; the n-th goes to the n-th target, and around."""
    async with AsyncExitStack() as stack:
        links = []
        for number, source in enumerate(sources):
            target = targets[number % len(targets)]
            job = helper(closed_loop_job, target, source, connections // len(sources), expect)
            links.append(await stack.enter_async_context(job))
        for link in links:
            await link.receive(Ready)
        yield Load(links)


async def closed_loop_job(link: Link, target: Target, source: RequestSource, connections: int, expect: int) -> None:
    clients = _Clients(source, expect)
    await clients.connect(target, connections)
    link.send(Ready())
    while True:
        order = await link.receive(Run, timeout_s=3600.0)
        link.send(await clients.run(order.seconds))


class _Clients:
    def __init__(self, source: RequestSource, expect: int) -> None:
        self._next = source.next
        self._expect = expect
        self._connections: list[HttpConnection] = []
        self._times_s: array[float] = array("d")
        self._end_s = 0.0
        self._busy = 0
        self._idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, target: Target, count: int) -> None:
        context = target.context()
        for number in range(count):
            connection = HttpConnection(self._answered, self._lost, number)
            await connect(target, connection, context)
            self._connections.append(connection)

    async def run(self, seconds: float) -> Tally:
        self._idle = asyncio.get_running_loop().create_future()
        self._times_s = array("d")
        self._busy = len(self._connections)
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        self._end_s = begin_s + seconds
        for connection in self._connections:
            connection.sent_at_s = time.perf_counter()
            connection.send(self._next(connection.number))
        async with within(seconds + ROUND_GRACE_S, "a round"):
            await self._idle
        took_s, took_cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
        return Tally(len(self._times_s) / took_s, self._times_s, took_cpu_s / took_s)

    def _answered(self, connection: HttpConnection, status: int, body: bytes) -> None:
        now_s = time.perf_counter()
        self._times_s.append(now_s - connection.sent_at_s)
        if status != self._expect:
            self._lost(BenchError(f"an answer was {status}: {body[:500].decode(errors='replace')}"))
        elif now_s < self._end_s:
            connection.sent_at_s = now_s
            connection.send(self._next(connection.number))
        else:
            self._busy -= 1
            if not self._busy and not self._idle.done():
                self._idle.set_result(None)

    def _lost(self, error: Exception) -> None:
        if not self._idle.done():
            self._idle.set_exception(error)


def _together(tallies: Sequence[Tally]) -> Tally:
    times_s: array[float] = array("d")
    for tally in tallies:
        times_s.extend(tally.times_s)
    return Tally(sum(t.per_s for t in tallies), times_s, max(t.client_cpu for t in tallies))
