"""Many clients push images as registries do, while others watch: in the end, and at every moment, all agree.

What a list shows at a position is compared with the fold of all events up to there, for every collection that shows
tags: as told live, at either API process, and as told again from the beginning.
"""

from __future__ import annotations

import asyncio
import itertools
import random

from tests.acceptance.api import Api, Document, imagestream
from tests.real_images import PushedImage, assortment

STREAMS = 12
TAGS = 6
PUSHES = 8
CLIENTS = 16
PAST_LISTS = 12
COLLECTIONS = ("imagestreams", "imagestreamtags", "imagetags")
END = "the-end"

Told = tuple[int, str, Document]
"""(resourceVersion, type, object) of an event."""


async def test_everybody_agrees(workers: list[Api], namespace: str) -> None:
    api = workers[0]
    paths = {plural: f"namespaces/{namespace}/{plural}" for plural in COLLECTIONS}
    start = str(await api.head())
    async with asyncio.TaskGroup() as group:
        live = {
            (plural, number): group.create_task(told(worker, path, start))
            for plural, path in paths.items()
            for number, worker in enumerate(workers)
        }
        for number in range(STREAMS):
            follower = {"name": "newest", "from": {"kind": "ImageStreamTag", "name": "t1"}}
            (await api.create(paths["imagestreams"], imagestream(f"s{number}", follower))).ok()
        last = await push_all(workers, namespace)
        (await api.create(paths["imagestreams"], imagestream(END))).ok()
        await push(api, namespace, END, "t", assortment(END, 1)[0])
    await tags_are_what_was_pushed(api, paths["imagestreamtags"], last)
    draw = random.Random(namespace)
    for plural, path in paths.items():
        events = live[plural, 0].result()
        assert live[plural, 1].result() == events
        assert await told(api, path, start) == events
        versions = [version for version, _, _ in events]
        assert versions == sorted(set(versions))
        past = draw.sample(range(versions[0], versions[-1]), PAST_LISTS)
        for number, position in enumerate([*past, versions[-1]]):
            listed = await workers[number % 2].get(path, resourceVersion=position, resourceVersionMatch="Exact")
            assert listed.ok()["items"] == folded(events, position), (plural, position)


async def push(api: Api, namespace: str, stream: str, tag: str, image: PushedImage) -> None:
    (await api.create(f"namespaces/{namespace}/imagestreammappings", image.mapping(stream, tag))).ok()


async def push_all(workers: list[Api], namespace: str) -> dict[str, PushedImage]:
    """Push to all tags from all clients, delete some in between; what each tag was given last."""
    images = assortment(namespace, STREAMS * PUSHES)
    tags = [(stream, f"t{tag}") for stream in range(STREAMS) for tag in range(TAGS)]
    last: dict[str, PushedImage] = {}

    async def client(number: int, api: Api) -> None:
        # One client for one tag, or nobody could say what it was given last.
        for count, (stream, tag) in itertools.product(range(PUSHES), tags[number::CLIENTS]):
            name = f"s{stream}:{tag}"
            last[name] = images[stream * PUSHES + count]
            await push(api, namespace, f"s{stream}", tag, last[name])
            if count == PUSHES // 2 and tag == "t0":
                (await api.delete(f"namespaces/{namespace}/imagestreamtags/{name}")).ok()

    await asyncio.gather(*(client(n, api) for n, api in zip(range(CLIENTS), itertools.cycle(workers), strict=False)))
    return last


async def tags_are_what_was_pushed(api: Api, path: str, last: dict[str, PushedImage]) -> None:
    """The newest push, whole: manifest and config are as they came, layers and metadata are made of them."""
    for name, image in last.items():
        shown = (await api.get(f"{path}/{name}")).ok()["image"]
        assert (shown["metadata"]["name"], shown["dockerImageReference"]) == (image.digest, image.reference("team/app"))
        assert [layer["name"] for layer in shown.get("dockerImageLayers", [])] == [digest for digest, _ in image.layers]
        stored = (await api.get(f"images/{image.digest}")).ok()
        assert stored["dockerImageManifest"] == image.manifest
        assert stored.get("dockerImageConfig", "") == image.config


async def told(api: Api, path: str, version: str) -> list[Told]:
    """All events of a collection after a version, up to and with the one that is the end."""
    events: list[Told] = []
    async with api.watch(path, resourceVersion=version) as watched:
        async for event in watched:
            shown = bare(event["object"])
            events.append((int(shown["metadata"]["resourceVersion"]), event["type"], shown))
            if shown["metadata"]["name"].startswith(END) and is_imaged(shown):
                break
    return events


def is_imaged(shown: Document) -> bool:
    """Whether the one tag of the last image stream has its image: nothing comes after it."""
    status = shown.get("status") or {}
    return bool(shown.get("image") or status.get("tags") or status.get("items"))


def bare(shown: Document) -> Document:
    """As in a list, where items do not say what they are."""
    return {key: value for key, value in shown.items() if key not in ("kind", "apiVersion")}


def folded(events: list[Told], position: int) -> list[Document]:
    """What there is at a position, by name."""
    objects: dict[str, Document] = {}
    for version, event_type, shown in events:
        if version > position:
            break
        if event_type == "DELETED":
            del objects[shown["metadata"]["name"]]
        else:
            objects[shown["metadata"]["name"]] = shown
    return [objects[name] for name in sorted(objects)]
