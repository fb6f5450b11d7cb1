"""Images as builders push them: manifests and configs with the digests, sizes and histories that real ones have.

Docker schema 2, OCI and schema 1 images, and lists of several platforms, each the same for the same seed. Keeps: every
digest is that of the bytes it names, a config lists one history entry per layer and empty ones between, and whatever
has the same base shares its lowest layers, as images of one registry do.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

Document = dict[str, Any]

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
SCHEMA1_MANIFEST = "application/vnd.docker.distribution.manifest.v1+json"

PLATFORMS = (("linux", "amd64", ""), ("linux", "arm64", "v8"), ("linux", "s390x", ""))
BASES = ("debian:bookworm-slim", "ubi9/ubi-minimal", "alpine:3.20")
REPOSITORY = "registry.example.com"


class PushedImage(NamedTuple):
    """What a registry tells of an image that has been pushed to it."""

    digest: str
    media_type: str
    manifest: str
    config: str
    layers: tuple[tuple[str, int], ...]
    """(digest, size in bytes), base first"""

    def reference(self, repository: str) -> str:
        return f"{REPOSITORY}/{repository}@{self.digest}"

    def image(self, repository: str) -> Document:
        """The Image that the registry registers."""
        image = {
            "metadata": {"name": self.digest, "annotations": {"openshift.io/image.managed": "true"}},
            "dockerImageReference": self.reference(repository),
            "dockerImageManifest": self.manifest,
            "dockerImageManifestMediaType": self.media_type,
        }
        if self.config:
            image["dockerImageConfig"] = self.config
        return image

    def mapping(self, stream: str, tag: str, repository: str = "team/app") -> Document:
        """The ImageStreamMapping that the registry sends. Not managed, so that the reference stays what it is."""
        image = self.image(repository)
        del image["metadata"]["annotations"]
        return {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStreamMapping",
            "metadata": {"name": stream},
            "image": image,
            "tag": tag,
        }


def docker_image(seed: str, platform: tuple[str, str, str] = PLATFORMS[0]) -> PushedImage:
    """As `docker push` leaves it."""
    return _built(seed, platform, DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER)


def oci_image(seed: str, platform: tuple[str, str, str] = PLATFORMS[0]) -> PushedImage:
    """As buildah or ko leave it."""
    return _built(seed, platform, OCI_MANIFEST, OCI_CONFIG, OCI_LAYER)


def docker_list(seed: str) -> tuple[PushedImage, list[PushedImage]]:
    """A list of one image for several platforms, and those images."""
    return _listed([docker_image(seed, platform) for platform in PLATFORMS], DOCKER_LIST)


def oci_index(seed: str) -> tuple[PushedImage, list[PushedImage]]:
    return _listed([oci_image(seed, platform) for platform in PLATFORMS], OCI_INDEX)


def schema1_image(seed: str) -> PushedImage:
    """As registries of old have it: no config, the youngest layer first."""
    image = docker_image(seed)
    config = json.loads(image.config)
    history = []
    parent = ""
    for digest, size in image.layers:
        layer = {"id": _sha256(f"{parent}{digest}")[7:], "created": config["created"], "Size": size}
        if parent:
            layer["parent"] = parent
        history.append(layer)
        parent = layer["id"]
    history[-1] |= {"architecture": config["architecture"], "os": config["os"], "config": config["config"]}
    manifest = {
        "schemaVersion": 1,
        "name": "team/app",
        "tag": "latest",
        "architecture": config["architecture"],
        "fsLayers": [{"blobSum": digest} for digest, _ in reversed(image.layers)],
        "history": [{"v1Compatibility": json.dumps(layer)} for layer in reversed(history)],
    }
    text = json.dumps(manifest, indent=3)
    return PushedImage(_sha256(text), SCHEMA1_MANIFEST, text, "", image.layers)


def assortment(seed: str, count: int) -> list[PushedImage]:
    """`count` different images of all these kinds, in the order in which a project might push them."""
    kinds = itertools.cycle((docker_image, oci_image, lambda s: docker_list(s)[0], oci_image, schema1_image))
    return [make(f"{seed}-{number}") for number, make in zip(range(count), kinds, strict=False)]


def _built(
    seed: str, platform: tuple[str, str, str], manifest_type: str, config_type: str, layer_type: str
) -> PushedImage:
    draw = random.Random(f"{seed} {platform}")
    base = draw.choice(BASES)
    layers = [_layer(random.Random(f"{base} {platform} {number}")) for number in range(2)]
    layers += [_layer(draw) for _ in range(draw.randint(1, 5))]
    config = json.dumps(_config(seed, draw, platform, base, layers), separators=(",", ":"), ensure_ascii=False)
    manifest = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": {"mediaType": config_type, "size": len(config.encode()), "digest": _sha256(config)},
        "layers": [{"mediaType": layer_type, "size": size, "digest": digest} for digest, size in layers],
    }
    text = json.dumps(manifest, indent=3)
    return PushedImage(_sha256(text), manifest_type, text, config, tuple(layers))


def _config(
    seed: str, draw: random.Random, platform: tuple[str, str, str], base: str, layers: Sequence[tuple[str, int]]
) -> Document:
    system, architecture, variant = platform
    steps = [{"created_by": f"COPY layer {digest[7:19]} / # buildkit"} for digest, _ in layers]
    steps += [{"created_by": 'ENTRYPOINT ["/usr/local/bin/app"]', "empty_layer": True}]
    config: Document = {
        "architecture": architecture,
        "os": system,
        "created": f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}T10:{draw.randint(10, 59)}:01.123456789Z",
        "author": "Team Ünïcode <team@example.com>",
        "config": {
            "User": str(draw.randint(1000, 2000)),
            "ExposedPorts": {"8080/tcp": {}, "8443/tcp": {}},
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"APP_VERSION={seed}", "LANG=C.UTF-8"],
            "Entrypoint": ["/usr/local/bin/app"],
            "Cmd": ["--listen", "0.0.0.0:8080"],
            "Volumes": {"/var/lib/app": {}},
            "WorkingDir": "/srv",
            "Labels": {
                "org.opencontainers.image.base.name": base,
                "org.opencontainers.image.version": seed,
                "description": "<b>quotes \"', ampersands & other characters</b>",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [_sha256(f"unpacked {digest}") for digest, _ in layers]},
        "history": [{"created": "2024-01-01T00:00:00Z", **step} for step in steps],
    }
    if variant:
        config["variant"] = variant
    return config


def _listed(members: list[PushedImage], media_type: str) -> tuple[PushedImage, list[PushedImage]]:
    entries = []
    for member, (system, architecture, variant) in zip(members, PLATFORMS, strict=True):
        platform = {"architecture": architecture, "os": system}
        if variant:
            platform["variant"] = variant
        entries.append(
            {
                "mediaType": member.media_type,
                "size": len(member.manifest.encode()),
                "digest": member.digest,
                "platform": platform,
            }
        )
    text = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}, indent=3)
    return PushedImage(_sha256(text), media_type, text, "", ()), members


def _layer(draw: random.Random) -> tuple[str, int]:
    return f"sha256:{draw.getrandbits(256):064x}", draw.randint(120, 90_000_000)


def _sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
