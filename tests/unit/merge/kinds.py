"""A small kind that follows the conventions of the API structs, and the ways tests write and read its documents."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from service.api.meta_v1 import ObjectMeta, Wire, always, null
from service.merge.schema import schema_of

API_VERSION = "image.openshift.io/v1"
T0, T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"


class Reference(Wire):
    kind: str = ""
    name: str = ""


class Policy(Wire):
    insecure: bool = False
    mode: str = ""


class Tag(Wire):
    name: str = always(str)
    annotations: dict[str, str] | None = always(null)
    from_: Annotated[Reference | None, msgspec.Meta(extra={"atomic": True})] = msgspec.field(default=None, name="from")
    generation: int | None = always(null)
    policy: Policy = always(Policy)


class Named(Wire):
    """Has no `name`, so a list of these cannot be keyed by it."""

    title: str = always(str)


class Lookup(Wire):
    local: bool = always(bool)


class Spec(Wire):
    lookup_policy: Lookup = always(Lookup)
    repository: str = ""
    tags: Annotated[list[Tag], msgspec.Meta(extra={"merge_key": "name"})] = []
    weight: float | None = None
    limits: dict[str, dict[str, int]] = {}
    items: list[str] = []
    rest: Annotated[dict[str, Any] | None, msgspec.Meta(extra={"atomic": True})] = None
    signatures: Annotated[list[Named], msgspec.Meta(extra={"merge_key": "name"})] = []


class ImageStream(Wire):
    kind: str = ""
    api_version: str = ""
    metadata: ObjectMeta = always(ObjectMeta)
    spec: Spec = always(Spec)


SCHEMA = schema_of(ImageStream)


def stream(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """The document of a stream as the server encodes it."""
    return stored({"kind": "ImageStream", "apiVersion": API_VERSION, "metadata": metadata, "spec": spec or {}})


def stored(document: dict[str, Any]) -> dict[str, Any]:
    """The document decoded and encoded again, as it is before it is stored."""
    encoded: dict[str, Any] = msgspec.to_builtins(msgspec.convert(document, ImageStream))
    return encoded


def tag(name: str, image: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": name, **({"from": {"kind": "DockerImage", "name": image}} if image else {}), **fields}


def config(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """What a manager applies: only what it says."""
    document: dict[str, Any] = {"kind": "ImageStream", "apiVersion": API_VERSION, "metadata": {"name": "s", **metadata}}
    return document if spec is None else {**document, "spec": spec}


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", time: str | None = T0) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": API_VERSION,
        **({"time": time} if time else {}),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def owned(document: dict[str, Any]) -> dict[str, Any]:
    """FieldsV1 by manager."""
    return {e["manager"]: e["fieldsV1"] for e in document["metadata"].get("managedFields", [])}
