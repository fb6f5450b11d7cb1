"""Names that lead to images, and the order in which an import takes the tags of a repository."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.references import (
    image_matches,
    prioritized,
    split_image_name,
    split_signature_name,
    split_tag_name,
    split_tag_name_loosely,
    split_tag_source,
)

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("name", ["app", "app:", ":v1", ":", "", "a:b:c", "a@b", "a:b@c"])
def test_a_tag_is_read_by_its_strict_name_only(name: str) -> None:
    assert split_tag_name(name) is None
    assert split_tag_name("app:v1") == ("app", "v1")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("app:v1", ("app", "v1")),
        ("app", ("app", "latest")),
        ("app:", ("app", "latest")),
        (":v1", ("", "v1")),
        ("a:b:c", ("a", "b:c")),
        ("", ("", "latest")),
    ],
)
def test_a_tag_is_created_under_any_name(name: str, parts: tuple[str, str]) -> None:
    assert split_tag_name_loosely(name) == parts


@pytest.mark.parametrize("name", ["app", "app@", "@id", "@", "", "a@b@c"])
def test_images_of_streams_and_signatures_have_one_at(name: str) -> None:
    assert split_image_name(name) is None
    assert split_signature_name(name) is None
    assert split_image_name("app@sha256:ab") == ("app", "sha256:ab")
    assert split_signature_name("sha256:ab@mine") == ("sha256:ab", "mine")


@pytest.mark.parametrize(
    ("kind", "name", "parts"),
    [
        ("ImageStreamTag", "v1", ("own", "v1")),
        ("ImageStreamTag", "other:v1", ("other", "v1")),
        ("ImageStreamTag", "a:b:c", None),
        ("ImageStreamImage", "sha256:ab", ("own", "sha256:ab")),
        ("ImageStreamImage", "other@sha256:ab", ("other", "sha256:ab")),
        ("ImageStreamImage", "a@b@c", None),
        ("DockerImage", "quay.io/a/b", None),
        ("ImageStreamTag", "", ("own", "")),
    ],
)
def test_a_spec_tag_follows_its_own_stream_or_another(kind: str, name: str, parts: tuple[str, str] | None) -> None:
    assert split_tag_source(kind, name, "own") == parts


@pytest.mark.parametrize(
    ("image", "short_id", "matches"),
    [
        (f"sha256:{HEX}", "sha256:0123", True),
        (f"sha256:{HEX}", "0123", True),
        (f"sha256:{HEX}", "sha256:", True),
        (f"sha256:{HEX}", "", True),
        (f"sha256:{HEX}", "1234", False),
        ("custom:name", "na", False),
        ("custom:name", "custom:n", True),
    ],
)
def test_a_short_id_matches_the_beginning_of_name_or_digest(image: str, short_id: str, matches: bool) -> None:
    assert image_matches(image, short_id) is matches


IN_ORDER = [
    "latest",
    "10.0",
    "v10.0",
    "5.6",
    "5.5",
    "v5.5",
    "5.5-rc2",
    "5.5-rc1",
    "v5.3.6",
    "v5.3.6-bother",
    "5.3.6-abba",
    "5.2.3",
    "1.0.0",
    "1.0.0+build",
    "1.0.0-rc.11",
    "1.0.0-rc.2",
    "1.0.0-rc",
    "1.0.0-2",
    "1.0.0-1",
    "",
    "01.2",
    "1.0.0-01",
    "3",
    "5.1-a_b",
    "5.1-a-b",
    "LATEST",
    "other",
    "v",
]


def test_the_order_of_tags() -> None:
    shuffled = random.Random(1).sample(IN_ORDER, len(IN_ORDER))
    expected = [*IN_ORDER[:19], *sorted(IN_ORDER[19:])]
    assert prioritized(shuffled) == expected


tags = st.from_regex(r"v?[0-9]{1,2}(\.[0-9]{1,2}){0,2}([-+_][a-z0-9.]{0,4})?", fullmatch=True) | st.text(max_size=6)


@given(st.lists(tags, unique=True), st.randoms(use_true_random=False))
def test_it_is_a_total_order(names: list[str], chance: random.Random) -> None:
    once = prioritized(names)
    shuffled = list(names)
    chance.shuffle(shuffled)
    assert prioritized(shuffled) == once
    assert sorted(once) == sorted(names)
    for i in range(len(once) - 1):
        assert prioritized([once[i + 1], once[i]]) == [once[i], once[i + 1]]
