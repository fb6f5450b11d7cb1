"""The paths of an OpenAPI document: which operations a resource has, where, and what they take and give.

Keeps: an operation names the kind it is about and what it does to it, by which kubectl finds it; a write declares
fieldValidation, dryRun and fieldManager, by which kubectl knows it may send them; a patch lists the patch types there
are, by which kubectl chooses one; every answer there can be is described, failures too.
Elsewhere: the schemas referred to (`openapi_schemas.py`).
Source: spec: kube-api 1.1, 1.4.8-1.4.10, 1.4.12, 1.4.14, 12.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from service.api.json_types import Json, JsonObject
from service.api.meta_v1 import DeleteOptions, Status
from service.api.resource_info import ResourceInfo
from service.http.openapi_schemas import Struct, reference

_ITEM_OPERATIONS = {"get": "get", "update": "put", "delete": "delete", "patch": "patch"}
_COLLECTION_OPERATIONS = {"list": "get", "create": "post", "deletecollection": "delete"}
_ACTIONS = {"create": "post", "update": "put"}
_SUMMARIES = {
    "create": "create {a}",
    "delete": "delete {a}",
    "deletecollection": "delete the {plural} that are selected",
    "get": "read {a}",
    "list": "list or watch {plural}",
    "patch": "change parts of {a}",
    "update": "replace {a}",
}

_INTEGERS = frozenset({"gracePeriodSeconds", "limit", "timeoutSeconds"})
_BOOLEANS = frozenset(
    {"allowWatchBookmarks", "exact", "export", "force", "orphanDependents", "sendInitialEvents", "watch"}
)
_SELECTION = ("continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch")
_DELETION = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "create": _WRITE,
    "delete": _DELETION,
    "deletecollection": (*_SELECTION, *_DELETION),
    "get": ("exact", "export", "resourceVersion"),
    "list": (*_SELECTION, "allowWatchBookmarks", "sendInitialEvents", "timeoutSeconds", "watch"),
    "patch": (*_WRITE, "force"),
    "update": _WRITE,
}
_SENTENCES = {
    "allowWatchBookmarks": "Whether a watch may tell how far it is when nothing changes.",
    "continue": "Asks for the page that follows; from the metadata of the page before.",
    "dryRun": "All: check everything, and store nothing.",
    "exact": "Whether an export keeps the namespace.",
    "export": "Whether to leave out what only the server sets, so that the object can be created elsewhere.",
    "fieldManager": "Who is changing the fields.",
    "fieldSelector": "Selects objects by their fields, e.g. metadata.name=a.",
    "fieldValidation": "What happens to unknown and repeated fields: Ignore, Warn or Strict.",
    "force": "Whether an apply takes fields that other managers own.",
    "gracePeriodSeconds": "How long the object may take to go.",
    "labelSelector": "Selects objects by their labels, e.g. app=web,tier!=test.",
    "limit": "How many objects a page has at most.",
    "name": "The name of the {kind}.",
    "namespace": "The space in which the name is unique.",
    "orphanDependents": "Outdated form of propagationPolicy.",
    "pretty": "Whether the answer is indented.",
    "propagationPolicy": "What becomes of objects that belong to this one: Orphan, Background or Foreground.",
    "resourceVersion": "The moment to read at, or to watch from.",
    "resourceVersionMatch": "Whether that moment is meant exactly (Exact) or at least (NotOlderThan).",
    "sendInitialEvents": "Whether a watch begins with what there is.",
    "timeoutSeconds": "After how long a watch ends.",
    "watch": "Whether to follow the changes in place of a list.",
}


class PathSettings(msgspec.Struct, frozen=True):
    media_types: tuple[str, ...]
    """of objects, in bodies and answers"""
    stream_types: tuple[str, ...]
    """of watches"""
    patch_types: tuple[str, ...]


class _Target(msgspec.Struct, frozen=True):
    """What one path is about."""

    path: str
    kind: JsonObject
    struct: Struct
    list_struct: Struct | None
    plural: str
    namespaced: bool
    named: bool
    subresource: str = ""


def paths_of(info: ResourceInfo, settings: PathSettings) -> JsonObject:
    paths: JsonObject = {}
    for target, operations in _targets(info):
        if operations:
            paths[target.path] = _path(target, operations, settings)
    return paths


def structs_of(info: ResourceInfo) -> Iterator[tuple[Struct, JsonObject]]:
    """Every type the paths refer to, with the kind it is."""
    yield info.struct, _kind(info.group, info.version, info.kind)
    if info.list_struct is not None:
        yield info.list_struct, _kind(info.group, info.version, info.list_struct.__name__)
    for sub in info.subresources:
        yield sub.struct, _kind(sub.group or info.group, sub.version or info.version, sub.kind)
    yield Status, _kind("", "v1", "Status")
    yield DeleteOptions, _kind("", "v1", "DeleteOptions")


def _targets(info: ResourceInfo) -> Iterator[tuple[_Target, dict[str, str]]]:
    """Every path of the resource with its verbs and their methods."""
    root = info.root
    base = f"{root}/namespaces/{{namespace}}/{info.plural}" if info.namespaced else f"{root}/{info.plural}"
    kind = _kind(info.group, info.version, info.kind)
    collection = _Target(base, kind, info.struct, info.list_struct, info.plural, info.namespaced, named=False)
    item = msgspec.structs.replace(collection, path=f"{base}/{{name}}", named=True)
    yield collection, {v: m for v, m in _COLLECTION_OPERATIONS.items() if v in info.verbs}
    yield item, {v: m for v, m in _ITEM_OPERATIONS.items() if v in info.verbs}
    if info.namespaced:
        everywhere = msgspec.structs.replace(collection, path=f"{root}/{info.plural}", namespaced=False)
        reads = {"list": "get"} if "list" in info.verbs else {}
        yield everywhere, {**reads, "create": "post"} if info.created_anywhere else reads
    for sub in info.subresources:
        target = msgspec.structs.replace(
            item,
            path=f"{base}/{{name}}/{sub.name}",
            kind=_kind(sub.group or info.group, sub.version or info.version, sub.kind),
            struct=sub.struct,
            subresource=sub.name,
        )
        yield target, {v: m for v, m in _ITEM_OPERATIONS.items() if v in sub.verbs}


def _kind(group: str, version: str, kind: str) -> JsonObject:
    return {"group": group, "version": version, "kind": kind}


def _path(target: _Target, operations: dict[str, str], settings: PathSettings) -> JsonObject:
    path: JsonObject = {method: _operation(target, verb, settings) for verb, method in operations.items()}
    shared = [name for name, is_there in (("name", target.named), ("namespace", target.namespaced)) if is_there]
    parameters: list[Json] = [_parameter(name, "path", str(target.kind["kind"])) for name in shared]
    path["parameters"] = [*parameters, _parameter("pretty", "query")]
    return path


def _operation(target: _Target, verb: str, settings: PathSettings) -> JsonObject:
    kind = str(target.kind["kind"])
    what = f"the {target.subresource} of {_article(kind)}" if target.subresource else _article(kind)
    place = "Namespaced" if target.namespaced else ""
    operation: JsonObject = {
        "description": _SUMMARIES[verb].format(a=what, plural=target.plural),
        "operationId": f"{verb}{place}{kind}{target.subresource.capitalize()}{'' if target.named else 'Collection'}",
        "tags": [f"{target.kind['group'] or 'core'}_{target.kind['version']}"],
        "parameters": [_parameter(name, "query") for name in _PARAMETERS[verb]],
        "responses": _responses(target, verb, settings),
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": target.kind,
    }
    if verb == "patch":
        operation["requestBody"] = _content(settings.patch_types, {"type": "object"})
    elif verb in ("create", "update"):
        operation["requestBody"] = _content(settings.media_types, reference(target.struct))
    elif verb in ("delete", "deletecollection"):
        operation["requestBody"] = _content(settings.media_types, reference(DeleteOptions))
    return operation


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"


def _responses(target: _Target, verb: str, settings: PathSettings) -> JsonObject:
    struct: Struct = Status if verb == "delete" else target.struct
    media_types = settings.media_types
    if verb in ("list", "deletecollection") and target.list_struct is not None:
        struct = target.list_struct
        media_types = (*media_types, *(settings.stream_types if verb == "list" else ()))
    answer = {"description": "OK", **_content(media_types, reference(struct))}
    responses: JsonObject = {"201" if verb == "create" else "200": answer, "401": {"description": "Unauthorized"}}
    if verb in ("update", "patch"):
        responses["201"] = {**answer, "description": "Created"}
    if verb == "delete":
        responses["202"] = {**answer, "description": "Accepted"}
    responses["default"] = {"description": "Failure", **_content(settings.media_types, reference(Status))}
    return responses


def _content(media_types: tuple[str, ...], schema: JsonObject) -> JsonObject:
    return {"content": {media_type: {"schema": schema} for media_type in media_types}}


def _parameter(name: str, place: str, kind: str = "") -> JsonObject:
    parameter: JsonObject = {"name": name, "in": place, "description": _SENTENCES[name].format(kind=kind)}
    if place == "path":
        parameter["required"] = True
    kind_of = "integer" if name in _INTEGERS else "boolean" if name in _BOOLEANS else "string"
    parameter["schema"] = {"type": kind_of, "uniqueItems": True}
    return parameter
