"""One run: an instance, its clients and its nemesis for some time, then quiet, then every comparison.

Keeps: comparing begins when nothing changes any more, with watchers connected that must still be told all there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from service.domain.world import Collection
from tests.faults.check_lists import check_lists
from tests.faults.check_reads import check_gets
from tests.faults.check_service import check_service
from tests.faults.check_views import check_texts, check_views
from tests.faults.check_watches import check_watches
from tests.faults.check_writes import check_writes
from tests.faults.complaint import Complaint
from tests.faults.floors import Floors
from tests.faults.history import History
from tests.faults.instance import Instance, running_instance
from tests.faults.lines import Lines
from tests.faults.nemesis import Nemesis
from tests.faults.plan import Plan
from tests.faults.quiet import folded, until_told, until_viewed
from tests.faults.readers import Reader
from tests.faults.report import Report, report
from tests.faults.scope_fold import ScopeFold
from tests.faults.truth import Truth
from tests.faults.watchers import Watcher
from tests.faults.wish import Wish, random_wish
from tests.faults.writers import Writer

Tell = Callable[[str], None]

VIEW_POSITIONS = 12
CHOKING_SHARE = 0.15
"""Of the watchers: those who ask for more than they read, so that they are parked."""
FINAL_READERS = 6
"""Each with a connection of its own, so that every API process is asked."""


async def run(plan: Plan, folder: Path, tell: Tell) -> Report:
    """Raises NotHealed, and TimeoutError when no quiet comes: then nothing can be compared."""
    async with AsyncExitStack() as stack:
        lines = Lines(folder / "lines.spool")
        stack.callback(lines.close)
        history = History(lines)
        instance = await stack.enter_async_context(running_instance(folder, plan.workers))
        tell(f"seed {plan.seed}: {plan.seconds:.0f} s against {instance.endpoint.host}:{instance.endpoint.port}")
        truth = await _live(instance, history, plan, tell)
        complaints = await _compare_views(instance, truth, history, plan, tell)
        code = await instance.stop()
        if code != 0:
            complaints.append(Complaint("Ctrl-C ends everything cleanly", f"exit code {code}"))
        tell("comparing every history with the log")
        complaints += compare(truth, history)
        complaints += check_service(history, instance.log)
        return report(plan, truth, history, complaints)


def compare(truth: Truth, history: History) -> Iterator[Complaint]:
    """Everything that clients did and were told, against the fold of the log."""
    floors = Floors(truth, history)
    wishes = {record.wish for records in (history.lists, history.sessions) for record in records}
    folds = {wish: ScopeFold(truth, wish) for wish in wishes}
    yield from check_writes(truth, history, floors)
    yield from check_gets(truth, history, floors)
    yield from check_lists(truth, history, floors, folds)
    yield from check_watches(truth, history, floors, folds)


async def _live(instance: Instance, history: History, plan: Plan, tell: Tell) -> Truth:
    """Everybody at work, for as long as planned; then quiet. Returns the log as it then is, folded."""
    stop, quiet, release = asyncio.Event(), asyncio.Event(), asyncio.Event()
    endpoint = instance.endpoint
    writers = [Writer(f"w{n}", endpoint, history, plan.random(f"writer {n}")) for n in range(plan.writers)]
    readers = [Reader(endpoint, history, plan.random(f"reader {n}")) for n in range(plan.readers)]
    await writers[0].begin()
    watchers = [_watcher(f"watcher {n}", instance, history, plan) for n in range(plan.watchers)]
    nemesis = Nemesis(instance, history, plan)
    async with asyncio.TaskGroup() as group:
        actors = [group.create_task(writer.run(stop), name="writer") for writer in writers]
        actors += [group.create_task(reader.run(stop), name="reader") for reader in readers]
        actors.append(group.create_task(nemesis.run(stop), name="nemesis"))
        for watcher in watchers:
            group.create_task(watcher.run(quiet, release), name=watcher.name)
        await asyncio.sleep(plan.seconds)
        stop.set()
        await asyncio.wait(actors)
        tell("quiet: watchers stay until they were told everything")
        truth = await folded(instance)
        quiet.set()
        await until_told(truth, watchers)
        release.set()
    return truth


def _watcher(name: str, instance: Instance, history: History, plan: Plan) -> Watcher:
    random = plan.random(name)
    if random.random() < CHOKING_SHARE:
        everything = Wish(random.choice((Collection.IMAGE_STREAMS, Collection.IMAGE_STREAMS, Collection.IMAGES)))
        return Watcher(name, instance.endpoint, history, random, everything, chokes=True)
    return Watcher(name, instance.endpoint, history, random, random_wish(random, history.images))


async def _compare_views(instance: Instance, truth: Truth, history: History, plan: Plan, tell: Tell) -> list[Complaint]:
    """The views against a replay, before and after they are rebuilt; and what every API process shows in the end."""
    random = plan.random("views")
    await until_viewed(instance, truth)
    found = [c async for c in check_views(instance.dsn, truth, random, VIEW_POSITIONS, "as they grew")]
    found += [c async for c in check_texts(instance.dsn, truth)]
    await _last_lists(instance, truth, history, plan)
    tell("rebuilding the views")
    code, output = await instance.command("rebuild")
    if code != 0:
        found.append(Complaint("views can be rebuilt at any time", output))
    found += [c async for c in check_views(instance.dsn, truth, random, VIEW_POSITIONS, "rebuilt")]
    await _last_lists(instance, truth, history, plan)
    return found


async def _last_lists(instance: Instance, truth: Truth, history: History, plan: Plan) -> None:
    for number in range(FINAL_READERS):
        reader = Reader(instance.endpoint, history, plan.random(f"last {number}"))
        for collection in Collection:
            position = plan.random(f"last {number} {collection}").randint(1, truth.head)
            await reader.list(Wish(collection))
            await reader.list(Wish(collection), exact=position, resourceVersion=position, resourceVersionMatch="Exact")
        reader.close()
