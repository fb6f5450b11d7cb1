"""Watch events in the forms clients negotiate: JSON objects, one-row Tables, metadata alone.

Keeps: an event of plain JSON is made from the same bytes as lists and answers; Tables name their columns in the first
event only, and are never shared, as their cells tell ages.
Elsewhere: who gets which event (`watch/`), framing as HTTP chunks (`watch/frames.py`).
Source: spec: kube-api 7.2, 2.2.5, 2.2.6; observed "lists and watches" for bookmarks.
"""

from __future__ import annotations

from datetime import UTC, datetime

from service.api.image_v1 import Image, ImageStream, ImageStreamTag, ImageTag
from service.api.meta_v1 import ApiObject, ObjectMeta
from service.domain.errors import TagHistoryError
from service.domain.world import Collection, State
from service.http.negotiation import JSON
from service.http.presenter import Presenter, encode, encode_prefix
from service.http.status import failure
from service.http.tables import TableWriter, partial_object
from service.watch.scope import EventType

INITIAL_END = {"k8s.io/initial-events-end": "true"}
_BLANKS: dict[Collection, type[ApiObject]] = {
    Collection.IMAGES: Image,
    Collection.IMAGE_STREAMS: ImageStream,
    Collection.IMAGE_STREAM_TAGS: ImageStreamTag,
    Collection.IMAGE_TAGS: ImageTag,
}


class JsonEvents:
    """Events with whole objects."""

    form = JSON
    content_type = JSON
    lasting = True

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter

    @property
    def following(self) -> JsonEvents:
        return self

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        return _line(event_type.value, self._presenter.object(collection, state, resource_version))

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        info = self._presenter.resource(collection).info
        blank = encode(blank_object(collection, position, initial_end=initial_end))
        return _line("BOOKMARK", encode_prefix(info.kind, info.group_version) + blank[1:])

    def encode_error(self, error: TagHistoryError) -> bytes:
        return _line("ERROR", encode(failure(error).status))


class PartialEvents(JsonEvents):
    """Events with the metadata of objects."""

    def __init__(self, presenter: Presenter, version: str) -> None:
        super().__init__(presenter)
        self.form = f"partial/{version}"
        self._version = version

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        item = self._presenter.struct(collection, state, resource_version)
        return _line(event_type.value, encode(partial_object(item, self._version)))

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        blank = blank_object(collection, position, initial_end=initial_end)
        return _line("BOOKMARK", encode(partial_object(blank, self._version)))


class TableEvents(JsonEvents):
    """Events with one-row tables."""

    lasting = False

    def __init__(self, presenter: Presenter, writer: TableWriter, kind: str, *, headed: bool = True) -> None:
        """`kind` tells writers of different tables apart."""
        super().__init__(presenter)
        self.form = f"table/{kind}/{headed}"
        self._kind = kind
        self._writer = writer
        self._headed = headed

    @property
    def following(self) -> TableEvents:
        return TableEvents(self._presenter, self._writer, self._kind, headed=False) if self._headed else self

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        item = self._presenter.struct(collection, state, resource_version)
        return _line(event_type.value, encode(self._writer.table_of_one(item, _now(), headed=self._headed)))

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        blank = blank_object(collection, position, initial_end=initial_end)
        return _line("BOOKMARK", encode(self._writer.bookmark(blank, _now(), headed=self._headed)))


def blank_object(collection: Collection, position: int, *, initial_end: bool) -> ApiObject:
    """The object of a bookmark. Those of image streams are dressed like streams, as the reference's are."""
    metadata = ObjectMeta(
        namespace="default" if collection is Collection.IMAGE_STREAMS else "",
        resource_version=str(position),
        annotations=dict(INITIAL_END) if initial_end else None,
    )
    return _BLANKS[collection](metadata=metadata)


def _line(event_type: str, data: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (event_type.encode(), data)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
