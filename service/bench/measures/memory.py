"""What an idle watcher costs: the memory of an API process before and after 1,000 of them, over plain HTTP and TLS.

Keeps: each figure comes from a process that has served nothing else, so no memory that is free already is reused.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from service.bench.helpers import Ready, helper
from service.bench.load.http_client import Target
from service.bench.load.watchers import counting_job, watch_request
from service.bench.machine import resident_bytes
from service.bench.measures.plan import Plan
from service.bench.measures.watch import STREAMS_PATH, WATCHERS
from service.bench.report import Row
from service.bench.workbench import Workbench

KIB = 1024.0


async def measure(bench: Workbench, _: Plan) -> list[Row]:
    async with bench.system(workers=2) as system:
        plain, secure = system.workers
        return [
            _row("plain HTTP", await _per_watcher(plain.pid, plain.plain)),
            _row("TLS", await _per_watcher(secure.pid, secure.secure)),
        ]


async def _per_watcher(pid: int, target: Target) -> float:
    async with AsyncExitStack() as stack:
        before = resident_bytes(pid)
        request = watch_request(target, STREAMS_PATH, "0")
        link = await stack.enter_async_context(helper(counting_job, target, request, WATCHERS))
        await link.receive(Ready)
        return (resident_bytes(pid) - before) / WATCHERS


def _row(over: str, per_watcher_bytes: float) -> Row:
    return Row(measure="memory", what=f"memory per idle watcher, {over}", ours=per_watcher_bytes / KIB, unit="kB")
