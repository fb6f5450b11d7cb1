"""Helper processes: the clients and the limits of a measure, so that neither shares an event loop with anything.

A helper runs one job, a coroutine function that talks with us over a `Link`. Keeps: a helper never outlives the block
that started it, nor this process (its link ends, and so does the job); what fails in it fails here as a BenchError.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Connection
from typing import TypeVar

import msgspec
import uvloop

from service.runtime.user_error import UserError

ANSWER_TIMEOUT_S = 120.0
END_TIMEOUT_S = 5.0

T = TypeVar("T")
Job = Callable[..., Coroutine[object, object, None]]

_processes = multiprocessing.get_context("spawn")


class BenchError(UserError):
    """The bench cannot go on: something it measures, or a helper of its own, did not do what it should."""


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Raises BenchError when the block takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BenchError(f"{what} took more than {seconds:g} s") from None


class Ready(msgspec.Struct, frozen=True):
    """A helper has connected, or listens (then with its port)."""

    port: int = 0


class Failed(msgspec.Struct, frozen=True):
    trace: str


class Link:
    """One end of the pipe between us and a helper. Messages are pickled."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: object) -> None:
        """Blocks when the other side has much to read."""
        self._connection.send(message)

    async def receive(self, kind: type[T], timeout_s: float = ANSWER_TIMEOUT_S) -> T:
        """The next message. Raises BenchError for any other kind, or none in time; EOFError when it has ended."""
        async with within(timeout_s, f"waiting for {kind.__name__}"):
            await self._readable()
        message: object = self._connection.recv()
        if isinstance(message, kind):
            return message
        raise BenchError(message.trace if isinstance(message, Failed) else f"unexpected message {message!r}")

    async def ask(self, question: object, kind: type[T], timeout_s: float = ANSWER_TIMEOUT_S) -> T:
        self.send(question)
        return await self.receive(kind, timeout_s)

    async def closed(self) -> None:
        """Until the other side has ended, for a job that takes no orders."""
        with suppress(EOFError):
            await self._readable()
            self._connection.recv()

    async def _readable(self) -> None:
        if self._connection.poll():
            return
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._connection.fileno(), readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._connection.fileno())
            # uvloop has made it non-blocking, and messages are read and written whole.
            os.set_blocking(self._connection.fileno(), True)


@asynccontextmanager
async def helper(job: Job, *arguments: object) -> AsyncIterator[Link]:
    """Run `job(link, *arguments)` in a process of its own; yields our end of the link."""
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=_run, args=(job, theirs, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Link(ours)
    finally:
        process.terminate()
        process.join(END_TIMEOUT_S)
        ours.close()


def _run(job: Job, connection: Connection, arguments: tuple[object, ...]) -> None:
    # Ctrl-C reaches every process of the terminal; it is for the one that then ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        uvloop.run(job(Link(connection), *arguments))
    except EOFError:
        return
    except Exception:  # noqa: BLE001 - whatever it is, it is told where the measure runs
        with suppress(OSError):
            connection.send(Failed(traceback.format_exc()))
