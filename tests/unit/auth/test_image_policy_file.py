"""The image policy file: objects as they are in a cluster, and mistakes named by document."""

from __future__ import annotations

import pytest

from service.api.pull_specs import parse_pull_spec
from service.auth.errors import CredentialFileError
from service.auth.image_policy_file import parse_image_policy_file

IMAGE = """\
apiVersion: config.openshift.io/v1
kind: Image
metadata: {name: cluster, creationTimestamp: 2026-01-01T00:00:00Z, uid: x}
spec:
  allowedRegistriesForImport:
  - {domainName: quay.io}
  - {domainName: "lab:5000", insecure: true}
  registrySources: {blockedRegistries: [bad.example], insecureRegistries: ["lab:5000"]}
  externalRegistryHostnames: [registry.example]
status: {internalRegistryHostname: "registry:5000"}
"""
LIMITS = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: LimitRange
  metadata: {name: images, namespace: ns1}
  spec:
    limits:
    - {type: openshift.io/Image, max: {storage: 1Gi}}
    - {type: openshift.io/ImageStream, max: {openshift.io/images: 20, openshift.io/image-tags: "10"}}
    - {type: Container, max: {cpu: 500m}}
- apiVersion: v1
  kind: LimitRange
  metadata: {name: more, namespace: ns1}
  spec:
    limits: [{type: openshift.io/ImageStream, max: {openshift.io/images: 30, openshift.io/image-tags: "5"}}]
"""


QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: streams, namespace: ns1}
spec: {hard: {openshift.io/imagestreams: 3, pods: "10"}}
"""


def test_an_empty_file_is_no_policy() -> None:
    policy = parse_image_policy_file("---\n")
    assert policy.registries.refusal(parse_pull_spec("anything.example/a"), False) is None
    assert policy.limits_of("ns1").images is None


def test_registries_and_limits_of_a_cluster() -> None:
    policy = parse_image_policy_file(f"{IMAGE}---\n{LIMITS}---\n{QUOTA}", "registry:5000")
    assert policy.registries.refusal(parse_pull_spec("bad.example/a"), False) == (
        'registry "bad.example" not allowed by whitelist: "registry:5000", "quay.io:443", "lab:5000"'
    )
    assert policy.registries.refusal(parse_pull_spec("registry:5000/ns/app"), False) is None
    assert policy.sources.refusal(parse_pull_spec("bad.example/a")) is not None
    assert policy.sources.is_insecure(parse_pull_spec("lab:5000/a"))
    limits = policy.limits_of("ns1")
    assert [str(limit) for limit in limits.storage] == ["1Gi"]
    assert (str(limits.images), str(limits.image_tags)) == ("20", "5")
    assert [(quota.name, str(quota.limit)) for quota in limits.streams] == [("streams", "3")]
    assert policy.limits_of("ns2").storage == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "while parsing a flow node"),
        ("- a", "document 1: is not an object"),
        (
            "apiVersion: v1\nkind: Image",
            'document 1: "Image" of "v1" is not one of config.openshift.io/v1 Image, v1 LimitRange, v1 ResourceQuota',
        ),
        (f"{IMAGE}---\n{IMAGE}", "document 2: a second Image; one says it for all"),
        (IMAGE.replace("quay.io", '"a:b:c"'), "document 1: failed to parse allowed registry"),
        (IMAGE.replace("domainName: quay.io", "domain: quay.io"), "document 1: Object missing required field"),
        (IMAGE.replace("insecureRegistries", "allowedRegistries"), "document 1: spec.registrySources: blockedReg"),
        (LIMITS.replace("1Gi", "1GB"), "document 1: items[0]: '1GB' is no quantity"),
        (LIMITS.replace(", namespace: ns1", ""), "document 1: items[0]: metadata.namespace: limits are those of"),
    ],
)
def test_a_mistake_is_an_error_and_not_silently_no_policy(text: str, problem: str) -> None:
    with pytest.raises(CredentialFileError) as wrong:
        parse_image_policy_file(text)
    assert str(wrong.value).startswith(problem)
