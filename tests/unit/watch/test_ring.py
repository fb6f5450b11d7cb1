from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from service.domain.image import ImageState
from service.domain.world import Change, Collection
from service.watch.ring import Ring, RingLimits, memory_bytes


def change(position: int, size: int = 0) -> Change:
    state = ImageState("i", b"x" * size, position)
    return Change(position, Collection.IMAGES, "", "i", state, state)


@given(st.lists(st.integers(1, 5), max_size=60), st.integers(1, 10), st.integers(0, 200))
def test_it_holds_exactly_the_changes_after_its_floor(gaps: list[int], limit: int, after: int) -> None:
    """Positions of one collection grow by leaps: the other collections have those between."""
    ring, all_changes = Ring(0, RingLimits(changes=limit)), []
    for gap in gaps:
        all_changes.append(change((all_changes[-1].position if all_changes else 0) + gap))
        ring.append(all_changes[-1])
    assert len(ring) == min(limit, len(all_changes))
    assert ring.newest == (all_changes[-1].position if all_changes else 0)
    if ring.covers(after):
        assert ring.after(after, 1000) == [c for c in all_changes if c.position > after]
    else:
        assert [c for c in all_changes if after < c.position <= ring.floor] != []
    assert ring.after(ring.floor, 2) == all_changes[-limit:][:2]


def test_big_changes_make_it_shorter() -> None:
    big = change(1, size=10_000)
    ring = Ring(0, RingLimits(changes=1000, memory_bytes=3 * memory_bytes(big)))
    for position in range(1, 10):
        ring.append(change(position, size=10_000))
    assert (len(ring), ring.floor) == (3, 6)


def test_a_cache_that_begins_in_the_middle_has_nothing_from_before() -> None:
    ring = Ring(100, RingLimits())
    assert (ring.covers(99), ring.covers(100), ring.after(100, 10)) == (False, True, [])
