"""Requests at a given rate, whatever the server does: what its clients feel when they do not wait for each other.

Times count from the moment a request was due, so a server that stalls is not spared the requests it held up. A request
that is due while every connection is busy waits for one; the queue is bounded by the length of the run.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque

import msgspec

from service.bench.helpers import BenchError, Link, Ready
from service.bench.load.closed_loop import RequestSource
from service.bench.load.http_client import HttpConnection, Target, connect

TICK_S = 0.001
GRACE_S = 30.0


class Pace(msgspec.Struct, frozen=True):
    per_s: float
    seconds: float


class PacedTally(msgspec.Struct, frozen=True):
    times_s: array[float]


async def paced_job(link: Link, target: Target, source: RequestSource, connections: int, expect: int) -> None:
    clients = _PacedClients(source, expect)
    await clients.connect(target, connections)
    link.send(Ready())
    while True:
        pace = await link.receive(Pace, timeout_s=3600.0)
        link.send(await clients.run(pace))


class _PacedClients:
    def __init__(self, source: RequestSource, expect: int) -> None:
        self._next = source.next
        self._expect = expect
        self._idle: deque[HttpConnection] = deque()
        self._due_s: deque[float] = deque()
        self._times_s: array[float] = array("d")
        self._failure: Exception | None = None

    async def connect(self, target: Target, count: int) -> None:
        context = target.context()
        for number in range(count):
            connection = HttpConnection(self._answered, self._lost, number)
            await connect(target, connection, context)
            self._idle.append(connection)

    async def run(self, pace: Pace) -> PacedTally:
        self._times_s = array("d")
        begin_s = time.perf_counter()
        total = int(pace.per_s * pace.seconds)
        planned = 0
        while len(self._times_s) < total:
            if self._failure is not None:
                raise self._failure
            now_s = time.perf_counter()
            if now_s > begin_s + pace.seconds + GRACE_S:
                raise BenchError(f"{total - len(self._times_s)} requests were not answered in time")
            while planned < total and begin_s + planned / pace.per_s <= now_s:
                self._due_s.append(begin_s + planned / pace.per_s)
                planned += 1
            self._send_due()
            await asyncio.sleep(TICK_S)
        return PacedTally(self._times_s)

    def _send_due(self) -> None:
        while self._due_s and self._idle:
            connection = self._idle.popleft()
            connection.sent_at_s = self._due_s.popleft()
            connection.send(self._next(connection.number))

    def _answered(self, connection: HttpConnection, status: int, body: bytes) -> None:
        self._times_s.append(time.perf_counter() - connection.sent_at_s)
        if status != self._expect:
            self._lost(BenchError(f"an answer was {status}: {body[:500].decode(errors='replace')}"))
        self._idle.append(connection)
        self._send_due()

    def _lost(self, error: Exception) -> None:
        self._failure = error
