"""Other shapes of an answer: a Table of rows with cells, or the metadata of objects alone.

Keeps: a row carries the object it is of, as asked for by `includeObject`; a Status is never reshaped (the caller's
part). Column definitions are left out (null) where the client has had them, in a watch from its second event on.
Elsewhere: which shape was asked for (`negotiation.py`), columns and cells (`resources/table_columns.py`).
Source: spec: kube-api 2.2.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol, cast

import msgspec

from service.api.go_text import quote
from service.api.json_types import Json
from service.api.meta_v1 import ListMeta, ObjectMeta
from service.api.resource_info import ResourceInfo
from service.domain.errors import BadRequest
from service.http.errors import NotAcceptable
from service.http.query import Query, first
from service.resources.table_columns import Column, TableColumns


class Include(enum.Enum):
    """What of its object a row carries."""

    METADATA = "Metadata"
    OBJECT = "Object"
    NONE = "None"


class ApiObject(Protocol):
    @property
    def metadata(self) -> ObjectMeta: ...


class PartialObjectMetadata(msgspec.Struct, rename="camel", kw_only=True):
    kind: str = "PartialObjectMetadata"
    api_version: str
    metadata: ObjectMeta


class PartialObjectMetadataList(msgspec.Struct, rename="camel", kw_only=True):
    kind: str = "PartialObjectMetadataList"
    api_version: str
    metadata: ListMeta
    items: list[PartialObjectMetadata]


class TableRow(msgspec.Struct):
    cells: list[Json]
    object: msgspec.Struct | None


class Table(msgspec.Struct, rename="camel", kw_only=True):
    kind: str = "Table"
    api_version: str
    metadata: ListMeta
    column_definitions: tuple[Column, ...] | None
    rows: list[TableRow]


def include_of(query: Query) -> Include:
    """Raises BadRequest."""
    text = first(query, "includeObject")
    try:
        return Include(text) if text else Include.METADATA
    except ValueError:
        raise BadRequest(
            f"Unable to convert to Table as requested: includeObject: Invalid value: {quote(text)}: "
            "must be 'Metadata', 'Object', 'None', or empty"
        ) from None


class TableWriter:
    """Makes tables of one resource's objects, in one version and for one `includeObject`."""

    def __init__(self, info: ResourceInfo, columns: TableColumns, version: str, include: Include) -> None:
        self._info = info
        self._columns = columns
        self._api_version = meta_api_version(version)
        self._include = include

    def table(self, objects: Iterable[ApiObject], metadata: ListMeta, now: str, *, headed: bool = True) -> Table:
        """`headed` is whether the columns are named. `now` is RFC 3339."""
        rows = [TableRow(self._columns.cells(item, now), self._object(item)) for item in objects]
        columns = self._columns.columns if headed else None
        return Table(api_version=self._api_version, metadata=metadata, column_definitions=columns, rows=rows)

    def table_of_one(self, item: ApiObject, now: str, *, headed: bool = True) -> Table:
        return self.table([item], ListMeta(resource_version=item.metadata.resource_version), now, headed=headed)

    def bookmark(self, item: ApiObject, now: str, *, headed: bool) -> Table:
        """Its row keeps the metadata whatever was asked for, for there the end of the initial events is marked."""
        table = self.table_of_one(item, now, headed=headed)
        if self._include is Include.NONE:
            table.rows[0].object = self._partial(item)
        return table

    def _object(self, item: ApiObject) -> msgspec.Struct | None:
        match self._include:
            case Include.METADATA:
                return self._partial(item)
            case Include.OBJECT:
                whole = cast(msgspec.Struct, item)
                return msgspec.structs.replace(whole, kind=self._info.kind, api_version=self._info.group_version)
            case Include.NONE:
                return None

    def _partial(self, item: ApiObject) -> PartialObjectMetadata:
        return PartialObjectMetadata(api_version=self._api_version, metadata=item.metadata)


def partial_object(item: ApiObject, version: str) -> PartialObjectMetadata:
    return PartialObjectMetadata(api_version=meta_api_version(version), metadata=item.metadata)


def partial_list(items: Iterable[ApiObject], metadata: ListMeta, version: str) -> PartialObjectMetadataList:
    partial = [partial_object(item, version) for item in items]
    return PartialObjectMetadataList(api_version=meta_api_version(version), metadata=metadata, items=partial)


def wrong_shape(kind: str, *, is_list: bool, go_type: str) -> NotAcceptable | None:
    """Why an answer cannot have the shape, if it cannot. `go_type` is what the reference calls the answer's type."""
    if kind == "PartialObjectMetadata" and is_list:
        return NotAcceptable(f"you requested {kind}, but the requested object is a list ({go_type})")
    if kind == "PartialObjectMetadataList" and not is_list:
        return NotAcceptable(f"you requested {kind}, but the requested object is not a list ({go_type})")
    return None


def meta_api_version(version: str) -> str:
    return f"meta.k8s.io/{version}"
