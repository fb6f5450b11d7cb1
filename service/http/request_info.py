"""What a request is about, from its method and target alone: a verb on a resource, or a path that is none.

    /apis/⟨group⟩/⟨version⟩[/watch][/namespaces/⟨namespace⟩]/⟨resource⟩[/⟨name⟩[/⟨subresource⟩[/…]]]

Keeps: slashes at either end mean nothing; escapes are decoded exactly once, before the path is cut, so an escaped
slash separates. Any path gets an answer here; whether there is such a resource is the router's business.
Elsewhere: whether the user may (`auth/`), which methods a resource has. Source: spec: kube-api 1.1.
"""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from service.auth.rbac_index import Attributes
from service.domain.errors import BadRequest
from service.domain.selectors import parse_field_selector
from service.http.query import Query, first, flag, parse_query

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_PREFIX_VERBS = frozenset({"watch", "proxy"})
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


class RequestInfo(msgspec.Struct, frozen=True):
    method: str
    path: str
    """decoded"""
    query: Query
    verb: str
    """of the API for a resource, else the method in lower case"""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    """from the path"""
    subresource: str = ""
    subpath: tuple[str, ...] = ()
    """what follows the subresource"""
    pinned_name: str = ""
    """from a fieldSelector of a list or watch that lets only one name through"""
    watch_prefix: bool = False

    @property
    def is_resource(self) -> bool:
        return bool(self.version)

    @property
    def is_namespace(self) -> bool:
        """Whether it is about namespaces: one is in none, but may be asked for by whom a role in it allows to."""
        return not self.group and self.resource == "namespaces"

    @property
    def attributes(self) -> Attributes:
        """What authorization decides on; a pinned name counts, so that resourceNames work for watches of one object."""
        return Attributes(
            self.verb,
            self.group,
            self.resource,
            self.subresource,
            self.namespace,
            self.name or self.pinned_name,
            self.path,
        )


def parse_request(method: str, target: str) -> RequestInfo:
    """The target is the path with its query, as it stands in the request line. Raises BadRequest."""
    raw_path, _, raw_query = target.partition("?")
    path = unquote(raw_path) if "%" in raw_path else raw_path
    if "\0" in path:
        # Nothing can have such a name, and the database cannot even be asked.
        raise BadRequest("the path may not contain NUL characters")
    query = parse_query(raw_query)
    parts = path.strip("/").split("/")
    if parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    elif parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    else:
        return RequestInfo(method, path, query, method.lower())
    return _of_resource(method, path, query, group, version, rest)


def _of_resource(method: str, path: str, query: Query, group: str, version: str, parts: list[str]) -> RequestInfo:
    verb = _VERBS.get(method, "")
    prefixed = parts[0] in _PREFIX_VERBS
    if prefixed:
        verb, parts = parts[0], parts[1:]
        if not parts:
            raise BadRequest(f"unable to determine kind and namespace from url, {path}")
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 and verb != "proxy" else ""
    pinned_name = ""
    if not name and verb == "get":
        verb = "watch" if flag(query, "watch") else "list"
        pinned_name = _pinned_name(query)
    elif not name and verb == "delete":
        verb = "deletecollection"
    return RequestInfo(
        method,
        path,
        query,
        verb,
        group,
        version,
        namespace,
        parts[0],
        name,
        subresource,
        tuple(parts[3:]),
        pinned_name,
        prefixed and verb == "watch",
    )


def _pinned_name(query: Query) -> str:
    """The one name a fieldSelector lets through, if it could stand in a path. A broken selector is refused later."""
    text = first(query, "fieldSelector")
    if "metadata.name" not in text:
        return ""
    try:
        name = parse_field_selector(text).exact("metadata.name") or ""
    except BadRequest:
        return ""
    return "" if name in (".", "..") or "/" in name or "%" in name else name
