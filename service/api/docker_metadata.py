"""dockerImageMetadata between the wire and `DockerImage`, and the texts of manifests and configs to their types.

Keeps: metadata that came in is shown with the keys of its version, in their order, and nothing else (spec: image-api
2.4); empty metadata is shown as a skeleton.
Elsewhere: filling it from manifest and config (`domain/image_metadata.py`).
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import msgspec

from service.api.decoding import DecodeError, inspect, parse_json, to_struct, type_meta
from service.api.docker_types import DockerImage, DockerImagePre012, Text
from service.api.image_v1 import GROUP, Image
from service.api.json_types import Json, JsonObject
from service.api.shapes import Kind, Shape, fields_of, go_name

T = TypeVar("T", bound=Text)

KIND = "DockerImage"
DEFAULT_METADATA_VERSION = "1.0"
SCHEME = 'scheme "pkg/runtime/scheme.go:110"'
_TYPES: dict[str, type[DockerImage] | type[DockerImagePre012]] = {"1.0": DockerImage, "pre012": DockerImagePre012}


def normalise_image(image: Image) -> None:
    """Bring the metadata of a decoded image into its stored form, in place. Raises DecodeError.

    Metadata that is missing stays missing where its version is unknown: the reference finds that out later
    (`domain/image_metadata.py`).
    """
    version = image.docker_image_metadata_version or DEFAULT_METADATA_VERSION
    if image.docker_image_metadata is not None:
        image.docker_image_metadata = decode_metadata(image.docker_image_metadata, version)
    elif version.rpartition("/")[2] in _TYPES:
        version = version.rpartition("/")[2]
        image.docker_image_metadata = metadata_document(DockerImage(), version)
    image.docker_image_metadata_version = version


def decode_metadata(raw: JsonObject, version: str) -> JsonObject:
    """Submitted metadata with the keys of its version only. Raises DecodeError."""
    wanted = _TYPES.get(version)
    if wanted is None:
        raise DecodeError(unknown_version(f"{GROUP}/{version}"))
    try:
        api_version, kind = type_meta(raw)
    except DecodeError as error:
        raise DecodeError(f"couldn't get version/kind; json parse error: {error}") from None
    api_version = api_version or f"{GROUP}/{version}"
    given = _TYPES.get(api_version.removeprefix(f"{GROUP}/"))
    if given is None or (kind or KIND) != KIND:
        raise DecodeError(unknown_version(api_version, kind or KIND))
    decoded = to_struct(inspect(raw, given).document, given)
    if given is not wanted:
        raise DecodeError(f"converting ({go_name(given)}) to ({go_name(wanted)}): unknown conversion")
    return metadata_document(_current(decoded), version)


def unknown_version(api_version: str, kind: str = KIND) -> str:
    return f'no kind "{kind}" is registered for version "{api_version}" in {SCHEME}'


def read_metadata(image: Image) -> DockerImage:
    """The metadata of an image in its stored form."""
    if image.docker_image_metadata is None:
        return DockerImage()
    version = image.docker_image_metadata_version or DEFAULT_METADATA_VERSION
    return _current(to_struct(image.docker_image_metadata, _TYPES.get(version, DockerImage)))


def metadata_document(metadata: DockerImage, version: str) -> JsonObject:
    """As it is shown and stored. Raises KeyError for an unknown version."""
    struct = _TYPES[version]
    values = metadata if struct is DockerImage else struct(**msgspec.structs.asdict(metadata))
    shown = msgspec.structs.replace(values, kind=KIND, api_version=f"{GROUP}/{version}")
    document: JsonObject = msgspec.to_builtins(shown)
    for config in ("Config", "ContainerConfig", "config", "container_config"):
        _sort_maps(document.get(config))
    return document


def decode_text(text: str, struct: type[T]) -> T:
    """A manifest or config as Go's standard decoder reads it: names of fields in any case. Raises DecodeError."""
    try:
        decoded: T = _decoder(struct).decode(text)
        return decoded
    except (msgspec.DecodeError, RecursionError):
        return _decode_carefully(text, struct)


def _decode_carefully(text: str, struct: type[T]) -> T:
    """What has a null, something wrong, or something unknown: that may be a field in another spelling.

    Raises DecodeError.
    """
    document = parse_json(text.encode()).document
    inspection = inspect(document, struct)
    # A name in another spelling is unknown under its own.
    if inspection.unknown_is_cut or any(path.lower().endswith(_lower_names(struct)) for path in inspection.unknown):
        inspection = inspect(_named(document, Shape(Kind.STRUCT, "", struct=struct)), struct)
    return to_struct(inspection.document, struct)


def _current(metadata: DockerImage | DockerImagePre012) -> DockerImage:
    if isinstance(metadata, DockerImage):
        return metadata
    return DockerImage(**{name: getattr(metadata, name) for name in metadata.__struct_fields__})


def _sort_maps(config: Json) -> None:
    """Go writes the keys of its maps in order."""
    if isinstance(config, dict):
        for name in ("ExposedPorts", "Volumes", "Labels"):
            unsorted = config.get(name)
            if isinstance(unsorted, dict):
                config[name] = dict(sorted(unsorted.items()))


@cache
def _decoder(struct: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(struct)


@cache
def _lower_names(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """The names of all fields within."""
    names: set[str] = set()
    for name, field in fields_of(struct).items():
        names.add(name.lower())
        inner = field.shape.item or field.shape
        if inner.struct is not None:
            names.update(_lower_names(inner.struct))
    return tuple(names)


@cache
def _folded_names(struct: type[msgspec.Struct]) -> dict[str, str]:
    return {name.lower(): name for name in fields_of(struct)}


def _named(value: Json, shape: Shape) -> Json:
    """The value with the exact names of the fields it means."""
    if isinstance(value, list) and shape.item is not None:
        inner = shape.item
        return [_named(item, inner) for item in value] if inner.kind is Kind.STRUCT else value
    if not isinstance(value, dict) or shape.struct is None:
        return value
    fields, folded = fields_of(shape.struct), _folded_names(shape.struct)
    named: JsonObject = {}
    for key, item in value.items():
        name = key if key in fields else folded.get(key.lower())
        if name is not None:
            named[name] = _named(item, fields[name].shape)
    return named
