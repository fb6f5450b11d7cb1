"""A watch of images tells of manifests and configs, which are stored apart from the images, like GET and LIST do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.http.client import IMAGES, Client
from tests.real_images import docker_image, oci_image

FIRST, SECOND = docker_image("first"), oci_image("second")


async def take(events: AsyncIterator[Any], count: int) -> list[Any]:
    return [await anext(events) for _ in range(count)]


@pytest.mark.parametrize("begin", ["", "&resourceVersion=0", "&resourceVersion=1"])
async def test_events_have_manifest_and_config(client: Client, begin: str) -> None:
    """Those there are and those to come; from the beginning, from the log, and live."""
    (await client.ask("POST", f"{IMAGES}/images", FIRST.image("web"))).ok(201)
    async with client.watch(f"{IMAGES}/images?watch=1{begin}") as events:
        told = await take(events, 1)
        (await client.ask("POST", f"{IMAGES}/images", SECOND.image("web"))).ok(201)
        told += await take(events, 1)
        label = {"metadata": {"labels": {"a": "b"}}}
        path = f"{IMAGES}/images/{FIRST.digest}"
        patched = (await client.ask("PATCH", path, label, media_type="application/merge-patch+json")).ok()
        (await client.ask("DELETE", f"{IMAGES}/images/{SECOND.digest}")).ok()
        told += await take(events, 2)
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in told] == [
        ("ADDED", FIRST.digest),
        ("ADDED", SECOND.digest),
        ("MODIFIED", FIRST.digest),
        ("DELETED", SECOND.digest),
    ]
    positions = [int(event["object"]["metadata"]["resourceVersion"]) for event in told]
    assert positions == sorted(set(positions))
    for event, image in zip(told, (FIRST, SECOND, FIRST, SECOND), strict=True):
        assert event["object"]["dockerImageManifest"] == image.manifest
        assert event["object"].get("dockerImageConfig", "") == image.config
    assert told[2]["object"] == patched


async def test_initial_events_end_with_their_bookmark(client: Client) -> None:
    (await client.ask("POST", f"{IMAGES}/images", FIRST.image("web"))).ok(201)
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with client.watch(f"{IMAGES}/images?{query}") as events:
        added, bookmark = await take(events, 2)
    assert (added["type"], added["object"]["dockerImageManifest"]) == ("ADDED", FIRST.manifest)
    assert (bookmark["type"], bookmark["object"]["metadata"]["annotations"]) == (
        "BOOKMARK",
        {"k8s.io/initial-events-end": "true"},
    )
