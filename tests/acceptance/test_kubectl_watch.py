"""`kubectl get -w`: a move of a tag shows up by itself, in every collection that shows the tag."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.acceptance.api import Api, imagestream, reference_tag
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
        await until(streams, "web", "v2,v1")
        await until(tags, "web:v1", image.digest)
        await until(tags, "web:v2", image.digest)
        await until(histories, "web:v1", image.digest)


@pytest.mark.parametrize("resource", ["is", "istag", "itag"])
async def test_watch_only_begins_with_now(kubectl: Kubectl, api: Api, namespace: str, web: str, resource: str) -> None:
    """What is there is not told; what happens is, with its event."""
    arguments = ("get", resource, "--watch-only", "--output-watch-events", "--no-headers")
    async with kubectl.lines(*arguments, "-v=8") as lines:
        # Nothing is printed before the first event, so the log of its requests tells when it watches.
        del lines
    (await api.create(f"namespaces/{namespace}/imagestreams", imagestream("other"))).ok()
    async with kubectl.lines(*arguments) as lines:
        for number in range(50):
            tag = reference_tag(f"t{number}", f"quay.io/x/y:{number}")
            (await api.patch(web, {"spec": {"tags": [tag]}})).ok()
        line = await until(lines, "web")
    assert line.split()[0] in ("MODIFIED", "ADDED", "DELETED")
