"""Thousands of random command histories: every one folds, counts generations, and keeps history by the rules.

The rules are told a second time here, as plainly as they can be, and the two must agree.
Source: spec: image-api 4.2, 4.3, 4.6.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from service.api.image_v1 import TagReference
from service.commands.create_imagestream import CreateImageStream
from service.commands.map_image import MapImage
from service.commands.update_imagestream import UpdateImageStream
from service.domain import served
from service.domain.events import (
    ImageStreamDeleted,
    Item,
    TagDeleted,
    TagHistoryPruned,
    TagImaged,
    TagStatusWritten,
)
from service.domain.imagestream import ImageStream
from service.domain.world import IMAGE_STREAM
from tests.command_book import Book, Fact, Written, replayed
from tests.random_commands import REGISTRY, random_intention

COMMANDS = 25
Place = tuple[str, str]
seeds = st.integers(0, 2**32)
thousands = settings(max_examples=2_000, deadline=None)


def specs(stream: ImageStream) -> dict[str, TagReference]:
    return {name: tag.spec for name, tag in stream.tags.items() if tag.spec is not None}


@thousands
@given(seeds)
def test_whatever_is_decided_folds_into_what_was_drafted_and_replays(seed: int) -> None:
    """fold∘decide is total: the draft, the cache and the replay from nothing are one state."""
    random, book = Random(seed), Book()
    for _ in range(COMMANDS):
        written = book.write(random_intention(random, book))
        for draft in written.decision.drafts if written else ():
            folded = book.stream(draft.namespace, draft.name)
            assert (folded is None) == (draft.stream is None)
            if folded is not None and draft.stream is not None:
                assert shown(folded) == shown(draft.stream)
    replay = replayed(book)
    assert (replay.position, replay.streams) == (book.world.position, book.world.streams)
    assert (replay.images, replay.namespaces) == (book.world.images, book.world.namespaces)


def shown(stream: ImageStream) -> bytes:
    level = msgspec.structs.replace(stream, changed=0)
    return msgspec.json.encode(served.imagestream(level, REGISTRY))


@thousands
@given(seeds)
def test_generations_follow_the_rules(seed: int) -> None:
    random, book = Random(seed), Book()
    for _ in range(COMMANDS):
        written = book.write(random_intention(random, book))
        for place in changed_places(written) if written else ():
            after = book.world.streams.get(place)
            if written is not None and after is not None:
                check_generations(written, written.before.get(place), after)


def changed_places(written: Written) -> set[Place]:
    return {(namespace, name) for kind, namespace, name, _ in written.facts if kind == IMAGE_STREAM}


def check_generations(written: Written, before: ImageStream | None, after: ImageStream) -> None:
    if before is None:
        assert after.generation == 1
        assert {spec.generation for spec in specs(after).values()} <= {1}
        return
    assert after.generation in (before.generation, before.generation + 1)
    old, new = specs(before), specs(after)
    if isinstance(written.intention, MapImage) or is_status(written):
        assert (after.generation, old) == (before.generation, new)
        return
    rest = (before.header.lookup_local, before.header.docker_image_repository)
    differs = old != new or rest != (after.header.lookup_local, after.header.docker_image_repository)
    assert after.generation == before.generation + differs
    for name, spec in new.items():
        assert 0 < (spec.generation or 0) <= after.generation
        if name not in old or points_elsewhere(old[name], spec, after.namespace):
            assert spec.generation == after.generation
        elif spec.generation != old[name].generation:
            assert spec.generation == after.generation, "the wish to import again"


def is_status(written: Written) -> bool:
    return isinstance(written.intention, UpdateImageStream) and written.intention.status


def points_elsewhere(old: TagReference, new: TagReference, namespace: str) -> bool:
    if new.from_ is None:
        return False
    if old.from_ is None:
        return True
    return (
        old.from_.name != new.from_.name
        or (old.from_.namespace or namespace) != (new.from_.namespace or namespace)
        or old.reference != new.reference
        or old.import_policy.import_mode != new.import_policy.import_mode
    )


@thousands
@given(seeds)
def test_history_follows_the_table(seed: int) -> None:
    """Plain lists, kept by the table of 4.6 from what the log says, are what clients are shown."""
    random, book = Random(seed), Book()
    histories: dict[tuple[Place, str], list[Item]] = {}
    for _ in range(COMMANDS):
        written = book.write(random_intention(random, book))
        for fact in written.facts if written else ():
            keep(histories, fact)
    assert histories == {
        (place, tag.name): tag.items
        for place, stream in book.world.streams.items()
        for tag in stream.tags.values()
        if tag.history is not None
    }


def keep(histories: dict[tuple[Place, str], list[Item]], fact: Fact) -> None:
    _, namespace, name, event = fact
    place = (namespace, name)
    match event:
        case TagImaged():
            items = histories.setdefault((place, event.tag), [])
            items[:] = by_the_table(items, event.item)
        case TagStatusWritten() | TagHistoryPruned():
            histories[place, event.tag] = list(event.items)
            if not event.items:
                del histories[place, event.tag]
        case TagDeleted():
            histories.pop((place, event.tag), None)
        case ImageStreamDeleted():
            assert not any(key[0] == place for key in histories), "every tag was deleted before"


def by_the_table(items: list[Item], move: Item) -> list[Item]:
    if not items:
        return [move]
    head, *rest = items
    same = (head.docker_image_reference == move.docker_image_reference, head.image == move.image)
    if same == (False, False):
        return [move, head, *rest]
    return [Item(head.created, move.docker_image_reference, move.image, move.generation), *rest]


def test_the_random_histories_do_happen() -> None:
    """Neither everything nor nothing is refused, and all kinds of things come to pass."""
    seen: Counter[str] = Counter()
    kinds: Counter[type] = Counter()
    random, book = Random(1), Book()
    for _ in range(3_000):
        written = book.write(random_intention(random, book))
        if written is None:
            seen["refused"] += 1
            continue
        kinds[type(written.intention)] += 1
        seen.update(type(event).__name__ for *_, event in written.facts)
    assert 100 < seen["refused"] < 2_000
    for name in (
        "TagSet",
        "TagUnset",
        "TagImaged",
        "TagImportFailed",
        "TagDeleted",
        "TagInherited",
        "TagHistoryPruned",
    ):
        assert seen[name] > 20, name
    assert seen["TagImportFailed"] > 20
    assert kinds[CreateImageStream] > 20
    assert len(kinds) == 9
