"""How a process lives and ends: named tasks of which none may die unnoticed, and signals that stop it in order.

A `Supervisor` behaves like an asyncio.TaskGroup whose tasks are meant to run for ever: the first that fails, or ends,
ends the block it guards, and leaving the block cancels the rest. Unlike a TaskGroup it waits for them only for a
bounded time, and raises the one error that started it all instead of a group.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

from service.runtime.logs import get_logger

DRAIN_TIMEOUT_S = 10.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = get_logger("tasks")


class TaskEnded(Exception):
    """A task that should run for ever has returned."""


class Backoff:
    """Growing pauses between attempts, in seconds: doubled each time, up to a limit."""

    def __init__(self, first_s: float = 0.1, limit_s: float = 5.0) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._next_s = first_s

    def next_delay_s(self) -> float:
        delay_s = self._next_s
        self._next_s = min(delay_s * 2, self._limit_s)
        return delay_s

    def reset(self) -> None:
        self._next_s = self._first_s


class Supervisor:
    """An async context manager that owns tasks; see the module."""

    def __init__(self, name: str, drain_timeout_s: float = DRAIN_TIMEOUT_S) -> None:
        self.name = name
        self._drain_timeout_s = drain_timeout_s
        self._owner: asyncio.Task[object] | None = None
        self._tasks: dict[asyncio.Task[None], bool] = {}
        self._death: BaseException | None = None
        self._leaving = False

    def start(self, name: str, work: Coroutine[object, object, None], *, may_end: bool = False) -> asyncio.Task[None]:
        """Run `work` as a task until the block is left. A task that `may_end` may also return early; none may fail."""
        task = asyncio.create_task(work, name=f"{self.name}/{name}")
        self._tasks[task] = may_end
        task.add_done_callback(self._ended)
        return task

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leaving = True
        if self._death is not None and not isinstance(error, asyncio.CancelledError):
            await self._take_own_cancellation()
        await self._drain()
        if self._death is None:
            return
        # The cancellation that left the block was our own message, unless somebody outside cancelled us as well.
        cancelled_by_others = self._owner is not None and self._owner.uncancel() > 0
        if error is None or (isinstance(error, asyncio.CancelledError) and not cancelled_by_others):
            raise self._death

    async def _drain(self) -> None:
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(list(self._tasks), timeout=self._drain_timeout_s)
        for task in unfinished:
            log.error("task does not end", task=task.get_name(), waited_s=self._drain_timeout_s)

    async def _take_own_cancellation(self) -> None:
        """The block ended before our message reached it: take it here, or it would hit whatever is awaited next."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        may_end = self._tasks.pop(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None and not may_end:
            error = TaskEnded(f"task {task.get_name()} ended")
        if error is None:
            return
        if self._leaving or self._death is not None:
            log.error("task failed while stopping", task=task.get_name(), error=error)
            return
        self._death = error
        if self._owner is not None:
            self._owner.cancel()


async def run_until_signal(work: Coroutine[object, object, None]) -> None:
    """Run `work` to its end, or until SIGINT, SIGTERM or SIGHUP cancels it; then its own clean-up runs.

    A second signal leaves at once: no clean-up, and what this process owns dies with it.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work, name="main")
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        if received:
            sys.stderr.flush()
            os._exit(128 + number)
        received.append(number)
        log.info("stopping", signal=number.name)
        task.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
