"""The description of the API: what kubectl reads in it, and how it is served."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from service.http.answer import Answer
from service.http.documents import DocumentRequest
from service.http.openapi import OpenApi
from service.http.openapi_paths import PathSettings, paths_of
from service.http.query import parse_query
from tests.unit.http.resources import IMAGE_STREAMS, MEDIA_TYPES, RESOURCES, WITH_CORE

PATCHES = ("application/json-patch+json", "application/merge-patch+json")
OPENAPI = OpenApi(RESOURCES, PathSettings(MEDIA_TYPES, ("application/json;stream=watch",), PATCHES), "0.1.0")
PART = "/openapi/v3/apis/image.openshift.io/v1"
STREAM = {"group": "image.openshift.io", "version": "v1", "kind": "ImageStream"}
NAMESPACED = "/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreams"


def get(path: str, query: str = "", accept: str | None = None, if_none_match: str | None = None) -> Answer:
    answer = OPENAPI.answer(DocumentRequest("GET", path, parse_query(query), accept, if_none_match))
    assert answer is not None
    return answer


@pytest.fixture(scope="module")
def v3() -> Any:
    return msgspec.json.decode(get(PART).body)


def schema(document: Any, kind: str) -> Any:
    """As kubectl explain finds it: by group, version and kind."""
    wanted = {**STREAM, "kind": kind}
    found = [
        schema
        for schema in document["components"]["schemas"].values()
        if wanted in schema.get("x-kubernetes-group-version-kind", [])
    ]
    assert len(found) == 1
    return found[0]


def test_an_operation_says_which_kind_it_is_about_and_what_it_does(v3: Any) -> None:
    operations = {
        (path, method): operation
        for path, item in v3["paths"].items()
        for method, operation in item.items()
        if "x-kubernetes-action" in operation
    }
    assert operations[NAMESPACED, "get"]["x-kubernetes-group-version-kind"] == STREAM
    actions = {key: operation["x-kubernetes-action"] for key, operation in operations.items()}
    assert actions == {
        ("/apis/image.openshift.io/v1/images", "get"): "list",
        ("/apis/image.openshift.io/v1/images/{name}", "get"): "get",
        ("/apis/image.openshift.io/v1/imagestreams", "get"): "list",
        (NAMESPACED, "delete"): "deletecollection",
        (NAMESPACED, "get"): "list",
        (NAMESPACED, "post"): "post",
        (f"{NAMESPACED}/{{name}}", "delete"): "delete",
        (f"{NAMESPACED}/{{name}}", "get"): "get",
        (f"{NAMESPACED}/{{name}}", "patch"): "patch",
        (f"{NAMESPACED}/{{name}}", "put"): "put",
        (f"{NAMESPACED}/{{name}}/layers", "get"): "get",
        (f"{NAMESPACED}/{{name}}/status", "get"): "get",
        (f"{NAMESPACED}/{{name}}/status", "patch"): "patch",
        (f"{NAMESPACED}/{{name}}/status", "put"): "put",
    }
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)


def test_what_is_created_at_the_path_of_all_namespaces_is_described_there() -> None:
    info = msgspec.structs.replace(IMAGE_STREAMS, created_anywhere=True)
    path = paths_of(info, PathSettings(MEDIA_TYPES, (), PATCHES))["/apis/image.openshift.io/v1/imagestreams"]
    assert isinstance(path, dict)
    assert path.keys() == {"get", "post", "parameters"}
    anywhere = paths_of(msgspec.structs.replace(info, verbs=("create",)), PathSettings(MEDIA_TYPES, (), PATCHES))
    assert anywhere["/apis/image.openshift.io/v1/imagestreams"].keys() == {"post", "parameters"}  # type: ignore[union-attr]


def test_a_patch_lists_the_patch_types_there_are_and_takes_field_validation(v3: Any) -> None:
    patch = v3["paths"][f"{NAMESPACED}/{{name}}"]["patch"]
    assert tuple(patch["requestBody"]["content"]) == PATCHES
    assert {p["name"] for p in patch["parameters"]} >= {"dryRun", "fieldManager", "fieldValidation", "force"}


def test_the_parameters_of_a_path_are_declared_once(v3: Any) -> None:
    assert [p["name"] for p in v3["paths"][f"{NAMESPACED}/{{name}}"]["parameters"]] == ["name", "namespace", "pretty"]


def test_a_field_tells_its_type_and_how_it_merges(v3: Any) -> None:
    spec = v3["components"]["schemas"]["com.github.openshift.api.image.v1.ImageStreamSpec"]["properties"]
    assert spec["tags"] == {
        "description": "The tags that are wanted, each with its source.",
        "type": "array",
        "items": {
            "allOf": [{"$ref": "#/components/schemas/com.github.openshift.api.image.v1.TagReference"}],
            "default": {},
        },
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": "name",
    }
    meta = v3["components"]["schemas"]["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]
    assert meta["creationTimestamp"]["format"] == "date-time"
    assert meta["labels"]["additionalProperties"] == {"type": "string", "default": ""}
    assert meta["finalizers"]["x-kubernetes-list-type"] == "set"
    image = schema(v3, "Image")["properties"]
    assert (image["dockerImageMetadata"]["type"], image["dockerImageMetadata"]["x-kubernetes-patch-strategy"]) == (
        "object",
        "replace",
    )


def test_what_is_always_there_and_plain_is_marked_so(v3: Any) -> None:
    tag = v3["components"]["schemas"]["com.github.openshift.api.image.v1.TagReference"]
    assert tag["required"] == ["name"]
    event = v3["components"]["schemas"]["com.github.openshift.api.image.v1.TagEvent"]
    assert set(event["required"]) == {"dockerImageReference", "image", "generation"}


def test_a_field_that_may_be_null_says_so(v3: Any) -> None:
    """Swagger 2.0 cannot say it."""
    tag = v3["components"]["schemas"]["com.github.openshift.api.image.v1.TagReference"]
    assert [name for name, field in tag["properties"].items() if field.get("nullable")] == ["annotations", "generation"]
    assert "nullable" not in get("/openapi/v2").body.decode()


def test_every_answer_is_described(v3: Any) -> None:
    """Failures are Statuses, and a deletion may take its time."""
    item = v3["paths"][f"{NAMESPACED}/{{name}}"]
    assert {verb: set(item[verb]["responses"]) for verb in ("get", "put", "patch", "delete")} == {
        "get": {"200", "401", "default"},
        "put": {"200", "201", "401", "default"},
        "patch": {"200", "201", "401", "default"},
        "delete": {"200", "202", "401", "default"},
    }
    failure = item["get"]["responses"]["default"]["content"]["application/json"]["schema"]
    assert failure == {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Status"}


def test_every_reference_leads_somewhere_and_every_field_is_described(v3: Any) -> None:
    schemas = v3["components"]["schemas"]

    def references(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(references, value))
        if not isinstance(value, dict):
            return set()
        return {value["$ref"]} if "$ref" in value else set().union(*map(references, value.values()))

    assert references(v3) <= {f"#/components/schemas/{name}" for name in schemas}
    for name, described in schemas.items():
        assert described["description"], name
        for field, of_field in described["properties"].items():
            assert of_field["description"], f"{name}.{field}"


def test_the_index_leads_to_each_document_under_its_hash() -> None:
    index = msgspec.json.decode(get("/openapi/v3").body)["paths"]
    path, _, query = index["apis/image.openshift.io/v1"]["serverRelativeURL"].partition("?")
    answer = get(path, query)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, immutable")
    assert answer.headers["Expires"].endswith("GMT")
    assert answer.headers["ETag"] == f'"{query.removeprefix("hash=")}"'
    assert get("/openapi/v3/version").status == 200


def test_an_outdated_hash_is_shown_the_way() -> None:
    answer = get(PART, "hash=DEAD")
    assert answer.status == 301
    path, _, query = answer.headers["Location"].partition("?")
    assert get(path, query).status == 200


def test_without_a_hash_the_client_asks_again_and_may_have_it() -> None:
    answer = get(PART)
    assert answer.headers["Cache-Control"] == "no-cache, private"
    again = get(PART, if_none_match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", [PART, "/openapi/v2"])
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/com.github.proto-openapi.spec.v3@v1.0+protobuf,application/json", 200),
        ("text/html", 406),
        ("application/com.github.proto-openapi.spec.v3@v1.0+protobuf", 406),
    ],
)
def test_json_is_written(path: str, accept: str, status: int) -> None:
    answer = get(path, accept=accept)
    assert answer.status == status
    assert bool(answer.body) is (status == 200)


@pytest.mark.parametrize("spelling", ["v2@v1.0", "v2.v1.0"])
def test_swagger_is_written_in_protobuf_too(spelling: str) -> None:
    """What kubectl finds in it is in the acceptance tests: it refuses to create some kinds without."""
    answer = get("/openapi/v2", accept=f"application/com.github.proto-openapi.spec.{spelling}+protobuf")
    assert answer.headers["Content-Type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert answer.body.startswith(b"\x0a\x032.0\x12")
    for name in msgspec.json.decode(get("/openapi/v2").body)["definitions"]:
        assert name.encode() in answer.body
    assert answer.headers["ETag"] != get("/openapi/v2").headers["ETag"]


def test_what_is_not_there() -> None:
    assert get("/openapi/v3/apis/nosuch/v1").status == 404
    assert OPENAPI.answer(DocumentRequest("GET", "/openapi")) is None


def test_swagger_says_the_same_in_its_own_way(v3: Any) -> None:
    v2 = msgspec.json.decode(get("/openapi/v2").body)
    assert set(v2["paths"]) == {*v3["paths"], "/version/"}
    assert set(v2["definitions"]) == set(v3["components"]["schemas"])
    post = v2["paths"][NAMESPACED]["post"]
    reference = {"$ref": "#/definitions/com.github.openshift.api.image.v1.ImageStream"}
    assert post["parameters"][-1] == {"name": "body", "in": "body", "schema": reference}
    assert post["consumes"] == list(MEDIA_TYPES)
    assert post["responses"]["201"]["schema"] == reference
    assert "requestBody" not in post
    limit = next(p for p in v2["paths"][NAMESPACED]["get"]["parameters"] if p["name"] == "limit")
    assert (limit["type"], limit["in"]) == ("integer", "query")
    tags = v2["definitions"]["com.github.openshift.api.image.v1.ImageStreamSpec"]["properties"]["tags"]
    assert tags["items"] == {"$ref": "#/definitions/com.github.openshift.api.image.v1.TagReference"}


def test_the_core_group_is_described_at_its_own_place() -> None:
    openapi = OpenApi(WITH_CORE, PathSettings(MEDIA_TYPES, (), PATCHES), "0.1.0")
    answer = openapi.answer(DocumentRequest("GET", "/openapi/v3/api/v1"))
    assert answer is not None
    described = msgspec.json.decode(answer.body)
    assert sorted(described["paths"]) == ["/api/v1/", "/api/v1/namespaces", "/api/v1/namespaces/{name}"]
    namespace = described["components"]["schemas"]["io.k8s.api.core.v1.Namespace"]
    assert namespace["x-kubernetes-group-version-kind"] == [{"group": "", "version": "v1", "kind": "Namespace"}]
    index = openapi.answer(DocumentRequest("GET", "/openapi/v3"))
    assert index is not None
    assert set(msgspec.json.decode(index.body)["paths"]) == {"api/v1", "apis/image.openshift.io/v1", "version"}
