"""The table of spec: image-api 4.6: what a move does to the history clients see, while the log keeps every move."""

from __future__ import annotations

import pytest

from service.api.image_v1 import TagEventCondition
from service.api.meta_v1 import ObjectMeta
from service.domain.draft import Draft
from service.domain.events import Cause, Header, ImageStreamCreated, Item, TagImaged, TagImportFailed
from service.domain.imagestream import Tag

HEAD = Item("2026-01-01T00:00:00Z", "registry/ns/app@sha256:aa", "sha256:aa", 1)
OLDER = Item("2025-01-01T00:00:00Z", "registry/ns/app@sha256:00", "sha256:00", 1)
FAILED = TagEventCondition(type="ImportSuccess", status="False", reason="NotFound", generation=1)


def moved(*items: Item, failed: bool = False) -> tuple[Draft, Tag]:
    """A stream whose tag `t` made these moves, the last import of it failed or not before the last move."""
    draft = Draft("ns", "app", None)
    draft.emit(ImageStreamCreated(Header(ObjectMeta(uid="u", generation=1))))
    for item in items[:-1]:
        draft.emit(TagImaged("t", item, Cause("Mapping")))
    if failed:
        draft.emit(TagImportFailed("t", FAILED))
    draft.emit(TagImaged("t", items[-1], Cause("Mapping")))
    tag = draft.tag("t")
    assert tag is not None
    return draft, tag


def shown(tag: Tag) -> list[Item]:
    return list(tag.history.items()) if tag.history else []


def item(created: str, reference: str, image: str, generation: int) -> Item:
    return Item(created, f"registry/ns/app@{reference}", f"sha256:{image}", generation)


LATER = "2026-02-02T00:00:00Z"
SAME = item(LATER, "sha256:aa", "aa", 1)
OTHER_GENERATION = item(LATER, "sha256:aa", "aa", 2)
OTHER_IMAGE = item(LATER, "sha256:aa", "bb", 2)
OTHER_REFERENCE = item(LATER, "sha256:bb", "aa", 2)
OTHER_BOTH = item(LATER, "sha256:bb", "bb", 2)


@pytest.mark.parametrize(
    ("move", "history", "conditions_stay"),
    [
        pytest.param(SAME, [HEAD, OLDER], True, id="all equal: nothing"),
        pytest.param(
            OTHER_GENERATION,
            [Item(HEAD.created, HEAD.docker_image_reference, HEAD.image, 2), OLDER],
            False,
            id="other generation: the newest entry takes it",
        ),
        pytest.param(
            OTHER_IMAGE,
            [Item(HEAD.created, HEAD.docker_image_reference, "sha256:bb", 2), OLDER],
            False,
            id="same reference, other image: overwritten in place",
        ),
        pytest.param(
            OTHER_REFERENCE,
            [Item(HEAD.created, "registry/ns/app@sha256:bb", HEAD.image, 2), OLDER],
            False,
            id="same image, other reference: overwritten in place",
        ),
        pytest.param(OTHER_BOTH, [OTHER_BOTH, HEAD, OLDER], False, id="both differ: a new entry"),
    ],
)
def test_a_move_onto_a_history(move: Item, history: list[Item], conditions_stay: bool) -> None:
    draft, tag = moved(OLDER, HEAD, move, failed=True)
    assert shown(tag) == history
    assert bool(tag.conditions) is conditions_stay
    assert [e.item for e in draft.events if isinstance(e, TagImaged)] == [OLDER, HEAD, move]


def test_the_first_move_starts_the_history() -> None:
    _, tag = moved(HEAD)
    assert shown(tag) == [HEAD]


def test_only_the_newest_entry_is_compared() -> None:
    _, tag = moved(OLDER, HEAD, OLDER)
    assert shown(tag) == [OLDER, HEAD, OLDER]


def test_a_move_that_changes_nothing_leaves_the_very_same_stream() -> None:
    draft, _ = moved(HEAD)
    before = draft.stream
    draft.emit(TagImaged("t", SAME, Cause("Mapping")))
    assert draft.stream is before


def test_ten_thousand_moves_share_one_history() -> None:
    moves = [item(LATER, f"sha256:{n}", str(n), 1) for n in range(10_000)]
    draft, tag = moved(*moves)
    assert tag.history is not None
    assert tag.history.length == 10_000
    before = tag.history
    draft.emit(TagImaged("t", HEAD, Cause("Mapping")))
    after = draft.tag("t")
    assert after is not None
    assert after.history is not None
    assert after.history.rest is before
