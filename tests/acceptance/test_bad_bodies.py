"""Bodies that no well-meaning client sends: each is answered with a Status that says why, and leaves no trace."""

from __future__ import annotations

import gzip
import json
import random
import string
from typing import Any

import pytest

from tests.acceptance.api import (
    API_VERSION,
    APPLY,
    GROUP,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Answer,
    Document,
    imagestream,
    reference_tag,
)
from tests.acceptance.quiet import Quiet
from tests.real_images import docker_image

BODY_LIMIT_BYTES = 3 * 1024 * 1024
YAML = "application/yaml"
MANAGER = {
    "operation": "Update",
    "apiVersion": API_VERSION,
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:metadata": {"f:labels": {}}},
}
NUL_TAG = reference_tag("a\0b", "quay.io/x/y:1")
LONG_NAME = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=10_000))
"""That no index can compress."""

DEEP = 5_000
VERY_DEEP = 200_000
HEAD = b'{"apiVersion":"image.openshift.io/v1","kind":"ImageStream","metadata":{"name":"x"'


def nested(depth: int, start: bytes, end: bytes, middle: bytes = b"1") -> bytes:
    return start * depth + middle + end * depth


def created(**metadata: Any) -> Document:
    return {**imagestream("x"), "metadata": {"name": "x", **metadata}}


def with_tag(**fields: Any) -> Document:
    return imagestream("x", {**reference_tag("t", "quay.io/x/y:1"), **fields})


def istag(name: str) -> Document:
    tag = reference_tag("", "quay.io/x/y:1")
    return {"apiVersion": API_VERSION, "kind": "ImageStreamTag", "metadata": {"name": name}, "tag": tag}


def imagetag(stream: str, tag: str) -> Document:
    spec = reference_tag(tag, "quay.io/x/y:1")
    return {"apiVersion": API_VERSION, "kind": "ImageTag", "metadata": {"name": f"{stream}:{tag}"}, "spec": spec}


def mapping(tag: str = "t", name: str = "") -> Document:
    document = docker_image("bad").mapping("web", tag)
    if name:
        document["image"]["metadata"]["name"] = name
    return document


NOT_AN_OBJECT = {
    "nothing": b"",
    "cut off": b'{"kind":',
    "a list": b"[]",
    "a word": b"imagestream",
    "two documents": json.dumps(imagestream("x")).encode() * 2,
    "not a number": HEAD + b',"generation":NaN}}',
    "infinite": HEAD + b',"generation":Infinity}}',
    "hexadecimal": HEAD + b',"generation":0x10}}',
    "too large a number": HEAD + b',"generation":1e400}}',
    "more than 64 bits": HEAD + b',"generation":9223372036854775808}}',
    "a fraction": HEAD + b',"generation":1.5}}',
    "thousands of digits": HEAD + b',"generation":' + b"9" * 5_000 + b"}}",
    "a number as text": HEAD + b',"generation":"1"}}',
    "a name that is none": b'{"apiVersion":"image.openshift.io/v1","kind":"ImageStream","metadata":{"name":{}}}',
    "deep lists": HEAD + b'},"x":' + nested(DEEP, b"[", b"]") + b"}",
    "very deep objects": HEAD + b'},"x":' + nested(VERY_DEEP, b'{"a":', b"}") + b"}",
    "deep and unclosed": b"[" * VERY_DEEP,
    "another kind": json.dumps({**imagestream("x"), "kind": "Image"}).encode(),
    "an unknown kind": json.dumps({**imagestream("x"), "kind": "Pod", "apiVersion": "v1"}).encode(),
    "another version": json.dumps({**imagestream("x"), "apiVersion": "image.openshift.io/v2"}).encode(),
    "another namespace": json.dumps(created(namespace="elsewhere")).encode(),
}

