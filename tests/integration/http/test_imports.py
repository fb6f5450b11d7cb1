"""ImageStreamImports over HTTP, from a registry over a real socket: the answer, the stream, and the log."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.docker_registry import PROGRAM, docker_registry
from tests.integration.http.client import IMAGES, Answer, Client
from tests.integration.http.conftest import serving
from tests.real_images import docker_image, oci_index
from tests.registry import Registry, remote_registry

TEAM = f"{IMAGES}/namespaces/team"
IMPORTS = f"{TEAM}/imagestreamimports"
BUILT = [docker_image(seed) for seed in "abc"]


@pytest_asyncio.fixture
async def registry() -> AsyncIterator[Registry]:
    """With `app:v1`, and `app:latest`, which is another image."""
    async with remote_registry() as registry:
        registry.push("app", BUILT[0], "v1")
        registry.push("app", BUILT[1], "latest")
        yield registry


def asked(*images: dict[str, Any], store: bool = True, **metadata: str) -> dict[str, Any]:
    return {
        "kind": "ImageStreamImport",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "web", **metadata},
        "spec": {"import": store, "images": list(images)},
    }


def image(registry: Registry, reference: str, to: str = "t", **more: Any) -> dict[str, Any]:
    return {
        "from": {"kind": "DockerImage", "name": f"{registry.host}/{reference}"},
        "to": {"name": to},
        "importPolicy": {"insecure": True},
        **more,
    }


async def do_import(client: Client, body: dict[str, Any], query: str = "", user: str = "root") -> Answer:
    return await client.ask("POST", f"{IMPORTS}{query}", body, user=user)


async def stream(client: Client) -> Any:
    return (await client.ask("GET", f"{TEAM}/imagestreams/web")).ok()


async def logged(dsn: str, type_name: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM events WHERE type = $1", type_name)
        return count
    finally:
        await connection.close()


async def test_an_import_makes_stream_tag_and_image(client: Client, registry: Registry) -> None:
    done = (await do_import(client, asked(image(registry, "app:v1", "v1")))).ok(201)
    (told,) = done["status"]["images"]
    assert (told["status"]["status"], told["tag"]) == ("Success", "v1")
    assert "dockerImageManifest" not in told["image"]
    shown = {**done["status"]["import"], "kind": "ImageStream", "apiVersion": "image.openshift.io/v1"}
    assert shown == await stream(client)
    tag = (await client.ask("GET", f"{TEAM}/imagestreamtags/web:v1")).ok()
    assert tag["image"]["metadata"]["name"] == BUILT[0].digest
    stored = (await client.ask("GET", f"{IMAGES}/images/{BUILT[0].digest}")).ok()
    assert stored["metadata"]["resourceVersion"] == told["image"]["metadata"]["resourceVersion"]
    assert stored["dockerImageReference"] == f"{registry.host}/app@{BUILT[0].digest}"


async def test_looking_stores_nothing(client: Client, registry: Registry) -> None:
    wish = image(registry, "app:v1", includeManifest=True)
    looked = (await do_import(client, asked(wish, store=False))).ok(201)
    assert looked["status"]["images"][0]["image"]["dockerImageManifest"] == BUILT[0].manifest
    assert "import" not in looked["status"]
    rehearsed = (await do_import(client, asked(image(registry, "app:v1")), "?dryRun=All")).ok(201)
    assert rehearsed["status"]["import"]["status"]["tags"][0]["items"][0]["image"] == BUILT[0].digest
    for path in (f"{TEAM}/imagestreams/web", f"{IMAGES}/images/{BUILT[0].digest}"):
        assert (await client.ask("GET", path)).status == 404


async def test_an_import_that_finds_nothing_new_leaves_the_version_and_a_trace(
    client: Client, database: str, registry: Registry
) -> None:
    body = asked(image(registry, "app:v1"))
    first = (await do_import(client, body)).ok(201)["status"]["import"]
    assert (await do_import(client, body)).ok(201)["status"]["import"] == first
    assert await logged(database, "TagImaged") == 2
    assert await logged(database, "ImageRegistered") == 1


async def test_a_failure_is_told_and_kept_and_ends_with_the_next_success(client: Client, registry: Registry) -> None:
    missing = image(registry, "app:nosuch")
    for generation in (1, 1):
        done = (await do_import(client, asked(missing))).ok(201)
        assert done["status"]["images"][0]["status"]["reason"] == "NotFound"
        (tag,) = done["status"]["import"]["status"]["tags"]
        assert (tag["items"], tag["conditions"][0]["generation"]) == (None, generation)
    assert (await client.ask("GET", f"{TEAM}/imagestreamtags/web:t")).status == 404
    done = (await do_import(client, asked(image(registry, "app:v1")))).ok(201)
    assert "conditions" not in done["status"]["import"]["status"]["tags"][0]


async def test_a_watcher_sees_an_import_as_one_change_of_each_object(client: Client, registry: Registry) -> None:
    (await do_import(client, asked(image(registry, "app:v1")))).ok(201)
    version = (await stream(client))["metadata"]["resourceVersion"]
    async with client.watch(f"{TEAM}/imagestreams?watch=true&resourceVersion={version}") as events:
        (await do_import(client, asked(image(registry, "app:v1")))).ok(201)
        (await do_import(client, asked(image(registry, "app:latest")))).ok(201)
        event = await anext(events)
    assert event["type"] == "MODIFIED"
    assert [item["image"] for item in event["object"]["status"]["tags"][0]["items"]] == [
        BUILT[1].digest,
        BUILT[0].digest,
    ]


async def test_a_version_that_is_not_the_streams(client: Client, registry: Registry) -> None:
    body = asked(image(registry, "app:v1"), resourceVersion="5")
    told = (await do_import(client, body)).refused(404, "NotFound")
    assert told == 'imagestream.image.openshift.io "web" not found'
    stored = (await do_import(client, asked(image(registry, "app:v1")))).ok(201)["status"]["import"]
    version = stored["metadata"]["resourceVersion"]
    told = (await do_import(client, body)).refused(409, "Conflict")
    assert told.endswith(f'the image stream was updated from "5" to "{version}"')
    (await do_import(client, asked(image(registry, "app:latest"), resourceVersion=version))).ok(201)


async def test_imports_at_once_all_count(client: Client, registry: Registry) -> None:
    bodies = [asked(image(registry, "app:v1", f"t{number}")) for number in range(8)]
    for answer in await asyncio.gather(*(do_import(client, body) for body in bodies)):
        answer.ok(201)
    found = await stream(client)
    assert [tag["name"] for tag in found["spec"]["tags"]] == [f"t{number}" for number in range(8)]
    assert found["metadata"]["generation"] == 8


async def test_pull_secrets_of_the_namespace_are_used(client: Client, registry: Registry) -> None:
    registry.manners.login = "basic"
    body = asked(image(registry, "app:v1"))
    assert (await do_import(client, body)).ok(201)["status"]["images"][0]["status"]["code"] == 401
    auths = {"auths": {registry.host: {"auth": base64.b64encode(b"u:p").decode()}}}
    secret = {
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": json.dumps(auths)},
    }
    (await client.ask("POST", "/api/v1/namespaces/team/secrets", secret)).ok(201)
    assert (await do_import(client, body)).ok(201)["status"]["images"][0]["status"]["status"] == "Success"
    elsewhere = await client.ask("POST", IMPORTS.replace("team", "other"), body)
    assert elsewhere.ok(201)["status"]["images"][0]["status"]["code"] == 401


async def test_without_keys_for_secrets_public_images_come_in(client_without_keys: Client, registry: Registry) -> None:
    done = (await do_import(client_without_keys, asked(image(registry, "app:v1")))).ok(201)
    assert done["status"]["images"][0]["status"]["status"] == "Success"


async def test_whoever_may_not_import_is_refused(client: Client, registry: Registry) -> None:
    body = asked(image(registry, "app:v1"))
    (await do_import(client, body, user="eve")).refused(403, "Forbidden")
    (await do_import(client, body, user="ann")).ok(201)
    assert registry.asked["/v2/app/manifests/v1"] == 1


async def test_a_list_is_kept_with_its_members_and_can_be_pulled(client: Client, registry: Registry) -> None:
    index, members = oci_index("multi")
    for built in (*members, index):
        registry.push("multi", built, "all" if built is index else built.digest)
    wish = image(registry, "multi:all")
    wish["importPolicy"]["importMode"] = "PreserveOriginal"
    (told,) = (await do_import(client, asked(wish))).ok(201)["status"]["images"]
    assert [member["metadata"]["name"] for member in told["manifests"]] == [built.digest for built in members]
    layers = (await client.ask("GET", f"{TEAM}/imagestreams/web/layers")).ok()
    assert layers["images"][index.digest]["manifests"] == [built.digest for built in members]
    assert not any(found.get("imageMissing") for found in layers["images"].values())


async def test_the_platform_that_a_tag_prefers(client: Client, registry: Registry) -> None:
    index, members = oci_index("multi")
    for built in (*members, index):
        registry.push("multi", built, "all" if built is index else built.digest)
    annotations = {"importer.image.openshift.io/prefer-arch": "arm64"}
    tag = {"name": "t", "annotations": annotations, "from": {"kind": "DockerImage", "name": "quay.io/a/b"}}
    wanted = {"metadata": {"name": "web"}, "spec": {"tags": [tag]}}
    (await client.ask("POST", f"{TEAM}/imagestreams", wanted)).ok(201)
    (told,) = (await do_import(client, asked(image(registry, "multi:all")))).ok(201)["status"]["images"]
    assert told["image"]["dockerImageMetadata"]["Architecture"] == "arm64"


POLICY = """\
apiVersion: config.openshift.io/v1
kind: Image
spec:
  allowedRegistriesForImport: [{domainName: quay.io}]
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: team}
spec:
  limits: [{type: openshift.io/ImageStream, max: {openshift.io/image-tags: 1}}]
