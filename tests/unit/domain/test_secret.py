"""What makes a secret, and that no sentence about a wrong one holds its content."""

from __future__ import annotations

import base64

import msgspec
import pytest

from service.api.core_v1 import Secret
from service.api.meta_v1 import ObjectMeta
from service.domain.secret import (
    DATA_LIMIT_BYTES,
    is_pull_secret,
    validate_new_secret,
    validate_secret_update,
    with_defaults,
)

DOCKER_CONFIG = "kubernetes.io/dockerconfigjson"


def secret(
    text: str = "{}", type_name: str = DOCKER_CONFIG, key: str = ".dockerconfigjson", **fields: object
) -> Secret:
    metadata = ObjectMeta(name="pull", namespace="team", uid="u", resource_version="3")
    made = with_defaults(Secret(metadata=metadata, type=type_name, string_data={key: text}))
    return msgspec.structs.replace(made, **fields)


def complaints(made: Secret) -> list[str]:
    return [str(error) for error in validate_new_secret(made)]


def test_plain_text_goes_into_data_and_wins() -> None:
    made = with_defaults(Secret(data={"b": "eA==", "c": "eQ=="}, string_data={"b": "new", "a": "é"}))
    assert list(made.data) == ["a", "b", "c"]
    assert [base64.b64decode(value).decode() for value in made.data.values()] == ["é", "new", "y"]
    assert (made.string_data, made.type) == ({}, "Opaque")


@pytest.mark.parametrize("text", ["{}", '{"auths":{"r":{"auth":"dTpw"}}}', "null"])
def test_docker_configurations(text: str) -> None:
    assert complaints(secret(text)) == []
    assert complaints(secret(text, "kubernetes.io/dockercfg", ".dockercfg")) == []


@pytest.mark.parametrize(
    "text", ["", "hunter2", "[]", '"hunter2"', '{"a":', "\udcff".encode("utf-8", "replace").decode()]
)
def test_a_docker_configuration_is_a_json_object(text: str) -> None:
    assert complaints(secret(text)) == [
        'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be a JSON object'
    ]


def test_a_docker_configuration_has_its_key() -> None:
    assert complaints(secret(key=".dockercfg")) == ["data[.dockerconfigjson]: Required value"]


def test_other_types_are_for_other_servers() -> None:
    assert complaints(secret(type_name="kubernetes.io/tls")) == [
        'type: Unsupported value: "kubernetes.io/tls": supported values: "Opaque", "kubernetes.io/dockercfg", '
        '"kubernetes.io/dockerconfigjson"'
    ]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [("a/b", "a valid config key must"), (".", "must not be '.'"), ("..x", "must not start with"), ("k" * 254, "253")],
)
def test_keys_are_names_of_files(key: str, complaint: str) -> None:
    found = complaints(secret(type_name="Opaque", key=key))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_secret_has_a_size() -> None:
    assert complaints(secret("x" * DATA_LIMIT_BYTES, "Opaque", "k")) == []
    assert complaints(secret("x" * (DATA_LIMIT_BYTES + 1), "Opaque", "k")) == [
        "data: Too long: may not be more than 1048576 bytes"
    ]


def test_the_type_never_changes() -> None:
    old = secret()
    new = msgspec.structs.replace(old, type="Opaque")
    assert [str(e) for e in validate_secret_update(new, old)] == ['type: Invalid value: "Opaque": field is immutable']


def test_what_is_immutable_stays_so() -> None:
    old = secret(immutable=True)
    assert validate_secret_update(old, old) == []
    changed = secret('{"a":1}', immutable=None)
    assert [error.field for error in validate_secret_update(changed, old)] == ["immutable", "data"]
    assert validate_secret_update(secret('{"a":1}', immutable=True), secret()) == []


def test_imports_use_docker_configurations_that_are_not_excluded() -> None:
    assert is_pull_secret(secret())
    assert is_pull_secret(secret(type_name="kubernetes.io/dockercfg", key=".dockercfg"))
    assert not is_pull_secret(secret(type_name="Opaque"))
    for value, used in (("true", False), ("false", True)):
        annotated = secret()
        annotated.metadata.annotations = {"openshift.io/image.excludeSecret": value}
        assert is_pull_secret(annotated) is used