NOT_YAML = {
    "deep lists": b"kind: ImageStream\nx: " + nested(VERY_DEEP, b"[", b"]"),
    "deep maps": b"kind: ImageStream\nx: " + nested(DEEP, b"{a: ", b"}"),
    "a bomb of aliases": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%b]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in b"abcdefghijkl"),
    "an alias of itself": b"&a [*a]",
    "a Python object": b'!!python/object/apply:os.system ["true"]',
    "no UTF-8": b'kind: ImageStream\nmetadata: {name: "\xff"}',
    "half a character": b'kind: ImageStream\nmetadata: {name: "\\ud800"}',
    "a NUL": b"kind: ImageStream\nmetadata: {name: x\0}",
    "a tab": b"a:\n\t- b",
    "a list as a key": b"? [a]\n: b",
    "infinity": b"apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: x, generation: .inf}",
}

INVALID = {
    "no name": imagestream(""),
    "an upper case name": imagestream("X"),
    "a name with a slash": imagestream("a/b"),
    "a name with a colon": imagestream("a:b"),
    "a name with a percent sign": imagestream("a%b"),
    "a name of dots": imagestream(".."),
    "a name too long": imagestream("a" * 256),
    "a name with an umlaut": imagestream("ä"),
    "a name with a NUL": imagestream("a\0b"),
    "a generated name with a NUL": {**imagestream(""), "metadata": {"generateName": "a\0"}},
    "a label with a NUL": created(labels={"k": "a\0b"}),
    "a label that is none": created(labels={"not a key": "v"}),
    "an annotation key with a NUL": created(annotations={"k\0": "v"}),
    "annotations too long": created(annotations={"k": "v" * 300_000}),
    "a finalizer with a NUL": created(finalizers=["a\0b"]),
    "a manager with a NUL": created(managedFields=[{**MANAGER, "manager": "a\0"}]),
    "a tag with a NUL": imagestream("x", NUL_TAG),
    "a NUL tag and nothing else": imagestream("x", {"name": "\0"}),
    "a tag of 10,000 letters": imagestream("x", reference_tag(LONG_NAME, "quay.io/x/y:1")),
    "a reference with a NUL": with_tag(**{"from": {"kind": "DockerImage", "name": "quay.io/x\0/y:1"}}),
    "a reference that is none": with_tag(**{"from": {"kind": "DockerImage", "name": "Not A Reference"}}),
    "a reference to a stream that is not there": with_tag(**{"from": {"kind": "ImageStreamTag", "name": "no:t"}}),
    "a source of no kind": with_tag(**{"from": {"kind": "Pod", "name": "x"}}),
    "an unknown policy": with_tag(referencePolicy={"type": "Sometimes"}),
    "a repository with a NUL": {**imagestream("x"), "spec": {"dockerImageRepository": "a\0b"}},
}

TAGS = {
    "a mapping of a NUL": ("imagestreammappings", mapping("a\0b")),
    "a mapping of a long tag": ("imagestreammappings", mapping(LONG_NAME)),
    "a mapping of no tag": ("imagestreammappings", mapping("")),
    "an image named NUL": ("imagestreammappings", mapping(name="sha256:\0")),
    "an image with a long name": ("imagestreammappings", mapping(name=LONG_NAME)),
    "an image that is nowhere": (
        "imagestreammappings",
        {**mapping(), "image": {"metadata": {"name": "sha256:1"}, "dockerImageReference": "a\0b"}},
    ),
    "an imagestreamtag with a NUL": ("imagestreamtags", istag("web:a\0b")),
    "an imagestreamtag with a long name": ("imagestreamtags", istag(f"web:{LONG_NAME}")),
    "an imagetag with a NUL": ("imagetags", imagetag("web", "a\0b")),
    "an imagetag with a long name": ("imagetags", imagetag("web", LONG_NAME)),
    "an imagetag of a stream that cannot be": ("imagetags", imagetag("W", "t")),
}

