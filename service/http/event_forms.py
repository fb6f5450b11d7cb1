"""Watch events in the forms clients negotiate: objects, their metadata alone, one-row Tables.

Keeps: an event with a whole object is made from the same bytes as lists and answers; Tables name their columns in the
first event only, and are never shared, as their cells tell ages.
Elsewhere: who gets which event (`watch/`), JSON and protobuf (`encodings.py`), HTTP chunks (`watch/frames.py`).
Source: spec: kube-api 7.2, 2.2.5, 2.2.6; observed "lists and watches" for bookmarks.
"""

from __future__ import annotations

from service.api.core_v1 import Namespace
from service.api.image_v1 import Image, ImageStream, ImageStreamTag, ImageTag
from service.api.meta_v1 import ApiObject, ObjectMeta
from service.domain.errors import TagHistoryError
from service.domain.world import Collection, State
from service.http.encodings import JSON_ENCODING, Encoding, Named
from service.http.presenter import Presenter
from service.http.status import failure
from service.http.tables import TableWriter, partial_object
from service.runtime.clock import utc_now
from service.watch.scope import EventType

INITIAL_END = {"k8s.io/initial-events-end": "true"}
_BLANKS: dict[Collection, type[ApiObject]] = {
    Collection.IMAGES: Image,
    Collection.IMAGE_STREAMS: ImageStream,
    Collection.IMAGE_STREAM_TAGS: ImageStreamTag,
    Collection.IMAGE_TAGS: ImageTag,
    Collection.NAMESPACES: Namespace,
}


class ObjectEvents:
    """Events with whole objects."""

    lasting = True
    at_once = True

    def __init__(self, presenter: Presenter, encoding: Encoding) -> None:
        self.form = encoding.media_type
        self.content_type = encoding.stream_type
        self._presenter = presenter
        self._encoding = encoding

    @property
    def following(self) -> ObjectEvents:
        return self

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        whole = self._presenter.object(collection, state, resource_version, self._encoding)
        return self._encoding.event(event_type.value, whole)

    async def fetch(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        whole = await self._presenter.fetched(collection, state, resource_version, self._encoding)
        return self._encoding.event(event_type.value, whole)

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        info = self._presenter.resource(collection).info
        blank = self._encoding.item(blank_object(collection, position, initial_end=initial_end))
        return self._encoding.event("BOOKMARK", self._encoding.whole(info.kind, info.group_version, blank))

    def encode_error(self, error: TagHistoryError) -> bytes:
        return self._named("ERROR", failure(error).status)

    def _named(self, event_type: str, value: Named) -> bytes:
        return self._encoding.event(event_type, self._encoding.named(value))


class FetchedEvents(ObjectEvents):
    """Events with whole objects, of which a part is stored apart from their states."""

    at_once = False


class PartialEvents(ObjectEvents):
    """Events with the metadata of objects."""

    def __init__(self, presenter: Presenter, encoding: Encoding, version: str) -> None:
        super().__init__(presenter, encoding)
        self.form = f"partial/{version}/{encoding.media_type}"
        self._version = version

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        item = self._presenter.struct(collection, state, resource_version)
        return self._named(event_type.value, partial_object(item, self._version))

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        blank = blank_object(collection, position, initial_end=initial_end)
        return self._named("BOOKMARK", partial_object(blank, self._version))


class TableEvents(ObjectEvents):
    """Events with one-row tables."""

    lasting = False

    def __init__(self, presenter: Presenter, writer: TableWriter, kind: str, *, headed: bool = True) -> None:
        """`kind` tells writers of different tables apart."""
        super().__init__(presenter, JSON_ENCODING)
        self.form = f"table/{kind}/{headed}"
        self._kind = kind
        self._writer = writer
        self._headed = headed

    @property
    def following(self) -> TableEvents:
        return TableEvents(self._presenter, self._writer, self._kind, headed=False) if self._headed else self

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        item = self._presenter.struct(collection, state, resource_version)
        return self._named(event_type.value, self._writer.table_of_one(item, utc_now(), headed=self._headed))

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        blank = blank_object(collection, position, initial_end=initial_end)
        return self._named("BOOKMARK", self._writer.bookmark(blank, utc_now(), headed=self._headed))


def blank_object(collection: Collection, position: int, *, initial_end: bool) -> ApiObject:
    """The object of a bookmark. Those of image streams are dressed like streams, as the reference's are."""
    metadata = ObjectMeta(
        namespace="default" if collection is Collection.IMAGE_STREAMS else "",
        resource_version=str(position),
        annotations=dict(INITIAL_END) if initial_end else None,
    )
    return _BLANKS[collection](metadata=metadata)
