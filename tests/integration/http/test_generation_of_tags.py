"""The generation that an ImageTag shows is its image stream's, even after the tag was last changed.

Elsewhere: the same for every moment of the past (`projections/test_views_equal_replay.py`).
"""

from __future__ import annotations

from typing import Any

from tests.integration.http.client import IMAGES, Client

API = f"{IMAGES}/namespaces/team"
TAGS = f"{API}/imagetags"
MERGE_PATCH = "application/merge-patch+json"


def docker_image(name: str) -> dict[str, Any]:
    return {"spec": {"from": {"kind": "DockerImage", "name": name}}}


async def create(client: Client, name: str) -> dict[str, Any]:
    body = {"metadata": {"name": name}, **docker_image("quay.io/a/b:1")}
    created: dict[str, Any] = (await client.ask("POST", TAGS, body)).ok(201)
    return created


def generations(tags: list[dict[str, Any]]) -> dict[str, int]:
    return {tag["metadata"]["name"]: tag["metadata"]["generation"] for tag in tags}


async def test_a_tag_shows_the_generation_of_its_image_stream(client: Client) -> None:
    one, two = await create(client, "app:one"), await create(client, "app:two")
    await client.ask("PATCH", f"{TAGS}/app:two", docker_image("quay.io/a/b:2"), media_type=MERGE_PATCH)
    stream = (await client.ask("GET", f"{API}/imagestreams/app")).ok()
    now = stream["metadata"]["generation"]
    assert now > two["metadata"]["generation"] > one["metadata"]["generation"]

    found = (await client.ask("GET", f"{TAGS}/app:one")).ok()
    assert found["metadata"]["generation"] == now
    assert found["metadata"]["resourceVersion"] == one["metadata"]["resourceVersion"], "only the other one was set"
    assert generations((await client.ask("GET", TAGS)).ok()["items"]) == {"app:one": now, "app:two": now}


async def test_a_watch_tells_the_tag_that_was_set_and_no_other(client: Client) -> None:
    await create(client, "app:one")
    two = await create(client, "app:two")
    set_again = (
        await client.ask("PATCH", f"{TAGS}/app:two", docker_image("quay.io/a/b:2"), media_type=MERGE_PATCH)
    ).ok()
    three = await create(client, "app:three")
    async with client.watch(f"{TAGS}?watch=true&resourceVersion={two['metadata']['resourceVersion']}") as events:
        told = [(await anext(events))["object"] for _ in range(2)]
    assert [tag["metadata"]["name"] for tag in told] == ["app:two", "app:three"]
    assert [tag["metadata"]["generation"] for tag in told] == [
        tag["metadata"]["generation"] for tag in (set_again, three)
    ]


async def test_what_was_read_before_another_tag_was_set_can_still_be_written(client: Client) -> None:
    read = await create(client, "app:one")
    await create(client, "app:two")
    read["spec"]["from"]["name"] = "quay.io/a/b:3"
    written = (await client.ask("PUT", f"{TAGS}/app:one", read)).ok()
    assert written["spec"]["from"]["name"] == "quay.io/a/b:3"
    assert written["metadata"]["generation"] > read["metadata"]["generation"]
