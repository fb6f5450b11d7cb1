"""`kubectl get -w`: a move of a tag shows up by itself, in every collection that shows the tag."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from tests.acceptance.api import Api, imagestream
from tests.acceptance.kubectl import Kubectl
from tests.real_images import docker_image, oci_image


@pytest.fixture
async def web(api: Api, namespace: str) -> str:
    """The path of a stream with one pushed tag."""
    streams = f"namespaces/{namespace}/imagestreams"
    (await api.create(streams, imagestream("web"))).ok()
    (await api.create(f"namespaces/{namespace}/imagestreammappings", docker_image(namespace).mapping("web", "v1"))).ok()
    return f"{streams}/web"


async def until(lines: AsyncIterator[str], *words: str) -> str:
    """The next line that holds all of the words."""
    async for line in lines:
        if all(word in line for word in words):
            return line
    raise AssertionError(f"kubectl ended before it said {words}")


async def test_a_push_shows_up_in_all_three(kubectl: Kubectl, api: Api, namespace: str, web: str) -> None:
    image = oci_image(namespace)
    async with (
        kubectl.lines("get", "is", "-w") as streams,
        kubectl.lines("get", "istag", "-w") as tags,
        kubectl.lines("get", "itag", "web:v1", "-w") as histories,
    ):
        await until(streams, "web", "v1")
        await until(tags, "web:v1")
        await until(histories, "web:v1", "Push")
        (await api.create(f"namespaces/{namespace}/imagestreammappings", image.mapping("web", "v1"))).ok()
        (await api.create(f"namespaces/{namespace}/imagestreammappings", image.mapping("web", "v2"))).ok()
        await until(streams, "web", "v1,v2")
        await until(tags, "web:v1", image.digest)
        await until(tags, "web:v2", image.digest)
        await until(histories, "web:v1", image.digest)


@pytest.mark.parametrize("resource", ["is", "istag", "itag"])
async def test_watch_only_begins_with_now(kubectl: Kubectl, api: Api, namespace: str, web: str, resource: str) -> None:
    """What is there is not told; what happens from now on is, with the kind of change."""
    images = itertools.cycle((oci_image(namespace), docker_image(namespace)))
    arguments = ("get", resource, "--watch-only", "--output-watch-events", "--no-headers")
    async with kubectl.lines(*arguments) as lines:
        first = asyncio.ensure_future(anext(lines))
        # When it has begun to watch it does not tell, so the tag moves until a move is seen.
        while not first.done():
            push = next(images).mapping("web", "v1")
            (await api.create(f"namespaces/{namespace}/imagestreammappings", push)).ok()
            await asyncio.wait([first], timeout=0.05)
        event, name, *_ = (await first).split()
    assert (event, name.partition(":")[0]) == ("MODIFIED", "web")
