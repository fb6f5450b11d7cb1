"""The official Python client: dynamic and typed calls, selectors, pages, errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from tests.acceptance.api import API_VERSION, Document, Entrance, imagestream, reference_tag
from tests.acceptance.python_client import GROUP, VERSION, Dynamic, connected, refused
from tests.real_images import docker_image, oci_index


@pytest.fixture
def api_client(entrance: Entrance) -> Iterator[client.ApiClient]:
    with connected(entrance) as api_client:
        yield api_client


@pytest.fixture
def kinds(api_client: client.ApiClient, tmp_path: Path) -> Dynamic:
    return Dynamic(api_client, tmp_path)


class Custom:
    """CustomObjectsApi on the image streams of one namespace."""

    def __init__(self, api_client: client.ApiClient, namespace: str) -> None:
        self.api = client.CustomObjectsApi(api_client)
        self.where = (GROUP, VERSION, namespace, "imagestreams")

    def create(self, name: str, **labels: str) -> Document:
        body = imagestream(name, labels=labels)
        created: Document = self.api.create_namespaced_custom_object(*self.where, body)
        return created


@pytest.fixture
def custom(api_client: client.ApiClient, namespace: str) -> Custom:
    return Custom(api_client, namespace)


def test_the_version(api_client: client.ApiClient) -> None:
    code = client.VersionApi(api_client).get_code()
    assert (code.major, code.git_version.startswith("v1.")) == ("1", True)


def test_image_streams_by_the_dynamic_client(kinds: Dynamic, namespace: str) -> None:
    """Create, read, patch in every way, replace, apply, delete."""
    streams = kinds["ImageStream"]
    assert streams.namespaced
    created = streams.create(body=imagestream("web", reference_tag("a", "quay.io/x/y:1")), namespace=namespace)
    assert streams.get(name="web", namespace=namespace).to_dict() == created.to_dict()
    labels = {"metadata": {"labels": {"app": "web"}}}
    streams.patch(body=labels, name="web", namespace=namespace, content_type="application/merge-patch+json")
    tag = {"spec": {"tags": [reference_tag("b", "quay.io/x/y:2")]}}
    patched = streams.patch(body=tag, name="web", namespace=namespace)
    assert [tag.name for tag in patched.spec.tags] == ["a", "b"]
    operations = [{"op": "remove", "path": "/spec/tags/0"}]
    patched = streams.patch(
        body=operations, name="web", namespace=namespace, content_type="application/json-patch+json"
    )
    assert [tag.name for tag in patched.spec.tags] == ["b"]
    wanted = patched.to_dict()
    wanted["metadata"]["labels"] = {"app": "replaced"}
    assert streams.replace(body=wanted, namespace=namespace).metadata.labels.app == "replaced"
    with refused(409, "Conflict"):
        streams.replace(body=wanted, namespace=namespace)
    applied = {"apiVersion": API_VERSION, "kind": "ImageStream", "metadata": {"name": "web", "labels": {"tier": "1"}}}
    streams.server_side_apply(body=applied, name="web", namespace=namespace, field_manager="tests")
    assert streams.get(name="web", namespace=namespace).metadata.labels.to_dict() == {"app": "replaced", "tier": "1"}
    assert [item.metadata.name for item in streams.get(namespace=namespace).items] == ["web"]
    assert streams.delete(name="web", namespace=namespace).status == "Success"
    with refused(404, "NotFound"):
        streams.get(name="web", namespace=namespace)


def test_tags_by_the_dynamic_client(kinds: Dynamic, namespace: str) -> None:
    """A push, the tag from both of its sides, a move, a deletion."""
    tags, histories, images = kinds["ImageStreamTag"], kinds["ImageTag"], kinds["Image"]
    kinds["ImageStream"].create(body=imagestream("web"), namespace=namespace)
    first, (second, _) = docker_image(namespace), oci_index(namespace)
    for image in (first, second):
        kinds["ImageStreamMapping"].create(body=image.mapping("web", "v1"), namespace=namespace)
    pushed = tags.get(name="web:v1", namespace=namespace)
    assert pushed.image.metadata.name == second.digest
    assert [member.architecture for member in pushed.image.dockerImageManifests] == ["amd64", "arm64", "s390x"]
    history = histories.get(name="web:v1", namespace=namespace)
    assert [item.image for item in history.status["items"]] == [second.digest, first.digest]
    assert images.get(name=first.digest).dockerImageConfig == first.config
    back = {
        "apiVersion": API_VERSION,
        "kind": "ImageStreamTag",
        "metadata": {"name": "web:v1"},
        "tag": {"name": "v1", "from": {"kind": "ImageStreamImage", "name": f"web@{first.digest}"}},
    }
    tags.replace(body=back, namespace=namespace)
    assert tags.get(name="web:v1", namespace=namespace).image.metadata.name == first.digest
    copied = {
        "apiVersion": API_VERSION,
        "kind": "ImageTag",
        "metadata": {"name": "web:stable"},
        "spec": {"name": "stable", "from": {"kind": "ImageStreamTag", "name": "v1"}},
    }
    histories.create(body=copied, namespace=namespace)
    assert [item.metadata.name for item in tags.get(namespace=namespace).items] == ["web:stable", "web:v1"]
    assert histories.delete(name="web:v1", namespace=namespace).status == "Success"
    with refused(404, "NotFound"):
        tags.get(name="web:v1", namespace=namespace)


def test_image_streams_as_custom_objects(custom: Custom) -> None:
    api, where = custom.api, custom.where
    custom.create("web", app="web")
    with refused(409, "AlreadyExists"):
        custom.create("web")
    stream = api.get_namespaced_custom_object(*where, "web")
    assert stream["metadata"]["labels"] == {"app": "web"}
    patched = api.patch_namespaced_custom_object(*where, "web", {"metadata": {"labels": {"app": None, "b": "1"}}})
    assert patched["metadata"]["labels"] == {"b": "1"}
    patched["spec"]["tags"] = [reference_tag("a", "quay.io/x/y:1")]
    replaced = api.replace_namespaced_custom_object(*where, "web", patched)
    assert api.get_namespaced_custom_object_status(*where, "web")["metadata"] == replaced["metadata"]
    status = {"status": {"tags": None}}
    assert "tags" not in api.patch_namespaced_custom_object_status(*where, "web", status)["status"]
    deleted = api.delete_namespaced_custom_object(*where, "web")
    assert (deleted["status"], deleted["details"]["uid"]) == ("Success", stream["metadata"]["uid"])
    assert api.list_namespaced_custom_object(*where)["items"] == []


def test_selections(custom: Custom) -> None:
    for number in range(6):
        custom.create(f"s{number}", parity="odd" if number % 2 else "even", number=str(number))

    def names(**selectors: str) -> list[str]:
        listed = custom.api.list_namespaced_custom_object(*custom.where, **selectors)
        return [item["metadata"]["name"] for item in listed["items"]]

    assert names(label_selector="parity=odd") == ["s1", "s3", "s5"]
    assert names(label_selector="parity!=odd,number in (2,4)") == ["s2", "s4"]
    assert names(field_selector="metadata.name!=s0", label_selector="parity=even") == ["s2", "s4"]
    everywhere = custom.api.list_cluster_custom_object(GROUP, VERSION, "imagestreams", label_selector="number=5")
    assert (custom.where[2], "s5") in [(i["metadata"]["namespace"], i["metadata"]["name"]) for i in everywhere["items"]]
    custom.api.delete_collection_namespaced_custom_object(*custom.where, label_selector="parity=odd")
    assert names() == ["s0", "s2", "s4"]


def test_pages_are_one_snapshot(custom: Custom) -> None:
    """Every page shows what there was when the first was asked for, whatever happens between them."""
    wanted = [custom.create(f"s{number}")["metadata"]["name"] for number in range(7)]
    found, versions, token = [], set(), ""
    while True:
        page = custom.api.list_namespaced_custom_object(*custom.where, limit=3, _continue=token)
        found += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
        if not token:
            break
        assert page["metadata"]["remainingItemCount"] == 7 - len(found)
        custom.api.delete_namespaced_custom_object(*custom.where, f"s{len(found)}")
        custom.create(f"s{len(found)}-new")
    assert found == wanted
    assert len(versions) == 1
    with refused(400, "BadRequest"):
        custom.api.list_namespaced_custom_object(*custom.where, _continue="made-up")


def test_a_viewer_is_told_what_is_missing(entrance: Entrance, custom: Custom) -> None:
    custom.create("web")
    with connected(entrance, "viewer") as api_client:
        theirs = Custom(api_client, custom.where[2])
        assert len(theirs.api.list_namespaced_custom_object(*theirs.where)["items"]) == 1
        with refused(403, "Forbidden") as statuses:
            theirs.create("mine")
    assert 'User "viewer" cannot create resource "imagestreams"' in statuses[0]["message"]
