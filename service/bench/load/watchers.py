"""Watches by the thousand: clients that only count the events they are sent, and those that note when each came.

Counting looks at nothing but carriage returns: JSON text holds none, and each chunk of a chunked body has two, whatever
the pieces in which it arrives. So a client costs little beside what the kernel and TLS take.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

import msgspec

from service.bench.helpers import BenchError, Link, Ready
from service.bench.load.http_client import END_OF_HEAD, Target, connect, write_side

RETURNS_PER_FRAME = 2
END_OF_FRAME = b"}\n\r\n"
JOB_TIMEOUT_S = 3600.0
CONNECTIONS_AT_A_TIME = 32
TIMEOUT_S = 3600

_own_version = re.compile(rb'\{"type":"(?:ADDED|MODIFIED|DELETED)".*?"resourceVersion":"(\d+)"')


class Poll(msgspec.Struct, frozen=True):
    """A question; Counted or Arrivals is the answer."""


class Counted(msgspec.Struct, frozen=True):
    """All frames of all connections until now."""

    at_s: float
    """Of time.perf_counter, which all processes of a machine share."""
    cpu_s: float
    frames: int


class Arrivals(msgspec.Struct, frozen=True):
    """(resourceVersion, nanoseconds since the epoch) of each event of each connection since the last question."""

    events: list[tuple[int, int]]


async def counting_job(link: Link, target: Target, request: bytes | None, count: int) -> None:
    """`count` watches. Without a request the other side begins by itself, and with frames (`limits/raw_writes.py`)."""
    watchers = [_Counter(request) for _ in range(count)]
    await _connect(target, watchers)
    link.send(Ready())
    while True:
        await link.receive(Poll, JOB_TIMEOUT_S)
        if any(watcher.lost for watcher in watchers):
            raise BenchError("the server has closed a watch")
        frames = sum(watcher.returns // RETURNS_PER_FRAME for watcher in watchers)
        link.send(Counted(time.perf_counter(), time.process_time(), frames))


async def arrivals_job(link: Link, target: Target, request: bytes, count: int) -> None:
    """`count` watches whose events are noted one by one."""
    watchers = [_Recorder(request) for _ in range(count)]
    await _connect(target, watchers)
    link.send(Ready())
    while True:
        await link.receive(Poll, JOB_TIMEOUT_S)
        if any(watcher.lost for watcher in watchers):
            raise BenchError("the server has closed a watch")
        link.send(Arrivals([event for watcher in watchers for event in watcher.take()]))


@asynccontextmanager
async def first_frames(target: Target, request: bytes, count: int) -> AsyncIterator[Awaitable[list[bytes]]]:
    """Watch within the block; what is yielded are the first frames, framed as they came, once all are there."""
    keeper = _Keeper(request, count)
    await _connect(target, [keeper])
    try:
        yield keeper.frames
    finally:
        keeper.close()


def watch_request(target: Target, path: str, resource_version: str) -> bytes:
    """A watch of everything there that comes after a position, for as long as a bench may take."""
    return target.request("GET", f"{path}?watch=true&resourceVersion={resource_version}&timeoutSeconds={TIMEOUT_S}")


class _Watcher(asyncio.Protocol):
    """The head of the answer; the rest is for the subclass."""

    def __init__(self, request: bytes | None) -> None:
        self.lost = False
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._head = b""
        self._transport = asyncio.BaseTransport()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._request is None:
            self.begun.set_result(None)
        else:
            write_side(transport).write(self._request)
        self._transport = transport

    def close(self) -> None:
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.begun.done():
            self.begun.set_exception(BenchError(f"a watch ended before it began: {self._head.decode()[:500]}"))

    def data_received(self, data: bytes) -> None:
        if self.begun.done():
            self.body_received(data)
            return
        head, end, body = (self._head + data).partition(END_OF_HEAD)
        self._head = head
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self.begun.set_exception(BenchError(f"a watch was refused: {(head + body).decode()[:500]}"))
            return
        self.begun.set_result(None)
        if body:
            self.body_received(body)

    def body_received(self, data: bytes) -> None:
        raise NotImplementedError


class _Counter(_Watcher):
    returns = 0

    def body_received(self, data: bytes) -> None:
        self.returns += data.count(b"\r")


class _Recorder(_Watcher):
    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self._events: list[tuple[int, int]] = []
        self._partial = b""

    def body_received(self, data: bytes) -> None:
        now_ns = time.time_ns()
        *lines, self._partial = (self._partial + data).split(b"}\n")
        for line in lines:
            if found := _own_version.search(line):
                self._events.append((int(found[1]), now_ns))

    def take(self) -> list[tuple[int, int]]:
        taken, self._events = self._events, []
        return taken


class _Keeper(_Watcher):
    def __init__(self, request: bytes, count: int) -> None:
        super().__init__(request)
        self.frames: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        self._count = count
        self._body = b""

    def body_received(self, data: bytes) -> None:
        self._body += data
        frames = [end for end in self._body.split(END_OF_FRAME) if end]
        if len(frames) > self._count and not self.frames.done():
            self.frames.set_result([frame + END_OF_FRAME for frame in frames[: self._count]])


async def _connect(target: Target, watchers: Sequence[_Watcher]) -> None:
    context = target.context()
    for begin in range(0, len(watchers), CONNECTIONS_AT_A_TIME):
        group = watchers[begin : begin + CONNECTIONS_AT_A_TIME]
        async with asyncio.TaskGroup() as tasks:
            for watcher in group:
                tasks.create_task(connect(target, watcher, context), name="bench/watcher")
        for watcher in group:
            await watcher.begun
