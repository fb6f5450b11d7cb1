"""What images, signatures and mappings may say."""

from __future__ import annotations

import msgspec
import pytest

from service.api.image_v1 import (
    Image,
    ImageLayer,
    ImageManifest,
    ImageSignature,
    ImageStreamMapping,
    SignatureCondition,
    SignatureIssuer,
    SignatureSubject,
)
from service.api.meta_v1 import ObjectMeta
from service.domain.field_errors import FieldError
from service.domain.image_validation import validate_image, validate_mapping, validate_signature

DIGEST = "sha256:" + "a" * 64
IMAGE = Image(metadata=ObjectMeta(name=DIGEST), docker_image_reference="a/b")
MEMBER = ImageManifest(DIGEST, "application/vnd.oci.image.manifest.v1+json", 1, "amd64", "linux")
SIGNATURE = ImageSignature(metadata=ObjectMeta(name=f"{DIGEST}@s"), type="atomic", content="AQI=")
TRUSTED = SignatureCondition("Trusted", "True", "2026-01-01T00:00:00Z")
FOR_IMAGE = SignatureCondition("ForImage", "True", "2026-01-01T00:00:00Z")


def texts(errors: list[FieldError]) -> list[str]:
    return [str(error) for error in errors]


def test_good_ones() -> None:
    assert validate_image(IMAGE) == []
    assert validate_image(msgspec.structs.replace(IMAGE, docker_image_manifests=[MEMBER], signatures=[SIGNATURE])) == []
    assert validate_signature(SIGNATURE) == []
    assert (
        validate_mapping(ImageStreamMapping(metadata=ObjectMeta(name="app", namespace="ns"), image=IMAGE, tag="t"))
        == []
    )


def test_an_image_has_a_name_and_a_reference() -> None:
    assert texts(validate_image(Image())) == [
        "metadata.name: Required value: name or generateName is required",
        "dockerImageReference: Required value",
    ]
    bad = Image(metadata=ObjectMeta(name="a/b", namespace="ns"), docker_image_reference="!!")
    assert texts(validate_image(bad, "image")) == [
        "image.metadata.name: Invalid value: \"a/b\": may not contain '/'",
        "image.metadata.namespace: Forbidden: not allowed on this type",
        'image.dockerImageReference: Invalid value: "!!": invalid reference format',
    ]


def test_a_list_names_its_members_well_and_has_no_layers() -> None:
    bad = msgspec.structs.replace(
        IMAGE,
        docker_image_manifests=[MEMBER, ImageManifest("bad", "x", -1, "", "")],
        docker_image_layers=[ImageLayer("l", 1, "<x>")],
    )
    assert texts(validate_image(bad, "image")) == [
        'image.dockerImageManifests[1].digest: Invalid value: "bad": '
        "digest does not conform with OCI image specification",
        'image.dockerImageManifests[1].mediaType: Invalid value: "x": media type does not conform to RFC6838',
        "image.dockerImageManifests[1].architecture: Required value",
        "image.dockerImageManifests[1].os: Required value",
        "image.dockerImageManifests[1].size: Invalid value: -1: manifest size cannot be negative",
        'image.dockerImageLayers: Invalid value: [{"Name":"l","LayerSize":1,"MediaType":"\\u003cx\\u003e"}]: '
        "dockerImageLayers should not be set when dockerImageManifests is set",
    ]


@pytest.mark.parametrize("digest", ["sha256+b64u:" + "A" * 32, "x9:" + "f" * 32, f"around {DIGEST} it"])
def test_a_digest_may_hide_in_a_text(digest: str) -> None:
    image = msgspec.structs.replace(IMAGE, docker_image_manifests=[msgspec.structs.replace(MEMBER, digest=digest)])
    assert validate_image(image) == []


@pytest.mark.parametrize("digest", ["", "sha256:" + "a" * 31, ":" + "a" * 32, "9:" + "a" * 32, "sha256" + "a" * 40])
def test_a_digest_has_a_name_a_colon_and_enough_digits(digest: str) -> None:
    image = msgspec.structs.replace(IMAGE, docker_image_manifests=[msgspec.structs.replace(MEMBER, digest=digest)])
    assert [error.field for error in validate_image(image)] == ["dockerImageManifests[0].digest"]


def test_a_signature_is_named_by_its_image_and_says_what_it_is() -> None:
    bad = ImageSignature(metadata=ObjectMeta(name="x", labels={"a": "b"}, annotations={"c": "d"}))
    assert texts(validate_signature(bad)) == [
        "metadata.labels: Forbidden: signature labels cannot be set",
        "metadata.annotations: Forbidden: signature annotations cannot be set",
        'metadata.name: Invalid value: "x": name must be of format <imageName>@<signatureName>',
        "type: Required value",
        "content: Required value",
    ]
    inside = validate_image(msgspec.structs.replace(IMAGE, signatures=[SIGNATURE, bad]))
    assert inside[-1].field == "signatures[1].content"


def test_only_a_checked_signature_claims_anything() -> None:
    claims = msgspec.structs.replace(
        SIGNATURE,
        image_identity="me",
        signed_claims={"b": "2", "a": "1"},
        issued_by=SignatureIssuer("org"),
        issued_to=SignatureSubject("org", "name", "key"),
    )
    unset = "must be unset for unknown signature state"
    refused = [
        f'imageIdentity: Invalid value: "me": {unset}',
        f'signedClaims: Invalid value: {{"a":"1","b":"2"}}: {unset}',
        f'issuedBy: Invalid value: {{"Organization":"org","CommonName":""}}: {unset}',
        f'issuedTo: Invalid value: {{"Organization":"org","CommonName":"name","PublicKeyID":"key"}}: {unset}',
    ]
    assert texts(validate_signature(claims)) == refused
    unknown = msgspec.structs.replace(TRUSTED, status="Unknown", last_probe_time="2026-01-02T00:00:00Z")
    for conditions, errors in [([TRUSTED, FOR_IMAGE], []), ([TRUSTED, FOR_IMAGE, unknown], refused)]:
        assert texts(validate_signature(msgspec.structs.replace(claims, conditions=conditions))) == errors


@pytest.mark.parametrize(("present", "missing"), [(TRUSTED, "ForImage"), (FOR_IMAGE, "Trusted")])
def test_trust_is_said_for_an_image(present: SignatureCondition, missing: str) -> None:
    other = SignatureCondition("Expired", "True")
    (error,) = validate_signature(msgspec.structs.replace(SIGNATURE, conditions=[other, present]))
    assert error.field == "conditions"
    assert error.body.startswith('Invalid value: [{"Type":"Expired","Status":"True","LastProbeTime":null,')
    assert error.body.endswith(f': missing "{missing}" condition type')


def test_a_mapping_names_a_stream_a_tag_and_an_image() -> None:
    assert texts(validate_mapping(ImageStreamMapping(metadata=ObjectMeta(namespace="ns")))) == [
        "metadata.name: Required value: name or generateName is required",
        "name: Required value",
        "dockerImageRepository: Required value",
        "tag: Required value",
        "image.metadata.name: Required value: name or generateName is required",
        "image.dockerImageReference: Required value",
    ]
