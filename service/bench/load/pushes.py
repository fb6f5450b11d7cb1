"""Pushes as an image registry reports them: ImageStreamMappings with the manifest and config of an image.

Every image is a real one in its bytes: the manifest names the digest of its config, and the image is the digest of its
manifest. Its size is that of an application image with six layers. Keeps: no two connections push to the same image
stream, so no push is refused as a conflict; consecutive pushes to a tag carry different images, so each makes history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import msgspec

from service.bench.load.http_client import Client, Target

NAMESPACE = "bench"
GROUP_PATH = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}"
MAPPINGS_PATH = f"{GROUP_PATH}/imagestreammappings"
CREATED = 201

TAGS_PER_STREAM = 10
KNOWN_IMAGES = 7
"""Known images per connection. It has no divisor in common with the tags per stream: no tag gets the same image twice
in a row."""

LAYER_SIZES = (31_357_624, 12_893_221, 1_096, 8_650_752, 4_312, 27_262_976)

# What stands in the texts for what differs from image to image; all are as long as what replaces them.
_SERIAL = "@SERIAL_________"
_CONFIG = "@CONFIG" + "_" * 57
_IMAGE = "@IMAGE_" + "_" * 57
_STREAM = "@STREAM"
_TAG = "@TAG"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _config() -> str:
    steps = [
        {"created": f"2026-01-02T03:04:{second:02d}Z", "created_by": f"/bin/sh -c #(nop) COPY part-{second} in /app "}
        for second in range(len(LAYER_SIZES))
    ]
    labels = {
        "io.k8s.description": "An application image, built from source",
        "io.openshift.expose-services": "8080:http",
        "org.opencontainers.image.revision": _SERIAL,
        "version": "1.4.2",
    }
    config = {
        "User": "1001",
        "ExposedPorts": {"8080/tcp": {}},
        "Env": ["PATH=/opt/app/bin:/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "APP_HOME=/opt/app"],
        "Cmd": ["serve", "--port", "8080"],
        "WorkingDir": "/opt/app",
        "Entrypoint": ["/opt/app/bin/run"],
        "Labels": labels,
    }
    root = {"type": "layers", "diff_ids": [f"sha256:{_digest(f'diff {n}')}" for n in range(len(LAYER_SIZES))]}
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-01-02T03:04:05.678901234Z",
            "config": config,
            "history": [*steps, {"created": "2026-01-02T03:04:06Z", "created_by": "CMD", "empty_layer": True}],
            "rootfs": root,
        },
        separators=(",", ":"),
    )


def _manifest() -> str:
    layers = [
        {
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "size": size,
            "digest": f"sha256:{_digest(f'layer {number}')}",
        }
        for number, size in enumerate(LAYER_SIZES)
    ]
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(_CONFIG_TEXT),
                "digest": f"sha256:{_CONFIG}",
            },
            "layers": layers,
        },
        indent=3,
    )


_CONFIG_TEXT = _config()
_MANIFEST_TEXT = _manifest()
_BODY_TEXT = json.dumps(
    {
        "kind": "ImageStreamMapping",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": _STREAM},
        "image": {
            "metadata": {
                "name": f"sha256:{_IMAGE}",
                "annotations": {"image.openshift.io/dockerLayersOrder": "ascending"},
            },
            "dockerImageReference": f"registry.bench.svc:5000/{NAMESPACE}/{_STREAM}@sha256:{_IMAGE}",
            "dockerImageManifest": _MANIFEST_TEXT,
            "dockerImageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "dockerImageConfig": _CONFIG_TEXT,
        },
        "tag": _TAG,
    },
    separators=(",", ":"),
)


def push_body(stream: str, tag: str, serial: int) -> bytes:
    """The mapping of the image with this serial number to a tag."""
    serial_text = f"{serial:016x}"
    config_digest = _digest(_CONFIG_TEXT.replace(_SERIAL, serial_text))
    image = _digest(_MANIFEST_TEXT.replace(_CONFIG, config_digest))
    text = _BODY_TEXT.replace(_SERIAL, serial_text).replace(_CONFIG, config_digest).replace(_IMAGE, image)
    return text.replace(_STREAM, stream).replace(_TAG, tag).encode()


BODY_BYTES = len(push_body("app-00", "v0", 0))


class Pushes(msgspec.Struct):
    """The pushes of the connections of one process.

    `new_share` of them carry an image that nobody has seen; the others one that an earlier push has registered.
    """

    target: Target
    first_stream: int
    """The stream of connection 0; the others follow."""
    first_serial: int
    """Serials from here on are this source's alone."""
    new_share: float
    _counts: dict[int, int] = msgspec.field(default_factory=dict)
    _made: int = 0

    def next(self, connection: int) -> bytes:
        count = self._counts.get(connection, 0)
        self._counts[connection] = count + 1
        number = self.first_stream + connection
        # Spreads the new ones evenly, whatever the share.
        if int((count + 1) * self.new_share) > int(count * self.new_share):
            self._made += 1
            serial = self.first_serial + self._made
        else:
            serial = known_serial(number, count)
        body = push_body(stream_name(number), f"v{count % TAGS_PER_STREAM}", serial)
        return self.target.request("POST", MAPPINGS_PATH, body)


def stream_name(number: int) -> str:
    return f"app-{number:03d}"


def known_serial(stream: int, count: int) -> int:
    return stream * KNOWN_IMAGES + count % KNOWN_IMAGES


async def prepare_streams(target: Target, streams: int, first: int = 0) -> None:
    """Create the image streams, and push to each the images that it will know."""
    client = Client(target)
    await client.connect()
    for number in range(first, first + streams):
        await create_stream(client, stream_name(number))
        for count in range(KNOWN_IMAGES):
            body = push_body(stream_name(number), f"v{count}", known_serial(number, count))
            await client.ask("POST", MAPPINGS_PATH, body, expect=CREATED)
    client.close()


async def create_stream(client: Client, name: str, annotations: dict[str, str] | None = None) -> None:
    metadata = {"name": name, **({"annotations": annotations} if annotations else {})}
    document = {"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": metadata}
    await client.ask("POST", f"{GROUP_PATH}/imagestreams", msgspec.json.encode(document), expect=CREATED)


def sources(targets: Sequence[Target], connections: int, new_share: float, serials: Serials) -> list[Pushes]:
    """One source per target (each for one client process), on streams of its own."""
    each = connections // len(targets)
    return [Pushes(target, number * each, serials.take(), new_share) for number, target in enumerate(targets)]


class Serials:
    """Hands out ranges of serials, none of them twice in a run."""

    RANGE = 1 << 32

    def __init__(self) -> None:
        self._taken = 0

    def take(self) -> int:
        self._taken += 1
        return self._taken * self.RANGE
