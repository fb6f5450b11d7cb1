"""A second opinion by lightkube, a client that shares no code with the official one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from lightkube import AsyncClient, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.types import PatchType

from tests.acceptance.api import Entrance, imagestream, reference_tag
from tests.acceptance.python_client import GROUP, VERSION
from tests.real_images import assortment, docker_image

ImageStream: Any = create_namespaced_resource(GROUP, VERSION, "ImageStream", "imagestreams")
ImageStreamTag: Any = create_namespaced_resource(GROUP, VERSION, "ImageStreamTag", "imagestreamtags")
ImageTag: Any = create_namespaced_resource(GROUP, VERSION, "ImageTag", "imagetags")
ImageStreamMapping: Any = create_namespaced_resource(GROUP, VERSION, "ImageStreamMapping", "imagestreammappings")
Image: Any = create_global_resource(GROUP, VERSION, "Image", "images")


@pytest_asyncio.fixture
async def client(entrance: Entrance, namespace: str) -> AsyncIterator[Any]:
    config = KubeConfig.from_file(entrance.kubeconfig).get("admin")
    client = AsyncClient(config, namespace=namespace, field_manager="lightkube", trust_env=False)
    try:
        yield client
    finally:
        await client.close()


def stream(name: str, *tags: dict[str, Any], **labels: str) -> Any:
    return ImageStream(**imagestream(name, *tags, labels=labels))


def push(client: Any, name: str, tag: str, image: Any) -> Any:
    return client.create(ImageStreamMapping(**image.mapping(name, tag)))


async def test_an_image_stream_from_its_first_day_to_its_last(client: Any) -> None:
    created = await client.create(stream("web", app="web"))
    read = await client.get(ImageStream, "web")
    assert (read.metadata.uid, read.metadata.labels) == (created.metadata.uid, {"app": "web"})
    read["spec"]["tags"] = [reference_tag("base", "quay.io/team/base:1")]
    replaced = await client.replace(read)
    assert replaced["spec"]["tags"][0]["from"]["name"] == "quay.io/team/base:1"
    with pytest.raises(ApiError) as stale:
        await client.replace(read)
    assert (stale.value.status.code, stale.value.status.reason) == (409, "Conflict")
    patched = await client.patch(ImageStream, "web", {"metadata": {"labels": {"tier": "front"}}})
    assert patched.metadata.labels == {"app": "web", "tier": "front"}
    nothing = {"metadata": {"labels": {"tier": None}}}
    merged = await client.patch(ImageStream, "web", nothing, patch_type=PatchType.MERGE)
    assert merged.metadata.labels == {"app": "web"}
    await client.delete(ImageStream, "web")
    with pytest.raises(ApiError) as gone:
        await client.get(ImageStream, "web")
    assert (gone.value.status.code, gone.value.status.reason) == (404, "NotFound")


async def test_apply_tells_managers_apart(client: Any) -> None:
    await client.apply(stream("web", app="web"))
    with pytest.raises(ApiError) as conflict:
        await client.apply(stream("web", app="other"), field_manager="other")
    assert conflict.value.status.reason == "Conflict"
    taken = await client.apply(stream("web", app="other"), field_manager="other", force=True)
    assert taken.metadata.labels == {"app": "other"}


async def test_selections_and_pages(client: Any) -> None:
    for number in range(5):
        await client.create(stream(f"s{number}", parity="odd" if number % 2 else "even"))
    pages = [item.metadata.name async for item in client.list(ImageStream, chunk_size=2)]
    assert pages == [f"s{number}" for number in range(5)]
    odd = [item.metadata.name async for item in client.list(ImageStream, labels={"parity": "odd"})]
    assert odd == ["s1", "s3"]
    one = [item.metadata.name async for item in client.list(ImageStream, fields={"metadata.name": "s4"})]
    assert one == ["s4"]
    await client.deletecollection(ImageStream)
    assert [item async for item in client.list(ImageStream)] == []


async def test_tags_and_images(client: Any, namespace: str) -> None:
    await client.create(stream("web"))
    image = docker_image(namespace)
    await push(client, "web", "v1", image)
    assert (await client.get(ImageStreamTag, "web:v1"))["image"]["metadata"]["name"] == image.digest
    assert (await client.get(ImageTag, "web:v1"))["status"]["items"][0]["image"] == image.digest
    assert (await client.get(Image, image.digest))["dockerImageManifest"] == image.manifest
    await client.delete(ImageTag, "web:v1")
    assert [item async for item in client.list(ImageStreamTag)] == []


@pytest.mark.parametrize("kind", [ImageStream, ImageStreamTag, ImageTag])
async def test_a_watch_tells_every_move(client: Any, namespace: str, kind: Any) -> None:
    """The client begins its watch anew whenever the server ends it, which is every second here."""
    created = await client.create(stream("web"))
    images = assortment(namespace, 6)
    watching = client.watch(kind, resource_version=created.metadata.resourceVersion, server_timeout=1)
    seen = []
    await push(client, "web", "v1", images[0])
    async for event, found in watching:
        seen.append((event, newest_image(found)))
        if len(seen) == len(images):
            break
        await push(client, "web", "v1", images[len(seen)])
    assert [image for _, image in seen] == [image.digest for image in images]
    assert [event for event, _ in seen][1:] == ["MODIFIED"] * (len(images) - 1)


def newest_image(found: Any) -> str:
    if found["kind"] == "ImageStreamTag":
        return str(found["image"]["metadata"]["name"])
    history = found["status"] if found["kind"] == "ImageTag" else found["status"]["tags"][0]
    return str(history["items"][0]["image"])
