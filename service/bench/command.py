"""`tag-history bench`: measure everything in one run, print a table, or JSON.

Keeps: standard output gets the report and nothing else; the run is bounded, and what it started ends with it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

from service.bench.machine import machine
from service.bench.measures import flat, get, latency, memory, push, views, watch
from service.bench.measures.plan import Plan
from service.bench.report import Report, Row
from service.bench.workbench import Workbench, workbench
from service.runtime.tasks import run_until_signal
from service.runtime.user_error import SettingsError

Measure = Callable[[Workbench, Plan], Awaitable[list[Row]]]

MEASURES: Mapping[str, Measure] = {
    "get": get.measure,
    "push": push.measure,
    "flat": flat.measure,
    "watch": watch.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "views": views.measure,
}
FULL = Plan(seconds=3.0, rounds=3)
QUICK = Plan(seconds=1.0, rounds=1)
SECONDS_LIMIT = 60.0


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("bench", help="measure what it does per second, beside what its parts could do")
    parser.add_argument("--only", action="append", choices=[*MEASURES], metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--seconds", type=float, metavar="S", help=f"length of a round (default: {FULL.seconds:g})")
    parser.add_argument("--quick", action="store_true", help="one short round of each: about a minute in all")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(func=_run)


def _run(args: argparse.Namespace) -> None:
    plan = QUICK if args.quick else FULL
    if args.seconds is not None:
        if not 0 < args.seconds <= SECONDS_LIMIT:
            raise SettingsError(f"--seconds is more than 0, and at most {SECONDS_LIMIT:g}")
        plan = Plan(args.seconds, plan.rounds)
    asyncio.run(run_until_signal(_bench(args.only or list(MEASURES), plan, as_json=args.json)))


async def _bench(names: list[str], plan: Plan, *, as_json: bool) -> None:
    """What was measured is told even when a later measure fails."""
    rows: list[Row] = []
    async with workbench() as bench:
        description = machine(bench.data_dir.path)
        try:
            for name, measure in MEASURES.items():
                if name in names:
                    sys.stderr.write(f"measuring {name}\n")
                    rows += await measure(bench, plan)
        finally:
            report = Report(description, tuple(rows))
            sys.stdout.write(f"{report.to_json().decode()}\n" if as_json else report.to_text())
