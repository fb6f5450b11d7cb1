"""Supervised tasks: none dies unnoticed, none outlives its supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from service.runtime.tasks import Backoff, Supervisor, TaskEnded, run_until_signal


class Broken(Exception):
    pass


async def fail() -> None:
    raise Broken


async def for_ever() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    pass


async def test_the_first_failure_ends_the_block_and_the_other_tasks() -> None:
    with pytest.raises(Broken):
        async with Supervisor("test") as tasks:
            other = tasks.start("other", for_ever())
            tasks.start("failing", fail())
            await for_ever()
    assert other.cancelled()


async def test_a_task_that_ends_is_as_bad_as_one_that_fails() -> None:
    with pytest.raises(TaskEnded, match="test/short"):
        async with Supervisor("test") as tasks:
            tasks.start("short", at_once())
            await for_ever()


async def test_unless_it_may_end() -> None:
    async with Supervisor("test") as tasks:
        task = tasks.start("short", at_once(), may_end=True)
        await task


async def test_leaving_the_block_cancels_what_runs() -> None:
    async with Supervisor("test") as tasks:
        task = tasks.start("long", for_ever())
    assert task.cancelled()


async def test_a_failure_that_nobody_waited_for_is_raised_at_the_end() -> None:
    with pytest.raises(Broken):
        async with Supervisor("test") as tasks:
            task = tasks.start("failing", fail())
            await asyncio.wait([task])
    # Its message to us was taken: nothing hits what we await next.
    await asyncio.sleep(0)
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_an_error_of_the_block_itself_goes_first() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with Supervisor("test") as tasks:
            tasks.start("long", for_ever())
            raise ValueError("mine")


async def test_cancellation_from_outside_stays_a_cancellation() -> None:
    started = asyncio.Event()

    async def supervised() -> None:
        async with Supervisor("test") as tasks:
            tasks.start("long", for_ever())
            started.set()
            await for_ever()

    task = asyncio.create_task(supervised())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_will_not_end_is_left_behind_and_named(caplog: pytest.LogCaptureFixture) -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async with Supervisor("test", drain_timeout_s=0.01) as tasks:
        task = tasks.start("stubborn", stubborn())
        await asyncio.sleep(0)
    assert "task does not end" in caplog.text
    release.set()
    await task


async def test_tasks_may_clean_up_when_they_are_cancelled() -> None:
    cleaned = asyncio.Event()

    async def with_clean_up() -> None:
        try:
            await for_ever()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    async with Supervisor("test") as tasks:
        tasks.start("clean", with_clean_up())
        await asyncio.sleep(0)
    assert cleaned.is_set()


async def test_the_first_signal_lets_the_work_clean_up() -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await for_ever()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    await run_until_signal(work())
    assert steps == ["cleaned up"]


async def test_the_second_signal_leaves_at_once() -> None:
    script = (
        "import asyncio, os, signal\n"
        "from service.runtime.tasks import run_until_signal\n"
        "async def work():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await asyncio.Event().wait()\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(run_until_signal(work()))\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await process.wait() == 128 + signal.SIGINT


def test_pauses_double_up_to_a_limit_and_begin_anew() -> None:
    backoff = Backoff(first_s=1, limit_s=5)
    assert [backoff.next_delay_s() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next_delay_s() == 1
