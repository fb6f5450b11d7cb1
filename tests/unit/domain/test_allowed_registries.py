"""Which registries are let in (spec: image-api 11.4, 9.2): names and ports as clients would use them."""

from __future__ import annotations

import pytest

from service.api.image_v1 import (
    ImageImportSpec,
    ImageStreamImport,
    ImageStreamImportSpec,
    RepositoryImportSpec,
    TagImportPolicy,
)
from service.api.meta_v1 import ObjectReference
from service.api.pull_specs import parse_pull_spec
from service.domain.allowed_registries import AllowedRegistries, RegistryPattern, RegistrySources


def allowed(*names: str, insecure: bool = False) -> AllowedRegistries:
    return AllowedRegistries(tuple(RegistryPattern.parse(name, insecure=insecure) for name in names))


SOME = ("localhost:5000", "docker.io", "example.com:*", "registry.com:80")
MORE = (*SOME, "*.foo.com", "*domain.ltd")


@pytest.mark.parametrize(
    ("patterns", "insecure_entry", "reference", "insecure", "let_in"),
    [
        pytest.param((), False, "anything.example/a", False, True, id="no list lets everything in"),
        pytest.param(("*",), False, "example.com/a", False, True, id="any host, TLS"),
        pytest.param(("*",), False, "localhost:5000/a", False, False, id="any host means its usual port"),
        pytest.param(("*",), True, "localhost:80/a", True, True, id="any host without TLS"),
        pytest.param(("*",), True, "localhost:443/a", True, False, id="the port of TLS is not the one without"),
        pytest.param(("*:*",), False, "localhost:5000/a", False, True, id="any port"),
        pytest.param(SOME, False, "busybox", False, True, id="no registry is Docker Hub"),
        pytest.param(SOME, False, "docker.io/library/busybox", False, True, id="Docker Hub by its name"),
        pytest.param(SOME, False, "index.docker.io/a/b", False, True, id="Docker Hub by an older name"),
        pytest.param(SOME, False, "registry-1.docker.io:443/a/b", False, True, id="Docker Hub by its server's name"),
        pytest.param(SOME, False, "example.com:5000/a", False, True, id="any port of one host"),
        pytest.param(SOME, False, "registry.com/a", False, False, id="without TLS alone, asked with TLS"),
        pytest.param(SOME, False, "registry.com/a", True, True, id="without TLS alone, asked without"),
        pytest.param(SOME, False, "registry.com:443/a", True, False, id="a port that is said counts"),
        pytest.param(SOME, False, "registry.example.com/a", False, False, id="a host is not its domain"),
        pytest.param(MORE, False, "a.b.foo.com/a", False, True, id="every host of a domain"),
        pytest.param(MORE, False, "foo.com/a", False, False, id="a dot that is asked for"),
        pytest.param(MORE, False, "my.domain.ltd/a", False, True, id="the end of a host name"),
        pytest.param(("regist??.io",), False, "registry.io/a", False, True, id="single characters"),
        pytest.param(("a.b",), False, "axb/c.d:1", False, False, id="a dot is no wildcard"),
    ],
)
def test_a_reference_is_let_in_or_not(
    patterns: tuple[str, ...], insecure_entry: bool, reference: str, insecure: bool, let_in: bool
) -> None:
    refusal = allowed(*patterns, insecure=insecure_entry).refusal(parse_pull_spec(reference), insecure)
    assert (refusal is None) is let_in


def test_a_refusal_names_what_would_be_let_in() -> None:
    refusal = allowed("localhost:5000", "docker.io").refusal(parse_pull_spec("quay.io/a/b"), False)
    assert refusal == 'registry "quay.io" not allowed by whitelist: "localhost:5000", "docker.io:443"'


def test_a_refusal_does_not_grow_with_the_list() -> None:
    refusal = allowed(*MORE).refusal(parse_pull_spec("busybox.example/a"), False)
    assert refusal is not None
    assert refusal.endswith('"localhost:5000", "docker.io:443", "example.com:*", "registry.com:80", and 2 more ...')


def test_a_refused_docker_hub_is_named_with_its_port() -> None:
    assert allowed("quay.io").refusal(parse_pull_spec("busybox"), False) == (
        'registry "docker.io:443" not allowed by whitelist: "quay.io:443"'
    )


def test_an_entry_has_one_colon_at_most() -> None:
    with pytest.raises(ValueError, match='failed to parse allowed registry "0:1:2": too many colons'):
        RegistryPattern.parse("0:1:2")


def source(name: str) -> ObjectReference:
    return ObjectReference(kind="DockerImage", name=name)


def test_every_source_of_an_import_is_asked_about() -> None:
    insecure = TagImportPolicy(insecure=True)
    wanted = ImageStreamImport(
        spec=ImageStreamImportSpec(
            repository=RepositoryImportSpec(from_=source("quay.io/a/b")),
            images=[
                ImageImportSpec(from_=source("example.com/a:1")),
                ImageImportSpec(from_=source("example.com/a:1"), import_policy=insecure),
                ImageImportSpec(from_=source("*")),
            ],
        )
    )
    errors = allowed("example.com").import_errors(wanted)
    assert [error.field for error in errors] == [
        "spec.repository.from.name",
        "spec.images[1].from.name",
        "spec.images[2].from.name",
    ]
    assert errors[0].body == (
        'Forbidden: importing images from registry "quay.io:443" is forbidden: '
        'registry "quay.io:443" not allowed by whitelist: "example.com:443"'
    )
    assert allowed().import_errors(wanted) == []


@pytest.mark.parametrize(
    ("sources", "reference", "refusal"),
    [
        (RegistrySources(), "quay.io/a/b", None),
        (RegistrySources(blocked=frozenset({"quay.io"})), "quay.io/a/b", "registry quay.io blocked"),
        (RegistrySources(blocked=frozenset({"quay.io"})), "quay.io:5000/a/b", None),
        (RegistrySources(blocked=frozenset({"docker.io"})), "busybox", "registry docker.io blocked"),
        (RegistrySources(blocked=frozenset({"docker.io"})), "index.docker.io/a", "registry index.docker.io blocked"),
        (RegistrySources(allowed=frozenset({"quay.io"})), "quay.io/a/b", None),
        (RegistrySources(allowed=frozenset({"quay.io"})), "example.com/a", "registry example.com blocked"),
    ],
)
def test_sources_of_imports_can_be_blocked(sources: RegistrySources, reference: str, refusal: str | None) -> None:
    assert sources.refusal(parse_pull_spec(reference)) == refusal


def test_some_registries_may_be_asked_without_tls() -> None:
    sources = RegistrySources(insecure=frozenset({"lab:5000"}))
    assert sources.is_insecure(parse_pull_spec("lab:5000/a"))
    assert not sources.is_insecure(parse_pull_spec("lab.example/a"))