PATCHES: dict[str, tuple[str, bytes | Document | list[Any], int, str]] = {
    "a merge of a list": (MERGE, b"[]", 400, "BadRequest"),
    "a merge of nothing": (MERGE, b"", 400, "BadRequest"),
    "a merge cut off": (MERGE, b'{"metadata":', 400, "BadRequest"),
    "a merge of another kind": (MERGE, {"kind": "Image"}, 422, "Invalid"),
    "a merge of another name": (MERGE, {"metadata": {"name": "other"}}, 400, "BadRequest"),
    "a merge of another uid": (MERGE, {"metadata": {"uid": "other"}}, 422, "Invalid"),
    "a merge with an old version": (MERGE, {"metadata": {"resourceVersion": "1"}}, 409, "Conflict"),
    "a merge of wrong types": (MERGE, {"spec": {"tags": "none"}}, 422, "Invalid"),
    "a deep merge": (MERGE, b'{"a":' + nested(VERY_DEEP, b'{"a":', b"}") + b"}", 400, "BadRequest"),
    "a merge of a NUL tag": (MERGE, {"spec": {"tags": [{"name": "\0"}]}}, 422, "Invalid"),
    "a strategic merge of a NUL tag": (STRATEGIC, {"spec": {"tags": [{"name": "\0"}]}}, 422, "Invalid"),
    "a strategic merge without the key": (STRATEGIC, {"spec": {"tags": [{"reference": True}]}}, 500, ""),
    "an unknown directive": (STRATEGIC, {"spec": {"$patch": "explode"}}, 500, ""),
    "a deep strategic merge": (STRATEGIC, b'{"a":' + nested(DEEP, b'{"a":', b"}") + b"}", 400, "BadRequest"),
    "a JSON patch that is an object": (JSON_PATCH, {"op": "add"}, 400, "BadRequest"),
    "a JSON patch of no operation": (JSON_PATCH, [{"op": "explode", "path": "/x"}], 422, "Invalid"),
    "a JSON patch of no path": (JSON_PATCH, [{"op": "remove", "path": "/nosuch"}], 422, "Invalid"),
    "a JSON patch far beyond a list": (
        JSON_PATCH,
        [{"op": "add", "path": "/spec/tags/99999999999999999999", "value": {}}],
        422,
        "Invalid",
    ),
    "a JSON patch that copies without end": (
        JSON_PATCH,
        [{"op": "add", "path": "/metadata/annotations", "value": {"a": "x" * 1_000}}]
        + [{"op": "copy", "from": "/metadata", "path": f"/metadata/annotations/c{n}"} for n in range(60)],
        422,
        "Invalid",
    ),
    "a JSON patch of 10,001 operations": (
        JSON_PATCH,
        [{"op": "test", "path": "/kind", "value": "ImageStream"}] * 10_001,
        413,
        "RequestEntityTooLarge",
    ),
    "an applied list": (APPLY, b"[]", 400, "BadRequest"),
    "an applied kind that is another": (APPLY, HEAD.replace(b"ImageStream", b"Image") + b"}}", 400, "BadRequest"),
    "an applied name that is another": (APPLY, HEAD + b"}}", 400, "BadRequest"),
    "an applied unknown field": (APPLY, HEAD.replace(b'"x"', b'"web"') + b'},"spec":{"x":1}}', 500, ""),
    "an applied deep document": (APPLY, nested(VERY_DEEP, b"[", b"]"), 400, "BadRequest"),
    "no patch at all": ("application/json", b"{}", 415, "UnsupportedMediaType"),
}


async def post(quiet: Quiet, body: bytes, content_type: str = "application/json", **headers: str) -> Answer:
    named = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await quiet.api.request("POST", f"{GROUP}/{quiet.streams}", body, named)


@pytest.mark.parametrize("body", NOT_AN_OBJECT.values(), ids=NOT_AN_OBJECT)
async def test_json_that_is_no_image_stream(quiet: Quiet, body: bytes) -> None:
    (await post(quiet, body)).refused(400, "BadRequest")
    (await quiet.api.replace(f"{quiet.streams}/web", body)).refused(400, "BadRequest")


@pytest.mark.parametrize("body", NOT_YAML.values(), ids=NOT_YAML)
async def test_yaml_that_is_no_image_stream(quiet: Quiet, body: bytes) -> None:
    (await post(quiet, body, YAML)).refused(400, "BadRequest")


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
async def test_image_streams_against_the_rules(quiet: Quiet, body: Document) -> None:
    status = (await quiet.api.create(quiet.streams, body)).refused(422, "Invalid")
    assert status["details"]["kind"] == "ImageStream"
    assert status["details"]["causes"]


