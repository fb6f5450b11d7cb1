"""Whether the cost of a push stays the same, however long the tag's history is, and however many tags its stream has.

Keeps: one client pushes to each sort of place by turns and waits for every answer, so what differs is the push and not
the moment. Long histories are written into the log by our own appender, as 10,000 pushes would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from prometheus_client import CollectorRegistry

from service.bench.load.closed_loop import closed_loop
from service.bench.load.http_client import Client, Target
from service.bench.load.pushes import CREATED, GROUP_PATH, MAPPINGS_PATH, NAMESPACE, create_stream, push_body
from service.bench.measures.plan import Plan
from service.bench.report import Goal, Row
from service.bench.samples import latency_of
from service.bench.workbench import System, Workbench
from service.domain.events import EVENT_TYPES, Cause, DomainEvent, Item, TagImaged
from service.domain.world import IMAGE_STREAM
from service.eventstore.appender import Appender
from service.eventstore.codec import Codec
from service.eventstore.records import Aggregate, Command, Metadata, NewEvent, new_command_id
from service.runtime.tasks import Supervisor

FEW_ITEMS, MANY_ITEMS = 10, 10_000
MANY_TAGS = 500
SHORT_STREAMS = 300
"""The short histories are spread over so many streams that they stay short during the measure."""
COMMAND_EVENTS = 100
TURNS = 2
"""Rounds of other measures that this one takes."""
IMAGES = 2
GOAL = Goal(1.2, "at most", "ratio")
SPARE = "spare"
DECIDED_LAST = 2**62


Place = tuple[str, str]
"""Image stream and tag."""


class Pushes(msgspec.Struct):
    """Pushes to a place of each group by turns; each time around a group with the other image."""

    target: Target
    groups: tuple[tuple[Place, ...], ...]
    _count: int = 0

    def next(self, connection: int) -> bytes:
        turn, group = divmod(self._count, len(self.groups))
        self._count += 1
        image, place = divmod(turn, len(self.groups[group]))
        body = push_body(*self.groups[group][place], image % IMAGES)
        return self.target.request("POST", MAPPINGS_PATH, body)


async def measure(bench: Workbench, plan: Plan) -> list[Row]:
    short = {(f"short-{number}", "v0"): FEW_ITEMS for number in range(SHORT_STREAMS)}
    long = {("long", "v0"): MANY_ITEMS}
    wide = {("wide", f"v{number}"): FEW_ITEMS for number in range(MANY_TAGS)}
    groups = (tuple(short), tuple(long), tuple(wide))
    async with bench.system() as system:
        target = system.workers[0].secure
        await _prepare(system, {**short, **long, **wide})
        async with closed_loop([target], [Pushes(target, groups)], 1, CREATED) as load:
            done = (await load.run(plan.warm_up_s)).count
            times_s = (await load.run(TURNS * plan.seconds * plan.rounds)).times_s
    base, long_times, wide_times = (times_s[(group - done) % len(groups) :: len(groups)] for group in range(3))
    return [
        _row(f"push to a tag with {MANY_ITEMS:,} items", f"with {FEW_ITEMS}", long_times, base),
        _row(f"push to a stream with {MANY_TAGS} tags", "with 1", wide_times, base),
    ]


def _row(what: str, than: str, times_s: Sequence[float], base_s: Sequence[float]) -> Row:
    return Row(
        measure="flat",
        what=what,
        ours=latency_of(times_s).p50_ms,
        unit="ms",
        limit=latency_of(base_s).p50_ms,
        limit_is=f"the same {than}",
        goal=GOAL,
        note=f"p50 of {len(times_s):,} pushes of one client",
    )


async def _prepare(system: System, histories: Mapping[Place, int]) -> None:
    """Give the tags histories of these lengths, and let the images that are pushed be known."""
    client = Client(system.workers[0].secure)
    await client.connect()
    await create_stream(client, SPARE)
    images = []
    for serial in range(IMAGES):
        await client.ask("POST", MAPPINGS_PATH, push_body(SPARE, "v0", serial), expect=CREATED)
        tag = msgspec.json.decode(await client.ask("GET", f"{GROUP_PATH}/imagestreamtags/{SPARE}:v0"))
        images.append(tag["image"]["metadata"]["name"])
    for stream in dict.fromkeys(stream for stream, _ in histories):
        await create_stream(client, stream)
    client.close()
    await _append(system.dsn, _commands(histories, images))


def _commands(histories: Mapping[Place, int], images: Sequence[str]) -> list[Command]:
    codec: Codec[DomainEvent] = Codec(EVENT_TYPES)
    events = []
    for (stream, tag), count in histories.items():
        for number in range(count):
            image = images[number % len(images)]
            item = Item("2026-01-02T03:04:05Z", f"registry.bench.svc:5000/{NAMESPACE}/{stream}@{image}", image, 1)
            imaged = TagImaged(tag, item, Cause("Mapping", NAMESPACE, stream, tag))
            type_name, version, data = codec.encode(imaged)
            events.append(NewEvent(type_name, version, Aggregate(IMAGE_STREAM, NAMESPACE, stream), tag, data))
    metadata = Metadata(actor="bench")
    return [
        Command(new_command_id(), DECIDED_LAST, (), tuple(events[begin : begin + COMMAND_EVENTS]), (), metadata)
        for begin in range(0, len(events), COMMAND_EVENTS)
    ]


async def _append(dsn: str, commands: Sequence[Command]) -> None:
    appender = Appender(dsn, on_committed=lambda _: None, registry=CollectorRegistry())
    async with Supervisor("bench") as supervisor:
        supervisor.start("appender", appender.run())
        async with asyncio.TaskGroup() as group:
            for command in commands:
                group.create_task(_append_one(appender, command), name="bench/append")


async def _append_one(appender: Appender, command: Command) -> None:
    await appender.append(command)
