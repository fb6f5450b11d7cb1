"""What container tools say about an image: its metadata as the API shows it, manifests and configs as tools write them.

Keeps: field order is the order of the wire (spec: image-api 2.4). `DockerImage` is version 1.0, `DockerImagePre012` the
same with other names outside. Manifest and config are only read, so they hold what is read.
Elsewhere: reading and writing them (`docker_metadata.py`).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from service.api.meta_v1 import Wire, always, null
from service.api.timestamps import normalise_time

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Empty(Wire, forbid_unknown_fields=True):
    go_name: ClassVar[str] = "struct {}"


class DockerConfig(Wire, rename="pascal", forbid_unknown_fields=True):
    go_name: ClassVar[str] = "docker10.DockerConfig"

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    memory: Int64 = 0
    memory_swap: Int64 = 0
    cpu_shares: Int64 = 0
    cpuset: str = ""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    port_specs: list[str] = []
    exposed_ports: dict[str, Empty] = {}
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: list[str] = []
    cmd: list[str] = []
    dns: list[str] = []
    image: str = ""
    volumes: dict[str, Empty] = {}
    volumes_from: str = ""
    working_dir: str = ""
    entrypoint: list[str] = []
    network_disabled: bool = False
    security_opts: list[str] = []
    on_build: list[str] = []
    labels: dict[str, str] = {}


class DockerImage(Wire, rename="pascal"):
    go_name: ClassVar[str] = "docker10.DockerImage"

    kind: str = msgspec.field(default="", name="kind")
    api_version: str = msgspec.field(default="", name="apiVersion")
    id: str = always(str)
    parent: str = ""
    comment: str = ""
    created: str | None = always(null)
    container: str = ""
    container_config: DockerConfig = always(DockerConfig)
    docker_version: str = ""
    author: str = ""
    config: DockerConfig | None = None
    architecture: str = ""
    size: int = 0


class DockerImagePre012(Wire, rename=None):
    go_name: ClassVar[str] = "dockerpre012.DockerImage"

    kind: str = ""
    api_version: str = msgspec.field(default="", name="apiVersion")
    id: str = always(str)
    parent: str = ""
    comment: str = ""
    created: str | None = always(null)
    container: str = ""
    container_config: DockerConfig = always(DockerConfig)
    docker_version: str = ""
    author: str = ""
    config: DockerConfig | None = None
    architecture: str = ""
    size: int = 0


class Text(Wire, forbid_unknown_fields=True):
    """The base of every type that manifests and configs are read as."""


class Descriptor(Text):
    media_type: str = ""
    size: Int64 = 0
    digest: str = ""


class FsLayer(Text):
    blob_sum: str = ""


class CompatibilityEntry(Text):
    v1_compatibility: str = ""


class Manifest(Text):
    """Of schema 1 and schema 2, of Docker and OCI: each leaves out what the others have."""

    schema_version: Int64 = 0
    media_type: str = ""
    name: str = ""
    tag: str = ""
    architecture: str = ""
    fs_layers: list[FsLayer] = []
    history: list[CompatibilityEntry] = []
    layers: list[Descriptor] = []
    config: Descriptor = msgspec.field(default_factory=Descriptor)


class Platform(Text):
    architecture: str = ""
    os: str = ""
    variant: str = ""


class ManifestDescriptor(Text):
    media_type: str = ""
    size: Int64 = 0
    digest: str = ""
    platform: Platform = msgspec.field(default_factory=Platform)


class ManifestList(Text):
    """A Docker manifest list or an OCI index."""

    media_type: str = ""
    manifests: list[ManifestDescriptor] = []


class RootFs(Text, rename=None):
    type: str = ""
    diff_ids: list[str] = []


class BuildStep(Text, rename=None):
    created: str | None = None
    author: str = ""
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False

    def __post_init__(self) -> None:
        if self.created is not None:
            self.created = normalise_time(self.created)


class ImageConfig(Text, rename=None):
    """The config blob of schema 2, and one history entry of schema 1."""

    id: str = ""
    parent: str = ""
    comment: str = ""
    created: str | None = None
    container: str = ""
    container_config: DockerConfig = msgspec.field(default_factory=DockerConfig)
    docker_version: str = ""
    author: str = ""
    config: DockerConfig | None = None
    architecture: str = ""
    size: Int64 = 0
    rootfs: RootFs | None = None
    history: list[BuildStep] = []
    os: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: list[str] = msgspec.field(default_factory=list, name="os.features")

    def __post_init__(self) -> None:
        if self.created is not None:
            self.created = normalise_time(self.created)
