"""dockerImageMetadata keeps the keys of its version and loses the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.decoding import DecodeError
from service.api.docker_metadata import (
    _decode_carefully,
    decode_metadata,
    decode_text,
    normalise_image,
    read_metadata,
)
from service.api.docker_types import DockerConfig, DockerImage, ImageConfig, Manifest, ManifestList, Text
from service.api.image_v1 import Image


def test_keys_come_in_the_order_of_the_version_and_unknown_ones_go() -> None:
    raw: Any = {
        "Size": 12,
        "Os": "linux",
        "Config": {"Labels": {"b": "2", "a": "1"}, "Env": ["A=b"], "Healthcheck": {}, "ExposedPorts": {"9/tcp": {}}},
        "Id": "z",
        "Created": "2024-01-01T02:00:00+02:00",
        "kind": "DockerImage",
        "apiVersion": "1.0",
    }
    assert json.dumps(decode_metadata(raw, "1.0")) == (
        '{"kind": "DockerImage", "apiVersion": "image.openshift.io/1.0", "Id": "z", "Created": "2024-01-01T00:00:00Z", '
        '"ContainerConfig": {}, "Config": {"ExposedPorts": {"9/tcp": {}}, "Env": ["A=b"], '
        '"Labels": {"a": "1", "b": "2"}}, "Size": 12}'
    )


def test_the_old_version_has_other_names_outside() -> None:
    raw: Any = {"id": "z", "docker_version": "1", "config": {"Cmd": ["x"]}, "Id": "dropped"}
    assert json.dumps(decode_metadata(raw, "pre012")) == (
        '{"kind": "DockerImage", "apiVersion": "image.openshift.io/pre012", "id": "z", "created": null, '
        '"container_config": {}, "docker_version": "1", "config": {"Cmd": ["x"]}}'
    )


@pytest.mark.parametrize(
    ("raw", "version", "refusal"),
    [
        (
            {"apiVersion": "9.9", "kind": "DockerImage"},
            "1.0",
            'no kind "DockerImage" is registered for version "9.9" in ',
        ),
        ({}, "2.0", 'no kind "DockerImage" is registered for version "image.openshift.io/2.0" in '),
        ({"kind": "Pod"}, "1.0", 'no kind "Pod" is registered for version "image.openshift.io/1.0" in '),
        ({"kind": 1}, "1.0", "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go "),
        ({"Id": 1}, "1.0", "json: cannot unmarshal number into Go struct field DockerImage.Id of type string"),
        (
            {"Config": {"Cmd": "x"}},
            "1.0",
            "json: cannot unmarshal string into Go struct field DockerConfig.Config.Cmd ",
        ),
        (
            {"apiVersion": "pre012"},
            "1.0",
            "converting (dockerpre012.DockerImage) to (docker10.DockerImage): unknown conversion",
        ),
    ],
)
def test_metadata_that_does_not_decode_is_refused(raw: Any, version: str, refusal: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_metadata(raw, version)
    assert str(raised.value).startswith(refusal)


def test_an_image_is_brought_into_its_stored_form() -> None:
    image = Image(docker_image_metadata={"Id": "z", "nope": 1})
    normalise_image(image)
    assert image.docker_image_metadata_version == "1.0"
    assert read_metadata(image) == DockerImage("DockerImage", "image.openshift.io/1.0", id="z")


def test_a_qualified_version_is_shortened_and_an_unknown_one_left_for_later() -> None:
    image = Image(docker_image_metadata_version="image.openshift.io/pre012")
    normalise_image(image)
    assert image.docker_image_metadata_version == "pre012"
    assert image.docker_image_metadata is not None
    assert read_metadata(image).id == ""
    unknown = Image(docker_image_metadata_version="2.0")
    normalise_image(unknown)
    assert unknown.docker_image_metadata is None


def test_manifests_and_configs_are_read_whatever_the_case_of_their_names() -> None:
    text = '{"ID":"x","Container_Config":{"hostname":"h","CMD":null},"Created":null,"unknown":[1]}'
    assert decode_text(text, ImageConfig) == ImageConfig(id="x", container_config=DockerConfig(hostname="h"))
    manifest = decode_text('{"SCHEMAVERSION":2,"Layers":[{"Digest":"d","SIZE":1}]}', Manifest)
    assert (manifest.schema_version, manifest.layers[0].digest, manifest.layers[0].size) == (2, "d", 1)


def test_a_manifest_that_is_no_json_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"^unexpected end of JSON input$"):
        decode_text("{", Manifest)


DOCKER_NAMES = (
    "id",
    "Id",
    "created",
    "config",
    "Config",
    "container_config",
    "Env",
    "env",
    "Labels",
    "history",
    "rootfs",
)
MANIFEST_NAMES = ("layers", "size", "Size", "digest", "schemaVersion", "os.version", "OS.Version", "diff_ids", "x")
NAMES = st.sampled_from((*DOCKER_NAMES, *MANIFEST_NAMES))
TIMES = ("2024-05-06T07:08:09.5+01:00", "2024-05-06T07:08:09Z", "0001-01-01T00:00:00Z", "2024-13-01T00:00:00Z")
CONTAINERS: tuple[Any, ...] = ([], {}, {"8080/tcp": {}}, {"8080/tcp": {"x": 1}}, ["a", None])
LEAVES = st.sampled_from([None, True, 0, 7, 2**63, -(2**63) - 1, 1.5, 2.0, "", "a", *TIMES, *CONTAINERS])
TEXTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
).map(json.dumps)


@given(text=TEXTS, struct=st.sampled_from([Manifest, ManifestList, ImageConfig]))
def test_the_quick_decoder_and_the_careful_one_read_the_same(text: str, struct: type[Text]) -> None:
    def outcome(decode: Callable[[str, type[Text]], Text]) -> Text | str:
        try:
            return decode(text, struct)
        except DecodeError as error:
            return str(error)

    assert outcome(decode_text) == outcome(_decode_carefully)
