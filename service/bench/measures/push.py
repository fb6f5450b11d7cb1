"""Pushes that are acknowledged, and so durable, per second: by one API process and by two, of images that are new,
known, or half of each; against a group commit of the same events by 64 writers, without HTTP, decisions and all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median

import asyncpg
import msgspec

from service.bench.helpers import Link, Ready, helper
from service.bench.limits.raw_commit import Replayed, raw_commit_job
from service.bench.load.closed_loop import Load, Tally, closed_loop
from service.bench.load.pushes import BODY_BYTES, CREATED, Serials, prepare_streams, sources
from service.bench.load.recorded import Span
from service.bench.machine import cpu_s
from service.bench.measures.plan import CLIENT_PROCESSES, CONNECTIONS, Plan, client_note
from service.bench.report import Goal, Row
from service.bench.samples import median_latency
from service.bench.workbench import System, Workbench

HALF_NEW, ALL_NEW, ALL_KNOWN = 0.5, 1.0, 0.0
GOAL_RATE = Goal(3_000, "at least", "ours")
GOAL_P99 = Goal(50, "at most", "ours")
NEWEST = "SELECT coalesce(max(position), 0) FROM events"


class Round(msgspec.Struct, frozen=True):
    half: Tally
    half_by_two: Tally
    new: Tally
    known: Tally
    inserts: Replayed
    function: Replayed
    api_cpu_us: float
    """Per push of the first load."""


async def measure(bench: Workbench, plan: Plan) -> list[Row]:
    serials = Serials()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(bench.system(workers=1))
        two = await stack.enter_async_context(bench.system(workers=2))
        loads = [
            await _load(stack, one, HALF_NEW, serials),
            await _load(stack, two, HALF_NEW, serials),
            await _load(stack, one, ALL_NEW, serials, prepared=True),
            await _load(stack, one, ALL_KNOWN, serials, prepared=True),
        ]
        limits = [
            await stack.enter_async_context(helper(_raw_commit, one.dsn, await bench.database(), CONNECTIONS, plain))
            for plain in (True, False)
        ]
        for link in limits:
            await link.receive(Ready)
            await link.ask(Span(0, await _newest(one)), Replayed)
        for load in loads:
            await load.run(plan.warm_up_s)
        rounds = [await _round(one, loads, limits, plan) for _ in range(plan.rounds)]
    return _rows(rounds)


async def _load(
    stack: AsyncExitStack, system: System, new_share: float, serials: Serials, *, prepared: bool = False
) -> Load:
    targets = [worker.secure for worker in system.workers]
    if not prepared:
        await prepare_streams(targets[0], CONNECTIONS)
    per_process = [targets[number % len(targets)] for number in range(CLIENT_PROCESSES)]
    pushes = sources(per_process, CONNECTIONS, new_share, serials)
    return await stack.enter_async_context(closed_loop(per_process, pushes, CONNECTIONS, CREATED))


async def _round(one: System, loads: Sequence[Load], limits: Sequence[Link], plan: Plan) -> Round:
    """The limits commit what the first load has written in this round."""
    half, half_by_two, new, known = loads
    before, cpu_before_s = await _newest(one), cpu_s(one.workers[0].pid)
    half_tally = await half.run(plan.seconds)
    cpu_us = 1e6 * (cpu_s(one.workers[0].pid) - cpu_before_s) / half_tally.count
    span = Span(before, await _newest(one))
    inserts = await limits[0].ask(span, Replayed)
    half_by_two_tally = await half_by_two.run(plan.seconds)
    function = await limits[1].ask(span, Replayed)
    return Round(
        half=half_tally,
        half_by_two=half_by_two_tally,
        new=await new.run(plan.seconds),
        known=await known.run(plan.seconds),
        inserts=inserts,
        function=function,
        api_cpu_us=cpu_us,
    )


async def _raw_commit(link: Link, source_dsn: str, scratch_dsn: str, writers: int, plain: bool) -> None:
    await raw_commit_job(link, source_dsn, scratch_dsn, writers, plain=plain)


async def _newest(system: System) -> int:
    connection = await asyncpg.connect(system.dsn)
    try:
        position: int = await connection.fetchval(NEWEST)
        return position
    finally:
        await connection.close()


def _rows(rounds: Sequence[Round]) -> list[Row]:
    half = [r.half for r in rounds]
    inserts_per_s = median(r.inserts.commands / r.inserts.seconds for r in rounds)
    function_per_s = median(r.function.commands / r.function.seconds for r in rounds)
    limit = f"the same events and payloads by asyncpg alone: one INSERT per group, {CONNECTIONS} writers"
    cpu_us = median(r.api_cpu_us for r in rounds)
    note = f"{BODY_BYTES} byte bodies, {cpu_us:.0f} us of the API process each"

    def rate(what: str, tallies: Sequence[Tally], goal: Goal | None = None, note: str = "") -> Row:
        return Row(
            measure="push",
            what=what,
            ours=median(t.per_s for t in tallies),
            unit="pushes/s",
            limit=inserts_per_s if tallies is half else None,
            limit_is=limit if tallies is half else "",
            goal=goal,
            rounds=tuple(t.per_s for t in tallies),
            note=note + client_note(max(t.client_cpu for t in tallies)),
        )

    by_two = [r.half_by_two for r in rounds]
    latency, latency_by_two = median_latency([t.latency for t in half]), median_latency([t.latency for t in by_two])
    return [
        rate(f"push, half new images, {CONNECTIONS} clients, 1 worker", half, GOAL_RATE, note),
        Row(measure="push", what="push latency p50", ours=latency.p50_ms, unit="ms"),
        Row(measure="push", what="push latency p99", ours=latency.p99_ms, unit="ms", goal=GOAL_P99),
        rate("push, all new images, 1 worker", [r.new for r in rounds]),
        rate("push, all known images, 1 worker", [r.known for r in rounds]),
        rate("push, half new images, 2 workers", by_two, GOAL_RATE),
        Row(measure="push", what="push latency p50, 2 workers", ours=latency_by_two.p50_ms, unit="ms"),
        Row(measure="push", what="push latency p99, 2 workers", ours=latency_by_two.p99_ms, unit="ms", goal=GOAL_P99),
        Row(
            measure="push",
            what="append function alone, same commands",
            ours=function_per_s,
            unit="pushes/s",
            limit=inserts_per_s,
            limit_is=limit,
        ),
    ]
