"""Thirty-two clients push images to the tags of many streams, while others watch all that shows tags.

Then everything is compared with a replay from position 1: every watch, every list, the views as they grew and the
views rebuilt. In the suite with fewer pushes; MANY_PUSHES=100x10x20 in the environment (streams, tags of each, pushes
to each) is the whole of it, and takes minutes. Each tag has one client, so that no push is in another one's way: two
pushes to two tags of one stream must never conflict.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from service.domain.world import Collection
from tests.faults import requests
from tests.faults.check_views import check_texts, check_views
from tests.faults.history import History, Outcome
from tests.faults.instance import Instance, running_instance
from tests.faults.lines import Lines
from tests.faults.quiet import folded, until_told, until_viewed
from tests.faults.readers import Reader
from tests.faults.run import compare
from tests.faults.truth import Truth
from tests.faults.watchers import Watcher
from tests.faults.wish import Wish
from tests.faults.writers import Writer
from tests.real_images import PushedImage, assortment

STREAMS, TAGS, PUSHES = map(int, os.environ.get("MANY_PUSHES", "25x8x10").split("x"))
CLIENTS = 32
IMAGES = 150
NAMESPACE = "many"
WATCHED = (Collection.IMAGE_STREAMS, Collection.IMAGE_STREAM_TAGS, Collection.IMAGE_TAGS)
VIEW_POSITIONS = 6


@pytest.mark.timeout(3_600)
async def test_every_view_equals_a_replay_after_many_pushes(engine_dir: Path) -> None:
    with closing(Lines(engine_dir / "lines.spool")) as lines:
        history = History(lines)
        async with running_instance(engine_dir, workers=2) as instance:
            truth = await pushed_and_watched(instance, history)
            await until_viewed(instance, truth)
            complaints = [c async for c in check_views(instance.dsn, truth, Random(1), VIEW_POSITIONS, "as they grew")]
            complaints += [c async for c in check_texts(instance.dsn, truth)]
            await list_everything(instance, history, truth)
            assert (await instance.command("rebuild"))[0] == 0
            complaints += [c async for c in check_views(instance.dsn, truth, Random(2), VIEW_POSITIONS, "rebuilt")]
            await list_everything(instance, history, truth)
        complaints += compare(truth, history)
        assert not complaints, "\n".join(complaint.tell(truth.events, lines) for complaint in complaints[:5])
        assert all(write.outcome is Outcome.ACKNOWLEDGED for write in history.writes)
        assert len(truth.commands) >= STREAMS * TAGS * PUSHES


async def pushed_and_watched(instance: Instance, history: History) -> Truth:
    """The log once all is pushed and all watchers know of it."""
    stop, release, now = asyncio.Event(), asyncio.Event(), asyncio.Event()
    now.set()
    clients = [Writer(f"client {number}", instance.endpoint, history, Random(number)) for number in range(CLIENTS)]
    for number in range(STREAMS):
        await clients[0].send(requests.create_stream(NAMESPACE, f"stream-{number:03}", f"mark-{number}", {}))
    steady, restless = watchers_of(instance, history, "steady"), watchers_of(instance, history, "restless")
    async with asyncio.TaskGroup() as group:
        for watcher, settles in [*((w, now) for w in steady), *((w, stop) for w in restless)]:
            group.create_task(watcher.run(settles, release))
        images = assortment("many", IMAGES)
        pushing = [group.create_task(push_all(client, n, images)) for n, client in enumerate(clients)]
        await asyncio.wait(pushing)
        truth = await folded(instance)
        stop.set()
        await until_told(truth, [*steady, *restless])
        release.set()
    return truth


def watchers_of(instance: Instance, history: History, kind: str) -> list[Watcher]:
    """One for each collection, which begins where the pushes do."""
    watchers = [Watcher(f"{kind} {c.value}", instance.endpoint, history, Random(kind), Wish(c)) for c in WATCHED]
    for watcher in watchers:
        watcher.known = history.seen
    return watchers


async def push_all(client: Writer, number: int, images: list[PushedImage]) -> None:
    """To the tags that are this client's, time and again, each time another image."""
    with closing(client):
        own = list(itertools.product(range(STREAMS), range(TAGS)))[number::CLIENTS]
        for push, (stream, tag) in itertools.product(range(PUSHES), own):
            image = images[(stream * 31 + tag * 7 + push) % len(images)]
            write = await client.send(requests.push(NAMESPACE, f"stream-{stream:03}", f"v{tag}", image, {}))
            assert write.outcome is Outcome.ACKNOWLEDGED, f"{write.code} {write.message}"


async def list_everything(instance: Instance, history: History, truth: Truth) -> None:
    """Now, and as of some position before, at either API process."""
    for number, collection in itertools.product(range(4), Collection):
        with closing(Reader(instance.endpoint, history, Random(number))) as reader:
            position = Random(f"{number} {collection}").randint(1, truth.head)
            await reader.list(Wish(collection))
            await reader.list(Wish(collection), exact=position, resourceVersion=position, resourceVersionMatch="Exact")
