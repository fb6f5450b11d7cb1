"""What older API documents list and the reference of today has given up: exports, and POST without a namespace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.client import IMAGES, NAMESPACES, Client
from tests.real_images import docker_image

TAG = {"from": {"kind": "DockerImage", "name": "quay.io/team/web:1"}, "reference": True}
TEAM = f"{IMAGES}/namespaces/team"
IMAGE = docker_image("web")


async def fill(client: Client) -> None:
    """A stream `web` with a tag `v1` that was pushed and a tag `base` that was not."""
    stream = {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"tags": [{"name": "base", **TAG}]}}
    (await client.ask("POST", f"{TEAM}/imagestreams", stream)).ok(201)
    (await client.ask("POST", f"{TEAM}/imagestreammappings", IMAGE.mapping("web", "v1"))).ok(201)


@pytest.mark.parametrize("query", ["export=true", "export", "export=1&exact=true"])
async def test_an_exported_stream_is_what_its_user_wrote(client: Client, query: str) -> None:
    await fill(client)
    found = (await client.ask("GET", f"{TEAM}/imagestreams/web?{query}")).ok()
    place = {"namespace": "team"} if "exact" in query else {}
    assert found["metadata"] == {"name": "web", **place, "labels": {"app": "web"}}
    assert [(tag["name"], tag["from"]) for tag in found["spec"]["tags"]] == [("base", TAG["from"])]
    assert found["status"] == {"dockerImageRepository": ""}
    whole = (await client.ask("GET", f"{TEAM}/imagestreams/web?export=false&exact=true")).ok()
    assert whole["metadata"]["uid"]
    assert len(whole["status"]["tags"]) == 2, "the object itself stays as it is"


async def test_what_is_exported_can_be_created_elsewhere(client: Client) -> None:
    await fill(client)
    (await client.ask("POST", NAMESPACES, {"metadata": {"name": "copies", "labels": {"a": "b"}}})).ok(201)
    for elsewhere, path in (
        ("tags", f"{TEAM}/imagetags/web:base"),
        ("streams", f"{TEAM}/imagestreams/web"),
        ("", f"{IMAGES}/images/{IMAGE.digest}"),
        ("", f"{NAMESPACES}/copies"),
    ):
        exported = (await client.ask("GET", f"{path}?export=true")).ok()
        assert exported["metadata"].keys() <= {"name", "labels", "annotations"}
        assert exported.get("status") in (None, {}, {"dockerImageRepository": ""})
        (await client.ask("DELETE", path)).ok()
        again = (await client.ask("POST", path.rpartition("/")[0].replace("team", elsewhere), exported)).ok(201)
        assert again["metadata"]["name"] == exported["metadata"]["name"]


async def test_an_exported_tag_has_no_image(client: Client) -> None:
    """That is the server's to find; only its name could be written."""
    await fill(client)
    found = (await client.ask("GET", f"{TEAM}/imagestreamtags/web:v1?export=true")).ok()
    labels = {"labels": {"app": "web"}}
    assert (found["metadata"], found["tag"], found["generation"]) == ({**labels, "name": "web:v1"}, None, 0)
    assert found["image"]["metadata"] == {}


def bodies() -> list[tuple[str, Any]]:
    return [
        ("imagestreamtags", {"metadata": {"name": "web:v2"}, "tag": TAG}),
        ("imagestreammappings", IMAGE.mapping("web", "v2")),
    ]


@pytest.mark.parametrize(("plural", "body"), bodies(), ids=[plural for plural, _ in bodies()])
async def test_post_at_the_path_of_all_namespaces(client: Client, plural: str, body: Any) -> None:
    """The object names its namespace, and whoever sends it may create in all of them."""
    await fill(client)
    message = (await client.ask("POST", f"{IMAGES}/{plural}", body)).refused(400, "BadRequest")
    assert message == "metadata.namespace: Required value: the path names no namespace"
    body["metadata"]["namespace"] = "team"
    (await client.ask("POST", f"{IMAGES}/{plural}", body, user="ann")).refused(403, "Forbidden")
    (await client.ask("POST", f"{IMAGES}/{plural}?dryRun=All", body)).ok(201)
    (await client.ask("GET", f"{TEAM}/imagetags/web:v2")).refused(404, "NotFound")
    (await client.ask("POST", f"{IMAGES}/{plural}", body)).ok(201)
    assert (await client.ask("GET", f"{TEAM}/imagetags/web:v2")).ok()["metadata"]["namespace"] == "team"
    body["metadata"]["namespace"] = "Bad_NS"
    assert (await client.ask("POST", f"{IMAGES}/{plural}", body)).refused(404, "NotFound") == (
        'namespaces "Bad_NS" not found'
    )


@pytest.mark.parametrize(("plural", "body"), bodies(), ids=[plural for plural, _ in bodies()])
async def test_that_path_is_otherwise_what_it_is_today(client: Client, plural: str, body: Any) -> None:
    refusal = (404, "NotFound") if plural == "imagestreammappings" else (405, "MethodNotAllowed")
    (await client.ask("PUT", f"{IMAGES}/{plural}", body)).refused(*refusal)


async def test_there_is_no_list_of_mappings(client: Client) -> None:
    (await client.ask("GET", f"{IMAGES}/imagestreammappings")).refused(404, "NotFound")
    (await client.ask("GET", f"{TEAM}/imagestreammappings")).refused(405, "MethodNotAllowed")
