"""Two API processes on one port: whatever one has acknowledged, the other shows, at once and always."""

from __future__ import annotations

import asyncio
import itertools

from tests.acceptance.api import Api, Entrance, api_of, imagestream, reference_tag
from tests.acceptance.shared_instance import WORKERS
from tests.acceptance.workers import birthmark
from tests.real_images import assortment, docker_image


async def test_a_write_at_one_is_read_at_the_other(workers: list[Api], namespace: str) -> None:
    """Create, change, push and delete at either; get and list at both."""
    streams, tags = f"namespaces/{namespace}/imagestreams", f"namespaces/{namespace}/imagestreamtags"
    for number in range(20):
        writer, reader = workers[number % 2], workers[(number + 1) % 2]
        name = f"s{number}"
        created = (await writer.create(streams, imagestream(name, labels={"round": str(number)}))).ok()
        assert (await reader.get(f"{streams}/{name}")).ok() == created
        changed = (await writer.patch(f"{streams}/{name}", {"metadata": {"labels": {"more": str(number)}}})).ok()
        listed = (await reader.get(streams, labelSelector=f"more={number}")).ok()
        assert [item["metadata"] for item in listed["items"]] == [changed["metadata"]]
        assert int(listed["metadata"]["resourceVersion"]) >= int(changed["metadata"]["resourceVersion"])
        image = docker_image(f"{namespace}-{number}")
        (await writer.create(f"namespaces/{namespace}/imagestreammappings", image.mapping(name, "v1"))).ok()
        assert (await reader.get(f"{tags}/{name}:v1")).ok()["image"]["metadata"]["name"] == image.digest
        assert (await reader.get(f"images/{image.digest}")).ok()["dockerImageManifest"] == image.manifest
        (await writer.delete(f"{tags}/{name}:v1")).ok()
        (await reader.get(f"{tags}/{name}:v1")).refused(404, "NotFound")
        (await writer.delete(f"{streams}/{name}")).ok()
        (await reader.get(f"{streams}/{name}")).refused(404, "NotFound")
        assert (await reader.get(streams)).ok()["items"] == []


async def test_versions_hold_at_both(workers: list[Api], namespace: str) -> None:
    """What one has overwritten, the other does not overwrite: the loser is told, wherever it asks."""
    path = f"namespaces/{namespace}/imagestreams/web"
    read = (await workers[0].create(f"namespaces/{namespace}/imagestreams", imagestream("web"))).ok()
    for winner, loser in itertools.islice(itertools.cycle([workers, workers[::-1]]), 10):
        newer = (await winner.replace(path, {**read, "spec": {"lookupPolicy": {"local": True}}})).ok()
        (await loser.replace(path, {**read, "spec": {"tags": []}})).refused(409, "Conflict")
        read = (await loser.replace(path, {**newer, "spec": {"lookupPolicy": {"local": False}}})).ok()


async def test_writers_at_both_lose_nothing(workers: list[Api], namespace: str) -> None:
    """Patches of one object meet at two processes; each is in the result, none is refused."""
    path = f"namespaces/{namespace}/imagestreams/web"
    (await workers[0].create(f"namespaces/{namespace}/imagestreams", imagestream("web"))).ok()

    async def patch(number: int) -> None:
        body = {"metadata": {"annotations": {f"n{number}": "yes"}}}
        (await workers[number % 2].patch(path, body)).ok()

    for first in range(0, 40, 8):
        await asyncio.gather(*(patch(number) for number in range(first, first + 8)))
    for worker in workers:
        annotations = (await worker.get(path)).ok()["metadata"]["annotations"]
        assert set(annotations) == {f"n{number}" for number in range(40)}


async def test_a_list_at_one_and_a_watch_at_the_other(workers: list[Api], namespace: str) -> None:
    """The position of a list means the same everywhere: the watch goes on where the list ends."""
    (await workers[0].create(f"namespaces/{namespace}/imagestreams", imagestream("web"))).ok()
    images = assortment(namespace, 30)
    mappings, tags = (f"namespaces/{namespace}/{plural}" for plural in ("imagestreammappings", "imagestreamtags"))

    async def push() -> None:
        for number, image in enumerate(images):
            (await workers[number % 2].create(mappings, image.mapping("web", "v1"))).ok()

    async with asyncio.TaskGroup() as group:
        pushing = group.create_task(push())
        for lister, watcher in (workers, workers[::-1]):
            listed = (await lister.get(tags)).ok()
            seen = [item["image"]["metadata"]["name"] for item in listed["items"]]
            start = listed["metadata"]["resourceVersion"]
            async with watcher.watch(tags, resourceVersion=start) as events:
                while not seen or seen[-1] != images[-1].digest:
                    event = await anext(events)
                    seen.append(event["object"]["image"]["metadata"]["name"])
            digests = [image.digest for image in images]
            assert seen == digests[len(digests) - len(seen) :]
        await pushing


async def test_many_short_connections(entrance: Entrance, namespace: str) -> None:
    """Each request on a connection of its own, at whichever process; nobody ever reads less than it wrote."""
    answered = set()

    async def client(api: Api, number: int) -> None:
        path = f"namespaces/{namespace}/imagestreams/s{number}"
        (await api.create(f"namespaces/{namespace}/imagestreams", imagestream(f"s{number}"))).ok()
        for count in range(8):
            body = {"spec": {"tags": [reference_tag("v1", f"quay.io/x/y:{count}")]}}
            written = (await api.patch(path, body)).ok()
            assert (await api.get(path)).ok() == written
            tag = (await api.get(f"namespaces/{namespace}/imagetags/s{number}:v1")).ok()
            assert tag["spec"]["from"]["name"] == f"quay.io/x/y:{count}"
            answered.add(await birthmark(api))

    async with api_of(entrance, keep_connections=False) as api:
        await asyncio.gather(*(client(api, number) for number in range(6)))
    assert len(answered) == WORKERS