@pytest.mark.parametrize(("plural", "body"), TAGS.values(), ids=TAGS)
async def test_tags_and_pushes_against_the_rules(quiet: Quiet, plural: str, body: Document) -> None:
    (await quiet.api.create(f"namespaces/{quiet.namespace}/{plural}", body)).refused(422, "Invalid")


@pytest.mark.parametrize(("media_type", "body", "code", "reason"), PATCHES.values(), ids=PATCHES)
async def test_patches_against_the_rules(
    quiet: Quiet, media_type: str, body: bytes | Document | list[Any], code: int, reason: str
) -> None:
    query = {"fieldManager": "tests"} if media_type == APPLY else {}
    (await quiet.api.patch(f"{quiet.streams}/web", body, media_type, **query)).refused(code, reason)


@pytest.mark.parametrize(
    "entry",
    [
        {"tag": "\0", "items": [{"dockerImageReference": "quay.io/x/y:1", "image": "sha256:1", "generation": 1}]},
        {"tag": "t", "items": [{"dockerImageReference": "quay.io/x/y:1", "image": "sha256:\0", "generation": 1}]},
        {"tag": "t", "items": [{"dockerImageReference": "a\0b", "image": "sha256:1", "generation": 1}]},
        {"tag": LONG_NAME, "items": []},
    ],
    ids=["a NUL tag", "a NUL image", "a NUL reference", "a long tag"],
)
async def test_a_status_that_cannot_be_kept(quiet: Quiet, entry: Document) -> None:
    stream = (await quiet.api.get(f"{quiet.streams}/web")).ok()
    stream["status"] = {"tags": [entry]}
    (await quiet.api.replace(f"{quiet.streams}/web/status", stream)).refused(422, "Invalid")


async def test_unknown_and_repeated_fields(quiet: Quiet) -> None:
    """Told as warnings, or refused if the client says so; a dry run of it all leaves nothing either."""
    body = HEAD + b',"name":"y"},"spec":{"tagz":[]}}'
    strict = await quiet.api.create(quiet.streams, body, fieldValidation="Strict")
    message = strict.refused(400, "BadRequest")["message"]
    assert message.endswith('strict decoding error: duplicate field "metadata.name", unknown field "spec.tagz"')
    lenient = await quiet.api.create(quiet.streams, body, dryRun="All")
    assert lenient.ok()["metadata"]["name"] == "y"
    assert lenient.headers.getall("Warning") == [
        '299 - "duplicate field \\"metadata.name\\""',
        '299 - "unknown field \\"spec.tagz\\""',
    ]
    (await quiet.api.create(quiet.streams, body, fieldValidation="Maybe")).refused(422, "Invalid")


async def test_a_body_of_exactly_the_limit(quiet: Quiet) -> None:
    """3 MiB are read, a byte more is not; nor is what says it will be more, or unpacks to more."""
    body = json.dumps(imagestream("large")).encode()
    fill = b" " * (BODY_LIMIT_BYTES - len(body))
    (await post(quiet, body + fill + b" ")).refused(413, "RequestEntityTooLarge")
    packed = gzip.compress(body + fill + b" ")
    (await post(quiet, packed, Content_Encoding="gzip")).refused(413, "RequestEntityTooLarge")
    (await post(quiet, body + fill)).ok()
    await quiet.appended()


async def test_a_body_that_does_not_unpack(quiet: Quiet) -> None:
    (await post(quiet, b"{}", Content_Encoding="gzip")).refused(400, "BadRequest")


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "multipart/form-data", "\xff", "a/b/c"])
async def test_bodies_of_another_form(quiet: Quiet, media_type: str) -> None:
    (await post(quiet, b"{}", media_type)).refused(415, "UnsupportedMediaType")


