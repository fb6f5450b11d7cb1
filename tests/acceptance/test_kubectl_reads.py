"""What a person sees with kubectl: tables, documents, selections, pages, explanations."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.acceptance.api import Api, imagestream, reference_tag
from tests.acceptance.kubectl import Kubectl
from tests.real_images import PushedImage, docker_image, oci_image

KINDS = {
    "imagestreams": "ImageStream",
    "imagestreamtags": "ImageStreamTag",
    "imagetags": "ImageTag",
    "images": "Image",
    "imagestreammappings": "ImageStreamMapping",
    "imagestreamimages": "ImageStreamImage",
}


async def pushed(api: Api, namespace: str, stream: str, tag: str, image: PushedImage) -> None:
    answer = await api.create(f"namespaces/{namespace}/imagestreammappings", image.mapping(stream, tag))
    answer.ok()


@pytest.fixture
async def shop(api: Api, namespace: str) -> list[PushedImage]:
    """Two streams: `web`, labelled, with two pushed tags and one reference; `worker` with none. The images of web."""
    streams = f"namespaces/{namespace}/imagestreams"
    web = imagestream("web", reference_tag("upstream", "quay.io/team/web:1.2"), labels={"app": "web", "tier": "front"})
    (await api.create(streams, web)).ok()
    (await api.create(streams, imagestream("worker", labels={"app": "worker"}))).ok()
    images = [docker_image(f"{namespace}-1"), oci_image(f"{namespace}-2")]
    await pushed(api, namespace, "web", "v1", images[0])
    await pushed(api, namespace, "web", "latest", images[0])
    await pushed(api, namespace, "web", "latest", images[1])
    return images


async def test_imagestreams_as_tables(kubectl: Kubectl, shop: list[PushedImage]) -> None:
    plain = await kubectl.ok("get", "imagestreams")
    assert plain.rows[0] == ["NAME", "IMAGE", "REPOSITORY", "TAGS", "UPDATED"]
    assert [row[0] for row in plain.rows[1:]] == ["web", "worker"]
    assert plain.rows[1][1] == "latest,upstream,v1"
    wide = await kubectl.ok("get", "is", "-o", "wide", "--show-labels")
    assert wide.rows[1][-1] == "app=web,tier=front"
    everywhere = await kubectl.ok("get", "is", "-A", "--no-headers")
    assert [kubectl.namespace, "web"] in [row[:2] for row in everywhere.rows]


async def test_tags_as_tables(kubectl: Kubectl, shop: list[PushedImage]) -> None:
    """An imagestreamtag needs an image, an imagetag does not."""
    first, second = (image.reference("team/app") for image in shop)
    table = await kubectl.ok("get", "istag")
    assert [row[:2] for row in table.rows[1:]] == [["web:latest", second], ["web:v1", first]]
    wide = await kubectl.ok("get", "istag", "web:v1", "-o", "wide")
    assert wide.rows[1][-1] == shop[0].digest
    history = await kubectl.ok("get", "itag")
    assert [row[:2] for row in history.rows[1:]] == [
        ["web:latest", "Push"],
        ["web:upstream", "Ref"],
        ["web:v1", "Push"],
    ]
    images = await kubectl.ok("get", "images", shop[0].digest, "-o", "name")
    assert images.out == f"image.image.openshift.io/{shop[0].digest}\n"


async def test_documents(kubectl: Kubectl, shop: list[PushedImage]) -> None:
    """The same object in every form, with its whole history."""
    as_json = (await kubectl.ok("get", "is", "web", "-o", "json")).document
    as_yaml = yaml.safe_load((await kubectl.ok("get", "is", "web", "-o", "yaml")).out)
    assert as_yaml == as_json
    latest = next(tag for tag in as_json["status"]["tags"] if tag["tag"] == "latest")
    assert [item["image"] for item in latest["items"]] == [image.digest for image in reversed(shop)]
    name = await kubectl.ok("get", "is", "-o", "name")
    assert name.out.split() == ["imagestream.image.openshift.io/web", "imagestream.image.openshift.io/worker"]
    path = "jsonpath={.items[*].metadata.name} {.items[0].spec.tags[0].from.name}"
    assert (await kubectl.ok("get", "is", "-o", path)).out == "web worker quay.io/team/web:1.2"
    columns = await kubectl.ok("get", "istag", "-o", "custom-columns=TAG:.metadata.name,IMAGE:.image.metadata.name")
    assert columns.rows[1:] == [["web:latest", shop[1].digest], ["web:v1", shop[0].digest]]
    tag = (await kubectl.ok("get", "istag", "web:v1", "-o", "json")).document
    assert tag["image"]["dockerImageMetadata"]["Config"]["Env"][1] == f"APP_VERSION={kubectl.namespace}-1"
    image = (await kubectl.ok("get", "image", shop[0].digest, "-o", "json")).document
    assert image["dockerImageManifest"] == shop[0].manifest
    assert [layer["name"] for layer in image["dockerImageLayers"]] == [digest for digest, _ in shop[0].layers]


async def test_selections(kubectl: Kubectl, shop: list[PushedImage]) -> None:
    async def names(*arguments: str) -> list[str]:
        listed = await kubectl.ok("get", *arguments, "-o", "name")
        return [line.rpartition("/")[2] for line in listed.out.split()]

    assert await names("is", "-l", "app=web") == ["web"]
    assert await names("is", "-l", "app in (web, worker),tier!=front") == ["worker"]
    assert await names("is", "-l", "!tier") == ["worker"]
    assert await names("is", "--field-selector", "metadata.name=worker") == ["worker"]
    assert await names("istag", "-l", "app=web") == ["web:latest", "web:v1"]
    assert await names("itag", "--field-selector", "metadata.name=web:upstream") == ["web:upstream"]
    assert await names("is", "web", "worker") == ["web", "worker"]
    assert "No resources found" in (await kubectl.ok("get", "is", "-l", "app=nobody")).err
    assert "is not a known field selector" in await kubectl.fails("get", "is", "--field-selector", "spec.tags=x")
    assert "found '=', expected: ',' or 'end of string'" in await kubectl.fails("get", "is", "-l", "a=b=c")


async def test_pages_are_one_snapshot(kubectl: Kubectl, api: Api, namespace: str) -> None:
    """kubectl follows the continue tokens itself."""
    for number in range(7):
        (await api.create(f"namespaces/{namespace}/imagestreams", imagestream(f"s{number}"))).ok()
    listed = await kubectl.ok("get", "is", "--chunk-size=2", "-o", "name", "-v=8")
    assert [line[-2:] for line in listed.out.split()] == [f"s{number}" for number in range(7)]
    assert sum("&limit=2" in line or "?limit=2" in line for line in listed.err.splitlines() if "GET https" in line) == 4
    by_age = await kubectl.ok("get", "is", "--sort-by=.metadata.resourceVersion", "-o", "name")
    assert len(by_age.out.split()) == 7


async def test_what_is_not_there(kubectl: Kubectl) -> None:
    assert f"No resources found in {kubectl.namespace} namespace." in (await kubectl.ok("get", "is")).err
    await kubectl.ok("create", "-f", kubectl.file(imagestream("there")))
    message = await kubectl.fails("get", "is", "nosuch")
    assert message == 'Error from server (NotFound): imagestreams.image.openshift.io "nosuch" not found\n'
    assert 'imagestreamtags.image.openshift.io "nosuch"' in await kubectl.fails("get", "istag", "nosuch:latest")
    assert "must be retrieved with <name>:<tag>" in await kubectl.fails("get", "istag", "nosuch")


@pytest.mark.parametrize(("resource", "kind"), KINDS.items())
async def test_every_kind_explains_itself(kubectl: Kubectl, resource: str, kind: str) -> None:
    explained = await kubectl.ok("explain", resource)
    assert f"KIND:       {kind}\n" in explained.out
    assert "\nDESCRIPTION:\n    <empty>" not in explained.out
    recursive = await kubectl.ok("explain", resource, "--recursive")
    assert "\n    resourceVersion\t<string>" in recursive.out


async def test_fields_explain_themselves(kubectl: Kubectl) -> None:
    assert "FIELD: from <ObjectReference>" in (await kubectl.ok("explain", "istag.tag.from")).out
    assert "FIELD: items <[]TagEvent>" in (await kubectl.ok("explain", "is.status.tags.items")).out
    assert "nosuch" in await kubectl.fails("explain", "is.spec.nosuch")


async def test_discovery(kubectl: Kubectl) -> None:
    listed = await kubectl.ok("api-resources", "--api-group=image.openshift.io", "--no-headers")
    assert {row[0]: row[-1] for row in listed.rows}.items() >= KINDS.items()
    verbs = await kubectl.ok("api-resources", "--api-group=image.openshift.io", "-o", "wide", "--no-headers")
    tags = next(line for line in verbs.out.splitlines() if line.startswith("imagestreamtags "))
    assert "create,delete,get,list,patch,update,watch" in tags
    assert "image.openshift.io/v1" in (await kubectl.ok("api-versions")).out.split()
    version = json.loads((await kubectl.ok("version", "-o", "json")).out)
    assert version["serverVersion"]["major"] == "1"
    assert (await kubectl.ok("get", "--raw", "/readyz")).out == "ok"


async def test_descriptions(kubectl: Kubectl, shop: list[PushedImage]) -> None:
    described = await kubectl.ok("describe", "is", "web")
    assert "Docker Image Reference:  quay.io/team/web:1.2" in described.out
    assert shop[1].digest in (await kubectl.ok("describe", "istag", "web:latest")).out
