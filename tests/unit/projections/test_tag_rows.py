"""Whatever a client writes as a tag's history: the rows that stay open tell it, and those that could stay were left."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from projections.imagetags import TagRows
from projections.stream_loader import OpenEntry
from projections.stream_states import StreamState
from service.api.meta_v1 import ObjectMeta
from service.domain import imagestream as imagestreams
from service.domain.events import Header, Item, TagHistoryPruned, TagStatusWritten
from service.domain.imagestream import ImageStream

items = st.sampled_from([Item("now", f"r{n}", f"i{n}", n) for n in range(4)])
histories = st.lists(items, max_size=6).map(tuple)


class Tags:
    """One tag, and the rows of its history."""

    def __init__(self) -> None:
        self.stream: ImageStream | None = ImageStream("a", "x", Header(ObjectMeta(uid="u")), 1)
        self.state = StreamState(self.stream, 1)
        self._position = 1

    def write(self, event: TagStatusWritten | TagHistoryPruned) -> None:
        self._position += 1
        before, self.stream = self.stream, imagestreams.apply(self.stream, "a", "x", event, self._position)
        assert before is not None
        assert self.stream is not None
        TagRows().change(self.state, event, self._position, before.tags.get("t"), self.stream.tags.get("t"))

    @property
    def open_entries(self) -> list[OpenEntry]:
        return list(self.state.history("t").entries)


@given(st.lists(histories, max_size=5))
def test_the_open_rows_in_key_order_are_the_history(written: list[tuple[Item, ...]]) -> None:
    tags = Tags()
    for history in written:
        tags.write(TagStatusWritten("t", history))
        rows = tags.open_entries
        assert [row.item for row in rows] == list(reversed(history))
        keys = [(row.valid_from, row.ordinal) for row in rows]
        assert keys == sorted(set(keys))


@given(histories, st.data())
def test_pruning_touches_only_what_is_pruned(history: tuple[Item, ...], data: st.DataObject) -> None:
    tags = Tags()
    tags.write(TagStatusWritten("t", history))
    before = tags.open_entries
    left = data.draw(st.sets(st.sampled_from(range(len(history))))) if history else set()
    tags.write(TagHistoryPruned("t", tuple(item for index, item in enumerate(history) if index in left)))
    assert len(tags.open_entries) == len(left)
    assert set(tags.open_entries) <= set(before)
