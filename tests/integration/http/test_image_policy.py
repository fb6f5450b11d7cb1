"""An image policy over HTTP: what an administrator keeps out is refused wherever it could come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.integration.http.client import IMAGES, Answer, Client
from tests.integration.http.conftest import serving

STREAMS = f"{IMAGES}/namespaces/team/imagestreams"
TAGS = f"{IMAGES}/namespaces/team/imagestreamtags"
MAPPINGS = f"{IMAGES}/namespaces/team/imagestreammappings"
POLICY = """\
apiVersion: config.openshift.io/v1
kind: Image
spec: {allowedRegistriesForImport: [{domainName: quay.io}]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: team}
spec:
  limits:
  - {type: openshift.io/Image, max: {storage: 1Ki}}
  - {type: openshift.io/ImageStream, max: {openshift.io/images: 2, openshift.io/image-tags: 2}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: streams, namespace: few}
spec: {hard: {openshift.io/imagestreams: 2}}
"""
REFUSAL = 'registry "evil.example" not allowed by whitelist: "registry:5000", "quay.io:443"'


@pytest_asyncio.fixture
async def guarded(database: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """A server with the policy above; its internal registry is registry:5000."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    async with serving(
        database, nats_url, tmp_path, None, image_policy_file=policy, internal_registry_hostname="registry:5000"
    ) as client:
        yield client


def spec_tag(source: str, name: str = "") -> dict[str, Any]:
    return {"name": name, "from": {"kind": "DockerImage", "name": source}}


def digest(n: int) -> str:
    return f"sha256:{n:064x}"


async def push(client: Client, n: int, tag: str, reference: str = "", size_bytes: int = 1) -> Answer:
    image = {
        "metadata": {"name": digest(n)},
        "dockerImageReference": reference,
        "dockerImageMetadata": {"kind": "DockerImage", "apiVersion": "image.openshift.io/1.0", "Size": size_bytes},
    }
    return await client.ask("POST", MAPPINGS, {"metadata": {"name": "app"}, "tag": tag, "image": image})


def causes(answer: Answer) -> list[tuple[str, str]]:
    answer.refused(422, "Invalid")
    return [(cause["field"], cause["message"]) for cause in answer.document["details"]["causes"]]


async def test_a_registry_that_is_not_allowed_is_refused_in_every_place(guarded: Client) -> None:
    evil = "evil.example/a/b:1"
    stream = {"metadata": {"name": "app"}, "spec": {"tags": [spec_tag(evil, "t")]}}
    assert causes(await guarded.ask("POST", STREAMS, stream)) == [("spec.tags[t].from.name", f"Forbidden: {REFUSAL}")]
    tag = {"metadata": {"name": "app:t"}, "tag": spec_tag(evil)}
    assert causes(await guarded.ask("POST", TAGS, tag)) == [("tag.from.name", f"Forbidden: {REFUSAL}")]
    assert causes(await guarded.ask("PUT", f"{TAGS}/app:t", tag))[0] == ("tag.from.name", f"Forbidden: {REFUSAL}")
    (await guarded.create_stream("team", "app")).ok(201)
    assert causes(await push(guarded, 1, "t", "evil.example/a/b@" + digest(1))) == [
        ("status.tags[t].items[0].dockerImageReference", f"Forbidden: {REFUSAL}")
    ]
    found = (await guarded.ask("GET", f"{STREAMS}/app")).ok()
    assert found["metadata"]["generation"] == 1
    assert "tags" not in found["status"]


async def test_what_is_allowed_comes_in(guarded: Client) -> None:
    stream = {"metadata": {"name": "app"}, "spec": {"tags": [spec_tag("quay.io/a/b:1", "t")]}}
    (await guarded.ask("POST", STREAMS, stream)).ok(201)
    (await push(guarded, 1, "pushed")).ok(201)
    (await push(guarded, 2, "mirrored", "quay.io/a/b@" + digest(2))).ok(201)


async def test_an_image_that_is_too_large_is_forbidden(guarded: Client) -> None:
    (await guarded.create_stream("team", "app")).ok(201)
    message = (await push(guarded, 1, "t", size_bytes=1025)).refused(403, "Forbidden")
    assert message == (
        'imagestreammappings.image.openshift.io "app" is forbidden: '
        "requested usage of storage exceeds the maximum limit per openshift.io/Image (1025 > 1Ki)"
    )
    (await push(guarded, 1, "t", size_bytes=1024)).ok(201)
    (await guarded.ask("GET", f"{IMAGES}/images/{digest(1)}")).ok()


