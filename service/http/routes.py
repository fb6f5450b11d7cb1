"""Which resource, if any, answers a request, and which of its verbs.

Keeps: a path that serves some method answers 405 to the others, a path that serves none 404 (spec: kube-api 1.1.7).
POST at the path of all namespaces, which the reference has given up, changes nothing for the other methods there.
Elsewhere: parsing the path (`request_info.py`), what the verbs do (`reading.py`, `writing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from service.api.resource_info import ResourceInfo
from service.http.errors import MethodNotAllowed, RouteNotFound
from service.http.request_info import RequestInfo
from service.resources.resource import AnyResource

ITEM_METHODS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
COLLECTION_METHODS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}

ResourceName = tuple[str, str, str, str]
"""group, version, plural, subresource"""


class Routes:
    def __init__(self, resources: Iterable[tuple[str, AnyResource]]) -> None:
        """Pairs of a subresource's name ("" for the resource itself) and what serves it."""
        self._resources: dict[ResourceName, AnyResource] = {
            (r.info.group, r.info.version, r.info.plural, subresource): r for subresource, r in resources
        }

    def find(self, info: RequestInfo) -> tuple[AnyResource, str]:
        """The resource and the verb. Raises RouteNotFound or MethodNotAllowed."""
        resource = self._resources.get((info.group, info.version, info.resource, info.subresource))
        if resource is None or info.subpath:
            raise RouteNotFound
        if _is_created_anywhere(resource.info, info):
            return resource, "create"
        methods = _methods(resource.info, info)
        if not methods:
            raise RouteNotFound
        verb = methods.get(info.method)
        if verb is None:
            raise MethodNotAllowed
        return resource, "watch" if info.verb == "watch" else verb


def _is_created_anywhere(resource: ResourceInfo, info: RequestInfo) -> bool:
    """Whether the object, not the path, has to name the namespace."""
    everywhere = not (info.namespace or info.name or info.watch_prefix)
    return resource.created_anywhere and everywhere and info.method == "POST"


def _methods(resource: ResourceInfo, info: RequestInfo) -> dict[str, str]:
    """The methods of a path with the verb each stands for."""
    if info.subresource:
        verbs: tuple[str, ...] = next(s.verbs for s in resource.subresources if s.name == info.subresource)
    else:
        verbs = resource.verbs
    if info.watch_prefix:
        return {"GET": "watch"} if "watch" in verbs else {}
    if not resource.namespaced and info.namespace and not info.is_namespace:
        return {}
    if info.name:
        methods = ITEM_METHODS
        if resource.namespaced and not info.namespace:
            return {}
    else:
        methods = COLLECTION_METHODS
        if resource.namespaced and not info.namespace:
            methods = {"GET": "list"}
    return {method: verb for method, verb in methods.items() if verb in verbs}
