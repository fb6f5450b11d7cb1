"""Which groups, versions and resources there are, in the two forms clients ask for.

    /apis  /apis/⟨group⟩  /apis/⟨group⟩/⟨version⟩  /api  /api/⟨version⟩     one document per path (legacy)
    /apis  /api   with Accept …;as=APIGroupDiscoveryList                everything at once (aggregated)

The core group has no name, and paths of its own under /api.

Keeps: both forms say the same, for both are made from the same ResourceInfos, once. A resource without storage of its
own has no storage version. Elsewhere: the resources (`resources/`), other plain paths (`documents.py`).
Source: spec: kube-api 1.2.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import msgspec

from service.api.json_types import Json, JsonObject
from service.api.resource_info import ResourceInfo, Subresource
from service.http.answer import Answer
from service.http.documents import DocumentRequest, document_answer, hash_of
from service.http.errors import RouteNotFound
from service.http.negotiation import DISCOVERY_GROUP, Offer, negotiate

CORE = ""


class Discovery:
    def __init__(self, resources: Sequence[ResourceInfo], media_types: tuple[str, ...]) -> None:
        """Groups keep the order of `resources`."""
        by_version: dict[tuple[str, str], list[ResourceInfo]] = {}
        for info in sorted(resources, key=lambda info: info.plural):
            by_version.setdefault((info.group, info.version), []).append(info)
        versions: dict[str, list[str]] = {info.group: [] for info in resources}
        for group, version in by_version:
            versions[group].append(version)
        self._offer = Offer(media_types)
        self._root_offer = Offer(media_types, discovery=True)
        core = versions.pop(CORE, [])
        groups = [_group(group, versions[group]) for group in versions]
        self._documents: dict[str, JsonObject] = {"/apis": {"kind": "APIGroupList", "groups": list(groups)}}
        if core:
            self._documents["/api"] = _core_versions(core)
        for group, document in zip(versions, groups, strict=True):
            self._documents[f"/apis/{group}"] = {"kind": "APIGroup", "apiVersion": "v1", **document}
        for infos in by_version.values():
            self._documents[infos[0].root] = _resource_list(infos[0].group_version, infos)
        self._known = (*(f"/apis/{group}/" for group in versions), *(["/api/"] if core else []))
        self._roots = {
            "/apis": _root(_aggregated(versions, by_version)),
            "/api": _root(_aggregated({CORE: core} if core else {}, by_version)),
        }

    @property
    def paths(self) -> list[str]:
        return list(self._documents)

    def answer(self, request: DocumentRequest) -> Answer | None:
        """Raises RouteNotFound for an unknown version of a group we have, NotAcceptable, MethodNotAllowed."""
        route = request.route
        document = self._documents.get(route)
        if document is None:
            if route.startswith(self._known):
                raise RouteNotFound
            return None
        request.only_get()
        root = self._roots.get(route)
        offer = self._root_offer if root else self._offer
        form = negotiate(request.accept, offer, pretty=request.pretty)
        if root is None or not form.as_kind:
            return document_answer(document, form)
        headers = {"ETag": root.etag, "Vary": "Accept", "Cache-Control": "public"}
        if request.has(root.etag):
            return Answer(304, headers)
        return document_answer(root.document, form, headers)


class _Root(msgspec.Struct, frozen=True):
    """Everything below a path at once."""

    document: JsonObject
    etag: str


def _root(document: JsonObject) -> _Root:
    return _Root(document, f'"{hash_of(msgspec.json.encode(document))}"')


def _core_versions(versions: list[str]) -> JsonObject:
    """Which address a client should use is no business of ours: it has found us."""
    return {"kind": "APIVersions", "versions": list(versions), "serverAddressByClientCIDRs": []}


def _group(group: str, versions: list[str]) -> JsonObject:
    named: list[Json] = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": named, "preferredVersion": named[0]}


def _resource_list(group_version: str, infos: list[ResourceInfo]) -> JsonObject:
    resources: list[Json] = []
    for info in infos:
        resources.append(_resource(info))
        resources += [_subresource(info, sub) for sub in sorted(info.subresources, key=lambda sub: sub.name)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }


def _resource(info: ResourceInfo) -> JsonObject:
    document: JsonObject = {
        "name": info.plural,
        "singularName": info.singular,
        "namespaced": info.namespaced,
        "kind": info.kind,
        "verbs": list(info.verbs),
        **_names(info),
    }
    # What can be emptied as a whole is stored as such; everything else is made from that.
    if "deletecollection" in info.verbs:
        document["storageVersionHash"] = storage_version_hash(info)
    return document


def _names(info: ResourceInfo) -> JsonObject:
    names: JsonObject = {}
    if info.short_names:
        names["shortNames"] = list(info.short_names)
    if info.categories:
        names["categories"] = list(info.categories)
    return names


def _subresource(info: ResourceInfo, sub: Subresource) -> JsonObject:
    home: JsonObject = {"group": sub.group, "version": sub.version} if sub.group and sub.version else {}
    return {
        "name": f"{info.plural}/{sub.name}",
        "singularName": "",
        "namespaced": info.namespaced,
        **home,
        "kind": sub.kind,
        "verbs": list(sub.verbs),
    }


def storage_version_hash(info: ResourceInfo) -> str:
    digest = hashlib.sha256(f"{info.group}/{info.version}/{info.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _aggregated(versions: dict[str, list[str]], by_version: dict[tuple[str, str], list[ResourceInfo]]) -> JsonObject:
    items: list[Json] = [
        {
            "metadata": {"name": group},
            "versions": [
                {
                    "version": version,
                    "resources": [_discovered(info) for info in by_version[group, version]],
                    "freshness": "Current",
                }
                for version in of_group
            ],
        }
        for group, of_group in versions.items()
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{DISCOVERY_GROUP}/v2",
        "metadata": {},
        "items": items,
    }


def _discovered(info: ResourceInfo) -> JsonObject:
    document: JsonObject = {
        "resource": info.plural,
        "responseKind": _kind(info.kind),
        "scope": "Namespaced" if info.namespaced else "Cluster",
        "singularResource": info.singular,
        "verbs": list(info.verbs),
        **_names(info),
    }
    if info.subresources:
        document["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _kind(sub.kind, sub.group, sub.version),
                "verbs": list(sub.verbs),
            }
            for sub in sorted(info.subresources, key=lambda sub: sub.name)
        ]
    return document


def _kind(kind: str, group: str | None = None, version: str | None = None) -> JsonObject:
    """Empty group and version mean the resource's own."""
    return {"group": group or "", "version": version or "", "kind": kind}
