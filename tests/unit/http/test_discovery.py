"""Which groups, versions and resources there are, in both forms; and the list of paths."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from service.http.answer import Answer
from service.http.discovery import Discovery
from service.http.documents import DocumentRequest, Index
from service.http.errors import MethodNotAllowed, NotAcceptable, RouteNotFound
from service.http.version import Version, version_document
from tests.unit.http.resources import ALL_VERBS, MEDIA_TYPES, RESOURCES, WITH_CORE

DISCOVERY = Discovery(RESOURCES, MEDIA_TYPES)
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def get(
    path: str, accept: str | None = None, if_none_match: str | None = None, discovery: Discovery = DISCOVERY
) -> Answer:
    answer = discovery.answer(DocumentRequest("GET", path, accept=accept, if_none_match=if_none_match))
    assert answer is not None
    return answer


def document(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_documents_of_each_path(slash: str) -> None:
    version = {"groupVersion": "image.openshift.io/v1", "version": "v1"}
    group = {"name": "image.openshift.io", "versions": [version], "preferredVersion": version}
    assert document(get(f"/apis{slash}")) == {"kind": "APIGroupList", "groups": [group]}
    assert document(get(f"/apis/image.openshift.io{slash}")) == {"kind": "APIGroup", "apiVersion": "v1", **group}
    listed = document(get(f"/apis/image.openshift.io/v1{slash}"))
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", "image.openshift.io/v1")


def test_resources_are_sorted_with_their_subresources_behind_them() -> None:
    resources = document(get("/apis/image.openshift.io/v1"))["resources"]
    assert [resource["name"] for resource in resources] == [
        "images",
        "imagestreams",
        "imagestreams/layers",
        "imagestreams/status",
    ]
    assert resources[1] == {
        "name": "imagestreams",
        "singularName": "imagestream",
        "namespaced": True,
        "kind": "ImageStream",
        "verbs": list(ALL_VERBS),
        "shortNames": ["is"],
        "categories": ["all"],
        "storageVersionHash": "mwmf9lCqOiA=",
    }
    assert resources[2] == {
        "name": "imagestreams/layers",
        "singularName": "",
        "namespaced": True,
        "kind": "ImageStreamLayers",
        "verbs": ["get"],
    }


def test_everything_at_once_says_the_same_and_tells_its_form() -> None:
    answer = get("/apis", f"{V2},application/json")
    assert answer.headers["Content-Type"] == V2
    assert answer.headers["Vary"] == "Accept"
    aggregated = document(answer)
    assert aggregated["apiVersion"] == "apidiscovery.k8s.io/v2"
    (version,) = aggregated["items"][0]["versions"]
    streams = version["resources"][1]
    assert (streams["resource"], streams["scope"], streams["verbs"]) == ("imagestreams", "Namespaced", list(ALL_VERBS))
    assert [sub["subresource"] for sub in streams["subresources"]] == ["layers", "status"]
    assert streams["subresources"][0]["responseKind"] == {"group": "", "version": "", "kind": "ImageStreamLayers"}


def test_the_core_group_has_no_name_and_paths_of_its_own() -> None:
    discovery = Discovery(WITH_CORE, MEDIA_TYPES)
    assert document(get("/api", discovery=discovery)) == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [],
    }
    listed = document(get("/api/v1", discovery=discovery))
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", "v1")
    assert [(r["name"], r["namespaced"], r["shortNames"]) for r in listed["resources"]] == [
        ("namespaces", False, ["ns"])
    ]
    core, others = (document(get(path, V2, discovery=discovery))["items"] for path in ("/api", "/apis"))
    assert [(g["metadata"], [v["version"] for v in g["versions"]]) for g in core] == [({"name": ""}, ["v1"])]
    assert [r["resource"] for r in core[0]["versions"][0]["resources"]] == ["namespaces"]
    assert [g["metadata"]["name"] for g in others] == ["image.openshift.io"]
    assert [g["name"] for g in document(get("/apis", discovery=discovery))["groups"]] == ["image.openshift.io"]
    etags = {get(path, V2, discovery=discovery).headers["ETag"] for path in ("/api", "/apis")}
    assert len(etags) == 2
    with pytest.raises(RouteNotFound):
        get("/api/v2", discovery=discovery)


def test_a_client_that_has_it_is_told_so() -> None:
    etag = get("/apis", V2).headers["ETag"]
    answer = get("/apis", V2, etag)
    assert (answer.status, answer.body) == (304, b"")
    assert get("/apis", V2, '"other"').status == 200
    assert get("/apis", "application/json", etag).status == 200


def test_a_form_nobody_serves_any_more_is_refused_unless_there_is_another() -> None:
    beta = V2.replace("=v2;", "=v2beta1;")
    with pytest.raises(NotAcceptable):
        get("/apis", beta)
    assert document(get("/apis", f"{beta},application/json"))["kind"] == "APIGroupList"
    assert document(get("/apis/image.openshift.io/v1", f"{V2},application/json"))["kind"] == "APIResourceList"


def test_an_unknown_version_is_no_route_and_an_unknown_group_not_ours() -> None:
    with pytest.raises(RouteNotFound):
        get("/apis/image.openshift.io/v2")
    assert DISCOVERY.answer(DocumentRequest("GET", "/apis/nosuch.example")) is None
    assert DISCOVERY.answer(DocumentRequest("GET", "/api")) is None


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
def test_discovery_is_for_reading(method: str) -> None:
    with pytest.raises(MethodNotAllowed):
        DISCOVERY.answer(DocumentRequest(method, "/apis/image.openshift.io/v1"))


def test_the_version_is_the_kubernetes_release_we_follow_with_ours_behind() -> None:
    version = Version(version_document("0.1.0", "abc"))
    answer = version.answer(DocumentRequest("GET", "/version/"))
    assert answer is not None
    assert answer.body.startswith(b'{\n  "major": "1",\n  "minor": "34"')
    assert document(answer)["gitVersion"] == "v1.34.1+tag-history.0.1.0"
    assert document(answer)["gitTreeState"] == "clean"
    assert version.answer(DocumentRequest("GET", "/versions")) is None
    with pytest.raises(MethodNotAllowed):
        version.answer(DocumentRequest("POST", "/version"))


def test_every_path_is_listed_at_the_root_and_where_nothing_is() -> None:
    index = Index(["/version", *DISCOVERY.paths])
    root = index.answer(DocumentRequest("GET", "/"))
    assert root.status == 200
    assert root.body.startswith(b'{\n  "paths": [\n    "/apis"')
    assert not root.body.endswith(b"\n")
    nowhere = index.answer(DocumentRequest("GET", "/nosuch"))
    assert (nowhere.status, nowhere.body) == (404, root.body)
