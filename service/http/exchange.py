"""One request on its way through the handlers: what it asks, who asks, and what goes into its answer beside the body.

Keeps: everything a handler may know of HTTP is here; nothing here knows what the resources mean.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import web

from service.auth.authorization import Authorizer
from service.auth.rbac_index import Attributes
from service.auth.users import User
from service.eventstore.records import Metadata
from service.http.negotiation import JSON, PROTOBUF, YAML, Negotiated, Offer, negotiate, wants_pretty
from service.http.request_info import RequestInfo
from service.merge.managed_fields import manager_from_user_agent
from service.resources.resource import Call

BODY_TYPES = (JSON, YAML, PROTOBUF)
"""The forms of a body that is an object."""
REASON_HEADER = "X-Tag-History-Reason"
REASON_LIMIT_CHARACTERS = 1024
USER_AGENT_LIMIT_CHARACTERS = 1024


def text_of_header(request: web.Request, name: str, limit_characters: int) -> str:
    """A header as text that can be stored: bytes that are no UTF-8 become question marks."""
    return request.headers.get(name, "")[:limit_characters].encode(errors="replace").decode()


class Exchange(msgspec.Struct):
    request: web.Request
    info: RequestInfo
    user: User
    request_id: str
    now: str
    """RFC 3339, UTC, whole seconds"""
    warnings: list[str] = []
    impersonator: str = ""
    """Who acts as the user, where somebody does."""

    def negotiate(self, offer: Offer, *, stream: bool = False) -> Negotiated:
        """The form of the answer. Raises NotAcceptable."""
        headers = self.request.headers
        pretty = wants_pretty(self.info.query, headers.get("User-Agent"))
        return negotiate(headers.get("Accept"), offer, pretty=pretty, stream=stream)

    def manager(self, given: str) -> str:
        """The field manager: as given, else after the user agent (spec: kube-api 5.5.1)."""
        return given or manager_from_user_agent(self.request.headers.get("User-Agent", ""))

    def call(
        self, authorizer: Authorizer, *, dry_run: bool = False, resource_version: str = "", namespace: str | None = None
    ) -> Call:
        return Call(
            user=self.user,
            namespace=self.info.namespace if namespace is None else namespace,
            now=self.now,
            metadata=self._metadata(),
            dry_run=dry_run,
            resource_version=resource_version,
            may_create=self._may_create(authorizer),
        )

    def _may_create(self, authorizer: Authorizer) -> Callable[[], None]:
        info = self.info
        asked = Attributes("create", info.group, info.resource, info.subresource, info.namespace, info.name, info.path)

        def may_create() -> None:
            authorizer.require(self.user, asked)

        return may_create

    def _metadata(self) -> Metadata:
        return Metadata(
            actor=self.user.name,
            uid=self.user.uid,
            groups=self.user.groups,
            source_address=self.request.remote or "",
            user_agent=text_of_header(self.request, "User-Agent", USER_AGENT_LIMIT_CHARACTERS),
            request_id=self.request_id,
            verb=self.info.verb,
            reason=text_of_header(self.request, REASON_HEADER, REASON_LIMIT_CHARACTERS),
            impersonator=self.impersonator,
        )
