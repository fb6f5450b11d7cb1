"""The verbs that change something: create, update, patch, delete, deletecollection.

Each reads the request in the reference's order (form of the answer, form of the body, options, body), hands an object
or a function of the current object to the resource, and answers with what came of it.
Keeps: nothing is appended for a request that will be refused. Elsewhere: what a write means (`resources/`).
Source: spec: kube-api 4.1.
"""

from __future__ import annotations

from functools import partial

import msgspec

from service.api.meta_v1 import ApiObject, DeleteOptions, Status
from service.auth.authorization import Authorizer
from service.domain.errors import NotFound
from service.domain.namespace import refuse_impossible
from service.domain.served import Registry
from service.http.answer import Answer
from service.http.bodies import decode_body, parse_delete_options, read_body
from service.http.delete_options import delete_options_from_body, delete_options_from_query
from service.http.exchange import BODY_TYPES, Exchange
from service.http.forms import Forms
from service.http.negotiation import body_media_type, patch_media_type
from service.http.options import create_options, list_options, patch_options, update_options
from service.http.patches import APPLY_PATCH, PATCH_TYPES, parse_patch
from service.http.reading import scope_of, wanted_of
from service.http.updates import Target, check_namespace, named_namespace, patched, replacement, tracked
from service.merge.apply import apply
from service.resources.listing import Lists
from service.resources.resource import AnyResource


class Writing:
    def __init__(self, authorizer: Authorizer, forms: Forms, lists: Lists, registry: Registry) -> None:
        self._authorizer = authorizer
        self._registry = registry
        self._forms = forms
        self._lists = lists

    async def create(self, exchange: Exchange, resource: AnyResource) -> Answer:
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        media_type = body_media_type(exchange.request.headers.get("Content-Type"), BODY_TYPES)
        body = await read_body(exchange.request)
        options = create_options(exchange.info.query)
        decoded = decode_body(resource, body, media_type, options.field_validation)
        exchange.warnings += decoded.warnings
        wanted = decoded.value
        if resource.info.created_anywhere and not exchange.info.namespace:
            exchange.info = msgspec.structs.replace(exchange.info, namespace=named_namespace(wanted.metadata))
        namespace = exchange.info.namespace
        check_namespace(wanted.metadata, namespace)
        refuse_impossible(namespace)
        wanted.metadata.namespace = namespace
        wanted.metadata.deletion_timestamp = wanted.metadata.deletion_grace_period_seconds = None
        target = self._target(exchange, resource, wanted.metadata.name, options.field_manager)
        wanted = tracked(target, None, wanted, decoded.managed_fields)
        call = exchange.call(self._authorizer, dry_run=options.dry_run)
        return self._forms.object(await resource.create(call, wanted), resource, form, 201)

    async def update(self, exchange: Exchange, resource: AnyResource) -> Answer:
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        body = await read_body(exchange.request)
        options = update_options(exchange.info.query)
        media_type = body_media_type(exchange.request.headers.get("Content-Type"), BODY_TYPES)
        decoded = decode_body(resource, body, media_type, options.field_validation)
        exchange.warnings += decoded.warnings
        target = self._target(exchange, resource, exchange.info.name, options.field_manager)
        transform = replacement(target, decoded)
        call = exchange.call(self._authorizer, dry_run=options.dry_run)
        value, created = await resource.update(call, exchange.info.name, transform)
        return self._forms.object(value, resource, form, 201 if created else 200)

    async def patch(self, exchange: Exchange, resource: AnyResource) -> Answer:
        media_type = patch_media_type(exchange.request.headers.get("Content-Type"), PATCH_TYPES)
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        body = await read_body(exchange.request)
        options = patch_options(exchange.info.query, apply=media_type == APPLY_PATCH)
        target = self._target(exchange, resource, exchange.info.name, options.field_manager)
        apply_as = partial(
            apply,
            resource.schema,
            manager=target.manager,
            force=options.force,
            api_version=target.api_version,
            now=target.now,
            subresource=target.subresource,
        )
        strict = options.field_validation == "Strict"
        patch = parse_patch(resource.schema, media_type, body, strict=strict, apply_as=apply_as)
        warnings: list[str] = []
        transform = patched(target, patch, options.field_validation, warnings)
        call = exchange.call(self._authorizer, dry_run=options.dry_run)
        try:
            value, created = await resource.update(call, exchange.info.name, transform)
        except NotFound:
            if not patch.creates or exchange.info.subresource:
                raise
            call.may_create()
            refuse_impossible(exchange.info.namespace)
            wanted = transform(None)
            wanted.metadata.resource_version = ""
            exchange.warnings += warnings
            return self._forms.object(await resource.create(call, wanted), resource, form, 201)
        exchange.warnings += warnings
        return self._forms.object(value, resource, form, 201 if created else 200)

    async def delete(self, exchange: Exchange, resource: AnyResource) -> Answer:
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        options = await self._delete_options(exchange, resource)
        call = exchange.call(self._authorizer, dry_run=bool(options.dry_run))
        value = await resource.delete(call, exchange.info.name, options)
        held = options.orphan_dependents is False and not isinstance(value, Status)
        return self._forms.object(value, resource, form, 202 if held else 200)

    async def delete_collection(self, exchange: Exchange, resource: AnyResource) -> Answer:
        """Delete what the list options select, one by one; what is gone meanwhile is no error.

        Source: spec: kube-api 4.5.9.
        """
        form = exchange.negotiate(self._forms.offer(resource, exchange.info))
        asked = list_options(exchange.info.query, watch=False, known_fields=resource.known_fields)
        # A resourceVersion in the query selects; it is no condition on each of those selected.
        options = await self._delete_options(exchange, resource, but="resourceVersion")
        call = exchange.call(self._authorizer, dry_run=bool(options.dry_run))
        page = await self._lists.page(scope_of(exchange, resource, asked, self._registry), wanted_of(asked))
        for state in page.states:
            found = resource.item(state)
            call = msgspec.structs.replace(call, namespace=found.metadata.namespace)
            try:
                await resource.delete(call, found.metadata.name, options)
            except NotFound:
                continue
        return await self._forms.page(page, resource, form, exchange.info.query)

    async def _delete_options(self, exchange: Exchange, resource: AnyResource, *, but: str = "") -> DeleteOptions:
        """From the body, or the query without one of its parameters."""
        body = await read_body(exchange.request)
        if not body:
            return delete_options_from_query({k: v for k, v in exchange.info.query.items() if k != but})
        media_type = body_media_type(exchange.request.headers.get("Content-Type"), BODY_TYPES)
        return delete_options_from_body(parse_delete_options(body, media_type), (resource.info.group_version,))

    def _target(self, exchange: Exchange, resource: AnyResource, name: str, manager: str) -> Target[ApiObject]:
        return Target(
            resource=resource,
            namespace=exchange.info.namespace,
            name=name,
            manager=exchange.manager(manager),
            now=exchange.now,
            subresource=exchange.info.subresource,
        )