"""


async def test_what_an_administrator_keeps_out(
    database: str, nats_url: str, tmp_path: Path, registry: Registry
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with serving(database, nats_url, tmp_path, None, image_policy_file=tmp_path / "policy.yaml") as client:
        body = asked(image(registry, "app:v1"))
        refused = await do_import(client, body, user="ann")
        assert "is forbidden: registry" in refused.refused(422, "Invalid")
        assert not registry.asked
        (await do_import(client, body)).ok(201)
        beyond = await do_import(client, asked(image(registry, "app:latest", "another")))
        assert "exceeds the maximum limit" in beyond.refused(422, "Invalid")
        assert [tag["name"] for tag in (await stream(client))["spec"]["tags"]] == ["t"]


@pytest.mark.skipif(PROGRAM is None, reason="needs the Debian package docker-registry")
async def test_an_import_from_a_real_registry(client: Client, tmp_path: Path) -> None:
    async with docker_registry(tmp_path) as registry:
        digest = await registry.push_small_image("team/app", "v1")
        source = {"kind": "DockerImage", "name": f"{registry.host}/team/app:v1"}
        body = asked({"from": source, "importPolicy": {"insecure": True}})
        (told,) = (await do_import(client, body)).ok(201)["status"]["images"]
    assert (told["image"]["metadata"]["name"], told["tag"]) == (digest, "v1")
    tag = (await client.ask("GET", f"{TEAM}/imagestreamtags/web:v1")).ok()
    assert tag["image"]["dockerImageMetadata"]["Architecture"] == "amd64"
