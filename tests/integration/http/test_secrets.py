"""Secrets over HTTP: kept encrypted, in no event, readable by whom roles let; and what imports would use of them."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import asyncpg
import pytest

from tests.integration.http.client import IMAGES, NAMESPACES, Client

SECRETS = f"{NAMESPACES}/team/secrets"
OF_STREAM = f"{IMAGES}/namespaces/team/imagestreams/web/secrets"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
PASSWORD = "hunter2-is-the-password"
DOCKER_CONFIG = "kubernetes.io/dockerconfigjson"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def docker_secret(name: str = "pull", **metadata: Any) -> Any:
    config = json.dumps({"auths": {"r.example": {"username": "u", "password": PASSWORD}}})
    return {"metadata": {"name": name, **metadata}, "type": DOCKER_CONFIG, "stringData": {".dockerconfigjson": config}}


def opaque(name: str = "plain", **data: str) -> Any:
    return {"metadata": {"name": name}, "stringData": data or {"p": PASSWORD}}


async def create(client: Client, body: Any) -> Any:
    return (await client.ask("POST", SECRETS, body)).ok(201)


async def names(client: Client, path: str = SECRETS) -> list[str]:
    return [item["metadata"]["name"] for item in (await client.ask("GET", path)).ok()["items"]]


async def test_a_secret_is_created_read_changed_and_deleted(client: Client) -> None:
    created = await create(client, opaque())
    assert (created["kind"], created["apiVersion"], created["type"]) == ("Secret", "v1", "Opaque")
    assert created["data"] == {"p": encoded(PASSWORD)}
    assert "stringData" not in created
    assert (await client.ask("GET", f"{SECRETS}/plain")).ok() == created
    patch = {"stringData": {"q": "new"}}
    changed = (await client.ask("PATCH", f"{SECRETS}/plain", patch, media_type=MERGE)).ok()
    assert changed["data"] == {"p": encoded(PASSWORD), "q": encoded("new")}
    assert int(changed["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])
    again = (await client.ask("PATCH", f"{SECRETS}/plain", patch, media_type=MERGE)).ok()
    assert again["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]
    assert "has been modified" in (await client.ask("PUT", f"{SECRETS}/plain", created)).refused(409, "Conflict")
    assert (await client.ask("POST", SECRETS, opaque())).refused(409, "AlreadyExists")
    deleted = (await client.ask("DELETE", f"{SECRETS}/plain")).ok()
    assert (deleted["status"], deleted["details"]["uid"]) == ("Success", created["metadata"]["uid"])
    assert (await client.ask("GET", f"{SECRETS}/plain")).refused(404, "NotFound") == 'secrets "plain" not found'
    assert (await client.ask("DELETE", f"{SECRETS}/plain")).refused(404, "NotFound")


async def test_no_event_tells_of_a_secret_but_of_its_namespace(client: Client, database: str) -> None:
    await create(client, docker_secret())
    (await client.ask("PATCH", f"{SECRETS}/pull", {"metadata": {"labels": {"a": "b"}}}, media_type=MERGE)).ok()
    (await client.ask("DELETE", f"{SECRETS}/pull")).ok()
    events = [(type_name, name) for type_name, name, _ in await client.logged()]
    assert events == [("NamespaceCreated", "default"), ("NamespaceCreated", "team")]
    connection = await asyncpg.connect(database)
    try:
        log = await connection.fetch("SELECT e::text AS event FROM events AS e")
    finally:
        await connection.close()
    assert not any(PASSWORD in row["event"] or "pull" in row["event"] for row in log)


async def test_of_concurrent_patches_none_is_lost(client: Client) -> None:
    await create(client, opaque())
    path = f"{SECRETS}/plain"
    patches = [client.ask("PATCH", path, {"data": {f"k{i}": "eA=="}}, media_type=MERGE) for i in range(5)]
    for answer in await asyncio.gather(*patches):
        answer.ok()
    assert len((await client.ask("GET", path)).ok()["data"]) == 6


@pytest.mark.parametrize(
    ("method", "media_type", "body"),
    [
        ("PATCH", JSON_PATCH, [{"op": "replace", "path": "/data/p", "value": 5}]),
        ("PATCH", JSON_PATCH, [{"op": "test", "path": "/data/p", "value": "x"}]),
        ("PATCH", JSON_PATCH, [{"op": "replace", "path": "/kind", "value": "Pod"}]),
        ("PATCH", MERGE, {"data": {"p": "not base64!"}}),
        ("PATCH", STRATEGIC, {"data": {"p": [PASSWORD]}}),
        ("PATCH", STRATEGIC, {"data": PASSWORD}),
        ("PATCH", STRATEGIC, {"metadata": {"ownerReferences": [PASSWORD]}}),
        ("PATCH", APPLY, {"kind": "Secret", "apiVersion": "v1", "data": {"p": {"q": PASSWORD}}}),
        ("PATCH", APPLY, {"kind": "Secret", "apiVersion": "v1", "data": PASSWORD}),
        ("PUT", "application/json", {"data": {"p": PASSWORD}}),
        ("PUT", "application/json", PASSWORD),
        (
            "PUT",
            "application/yaml",
            {"metadata": {"name": "plain"}, "type": DOCKER_CONFIG, "stringData": {"p": PASSWORD}},
        ),
    ],
)
async def test_no_refusal_quotes_a_secret(client: Client, method: str, media_type: str, body: Any) -> None:
    await create(client, opaque())
    answer = await client.ask(method, f"{SECRETS}/plain?fieldManager=me", body, media_type=media_type)
    assert 400 <= answer.status <= 500, answer.body
    assert answer.document["kind"] == "Status"
    for form in (PASSWORD, encoded(PASSWORD), PASSWORD[:10]):
        assert form not in answer.body.decode()


async def test_lists_select_and_page(client: Client) -> None:
    for name in ("a", "b", "c"):
        await create(client, docker_secret(name, labels={"odd": str(name != "b")}))
    await create(client, opaque("d"))
    assert await names(client, f"{SECRETS}?labelSelector=odd=True") == ["a", "c"]
    assert await names(client, f"{SECRETS}?fieldSelector=type=Opaque") == ["d"]
    assert await names(client, f"{SECRETS}?fieldSelector=metadata.name=b") == ["b"]
    assert await names(client, "/api/v1/secrets") == ["a", "b", "c", "d"]
    for path in (SECRETS, "/api/v1/secrets"):
        first = (await client.ask("GET", f"{path}?limit=3")).ok()
        assert (first["kind"], len(first["items"])) == ("SecretList", 3)
        assert await names(client, f"{path}?limit=3&continue={first['metadata']['continue']}") == ["d"]
    newest = int(first["metadata"]["resourceVersion"])
    assert await names(client, f"{SECRETS}?resourceVersion={newest}&resourceVersionMatch=Exact") == ["a", "b", "c", "d"]
    past = await client.ask("GET", f"{SECRETS}?resourceVersion={newest - 1}&resourceVersionMatch=Exact")
    assert past.refused(410, "Expired")
    assert (await client.ask("GET", f"{SECRETS}?resourceVersion={newest + 1}")).refused(504, "Timeout")
    assert (await client.ask("GET", f"{SECRETS}/a?resourceVersion={newest + 1}")).refused(504, "Timeout")


async def test_a_table_counts_the_keys(client: Client) -> None:
    await create(client, opaque(a="1", b="2"))
    table = (await client.ask("GET", SECRETS, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})).ok()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Type", "Data", "Age"]
    assert table["rows"][0]["cells"][:3] == ["plain", "Opaque", 2]


async def test_secrets_cannot_be_watched(client: Client) -> None:
    message = (await client.ask("GET", f"{SECRETS}?watch=true")).refused(405, "MethodNotAllowed")
    assert message == 'watch is not supported on resources of kind "secrets"'


async def test_finalizers_hold_a_secret(client: Client) -> None:
    await create(client, docker_secret(finalizers=["example.com/hold"]))
    marked = (await client.ask("DELETE", f"{SECRETS}/pull")).ok()
    assert marked["metadata"]["deletionTimestamp"]
    assert (await client.ask("GET", f"{SECRETS}/pull")).ok() == marked
    freed = (await client.ask("PATCH", f"{SECRETS}/pull", {"metadata": {"finalizers": None}}, media_type=MERGE)).ok()
    assert freed["metadata"]["uid"] == marked["metadata"]["uid"]
    assert (await client.ask("GET", f"{SECRETS}/pull")).refused(404, "NotFound")


async def test_preconditions_of_a_deletion(client: Client) -> None:
    created = await create(client, opaque())
    body = {"preconditions": {"resourceVersion": "1"}}
    assert (await client.ask("DELETE", f"{SECRETS}/plain", body)).refused(409, "Conflict")
    body = {"preconditions": {"uid": created["metadata"]["uid"]}}
    (await client.ask("DELETE", f"{SECRETS}/plain", body)).ok()


async def test_a_dry_run_keeps_nothing(client: Client) -> None:
    (await client.ask("POST", f"{SECRETS}?dryRun=All", opaque())).ok(201)
    assert await client.namespaces() == ["default"]
    await create(client, opaque())
    (await client.ask("PATCH", f"{SECRETS}/plain?dryRun=All", {"data": None}, media_type=MERGE)).ok()
    (await client.ask("DELETE", f"{SECRETS}/plain?dryRun=All")).ok()
    assert (await client.ask("GET", f"{SECRETS}/plain")).ok()["data"] == {"p": encoded(PASSWORD)}


async def test_secrets_go_with_their_namespace(client: Client) -> None:
    await create(client, opaque())
    await create(client, docker_secret(finalizers=["example.com/hold"]))
    (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
    assert await names(client) == []
    await create(client, opaque())
    assert await names(client) == ["plain"]


async def test_nothing_gets_into_a_namespace_on_its_way_out(client: Client) -> None:
    held = {"metadata": {"name": "team", "finalizers": ["example.com/hold"]}}
    (await client.ask("POST", NAMESPACES, held)).ok(201)
    (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
    assert "is being terminated" in (await client.ask("POST", SECRETS, opaque())).refused(403, "Forbidden")
    assert await names(client) == []


async def test_a_secret_that_a_deletion_missed_is_taken_out_again(client: Client, database: str) -> None:
    """The namespace begins to go while the secret, held up by a lock, has been looked at and is not stored yet."""
    await create(client, opaque("first"))
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    (await client.ask("PATCH", f"{NAMESPACES}/team", held, media_type=MERGE)).ok()
    lock = await asyncpg.connect(database)
    try:
        async with lock.transaction():
            await lock.execute("SELECT newest FROM secret_versions FOR UPDATE")
            creating = asyncio.create_task(client.ask("POST", SECRETS, opaque("late")))
            while not await lock.fetchval(WAITING):
                await lock.execute("SELECT pg_stat_clear_snapshot()")
            deleting = asyncio.create_task(client.ask("DELETE", f"{NAMESPACES}/team"))
            while "deletionTimestamp" not in (await client.ask("GET", f"{NAMESPACES}/team")).ok()["metadata"]:
                pass
    finally:
        await lock.close()
    assert "is being terminated" in (await creating).refused(403, "Forbidden")
    (await deleting).ok()
    assert await names(client) == []


async def test_creations_and_the_deletion_of_their_namespace_leave_nothing_behind(client: Client) -> None:
    """Whatever the order: a secret that was acknowledged after the deletion is in a namespace that is there."""
    await create(client, opaque("first"))
    creations = [client.ask("POST", SECRETS, opaque(f"s{i}")) for i in range(10)]
    await asyncio.gather(*creations[:5], client.ask("DELETE", f"{NAMESPACES}/team"), *creations[5:])
    left = await names(client)
    assert "first" not in left
    assert not left or "team" in await client.namespaces()


async def test_imports_see_docker_configurations_whether_there_is_a_stream_or_not(client: Client) -> None:
    await create(client, docker_secret())
    await create(client, docker_secret("hidden", annotations={"openshift.io/image.excludeSecret": "true"}))
    await create(client, opaque())
    found = (await client.ask("GET", OF_STREAM)).ok()
    assert (found["kind"], found["apiVersion"]) == ("SecretList", "image.openshift.io/v1")
    assert [item["metadata"]["name"] for item in found["items"]] == ["pull"]
    assert set(found["items"][0]) == {"metadata", "data", "type"}
    assert int(found["metadata"]["resourceVersion"]) > 0
    (await client.create_stream("team", "web")).ok(201)
    assert (await client.ask("GET", OF_STREAM)).ok() == found


async def test_the_secrets_of_a_stream_take_no_options_and_have_no_table(client: Client) -> None:
    message = (await client.ask("GET", f"{OF_STREAM}?limit=1")).refused(400, "BadRequest")
    assert message == "converting (url.Values) to (v1.ListOptions): unknown conversion"
    for shape in ("Table", "PartialObjectMetadata"):
        accept = {"Accept": f"application/json;as={shape};v=v1;g=meta.k8s.io"}
        assert (await client.ask("GET", OF_STREAM, headers=accept)).refused(406, "NotAcceptable")
    await create(client, docker_secret())
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    [item] = (await client.ask("GET", OF_STREAM, headers=accept)).ok()["items"]
    assert set(item) == {"kind", "apiVersion", "metadata"}
    assert (await client.ask("POST", OF_STREAM, {})).refused(405, "MethodNotAllowed")


async def test_roles_decide_who_reads_secrets(client: Client) -> None:
    """ann has the role admin in the namespace `team`, eve has none."""
    (await client.ask("POST", SECRETS, docker_secret(), user="ann")).ok(201)
    for path in (SECRETS, f"{SECRETS}/pull", OF_STREAM):
        (await client.ask("GET", path, user="ann")).ok()
        assert (await client.ask("GET", path, user="eve")).refused(403, "Forbidden")
    assert (await client.ask("GET", "/api/v1/secrets", user="ann")).refused(403, "Forbidden")


async def test_protobuf(client: Client) -> None:
    await create(client, docker_secret())
    protobuf = {"Accept": "application/vnd.kubernetes.protobuf"}
    for path in (OF_STREAM, SECRETS):
        answer = await client.ask("GET", path, headers=protobuf)
        assert answer.body.startswith(b"k8s\0")
        assert b"\x0a\x11.dockerconfigjson\x12" in answer.body
        assert PASSWORD.encode() in answer.body


async def test_without_a_key_nothing_is_kept(client_without_keys: Client) -> None:
    client = client_without_keys
    for answer in (
        await client.ask("POST", SECRETS, opaque()),
        await client.ask("GET", f"{SECRETS}/plain"),
        await client.ask("GET", SECRETS),
        await client.ask("GET", OF_STREAM),
    ):
        message = answer.refused(503, "ServiceUnavailable")
        assert message == "secrets are not kept here: the server has no key to encrypt them with (--secrets-key-file)"
        assert "Retry-After" not in answer.headers
    (await client.create_stream("team", "web")).ok(201)
    (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
