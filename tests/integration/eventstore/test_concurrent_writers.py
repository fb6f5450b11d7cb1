"""Several processes append at random to the same few aggregates; then every answer is held against the log."""

from __future__ import annotations

import asyncio
import random
import sys

import msgspec

from service.eventstore.records import Guard, RecordedEvent
from tests.integration.eventstore.support import whole_log
from tests.integration.eventstore.writer import APPENDERS, WRITERS, Outcome

PROCESSES = 2
COMMANDS = 25
"""Per writer."""


async def test_every_answer_agrees_with_the_log(database: str) -> None:
    seed = random.randrange(1_000_000)
    print("seed", seed)
    outputs = await asyncio.gather(*(_writer_process(database, seed + number) for number in range(PROCESSES)))
    outcomes = [msgspec.json.decode(line, type=Outcome) for output in outputs for line in output.splitlines()]
    assert len(outcomes) == PROCESSES * APPENDERS * WRITERS * COMMANDS

    log = await whole_log(database)
    appended = [outcome for outcome in outcomes if outcome.first is not None]
    conflicts = [outcome for outcome in outcomes if outcome.conflict is not None]
    assert len(appended) > 50
    assert len(conflicts) > 50
    assert {outcome.command_id: (outcome.first, outcome.last) for outcome in appended} == {
        str(event.command_id): (event.command_first, event.command_last) for event in log
    }
    for outcome in appended:
        assert outcome.first is not None
        in_between = log[outcome.decided_at : outcome.first - 1]
        assert not any(_forbids(guard, event) for guard in outcome.guards for event in in_between)
    for outcome in conflicts:
        assert outcome.conflict is not None
        assert outcome.conflict > outcome.decided_at
        assert any(_forbids(guard, log[outcome.conflict - 1]) for guard in outcome.guards)


def _forbids(guard: Guard, event: RecordedEvent) -> bool:
    """The meaning of a guard, once more."""
    if guard.aggregate != event.aggregate:
        return False
    return guard.tags is None or event.tag is None or event.tag in guard.tags


async def _writer_process(dsn: str, seed: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.eventstore.writer", str(seed), str(COMMANDS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(dsn.encode() + b"\n")
    assert process.returncode == 0
    return output
