"""Imports from registries over real sockets: what they get, and what they say when they do not get it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.api.core_v1 import Secret
from service.api.defaults import default_imagestreamimport
from service.api.image_v1 import (
    Image,
    ImageImportSpec,
    ImageImportStatus,
    ImageStreamImport,
    ImageStreamImportSpec,
    RepositoryImportSpec,
    RepositoryImportStatus,
    TagImportPolicy,
)
from service.api.meta_v1 import ObjectReference
from service.domain.allowed_registries import RegistrySources
from service.domain.errors import Overloaded
from service.importer.credentials import CredentialRing
from service.importer.exchange import Retries, registry_session
from service.importer.importer import Importer, ImportLimits, Outcome, Wishes
from service.importer.manifests import DEFAULT_PLATFORM, MEMBERS_LIMIT, Platform
from service.importer.repository import MANIFEST_LIMIT_BYTES
from service.runtime.certificates import ensure_certificates
from tests.real_images import OCI_INDEX, OCI_MANIFEST, PushedImage, docker_image, oci_image
from tests.registry import Manners, Registry, remote_registry

PROMPT = ImportLimits(retries=Retries(after_too_many_s=0, after_failure_s=0, after_cut_s=0))


class Imports:
    """Imports of one namespace."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self.secrets: list[Secret] = []
        self.sources = RegistrySources()
        self.platform = DEFAULT_PLATFORM

    async def image(self, name: str, *, insecure: bool = True, mode: str = "Legacy") -> ImageImportStatus:
        return (await self.images(name, insecure=insecure, mode=mode))[0]

    async def images(self, *names: str, insecure: bool = True, mode: str = "Legacy") -> list[ImageImportStatus]:
        policy = TagImportPolicy(insecure=insecure, import_mode=mode)
        specs = [
            ImageImportSpec(ObjectReference(kind="DockerImage", name=name), import_policy=policy) for name in names
        ]
        return (await self.fetch(ImageStreamImportSpec(images=specs))).images

    async def repository(self, name: str) -> RepositoryImportStatus:
        spec = RepositoryImportSpec(ObjectReference(kind="DockerImage", name=name), TagImportPolicy(insecure=True))
        outcome = await self.fetch(ImageStreamImportSpec(repository=spec))
        assert outcome.repository is not None
        return outcome.repository

    async def fetch(self, spec: ImageStreamImportSpec) -> Outcome:
        wanted = default_imagestreamimport(ImageStreamImport(spec=spec), "Legacy")
        wishes = Wishes("2026-01-01T00:00:00Z", self.sources, CredentialRing(self.secrets), lambda _tag: self.platform)
        return await self._importer.fetch(wanted, wishes)

    def log_in(self, host: str, user: str) -> None:
        auths = {host: {"auth": base64.b64encode(user.encode()).decode()}}
        data = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
        self.secrets.append(Secret(type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": data}))


@pytest_asyncio.fixture
async def imports() -> AsyncIterator[Imports]:
    async with registry_session() as session:
        yield Imports(Importer(session, PROMPT))


@pytest_asyncio.fixture
async def registry() -> AsyncIterator[Registry]:
    async with remote_registry() as registry:
        yield registry


@pytest.fixture
def built() -> list[PushedImage]:
    return [docker_image("a"), oci_image("b"), docker_image("c"), oci_image("d")]


def message(status: ImageImportStatus | RepositoryImportStatus) -> str:
    assert status.status.status == "Failure"
    return status.status.message


def image_of(status: ImageImportStatus) -> Image:
    assert status.image is not None, status.status
    return status.image


async def test_an_image_by_tag_by_default_tag_and_by_digest(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("team/app", built[0], "latest", "v1")
    name = f"{registry.host}/team/app"
    by_tag, by_default, by_digest = await imports.images(f"{name}:v1", name, f"{name}@{built[0].digest}")
    assert [status.tag for status in (by_tag, by_default, by_digest)] == ["v1", "latest", ""]
    for status in (by_tag, by_default, by_digest):
        image = image_of(status)
        assert status.status.status == "Success"
        assert (image.metadata.name, image.docker_image_reference) == (built[0].digest, f"{name}@{built[0].digest}")
        assert (image.docker_image_manifest, image.docker_image_config) == (built[0].manifest, built[0].config)
        assert [layer.name for layer in image.docker_image_layers or ()] == [digest for digest, _ in built[0].layers]


async def test_what_is_asked_for_twice_is_fetched_once(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("team/app", built[0], "v1")
    statuses = await imports.images(*[f"{registry.host}/team/app:v1"] * 20)
    assert {image_of(status).metadata.name for status in statuses} == {built[0].digest}
    assert registry.asked["/v2/"] == registry.asked["/v2/team/app/manifests/v1"] == 1


def index_of(*images: PushedImage, architectures: tuple[str, ...]) -> bytes:
    members = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(image.manifest),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for image, architecture in zip(images, architectures, strict=True)
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": members}).encode()


async def test_a_list_is_replaced_by_the_member_that_is_meant(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    for image in built:
        registry.push("multi", image)
    registry.put("multi", index_of(*built[:3], architectures=("arm64", "amd64", "s390x")), OCI_INDEX, "all")
    registry.put("multi", index_of(*built[:2], architectures=("arm64", "s390x")), OCI_INDEX, "exotic")
    name = f"{registry.host}/multi"
    assert image_of(await imports.image(f"{name}:all")).metadata.name == built[1].digest
    assert image_of(await imports.image(f"{name}:exotic")).metadata.name == built[0].digest
    imports.platform = Platform("s390x", "linux")
    assert image_of(await imports.image(f"{name}:all")).metadata.name == built[2].digest


async def test_a_list_is_kept_with_all_its_members(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    for image in built[:2]:
        registry.push("multi", image)
    digest = registry.put("multi", index_of(*built[:2], architectures=("amd64", "arm64")), OCI_INDEX, "all")
    kept = await imports.image(f"{registry.host}/multi:all", mode="PreserveOriginal")
    image = image_of(kept)
    assert (image.metadata.name, image.docker_image_manifest_media_type) == (digest, OCI_INDEX)
    assert [member.digest for member in image.docker_image_manifests] == [built[0].digest, built[1].digest]
    assert [member.metadata.name for member in kept.manifests] == [built[0].digest, built[1].digest]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (json.dumps({"manifests": []}).encode(), "the manifest list is empty"),
        (
            json.dumps({"manifests": [{"digest": f"sha256:{i:064}"} for i in range(MEMBERS_LIMIT + 1)]}).encode(),
            f"the manifest list has more than {MEMBERS_LIMIT} members",
        ),
        (json.dumps({"manifests": [{"digest": "nonsense"}]}).encode(), 'the manifest list names no digest: "nonsense"'),
        (b"\xff\xfe", "the manifest or config is not UTF-8 text"),
    ],
)
async def test_lists_that_are_none(imports: Imports, registry: Registry, manifest: bytes, why: str) -> None:
    registry.put("odd", manifest, OCI_INDEX, "latest")
    name = f"{registry.host}/odd:latest"
    assert message(await imports.image(name)) == f"Internal error occurred: {name}: {why}"


async def test_a_list_within_a_list_is_refused(imports: Imports, registry: Registry) -> None:
    inner = registry.put("odd", json.dumps({"manifests": []}).encode(), OCI_INDEX)
    registry.put("odd", json.dumps({"manifests": [{"digest": inner}]}).encode(), OCI_INDEX, "latest")
    assert message(await imports.image(f"{registry.host}/odd:latest")).endswith("is a member of another")


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"schemaVersion": 3}', b'{"schemaVersion": 2}', b"<html>"])
async def test_manifests_that_are_none(imports: Imports, registry: Registry, manifest: bytes) -> None:
    registry.put("odd", manifest, OCI_MANIFEST, "latest")
    status = await imports.image(f"{registry.host}/odd:latest")
    assert (status.status.code, status.status.reason, status.image) == (500, "InternalError", None)


async def test_tags_come_in_their_order_and_from_all_pages(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.manners.tags_page = 2
    registry.push("app", built[0], "abc", "1.0.0", "v1.2.3", "latest", "2.0.0-rc1")
    found = await imports.repository(f"{registry.host}/app")
    assert [status.tag for status in found.images] == ["latest", "2.0.0-rc1", "v1.2.3", "1.0.0", "abc"]
    assert found.status.status == "Success"
    assert registry.asked["/v2/app/tags/list"] == 3


async def test_of_many_tags_the_first_are_imported_and_the_rest_named(
    registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("app", built[0], *(f"t{number}" for number in range(8)))
    async with registry_session() as session:
        found = await Imports(Importer(session, ImportLimits(tags=5))).repository(f"{registry.host}/app")
    assert [status.tag for status in found.images] == [f"t{number}" for number in range(5)]
    assert found.additional_tags == ["t5", "t6", "t7"]


async def test_a_repository_of_which_some_tags_fail(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("app", built[0], "good")
    registry.put("app", b"{}", OCI_MANIFEST, "bad", "worse")
    found = await imports.repository(f"{registry.host}/app")
    assert message(found) == "2 of the images from this repository failed to import"
    assert [status.status.status for status in found.images] == ["Failure", "Success", "Failure"]


async def test_what_is_not_there(imports: Imports, registry: Registry, built: list[PushedImage]) -> None:
    registry.push("app", built[0], "v1")
    nowhere = await imports.image(f"{registry.host}/app:v2")
    assert (nowhere.tag, nowhere.status.code, nowhere.status.reason) == ("v2", 404, "NotFound")
    assert message(nowhere) == f'dockerimage.image.openshift.io "{registry.host}/app:v2" not found'
    missing = await imports.repository(f"{registry.host}/none")
    assert message(missing) == f'dockerimage.image.openshift.io "{registry.host}/none" not found'


async def test_basic_credentials_are_shown_to_their_registry(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("app", built[0], "v1")
    registry.manners.login = "basic"
    name = f"{registry.host}/app"
    refused = await imports.image(f"{name}:v1")
    assert (refused.status.code, refused.status.reason) == (401, "Unauthorized")
    assert message(refused) == f'you may not have access to the container image "{name}:v1"'
    unlisted = await imports.repository(name)
    assert message(unlisted).endswith(f'Get "http://{name.replace("/", "/v2/")}/tags/list": no basic auth credentials')
    imports.log_in(registry.host, "u:wrong")
    assert message(await imports.image(f"{name}:v1")) == message(refused)
    imports.secrets.clear()
    imports.log_in(registry.host, "u:p")
    assert image_of(await imports.image(f"{name}:v1")).metadata.name == built[0].digest
    assert (await imports.repository(name)).status.status == "Success"


async def test_tokens_are_asked_for_each_repository(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    for repository in ("public/app", "private/app"):
        registry.push(repository, built[0], "v1")
    registry.manners.login = "bearer"
    public, private = f"{registry.host}/public/app:v1", f"{registry.host}/private/app:v1"
    free, closed = await imports.images(public, private)
    assert image_of(free).metadata.name == built[0].digest
    assert closed.status.code == 401
    imports.log_in(registry.host, "u:p")
    assert {status.status.status for status in await imports.images(public, private)} == {"Success"}


async def test_wrong_credentials_do_not_keep_a_public_image_out(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    for repository in ("public/app", "private/app"):
        registry.push(repository, built[0], "v1")
    registry.manners.login = "bearer"
    imports.log_in(registry.host, "u:wrong")
    public, private = f"{registry.host}/public/app:v1", f"{registry.host}/private/app:v1"
    free, closed = await imports.images(public, private)
    assert image_of(free).metadata.name == built[0].digest
    assert message(closed) == f'incorrect username or password for image "{private}"'


@pytest.mark.parametrize("statuses", [[429], [500, 503], [0], [0, 429]])
async def test_a_registry_that_is_busy_is_asked_again(
    imports: Imports, registry: Registry, built: list[PushedImage], statuses: list[int]
) -> None:
    registry.push("app", built[0], "v1")
    registry.manners.statuses = statuses
    assert image_of(await imports.image(f"{registry.host}/app:v1")).metadata.name == built[0].digest


async def test_but_not_for_ever(imports: Imports, registry: Registry) -> None:
    registry.manners.statuses = [503] * 100
    name = f"{registry.host}/app:v1"
    refused = message(await imports.image(name, insecure=True))
    assert refused == f"Internal error occurred: {name}: received unexpected HTTP status: 503 Service Unavailable"
    assert len(registry.manners.statuses) == 100 - 1 - PROMPT.retries.limit


async def test_other_bytes_than_the_digest_says_are_no_image(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("app", built[0], "v1")
    registry.manners.lies = True
    for reference in (f"@{built[0].digest}", ":v1"):
        assert "content integrity error" in message(await imports.image(f"{registry.host}/app{reference}"))


async def test_an_answer_without_end_is_not_read_to_it(
    imports: Imports, registry: Registry, built: list[PushedImage]
) -> None:
    registry.push("app", built[0], "v1")
    registry.manners.bloat_bytes = MANIFEST_LIMIT_BYTES
    assert message(await imports.image(f"{registry.host}/app:v1")).endswith(
        f"the answer is larger than {MANIFEST_LIMIT_BYTES} bytes"
    )


async def test_an_import_ends_in_time_with_what_it_has(registry: Registry, built: list[PushedImage]) -> None:
    registry.push("app", built[0], "v1")
    async with remote_registry(Manners(hangs=True)) as silent, registry_session() as session:
        imports = Imports(Importer(session, ImportLimits(timeout_s=0.5)))
        here, nowhere = await imports.images(f"{registry.host}/app:v1", f"{silent.host}/app:v1")
    assert image_of(here).metadata.name == built[0].digest
    assert message(nowhere) == f"Internal error occurred: {silent.host}/app:v1: context deadline exceeded"


async def test_an_import_reads_no_more_than_it_may(registry: Registry, built: list[PushedImage]) -> None:
    for number, image in enumerate(built):
        registry.push("app", image, f"t{number}")
    async with registry_session() as session:
        imports = Imports(Importer(session, ImportLimits(read_bytes=len(built[0].manifest) * 3, fetches=1)))
        statuses = await imports.images(*(f"{registry.host}/app:t{number}" for number in range(4)))
    assert message(statuses[-1]).endswith("the import reads more than " + f"{len(built[0].manifest) * 3} bytes")


async def test_more_imports_than_may_run_are_refused_at_once() -> None:
    async with remote_registry(Manners(hangs=True)) as silent, registry_session() as session:
        imports = Imports(Importer(session, ImportLimits(imports=1, timeout_s=0.5)))
        first = asyncio.create_task(imports.image(f"{silent.host}/app:v1"), name="first")
        await silent.was_asked.wait()
        with pytest.raises(Overloaded):
            await imports.image(f"{silent.host}/app:v1")
        assert (await first).status.code == 500
        assert (await imports.image(f"{silent.host}/app:v1")).status.code == 500


async def test_a_blocked_registry_is_not_asked(imports: Imports, registry: Registry, built: list[PushedImage]) -> None:
    registry.push("app", built[0], "v1")
    imports.sources = RegistrySources(blocked=frozenset({registry.host}))
    for status in (await imports.image(f"{registry.host}/app:v1"), await imports.repository(f"{registry.host}/app")):
        assert (message(status), status.status.code) == (f"forbidden: registry {registry.host} blocked", 403)
    assert not registry.asked


async def test_a_name_that_is_none(imports: Imports) -> None:
    status = await imports.image("*")
    assert (status.status.code, status.status.reason) == (422, "Invalid")
    assert message(status) == ' "" is invalid: from.name: Invalid value: "*": invalid name: invalid reference format'


async def test_what_the_network_says(imports: Imports, registry: Registry, unused_tcp_port: int) -> None:
    nobody = f"127.0.0.1:{unused_tcp_port}"
    for insecure, scheme in ((False, "https"), (True, "http")):
        said = message(await imports.image(f"{nobody}/a/b:c", insecure=insecure))
        refused = f'Get "{scheme}://{nobody}/v2/": dial tcp {nobody}: connect: connection refused'
        assert said == f"Internal error occurred: {nobody}/a/b:c: {refused}"
    plain = message(await imports.image(f"{registry.host}/a:b", insecure=False))
    assert plain.endswith(f'Get "https://{registry.host}/v2/": http: server gave HTTP response to HTTPS client')
    unknown = message(await imports.image("no-such-host.invalid/a/b:c", insecure=False))
    assert 'Get "https://no-such-host.invalid/v2/": dial tcp: lookup no-such-host.invalid' in unknown
    assert unknown.endswith(": no such host")


async def test_tls_is_verified_unless_the_import_says_otherwise(
    imports: Imports, tmp_path: Path, built: list[PushedImage]
) -> None:
    made = ensure_certificates(tmp_path / "tls", ["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.tls.cert_file, made.tls.private_key_file)
    async with remote_registry(context=context) as registry:
        registry.push("app", built[0], "v1")
        name = f"{registry.host}/app:v1"
        said = message(await imports.image(name, insecure=False))
        assert said.endswith("tls: failed to verify certificate: x509: certificate signed by unknown authority")
        assert image_of(await imports.image(name)).metadata.name == built[0].digest
        imports.sources = RegistrySources(insecure=frozenset({registry.host}))
        assert image_of(await imports.image(name, insecure=False)).metadata.name == built[0].digest


async def test_a_config_that_is_huge_or_missing(imports: Imports, registry: Registry) -> None:
    absent = f"sha256:{hashlib.sha256(b'absent').hexdigest()}"
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {"digest": absent}, "layers": []}
    registry.put("app", json.dumps(manifest).encode(), OCI_MANIFEST, "v1")
    assert (await imports.image(f"{registry.host}/app:v1")).status.code == 404
