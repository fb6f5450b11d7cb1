"""A short run of the checker. The long one is `make faults`, with any seed and for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.plan import Plan
from tests.faults.run import run

PLAN = Plan(seed=2, seconds=20.0, writers=4, watchers=20, readers=2, calm_s=(0.2, 1.0))


@pytest.mark.timeout(400)
async def test_every_promise_is_kept_while_processes_and_engines_are_killed(engine_dir: Path) -> None:
    report = await run(PLAN, engine_dir, print)
    assert not report.broken, str(report)
    assert min(report.counts[name] for name in ("events", "lists", "deliveries compared", "faults")) > 0
