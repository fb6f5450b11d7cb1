"""GET of an image stream tag, against an aiohttp handler that returns the same bytes over the same TLS."""

from __future__ import annotations

from statistics import median

from service.bench.helpers import Ready, helper
from service.bench.limits.bare_handler import bare_handler_job
from service.bench.load.closed_loop import SameRequest, Tally, closed_loop
from service.bench.load.http_client import Client
from service.bench.load.pushes import GROUP_PATH, prepare_streams, stream_name
from service.bench.machine import cpu_s
from service.bench.measures.plan import CLIENT_PROCESSES, CONNECTIONS, Plan, client_note
from service.bench.report import Goal, Row
from service.bench.samples import median_latency
from service.bench.workbench import Workbench

OK = 200
GOAL_RATIO = Goal(0.4, "at least", "ratio")


async def measure(bench: Workbench, plan: Plan) -> list[Row]:
    tls = bench.certificates.tls
    path = f"{GROUP_PATH}/imagestreamtags/{stream_name(0)}:v0"
    async with bench.system() as system:
        target = system.workers[0].secure
        await prepare_streams(target, 1)
        client = Client(target)
        await client.connect()
        body = await client.ask("GET", path)
        client.close()
        sources = [SameRequest(target.request("GET", path))] * CLIENT_PROCESSES
        async with helper(bare_handler_job, body, tls.cert_file, tls.private_key_file) as bare:
            bare_target = bench.target((await bare.receive(Ready)).port, secure=True)
            async with (
                closed_loop([target], sources, CONNECTIONS, OK) as ours,
                closed_loop([bare_target], sources, CONNECTIONS, OK) as limit,
            ):
                await ours.run(plan.warm_up_s)
                await limit.run(plan.warm_up_s)
                cpu_begin_s = cpu_s(system.workers[0].pid)
                rounds = [(await ours.run(plan.seconds), await limit.run(plan.seconds)) for _ in range(plan.rounds)]
                took_cpu_s = cpu_s(system.workers[0].pid) - cpu_begin_s
    return _rows(rounds, len(body), took_cpu_s)


def _rows(rounds: list[tuple[Tally, Tally]], body_bytes: int, took_cpu_s: float) -> list[Row]:
    ours, limit = [r for r, _ in rounds], [r for _, r in rounds]
    latency = median_latency([r.latency for r in ours])
    bare_latency = median_latency([r.latency for r in limit])
    cpu_us = 1e6 * took_cpu_s / sum(r.count for r in ours)
    return [
        Row(
            measure="get",
            what=f"GET imagestreamtag, {CONNECTIONS} connections, TLS, 1 worker",
            ours=median(r.per_s for r in ours),
            unit="requests/s",
            limit=median(r.per_s for r in limit),
            limit_is="a bare aiohttp handler that returns the same bytes over the same TLS",
            goal=GOAL_RATIO,
            rounds=tuple(r.per_s for r in ours),
            note=f"{body_bytes} bytes; {cpu_us:.0f} us of the API process each"
            + client_note(max(r.client_cpu for r in [*ours, *limit])),
        ),
        Row(measure="get", what="GET latency p50", ours=latency.p50_ms, unit="ms", limit=bare_latency.p50_ms),
        Row(measure="get", what="GET latency p99", ours=latency.p99_ms, unit="ms", limit=bare_latency.p99_ms),
    ]
