from __future__ import annotations

import asyncio
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from service.domain.errors import FuturePosition
from service.domain.world import Collection
from service.watch.cache import Cache, GapError
from service.watch.scope import Key, Scope, key_of
from tests.unit.watch.checker import listed, wishes
from tests.unit.watch.chronicle import (
    DIGESTS,
    Chronicle,
    document,
    fold,
    happenings,
    image_registered,
    imaged,
    namespace_created,
    random_chronicle,
    stream_created,
)
from tests.unit.watch.room import travel

WISHES = list(wishes())
TAGS = Scope(Collection.IMAGE_TAGS)


def fed(chronicle: Chronicle, begin: int = 0) -> Cache:
    """A cache that began with the fold up to `begin` and was fed the rest."""
    cache = Cache(chronicle, fold(chronicle, begin))
    for command in chronicle.commands:
        if command[0].position > begin:
            cache.apply(happenings(command))
    return cache


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), commands=st.integers(0, 40), wish=st.sampled_from(WISHES))
def test_lists_are_those_of_the_fold_in_byte_order(seed: int, commands: int, wish: object) -> None:
    """Whether the cache began at zero or in the middle; and page by page as well as whole."""
    assert wish in WISHES
    scope = wish.scope  # type: ignore[attr-defined]
    chronicle = random_chronicle(Random(seed), commands)
    begin = Random(seed).choice([0, *(c[-1].position for c in chronicle.commands)])
    cache = fed(chronicle, begin)
    whole = listed(chronicle, wish, len(chronicle.events))  # type: ignore[arg-type]
    states = cache.select(scope).states
    assert [("ADDED", document(scope.collection, s, s.changed)) for s in states] == whole
    paged, after = [], None
    for _ in range(len(states) + 1):
        page = cache.select(scope, after, limit=2)
        paged += page.states
        if not page.more:
            break
        after = key_of(page.states[-1])
    assert paged == states
    if not scope.selects and scope.name is None:
        assert cache.count(scope) == len(states)
        assert all(cache.count(scope, key_of(s)) == len(states) - i for i, s in enumerate(states, 1))
    assert all(cache.get(scope.collection, *key_of(s)) is s for s in states)


def test_tags_are_sorted_by_their_whole_name() -> None:
    """ "-" stands before ":", so a stream's tags may come before those of a stream with a shorter name."""
    chronicle = Chronicle()
    for name in ("a", "a-b"):
        chronicle.append(stream_created("n", name))
        chronicle.append(imaged("n", name, "1", DIGESTS[0]))
    assert [key_of(s).name for s in fed(chronicle).select(TAGS).states] == ["a-b:1", "a:1"]


def test_a_tag_without_an_image_is_an_image_tag_only() -> None:
    chronicle = Chronicle()
    chronicle.append(stream_created("n", "x"))
    chronicle.append(imaged("n", "x", "1", ""))
    cache = fed(chronicle)
    assert cache.get(Collection.IMAGE_TAGS, "n", "x:1") is not None
    assert cache.get(Collection.IMAGE_STREAM_TAGS, "n", "x:1") is None
    assert cache.get(Collection.IMAGE_TAGS, "n", "x:2") is None
    assert cache.get(Collection.IMAGE_TAGS, "n", "y:1") is None


def test_a_page_that_ends_with_the_last_key_says_so() -> None:
    chronicle = Chronicle()
    for digest in DIGESTS:
        chronicle.append(image_registered(digest))
    cache = fed(chronicle)
    pages = [cache.select(Scope(Collection.IMAGES), limit=limit) for limit in (2, 3, 4)]
    assert [(len(page.states), page.more) for page in pages] == [(2, True), (3, False), (3, False)]
    assert cache.select(Scope(Collection.IMAGES), Key("", DIGESTS[2])).states == []


def test_each_collection_knows_its_newest_change() -> None:
    chronicle = Chronicle()
    chronicle.append(stream_created("n", "x"))
    chronicle.append(image_registered(DIGESTS[0]), imaged("n", "x", "1", DIGESTS[0]))
    chronicle.append(image_registered(DIGESTS[1]))
    chronicle.append(namespace_created("n"))
    cache = fed(chronicle)
    assert {c.value: cache.collection_changed(c) for c in Collection} == {
        "imagestreams": 3,
        "imagestreamtags": 3,
        "imagetags": 3,
        "images": 4,
        "namespaces": 5,
    }
    assert fed(chronicle, begin=3).collection_changed(Collection.IMAGE_TAGS) == 3


def test_a_gap_is_never_papered_over() -> None:
    chronicle = Chronicle()
    for digest in DIGESTS:
        chronicle.append(image_registered(digest))
    cache = Cache(chronicle)
    cache.apply(happenings(chronicle.commands[0]))
    for wrong in (chronicle.commands[2], chronicle.commands[0]):
        with pytest.raises(GapError):
            cache.apply(happenings(wrong))
    assert cache.position == 1


def test_a_read_waits_for_its_position_and_gives_up_after_three_seconds() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        chronicle.append(image_registered(DIGESTS[0]), image_registered(DIGESTS[1]))
        cache = Cache(chronicle)
        hints: list[int] = []
        cache.hint = hints.append
        reading = asyncio.create_task(cache.wait_for(2))
        await asyncio.sleep(1)
        assert (reading.done(), hints) == (False, [2])
        cache.apply(happenings(chronicle.commands[0]))
        await reading
        began = asyncio.get_running_loop().time()
        with pytest.raises(FuturePosition, match="Too large resource version: 9, current: 2"):
            await cache.wait_for(9)
        assert asyncio.get_running_loop().time() - began == pytest.approx(3.0)

    travel(story())


def test_a_fresh_read_sees_all_that_was_committed_before_it() -> None:
    async def story() -> None:
        chronicle = Chronicle()
        cache = Cache(chronicle)
        await cache.fresh()
        chronicle.append(image_registered(DIGESTS[0]))
        reading = asyncio.create_task(cache.fresh())
        await asyncio.sleep(1)
        assert not reading.done()
        cache.apply(happenings(chronicle.commands[0]))
        await reading

    travel(story())


def test_those_who_give_up_waiting_leave_nothing_behind() -> None:
    async def story() -> None:
        cache = Cache(Chronicle())
        waiting = [asyncio.create_task(cache.wait_for(10**18 + n, None)) for n in range(5)]
        await asyncio.sleep(1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert cache._progress._waiters == []

    travel(story())