async def test_deletions_that_make_no_sense(quiet: Quiet) -> None:
    path = f"{quiet.streams}/web"
    (await quiet.api.delete(path, b"{")).refused(500, "")
    (await quiet.api.delete(path, nested(VERY_DEEP, b'{"a":', b"}"))).refused(500, "")
    (await quiet.api.delete(path, {"propagationPolicy": "Sometimes"})).refused(422, "Invalid")
    (await quiet.api.delete(path, {"preconditions": {"uid": "another"}})).refused(409, "Conflict")
    (await quiet.api.delete(path, {"preconditions": {"resourceVersion": "1"}})).refused(409, "Conflict")


async def test_texts_that_a_document_may_hold(quiet: Quiet) -> None:
    """NULs and broken characters inside of documents are no harm: they are kept, and come back."""
    web = f"{quiet.streams}/web"
    for text, kept in (("a\0b", "a\0b"), ("\\ud800", "\\ud800"), ("\u2028", "\u2028")):
        body = json.dumps({"metadata": {"annotations": {"text": text}}}).encode()
        (await quiet.api.patch(web, body)).ok()
        assert (await quiet.api.get(web)).ok()["metadata"]["annotations"]["text"] == kept
    (await quiet.api.patch(web, b'{"metadata":{"annotations":{"text":"\xff \\ud800"}}}')).ok()
    assert (await quiet.api.get(web)).ok()["metadata"]["annotations"]["text"] == "\ufffd \ufffd"
    odd = docker_image(quiet.namespace).mapping("web", "v1")
    odd["image"]["dockerImageManifest"] = '{"schemaVersion":2,"mediaType":"\0"}'
    odd["image"]["dockerImageMetadata"] = {"Author": "a\0", "Config": {"Env": ["A=\0"], "Labels": {"\0": "\0"}}}
    (await quiet.api.create(f"namespaces/{quiet.namespace}/imagestreammappings", odd)).ok()
    image = (await quiet.api.get(f"images/{odd['image']['metadata']['name']}")).ok()
    assert image["dockerImageManifest"] == odd["image"]["dockerImageManifest"]
    assert image["dockerImageMetadata"]["Config"]["Labels"] == {"\0": "\0"}
    await quiet.appended()


async def test_the_longest_names(quiet: Quiet) -> None:
    """As long as a name may be, and beyond what any index compresses, it is stored, projected and found."""
    place = f"{quiet.namespace}-{LONG_NAME.lower()}"[:63]
    stream = LONG_NAME.lower()[: 255 - len(f"{place}/")]
    tag = LONG_NAME[:1_024]
    path = f"namespaces/{place}/imagestreams"
    (await quiet.api.create(path, imagestream(stream, reference_tag(tag, "quay.io/x/y:1")))).ok()
    image = docker_image(quiet.namespace).mapping(stream, tag)
    image["image"]["metadata"]["name"] = LONG_NAME[:1_024]
    (await quiet.api.create(f"namespaces/{place}/imagestreammappings", image)).ok()
    shown = (await quiet.api.get(f"namespaces/{place}/imagestreamtags/{stream}:{tag}")).ok()
    assert shown["image"]["metadata"]["name"] == LONG_NAME[:1_024]
    (await quiet.api.delete(f"{path}/{stream}")).ok()
    await quiet.appended()


async def test_a_thousand_tags_in_one_stream(quiet: Quiet) -> None:
    """Many, but not too many: each is there, in the stream and as an object of its own."""
    tags = [reference_tag(f"t{number:04}", f"quay.io/x/y:{number}") for number in range(1_000)]
    (await quiet.api.create(quiet.streams, imagestream("many", *tags))).ok()
    stream = (await quiet.api.get(f"{quiet.streams}/many")).ok()
    assert len(stream["spec"]["tags"]) == len(stream["status"]["tags"]) == 1_000
    tag = (await quiet.api.get(f"namespaces/{quiet.namespace}/imagetags/many:t0999")).ok()
    assert tag["status"]["items"][0]["dockerImageReference"] == "quay.io/x/y:999"
    (await quiet.api.delete(f"{quiet.streams}/many")).ok()
    await quiet.appended()