async def test_a_stream_names_no_more_images_than_its_limit(guarded: Client) -> None:
    (await guarded.create_stream("team", "app")).ok(201)
    for n in (1, 2, 1):
        (await push(guarded, n, "t")).ok(201)
    excess = "requested usage of openshift.io/images exceeds the maximum limit per openshift.io/ImageStream (3 > 2)"
    assert causes(await push(guarded, 3, "t")) == [
        ("imageStream", f'Forbidden: ImageStream.image.openshift.io "app" is forbidden: {excess}')
    ]
    (await guarded.ask("GET", f"{IMAGES}/images/{digest(3)}")).refused(404, "NotFound")


async def test_a_spec_names_no_more_sources_than_its_limit(guarded: Client) -> None:
    tags = [spec_tag(f"quay.io/a/b:{n}", f"t{n}") for n in range(3)]
    answer = await guarded.ask("POST", STREAMS, {"metadata": {"name": "app"}, "spec": {"tags": tags}})
    excess = "requested usage of openshift.io/image-tags exceeds the maximum limit per openshift.io/ImageStream (3 > 2)"
    assert causes(answer) == [("[]", f'Internal error: ImageStream.image.openshift.io "app" is forbidden: {excess}')]
    (await guarded.ask("POST", STREAMS, {"metadata": {"name": "app"}, "spec": {"tags": tags[:2]}})).ok(201)
    third = {"metadata": {"name": "app:t2"}, "tag": tags[2]}
    assert excess in causes(await guarded.ask("POST", TAGS, third))[0][1]


async def test_a_namespace_has_no_more_streams_than_its_quota(guarded: Client) -> None:
    """Whichever request would create one more, and not those that need none."""
    source = spec_tag("quay.io/a/b:1")
    api = f"{IMAGES}/namespaces/few"
    (await guarded.create_stream("few", "a")).ok(201)
    (await guarded.ask("PUT", f"{api}/imagestreamtags/b:t", {"metadata": {"name": "b:t"}, "tag": source})).ok(201)
    excess = "exceeded quota: streams, requested: openshift.io/imagestreams=1, "
    excess += "used: openshift.io/imagestreams=2, limited: openshift.io/imagestreams=2"
    for method, path, body, named in [
        ("POST", "imagestreams", {"metadata": {"name": "c"}}, 'imagestreams.image.openshift.io "c"'),
        (
            "POST",
            "imagestreamtags",
            {"metadata": {"name": "c:t"}, "tag": source},
            'imagestreamtags.image.openshift.io "c:t"',
        ),
        (
            "PUT",
            "imagestreamtags/c:t",
            {"metadata": {"name": "c:t"}, "tag": source},
            'imagestreamtags.image.openshift.io "c:t"',
        ),
    ]:
        assert (await guarded.ask(method, f"{api}/{path}", body)).refused(
            403, "Forbidden"
        ) == f"{named} is forbidden: {excess}"
    (await guarded.ask("POST", f"{api}/imagestreamtags", {"metadata": {"name": "a:t"}, "tag": source})).ok(201)
    (await guarded.create_stream("few", "a")).refused(409, "AlreadyExists")


async def test_a_stricter_policy_locks_nobody_in(guarded: Client, tmp_path: Path) -> None:
    """What a stream named before stays, and can be changed; nothing more of that registry comes in."""
    stream = {"metadata": {"name": "app"}, "spec": {"tags": [spec_tag("quay.io/a/b:1", "t")]}}
    (await guarded.ask("POST", STREAMS, stream)).ok(201)
    (tmp_path / "policy.yaml").write_text(POLICY.replace("quay.io", "other.example"))
    probe = {"metadata": {"name": "probe"}, "spec": {"tags": [spec_tag("quay.io/x/y:1", "t")]}}
    refused = False
    async with asyncio.timeout(30):
        while not refused:
            await asyncio.sleep(0.05)
            refused = (await guarded.ask("POST", f"{STREAMS}?dryRun=All", probe)).status == 422
    patch = {"spec": {"tags": [spec_tag("quay.io/a/b:2", "t")]}}
    media_type = "application/merge-patch+json"
    (await guarded.ask("PATCH", f"{STREAMS}/app", patch, media_type=media_type)).ok()
    retagged = {"metadata": {"name": "app:t"}, "tag": spec_tag("quay.io/a/b:3")}
    (await guarded.ask("PUT", f"{TAGS}/app:t", retagged)).ok()
    patch = {"spec": {"tags": [spec_tag("quay.io/a/other:1", "t")]}}
    assert causes(await guarded.ask("PATCH", f"{STREAMS}/app", patch, media_type=media_type))
