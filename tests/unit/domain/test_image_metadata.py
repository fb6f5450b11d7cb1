"""What the server makes of an image from its manifest and config, and what an update leaves of it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import msgspec
import pytest

from service.api.docker_metadata import normalise_image
from service.api.image_v1 import Image, ImageLayer, ImageManifest, ImageSignature
from service.api.meta_v1 import ObjectMeta
from service.domain.errors import Unclassified
from service.domain.image_digests import config_matches, manifest_matches
from service.domain.image_metadata import (
    complete_image,
    fill_metadata,
    image_size,
    keep_immutables,
    without_payloads,
)
from service.domain.media_types import (
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1_LAYER,
    SCHEMA1_MANIFEST,
    SCHEMA2_LIST,
    SCHEMA2_MANIFEST,
)

NOW = "2026-01-01T00:00:00Z"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
ORDERED = {"image.openshift.io/dockerLayersOrder": "ascending"}
CONFIG = json.dumps(
    {
        "architecture": "amd64",
        "config": {"User": "1001", "Env": ["A=b"], "OnBuild": None, "Labels": {"b": "2", "a": "1"}, "Healthcheck": {}},
        "container_config": {"Hostname": "b"},
        "created": "2024-05-06T07:08:09.123456789Z",
        "history": [{"created": "2024-05-06T07:08:08Z", "empty_layer": True}],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:x"]},
    }
)


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def manifest(media_type: str = SCHEMA2_MANIFEST, config: str = CONFIG) -> str:
    layers = [{"mediaType": LAYER, "size": size, "digest": f"sha256:{size}"} for size in (155, 140, 155)]
    described = {"mediaType": media_type, "config": {"size": len(config), "digest": digest(config)}, "layers": layers}
    return json.dumps({"schemaVersion": 2, **described})


def image(text: str, media_type: str = "", config: str = "", **annotations: str) -> Image:
    metadata = ObjectMeta(name=digest(text), creation_timestamp=NOW)
    metadata.annotations = {f"image.openshift.io/{key}": value for key, value in annotations.items()} or None
    pushed = Image(
        metadata=metadata,
        docker_image_reference="a/b",
        docker_image_manifest=text,
        docker_image_manifest_media_type=media_type,
        docker_image_config=config,
    )
    normalise_image(pushed)
    return pushed


def metadata_of(completed: Image) -> Any:
    return completed.docker_image_metadata


def layer_names(completed: Image) -> list[str]:
    return [layer.name for layer in completed.docker_image_layers or []]


@pytest.mark.parametrize("media_type", [SCHEMA2_MANIFEST, OCI_MANIFEST])
def test_a_manifest_and_its_config_tell_everything(media_type: str) -> None:
    completed = complete_image(image(manifest(media_type), "", CONFIG))
    assert json.dumps(metadata_of(completed)) == (
        '{"kind": "DockerImage", "apiVersion": "image.openshift.io/1.0", '
        f'"Id": "{digest(CONFIG)}", "Created": "2024-05-06T07:08:09Z", "ContainerConfig": {{"Hostname": "b"}}, '
        '"Config": {"User": "1001", "Env": ["A=b"], "Labels": {"a": "1", "b": "2"}}, "Architecture": "amd64", '
        f'"Size": {len(CONFIG) + 155 + 140}}}'
    )
    assert completed.docker_image_layers == [ImageLayer(f"sha256:{n}", n, LAYER) for n in (155, 140, 155)]
    assert completed.metadata.annotations == ORDERED
    assert completed.docker_image_manifest_media_type == media_type
    assert completed.docker_image_manifests == []


def test_a_schema_1_manifest_names_its_youngest_layer_first_and_its_metadata_there() -> None:
    history = [
        {"id": "x2", "parent": "x1", "created": "2020-01-01T00:00:00Z", "config": {"Cmd": ["a"]}, "Size": 5},
        {"id": "x1", "Size": 7},
        "no json at all",
    ]
    text = json.dumps(
        {
            "schemaVersion": 1,
            "fsLayers": [{"blobSum": "sha256:c"}, {"blobSum": "sha256:b"}, {"blobSum": "sha256:a"}],
            "history": [{"v1Compatibility": h if isinstance(h, str) else json.dumps(h)} for h in history],
        }
    )
    completed = complete_image(image(text))
    assert completed.docker_image_layers == [
        ImageLayer("sha256:a", 0, SCHEMA1_LAYER),
        ImageLayer("sha256:b", 7, SCHEMA1_LAYER),
        ImageLayer("sha256:c", 5, SCHEMA1_LAYER),
    ]
    assert completed.docker_image_manifest_media_type == SCHEMA1_MANIFEST
    assert metadata_of(completed) == {
        "kind": "DockerImage",
        "apiVersion": "image.openshift.io/1.0",
        "Id": "x2",
        "Parent": "x1",
        "Created": "2020-01-01T00:00:00Z",
        "ContainerConfig": {},
        "Config": {"Cmd": ["a"]},
        "Size": 12,
    }


@pytest.mark.parametrize("media_type", [SCHEMA2_LIST, OCI_INDEX])
def test_a_list_names_its_members_and_has_no_more_than_a_name_and_a_time(media_type: str) -> None:
    members = [
        {"mediaType": "m", "size": 1, "digest": "sha256:x", "platform": {"architecture": "amd64", "os": "linux"}},
        {
            "mediaType": "m",
            "size": 2,
            "digest": "sha256:y",
            "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
        },
    ]
    pushed = image(json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": members}), media_type)
    completed = complete_image(pushed)
    assert completed.docker_image_manifests == [
        ImageManifest("sha256:x", "m", 1, "amd64", "linux"),
        ImageManifest("sha256:y", "m", 2, "arm64", "linux", "v8"),
    ]
    assert (metadata_of(completed)["Id"], metadata_of(completed)["Created"]) == (pushed.metadata.name, NOW)
    assert completed.docker_image_layers is None
    assert completed.metadata.annotations is None
    later = msgspec.structs.replace(completed, metadata=msgspec.structs.replace(completed.metadata, generation=2))
    assert metadata_of(keep_immutables(later, completed)) == metadata_of(completed)


def test_a_list_that_was_not_announced_as_one_has_no_members() -> None:
    text = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
    assert complete_image(image(text, SCHEMA2_LIST)).docker_image_manifests == []
    assert complete_image(image("{", SCHEMA2_LIST)).docker_image_manifests == []


def unfilled(version: str = "1.0") -> Any:
    empty = Image(docker_image_metadata_version=version)
    normalise_image(empty)
    return empty.docker_image_metadata


@pytest.mark.parametrize(
    ("pushed", "layers", "problem"),
    [
        (image("{"), 0, "unexpected end of JSON input"),
        (image("zzz"), 0, "invalid character 'z' looking for beginning of value"),
        (image('{"schemaVersion":3}'), 0, "unrecognized container image manifest schema 3"),
        (image('{"schemaVersion":1}'), 0, "the image has a schema 1 manifest, but it doesn't have history"),
        (
            image('{"schemaVersion":1,"history":[{}]}'),
            0,
            "the image has mismatched history and fslayer cardinality",
        ),
        (image(manifest()), 3, f'dockerImageConfig must not be empty for manifest type "{SCHEMA2_MANIFEST}"'),
        (
            image(manifest(), config='{"config":{"Cmd":"x"}}'),
            3,
            "json: cannot unmarshal string into Go struct field DockerConfig.config.Cmd of type []string",
        ),
    ],
)
def test_what_is_wrong_with_a_manifest_keeps_no_image_out(pushed: Image, layers: int, problem: str) -> None:
    completed = complete_image(pushed)
    assert metadata_of(completed) == unfilled()
    assert len(layer_names(completed)) == layers
    assert fill_metadata(completed) == problem


def test_layers_that_came_with_the_image_are_brought_into_order() -> None:
    given = [ImageLayer("sha256:young", 1, LAYER), ImageLayer("sha256:base", 2, LAYER)]
    for media_type, order, base_first in [
        (SCHEMA2_MANIFEST, "", True),
        (SCHEMA2_MANIFEST, "ascending", False),
        (SCHEMA1_MANIFEST, "", False),
        (SCHEMA1_MANIFEST, "descending", True),
        ("", "", False),
    ]:
        pushed = image(manifest(), media_type, CONFIG, **({"dockerLayersOrder": order} if order else {}))
        completed = complete_image(msgspec.structs.replace(pushed, docker_image_layers=list(given)))
        names = ["sha256:base", "sha256:young"] if base_first else ["sha256:young", "sha256:base"]
        assert layer_names(completed) == names
        assert completed.metadata.annotations == (ORDERED if media_type else None)


def test_completing_is_done_once_and_not_to_the_callers_object() -> None:
    pushed = image(manifest(), "", CONFIG)
    before = msgspec.json.encode(pushed)
    completed = complete_image(pushed)
    assert msgspec.json.encode(pushed) == before
    assert complete_image(completed) == completed


def test_blobs_that_are_stored_elsewhere_are_not_kept_here() -> None:
    completed = complete_image(image(manifest(), "", CONFIG, manifestBlobStored="true"))
    assert (completed.docker_image_manifest, completed.docker_image_config) == ("", "")
    assert metadata_of(completed)["Architecture"] == "amd64"


def test_an_annotation_of_old_controllers_is_taken_off_signatures() -> None:
    name = "image.openshift.io/managed-signature"
    signed = [
        ImageSignature(metadata=ObjectMeta(name="a@1", annotations={name: "true"})),
        ImageSignature(metadata=ObjectMeta(name="a@2", annotations={name: "true", "kept": "x"})),
    ]
    completed = complete_image(Image(metadata=ObjectMeta(name="a"), signatures=signed))
    assert [signature.metadata.annotations for signature in completed.signatures] == [None, {"kept": "x"}]


def test_metadata_of_an_unknown_version_cannot_be_written() -> None:
    with pytest.raises(
        Unclassified, match=r'no kind "DockerImage" is registered for version "image.openshift.io/2\.0"'
    ):
        complete_image(Image(docker_image_metadata_version="2.0"))


def test_tags_show_images_without_their_payloads_and_limits_count_their_size() -> None:
    pushed = image(manifest(), "", CONFIG)
    completed = complete_image(pushed)
    shown = without_payloads(completed)
    assert (shown.docker_image_manifest, shown.docker_image_config) == ("", "")
    assert completed.docker_image_manifest
    assert image_size(pushed) == image_size(completed) == len(CONFIG) + 155 + 140
    assert image_size(image("{")) == 0


def updated(old: Image, **changes: Any) -> Image:
    return keep_immutables(msgspec.structs.replace(old, **changes), old)


def test_an_update_changes_what_may_change_and_no_more() -> None:
    old = complete_image(image(manifest(), "", CONFIG))
    changed = updated(
        old,
        docker_image_reference="other/place:1",
        docker_image_metadata=unfilled("pre012"),
        docker_image_metadata_version="pre012",
        docker_image_layers=None,
        docker_image_signatures=["AQI="],
    )
    assert changed == msgspec.structs.replace(
        old, docker_image_reference="other/place:1", docker_image_signatures=["AQI="]
    )
    assert updated(changed, docker_image_signatures=["other"]).docker_image_signatures == ["AQI="]


def test_manifest_and_config_may_be_dropped_and_only_restored_as_they_were() -> None:
    old = complete_image(image(manifest(), "", CONFIG))
    assert updated(old, docker_image_manifest=manifest(config="{}")) == old
    assert updated(old, docker_image_config="{}") == old
    bare = updated(old, docker_image_manifest="", docker_image_config="")
    assert (bare.docker_image_manifest, bare.docker_image_config) == ("", "")
    assert bare.docker_image_layers == old.docker_image_layers
    assert updated(bare, docker_image_manifest=manifest(config="{}")).docker_image_manifest == ""
    assert updated(bare, docker_image_manifest=manifest(), docker_image_config=CONFIG) == old


def test_bytes_prove_themselves_by_their_digest() -> None:
    for media_type in (SCHEMA2_MANIFEST, OCI_MANIFEST):
        pushed = image(manifest(media_type), media_type, CONFIG)
        assert manifest_matches(pushed, manifest(media_type))
        assert config_matches(pushed, CONFIG)
        assert not manifest_matches(pushed, manifest(media_type) + " ")
        assert not manifest_matches(pushed, "{")
        assert not config_matches(pushed, CONFIG + " ")
    other = msgspec.structs.replace(image(manifest()), docker_image_manifest_media_type=SCHEMA2_LIST)
    assert not manifest_matches(other, manifest())
    nameless = msgspec.structs.replace(pushed, metadata=ObjectMeta(name="plain"))
    assert not manifest_matches(nameless, manifest(OCI_MANIFEST))


def test_a_signed_manifest_is_named_by_what_was_signed() -> None:
    payload = '{\n   "schemaVersion": 1\n}'
    head, tail = payload[:-2], payload[-2:]

    def signed(length: int) -> str:
        unpadded = base64.urlsafe_b64encode(tail.encode()).decode().rstrip("=")
        protected = json.dumps({"formatLength": length, "formatTail": unpadded})
        encoded = base64.urlsafe_b64encode(protected.encode()).decode().rstrip("=")
        return f'{head},\n   "signatures": [{{"protected": "{encoded}"}}]\n}}'

    pushed = Image(metadata=ObjectMeta(name=digest(payload)), docker_image_manifest_media_type=SCHEMA1_MANIFEST)
    assert manifest_matches(pushed, signed(len(head)))
    for wrong in (
        signed(1),
        signed(9999),
        signed(-1),
        payload,
        '{"signatures":[]}',
        '{"signatures":[{"protected":"é"}]}',
    ):
        assert not manifest_matches(pushed, wrong)
