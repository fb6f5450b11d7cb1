"""Namespaces: there from their first use or creation, gone with everything in them, and watched like all else."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.integration.http.client import IMAGES, NAMESPACES, Client

MERGE = "application/merge-patch+json"


def shape(event: Any) -> tuple[str, str, str]:
    return event["type"], event["object"]["metadata"]["name"], event["object"]["status"]["phase"]


async def create(client: Client, name: str, **metadata: Any) -> Any:
    return (await client.ask("POST", NAMESPACES, {"metadata": {"name": name, **metadata}})).ok(201)


async def test_default_is_there_from_the_beginning_and_stays(client: Client) -> None:
    default = (await client.ask("GET", f"{NAMESPACES}/default")).ok()
    assert (default["kind"], default["apiVersion"], default["status"]["phase"]) == ("Namespace", "v1", "Active")
    assert default["metadata"]["labels"] == {"kubernetes.io/metadata.name": "default"}
    message = (await client.ask("DELETE", f"{NAMESPACES}/default")).refused(403, "Forbidden")
    assert message == 'namespaces "default" is forbidden: this namespace may not be deleted'
    assert [(type_name, metadata["actor"]) for type_name, _, metadata in await client.logged()] == [
        ("NamespaceCreated", "system:apiserver")
    ]


async def test_a_namespace_is_created_changed_and_deleted(client: Client) -> None:
    created = await create(client, "team", labels={"tier": "test"})
    assert created["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team", "tier": "test"}
    path = f"{NAMESPACES}/team"
    changed = (await client.ask("PATCH", path, {"metadata": {"annotations": {"a": "b"}}}, media_type=MERGE)).ok()
    assert changed["metadata"]["uid"] == created["metadata"]["uid"]
    assert int(changed["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])
    again = (await client.ask("PATCH", path, {"metadata": {"annotations": {"a": "b"}}}, media_type=MERGE)).ok()
    assert again["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]
    assert (await client.ask("PUT", path, created)).refused(409, "Conflict")
    deleted = (await client.ask("DELETE", path)).ok()
    assert (deleted["status"], deleted["details"]["uid"]) == ("Success", created["metadata"]["uid"])
    assert (await client.ask("GET", path)).refused(404, "NotFound") == 'namespaces "team" not found'
    assert (await client.ask("DELETE", path)).refused(404, "NotFound")


async def test_what_may_not_be_a_namespace(client: Client) -> None:
    bad = await client.ask("POST", NAMESPACES, {"metadata": {"name": "Not_A_Label"}})
    assert "a lowercase RFC 1123 label" in bad.refused(422, "Invalid")
    await create(client, "team")
    twice = await client.ask("POST", NAMESPACES, {"metadata": {"name": "team"}})
    assert twice.refused(409, "AlreadyExists") == 'namespaces "team" already exists'


async def test_a_dry_run_creates_and_deletes_nothing(client: Client) -> None:
    (await client.ask("POST", f"{NAMESPACES}?dryRun=All", {"metadata": {"name": "team"}})).ok(201)
    assert await client.namespaces() == ["default"]
    (await client.create_stream("team", "web")).ok(201)
    (await client.ask("DELETE", f"{NAMESPACES}/team?dryRun=All")).ok()
    assert await client.namespaces() == ["default", "team"]
    (await client.ask("GET", f"{IMAGES}/namespaces/team/imagestreams/web")).ok()


async def test_the_first_image_stream_in_a_namespace_creates_it(client: Client) -> None:
    """Once, whoever is first, and in the same command; the last one leaves it there."""
    names = [f"s{number}" for number in range(8)]
    answers = await asyncio.gather(*(client.create_stream("team", name) for name in names))
    assert [answer.status for answer in answers] == [201] * 8
    assert await client.namespaces() == ["default", "team"]
    types = [type_name for type_name, name, _ in await client.logged() if name == "team"]
    assert types == ["NamespaceCreated"]
    for name in names:
        (await client.ask("DELETE", f"{IMAGES}/namespaces/team/imagestreams/{name}")).ok()
    assert await client.namespaces() == ["default", "team"]


async def test_deleting_a_namespace_deletes_what_is_in_it(client: Client) -> None:
    """Each image stream by a command of its own, then the namespace; and the name may be used anew."""
    for namespace, name in [("team", "web"), ("team", "db"), ("other", "web")]:
        (await client.create_stream(namespace, name)).ok(201)
    before = (await client.ask("GET", f"{NAMESPACES}/team")).ok()["metadata"]
    (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
    assert await client.namespaces() == ["default", "other"]
    streams = (await client.ask("GET", f"{IMAGES}/imagestreams")).ok()["items"]
    assert [item["metadata"]["namespace"] for item in streams] == ["other"]
    told = [(type_name, name) for type_name, name, _ in await client.logged()][-4:]
    assert told[0] == ("NamespaceChanged", "team")
    assert sorted(told[1:3]) == [("ImageStreamDeleted", "db"), ("ImageStreamDeleted", "web")]
    assert told[3] == ("NamespaceDeleted", "team")
    (await client.create_stream("team", "web")).ok(201)
    assert (await client.ask("GET", f"{NAMESPACES}/team")).ok()["metadata"]["uid"] != before["uid"]


async def test_a_finalizer_holds_a_namespace_which_goes_with_it(client: Client) -> None:
    (await client.create_stream("team", "held", finalizers=["example.org/keep"])).ok(201)
    (await client.create_stream("team", "free")).ok(201)
    held = (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
    assert (held["kind"], held["status"]["phase"]) == ("Namespace", "Terminating")
    streams = (await client.ask("GET", f"{IMAGES}/namespaces/team/imagestreams")).ok()["items"]
    assert [item["metadata"]["name"] for item in streams] == ["held"]
    refused = await client.create_stream("team", "late")
    assert refused.refused(403, "Forbidden").endswith("namespace team because it is being terminated")
    (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
    path = f"{IMAGES}/namespaces/team/imagestreams/held"
    (await client.ask("PATCH", path, {"metadata": {"finalizers": None}}, media_type=MERGE)).ok()
    assert await client.namespaces() == ["default"]
    told = [(type_name, name) for type_name, name, _ in await client.logged()]
    assert told[-1] == ("ImageStreamDeleted", "held")
    assert ("NamespaceDeleted", "team") in told


async def test_nothing_new_goes_into_a_namespace_that_is_being_deleted(client: Client) -> None:
    """Refused in the words of the request, whichever resource it names."""
    (await client.create_stream("team", "held", finalizers=["example.org/keep"])).ok(201)
    (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
    api = f"{IMAGES}/namespaces/team"
    source = {"from": {"kind": "DockerImage", "name": "quay.io/a/b:1"}}
    image = {"metadata": {"name": "sha256:" + "0" * 64}, "dockerImageReference": "quay.io/a/b"}
    mapping = {"metadata": {"name": "held"}, "tag": "t", "image": image}
    for method, path, body, named in [
        ("POST", "imagestreams", {"metadata": {"name": "a"}}, 'imagestreams.image.openshift.io "a"'),
        ("POST", "imagestreamtags", {"metadata": {"name": "held:t"}, "tag": source}, "imagestreamtags"),
        ("PUT", "imagestreamtags/a:t", {"metadata": {"name": "a:t"}, "tag": source}, "imagestreamtags"),
        ("POST", "imagetags", {"metadata": {"name": "a:t"}, "spec": {"name": "t", **source}}, "imagetags"),
        ("POST", "imagestreammappings", mapping, "imagestreammappings"),
    ]:
        message = (await client.ask(method, f"{api}/{path}", body)).refused(403, "Forbidden")
        assert message.startswith(named)
        assert message.endswith("namespace team because it is being terminated")


async def test_a_namespace_with_a_finalizer_of_its_own(client: Client) -> None:
    await create(client, "team", finalizers=["example.org/keep"])
    assert (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()["status"]["phase"] == "Terminating"
    (await client.ask("PATCH", f"{NAMESPACES}/team", {"metadata": {"finalizers": None}}, media_type=MERGE)).ok()
    assert await client.namespaces() == ["default"]


async def test_namespaces_can_be_watched(client: Client) -> None:
    """From the list on, without a gap."""
    listed = (await client.ask("GET", NAMESPACES)).ok()["metadata"]["resourceVersion"]
    async with client.watch(f"{NAMESPACES}?watch=1&resourceVersion={listed}") as events:
        (await client.create_stream("team", "web")).ok(201)
        await create(client, "other")
        (await client.ask("DELETE", f"{NAMESPACES}/team")).ok()
        told = [await anext(events) for _ in range(4)]
    assert [shape(event) for event in told] == [
        ("ADDED", "team", "Active"),
        ("ADDED", "other", "Active"),
        ("MODIFIED", "team", "Terminating"),
        ("DELETED", "team", "Terminating"),
    ]
    positions = [int(event["object"]["metadata"]["resourceVersion"]) for event in told]
    assert positions == sorted(set(positions))


async def test_namespaces_are_selected_by_labels_and_phase(client: Client) -> None:
    await create(client, "a", labels={"tier": "test"})
    await create(client, "b", finalizers=["example.org/keep"])
    (await client.ask("DELETE", f"{NAMESPACES}/b")).ok()
    for query, names in [
        ("labelSelector=tier%3Dtest", ["a"]),
        ("labelSelector=kubernetes.io/metadata.name+in+(a,default)", ["a", "default"]),
        ("fieldSelector=metadata.name%3Db", ["b"]),
        ("fieldSelector=status.phase%3DTerminating", ["b"]),
        ("limit=2", ["a", "b"]),
    ]:
        items = (await client.ask("GET", f"{NAMESPACES}?{query}")).ok()["items"]
        assert [item["metadata"]["name"] for item in items] == names


async def test_a_table_of_namespaces_is_that_of_kubectl(client: Client) -> None:
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = (await client.ask("GET", NAMESPACES, headers=accept)).ok()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Status", "Age"]
    name, status, age = table["rows"][0]["cells"]
    assert (name, status, age[-1]) == ("default", "Active", "s")


async def test_a_role_in_a_namespace_lets_its_holder_look_at_the_namespace(client: Client) -> None:
    (await client.create_stream("team", "web")).ok(201)
    (await client.ask("GET", f"{NAMESPACES}/team", user="ann")).ok()
    (await client.ask("GET", f"{NAMESPACES}/default", user="ann")).refused(403, "Forbidden")
    (await client.ask("GET", NAMESPACES, user="ann")).refused(403, "Forbidden")
    (await client.ask("DELETE", f"{NAMESPACES}/team", user="ann")).refused(403, "Forbidden")
