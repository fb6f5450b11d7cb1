"""The verbs that change nothing: get, list, watch.

Keeps: a GET or LIST without a resourceVersion is as new as the log's head when it was asked (read-your-writes, on
every replica). Elsewhere: the past (`resources/listing.py`), the life of a watch (`watch/`, `watch_stream.py`).
Source: spec: kube-api 6, 7.
"""

from __future__ import annotations

import random
from functools import partial

from aiohttp import web

from service.auth.authorization import Authorizer
from service.domain.errors import BadRequest, MethodNotSupported, Unclassified
from service.domain.go_syntax import parse_uint64
from service.domain.served import Registry
from service.http.answer import Answer
from service.http.exchange import Exchange
from service.http.forms import Forms
from service.http.headers import with_common_headers
from service.http.options import ListOptions, get_options, list_options
from service.http.watch_stream import serve_watch
from service.http.websockets import is_websocket, serve_socket
from service.resources.exporting import exported
from service.resources.listing import Lists, Wanted
from service.resources.resource import AnyResource, Selectors, Shown
from service.watch.hub import Hub
from service.watch.request import WatchRequest
from service.watch.scope import Scope

WATCH_TIMEOUT_S = 1800
"""The shortest life of a watch that asks for none; the longest is twice that (spec: kube-api 7.2.5)."""


class Reading:
    def __init__(self, authorizer: Authorizer, forms: Forms, lists: Lists, hub: Hub, registry: Registry) -> None:
        self._authorizer = authorizer
        self._forms = forms
        self._lists = lists
        self._hub = hub
        self._registry = registry

    async def get(self, exchange: Exchange, resource: AnyResource) -> Answer:
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        if exchange.info.query and not resource.takes_options:
            raise BadRequest("converting (url.Values) to (v1.ListOptions): unknown conversion")
        options = get_options(exchange.info.query)
        if options.resource_version:
            _number(options.resource_version)
        call = exchange.call(self._authorizer, resource_version=options.resource_version)
        shown = await resource.get(call, exchange.info.name)
        if options.export:
            shown = Shown(partial(exported, resource, shown.make(), exact=options.exact))
        return self._forms.shown(shown, resource, form, exchange.info.query)

    async def list(self, exchange: Exchange, resource: AnyResource) -> Answer:
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        options = list_options(exchange.info.query, watch=False, known_fields=resource.known_fields)
        if options.resource_version:
            _list_number(options.resource_version)
        if resource.collection is None:
            selectors = Selectors(options.labels, options.fields)
            objects = await resource.objects(exchange.call(self._authorizer), wanted_of(options), selectors)
            return self._forms.objects(objects, resource, form, exchange.info.query)
        page = await self._lists.page(scope_of(exchange, resource, options, self._registry), wanted_of(options))
        return await self._forms.page(page, resource, form, exchange.info.query)

    async def watch(self, exchange: Exchange, resource: AnyResource) -> web.StreamResponse:
        form = exchange.negotiate(self._forms.offer(resource, exchange.info), stream=True)
        if "watch" not in resource.info.verbs:
            raise MethodNotSupported(resource.group_resource, "watch")
        options = list_options(exchange.info.query, watch=True, known_fields=resource.known_fields)
        position = _number(options.resource_version) if options.resource_version else None
        timeout_s = options.timeout_seconds or WATCH_TIMEOUT_S * (1 + random.random())
        wanted = WatchRequest(
            scope=scope_of(exchange, resource, options, self._registry),
            encoder=self._forms.encoder(resource, form, exchange.info.query),
            timeout_s=timeout_s,
            resource_version=position,
            send_initial_events=options.send_initial_events,
            bookmarks=options.allow_bookmarks,
        )
        headers = with_common_headers({}, exchange.request_id, exchange.warnings)
        serve = serve_socket if is_websocket(exchange.request) else serve_watch
        return await serve(exchange.request, self._hub, wanted, headers)


def scope_of(exchange: Exchange, resource: AnyResource, options: ListOptions, registry: Registry) -> Scope:
    """What a list or watch is about. Raises BadRequest if a name in the path and one in a selector differ."""
    info = exchange.info
    pinned = options.fields.exact("metadata.name")
    if info.name and pinned is not None and pinned != info.name:
        raise BadRequest("fieldSelector metadata.name doesn't match requested name")
    if resource.collection is None:
        raise MethodNotSupported(resource.group_resource, "list")
    return Scope(
        collection=resource.collection,
        namespace=info.namespace or None,
        name=info.name or pinned,
        labels=options.labels,
        fields=options.fields,
        registry=registry,
    )


def wanted_of(options: ListOptions) -> Wanted:
    return Wanted(
        resource_version=options.resource_version,
        match=options.resource_version_match,
        limit=options.limit,
        continue_token=options.continue_token,
    )


def _number(version: str) -> int:
    try:
        return parse_uint64(version)
    except ValueError as wrong:
        raise Unclassified(f'resourceVersion: Invalid value: "{version}": {wrong}') from wrong


def _list_number(version: str) -> int:
    try:
        return parse_uint64(version)
    except ValueError as wrong:
        sentence = f'invalid resource version: resourceVersion: Invalid value: "{version}": {wrong}'
        raise BadRequest(sentence) from wrong
