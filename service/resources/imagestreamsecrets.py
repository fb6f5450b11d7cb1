"""imagestreams/secrets: get. The credentials that imports into the stream's namespace may use, contents included.

They are those of the namespace: the stream is not asked, and need not be there. Query parameters are refused, as the
reference does. Source: spec: image-api 10.2, observed.
"""

from __future__ import annotations

from typing import Any

from service.api.core_v1 import SecretList
from service.api.meta_v1 import ListMeta
from service.resources.imagestreams import INFO
from service.resources.resource import Call, Resource, Shown, subresource_info
from service.resources.services import Services


class ImageStreamSecrets(Resource[Any]):
    """Of a list, which is no API object: hence `Any`."""

    info = subresource_info(INFO, "secrets")
    takes_options = False

    def __init__(self, services: Services) -> None:
        self._services = services

    async def get(self, call: Call, name: str) -> Shown[Any]:
        page = await self._services.secrets.pull_secrets(call.namespace)
        found = SecretList(metadata=ListMeta(resource_version=str(page.newest)), items=page.secrets)
        return Shown(lambda: found)
