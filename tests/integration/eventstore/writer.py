"""A process of writers that step on each other's toes: `python -m tests.integration.eventstore.writer SEED COMMANDS`.

The DSN comes on standard input. Prints one JSON line per command: what it rested on, and what became of it.
"""

from __future__ import annotations

import asyncio
import random
import sys

import msgspec
from prometheus_client import CollectorRegistry

from service.eventstore.appender import Appender, CommandConflict
from service.eventstore.records import Aggregate, Command, Guard
from tests.integration.eventstore.support import beside, command, ignore, stream, tag_event

STREAMS = 3
TAGS = ("a", "b", "c", None)
APPENDERS = 4
WRITERS = 4
"""Per appender."""


class Outcome(msgspec.Struct):
    command_id: str
    decided_at: int
    guards: list[Guard]
    first: int | None
    last: int | None
    conflict: int | None


async def main(dsn: str, seed: int, commands: int) -> None:
    appenders = [Appender(dsn, on_committed=ignore, registry=CollectorRegistry()) for _ in range(APPENDERS)]
    random_numbers = random.Random(seed)
    async with beside(*(appender.run() for appender in appenders)), asyncio.TaskGroup() as tasks:
        for appender in appenders:
            for _ in range(WRITERS):
                tasks.create_task(_write(appender, random.Random(random_numbers.random()), commands))


async def _write(appender: Appender, random_numbers: random.Random, commands: int) -> None:
    seen = 0
    for _ in range(commands):
        one = _random_command(random_numbers, decided_at=seen)
        first = last = conflict = None
        try:
            appended = await appender.append(one)
            first, last = appended.first, appended.last
            seen = max(seen, last)
        except CommandConflict as error:
            conflict = error.position
            seen = max(seen, conflict)
        outcome = Outcome(str(one.id), one.decided_at, list(one.guards), first, last, conflict)
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")


def _random_command(random_numbers: random.Random, decided_at: int) -> Command:
    events = [
        tag_event(_random_stream(random_numbers), random_numbers.choice(TAGS))
        for _ in range(random_numbers.randint(1, 3))
    ]
    guards = [
        Guard(_random_stream(random_numbers), random_numbers.choice([None, (), ("a",), ("b", "c")]))
        for _ in range(random_numbers.randint(0, 2))
    ]
    return command(*events, decided_at=decided_at, guards=guards)


def _random_stream(random_numbers: random.Random) -> Aggregate:
    return stream(f"s{random_numbers.randrange(STREAMS)}")


if __name__ == "__main__":
    asyncio.run(main(sys.stdin.readline().strip(), int(sys.argv[1]), int(sys.argv[2])))
