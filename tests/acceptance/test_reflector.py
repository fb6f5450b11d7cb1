"""An informer that never lists twice: API processes are killed under it while tags move."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.api import API_VERSION, Api, Document, api_of, entrance_of, imagestream
from tests.acceptance.reflector import Reflector
from tests.engines import Instance, command_line, descendants, running, wait_until
from tests.real_images import PushedImage, assortment

KILLS = 4
MOVES_BETWEEN = 12
TAGS = ("v1", "v2", "latest")
COLLECTIONS = ("imagestreams", "imagestreamtags", "imagetags")
WHERE = "namespaces/team"


@asynccontextmanager
async def own_instance(folder: Path) -> AsyncIterator[tuple[Instance, Api]]:
    """One whose processes may be killed, and an administrator whose every request may meet another of them."""
    arguments = ("up", "--data-dir", folder, "--listen", "127.0.0.1:0", "--workers", "2")
    async with running(*arguments) as instance:
        line = await instance.line()
        assert line.startswith("ready "), await instance.errors()
        async with api_of(entrance_of(folder), keep_connections=False) as api:
            yield instance, api


def workers(instance: Instance) -> list[int]:
    return [pid for pid in descendants(instance.pid) if " service.cli serve " in command_line(pid)]


async def pushed(api: Api, image: PushedImage, tag: str) -> None:
    """Until it is acknowledged; a push that was not may have happened, and happens again then."""
    for _ in range(600):
        try:
            answer = await api.create(f"{WHERE}/imagestreammappings", image.mapping("web", tag))
        except (aiohttp.ClientError, ConnectionError):
            await asyncio.sleep(0.05)
            continue
        if answer.status < 500:
            answer.ok()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no push was acknowledged")


def moves_of(reflector: Reflector, tag: str) -> list[str]:
    """What an imagetag pointed at, one after the other, as told; a repeated push is told, and is no move."""
    found = [event["object"] for event in reflector.events]
    images = [tag_of["status"]["items"][0]["image"] for tag_of in found if tag_of["metadata"]["name"] == f"web:{tag}"]
    return [image for image, _ in itertools.groupby(images)]


async def lists(api: Api) -> dict[str, Document]:
    return {plural: (await api.get(f"{WHERE}/{plural}")).ok() for plural in COLLECTIONS}


@pytest.mark.timeout(180)
async def test_one_list_is_enough_whatever_happens_to_the_servers(engine_dir: Path) -> None:
    images = assortment("reflector", KILLS * MOVES_BETWEEN)
    async with own_instance(engine_dir) as (instance, api):
        (await api.create(f"{WHERE}/imagestreams", imagestream("web"))).ok()
        reflectors = {plural: Reflector(api, f"{WHERE}/{plural}") for plural in COLLECTIONS}
        tasks = [asyncio.create_task(r.run(), name=f"reflector of {plural}") for plural, r in reflectors.items()]

        async def listed() -> bool:
            return all(r.lists == 1 for r in reflectors.values())

        # A move made before the list is in the list: only what comes after it is told.
        await wait_until(listed)
        for number, image in enumerate(images):
            if number % MOVES_BETWEEN == MOVES_BETWEEN // 2:
                os.kill(workers(instance)[number // MOVES_BETWEEN % 2 - 1], signal.SIGKILL)
            await pushed(api, image, TAGS[number % len(TAGS)])
        (await api.delete(f"{WHERE}/imagetags/web:v2")).ok()
        end = await lists(api)

        async def told() -> bool:
            assert not any(task.done() for task in tasks)
            return all(r.position >= version_of(end[plural]) for plural, r in reflectors.items())

        await wait_until(told)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for plural, reflector in reflectors.items():
        assert reflector.lists == 1
        assert reflector.store == items_of(end[plural], plural)
        positions = [int(event["object"]["metadata"]["resourceVersion"]) for event in reflector.events]
        assert positions == sorted(set(positions))
    assert sum(reflector.breaks for reflector in reflectors.values()) > 0
    for first, tag in enumerate(TAGS):
        expected = [image.digest for image in images[first :: len(TAGS)]]
        assert moves_of(reflectors["imagetags"], tag) == expected


def version_of(listed: Document) -> int:
    return int(listed["metadata"]["resourceVersion"])


def items_of(listed: Document, plural: str) -> dict[str, Document]:
    """By name, with their kind, which events name and lists do not."""
    kind = {"imagestreams": "ImageStream", "imagestreamtags": "ImageStreamTag", "imagetags": "ImageTag"}[plural]
    told = {"kind": kind, "apiVersion": API_VERSION}
    return {item["metadata"]["name"]: {**item, **told} for item in listed["items"]}
