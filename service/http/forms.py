"""Answers in the form a client negotiated: an object or a page of a list, whole, as a Table or in part.

Keeps: whole objects are put together from bytes that are encoded once per state (`presenter.py`); every other form is
made from the same objects. A Status is never reshaped.
Elsewhere: which form (`negotiation.py`), JSON and protobuf (`encodings.py`), the shapes (`tables.py`), watch events
(`event_forms.py`).
Source: spec: kube-api 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.api import core_v1
from service.api.core_v1 import SecretList
from service.api.meta_v1 import ApiObject, ListMeta, Status
from service.api.yaml_writing import dump_yaml
from service.http.answer import Answer
from service.http.encodings import Named, encoding_of
from service.http.event_forms import FetchedEvents, ObjectEvents, PartialEvents, TableEvents
from service.http.negotiation import JSON, PROTOBUF, YAML, Negotiated, Offer, negotiate_error
from service.http.presenter import Presenter
from service.http.query import NOTHING, Query
from service.http.request_info import RequestInfo
from service.http.tables import TableWriter, include_of, partial_list, partial_object, wrong_shape
from service.resources.listing import Page
from service.resources.resource import AnyResource, Objects, Shown
from service.resources.table_columns import columns_of
from service.runtime.clock import utc_now

MEDIA_TYPES = (JSON, YAML, PROTOBUF)


class Forms:
    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter

    def offer(self, resource: AnyResource, info: RequestInfo) -> Offer:
        """What the endpoint of a request can answer with."""
        return Offer(
            MEDIA_TYPES,
            watchable=info.verb in ("list", "watch") and "watch" in resource.info.verbs,
            tables=columns_of(resource.info) is not None and not info.subresource,
            partial=True,
        )

    def shown(self, shown: Shown[ApiObject], resource: AnyResource, form: Negotiated, query: Query) -> Answer:
        """The object that a GET shows; whole, it is encoded once as long as nothing in it changes."""
        if form.as_kind:
            return self.object(shown.make(), resource, form, 200, query)
        return _answer(self._presenter.shown(resource, shown, encoding_of(form.media_type)), form, 200)

    def object(
        self,
        value: msgspec.Struct,
        resource: AnyResource,
        form: Negotiated,
        status: int,
        query: Query = NOTHING,
    ) -> Answer:
        """One object, or the Status of a deletion or mapping."""
        if isinstance(value, Status):
            told = msgspec.structs.replace(value, kind="Status", api_version="v1")
            return _named_answer(told, msgspec.structs.replace(form, as_kind=""), status)
        info = resource.info
        if form.as_kind:
            _refuse_wrong_shape(form, info.struct, is_list=isinstance(value, SecretList))
            if isinstance(value, SecretList):
                return self._reshaped(value.items, value.metadata, resource, form, query)
            if not isinstance(value, ApiObject):
                raise TypeError(f"{type(value).__name__} is no API object")
            if form.as_kind == "Table":
                return _named_answer(self._writer(resource, form, query).table_of_one(value, utc_now()), form, status)
            return _named_answer(partial_object(value, form.as_version), form, status)
        encoding = encoding_of(form.media_type)
        return _answer(encoding.whole(info.kind, info.group_version, encoding.item(value)), form, status)

    async def page(self, page: Page, resource: AnyResource, form: Negotiated, query: Query) -> Answer:
        """A list of what the resource's collection shows."""
        info = resource.info
        metadata = ListMeta(
            resource_version=str(page.position),
            continue_=page.continue_token,
            remaining_item_count=page.remaining,
        )
        if form.as_kind:
            shown = [resource.item(state) for state in page.states]
            return self._reshaped(shown, metadata, resource, form, query)
        collection = resource.collection
        assert collection is not None
        encoding = encoding_of(form.media_type)
        if resource.stored_apart:
            items = [encoding.item(await resource.whole(state)) for state in page.states]
        else:
            items = [self._presenter.item(collection, state, encoding) for state in page.states]
        return _answer(encoding.list(f"{info.kind}List", info.group_version, metadata, items), form, 200)

    def objects(self, page: Objects[ApiObject], resource: AnyResource, form: Negotiated, query: Query) -> Answer:
        """A list of objects that are encoded for this answer alone."""
        if form.as_kind:
            return self._reshaped(page.items, page.metadata, resource, form, query)
        info, encoding = resource.info, encoding_of(form.media_type)
        items = [encoding.item(item) for item in page.items]
        return _answer(encoding.list(f"{info.kind}List", info.group_version, page.metadata, items), form, 200)

    def _reshaped(
        self, items: Sequence[ApiObject], metadata: ListMeta, resource: AnyResource, form: Negotiated, query: Query
    ) -> Answer:
        _refuse_wrong_shape(form, resource.info.list_struct or resource.info.struct, is_list=True)
        if form.as_kind == "Table":
            return _named_answer(self._writer(resource, form, query).table(items, metadata, utc_now()), form, 200)
        return _named_answer(partial_list(items, metadata, form.as_version), form, 200)

    def encoder(self, resource: AnyResource, form: Negotiated, query: Query) -> ObjectEvents:
        """The events of a watch."""
        if form.as_kind == "Table":
            kind = f"{form.as_version}/{include_of(query).value}"
            return TableEvents(self._presenter, self._writer(resource, form, query), kind)
        if form.as_kind:
            return PartialEvents(self._presenter, encoding_of(form.media_type), form.as_version)
        events = FetchedEvents if resource.stored_apart else ObjectEvents
        return events(self._presenter, encoding_of(form.media_type))

    def _writer(self, resource: AnyResource, form: Negotiated, query: Query) -> TableWriter:
        columns = columns_of(resource.info)
        assert columns is not None
        return TableWriter(resource.info, columns, form.as_version, include_of(query))


def encode_status(status: Status, accept: str | None, pretty: bool) -> tuple[bytes, str]:
    """The body and the content type of an error."""
    form = negotiate_error(accept, MEDIA_TYPES, pretty=pretty)
    answer = _named_answer(status, form, status.code)
    return answer.body, answer.headers["Content-Type"]


def _refuse_wrong_shape(form: Negotiated, struct: type[msgspec.Struct], *, is_list: bool) -> None:
    package = "core" if struct.__module__ == core_v1.__name__ else "image"
    refusal = wrong_shape(form.as_kind, is_list=is_list, go_type=f"*{package}.{struct.__name__}")
    if refusal is not None:
        raise refusal


def _named_answer(value: Named, form: Negotiated, status: int) -> Answer:
    return _answer(encoding_of(form.media_type).named(value), form, status)


def _answer(body: bytes, form: Negotiated, status: int) -> Answer:
    """From compact JSON to what the client reads (spec: kube-api 2.9); protobuf is read as it is."""
    if form.media_type == YAML:
        body = dump_yaml(msgspec.json.decode(body)).encode()
    elif form.pretty:
        body = msgspec.json.format(body, indent=2)
    elif form.media_type == JSON:
        body += b"\n"
    return Answer(status, {"Content-Type": form.content_type}, body)
