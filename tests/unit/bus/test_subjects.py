"""Subjects: any name is one token, and can be told from any other."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bus.subjects import decode_token, encode_token, subject_of
from service.eventstore.records import Aggregate
from tests.unit.eventstore.samples import recorded

NAMES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    st.text(st.sampled_from("a.*>_%- \t\r\n2EF/"), max_size=8),
)


@given(NAMES)
def test_a_token_is_read_back_as_the_name(name: str) -> None:
    assert decode_token(encode_token(name)) == name


@given(NAMES)
def test_a_token_is_one_and_no_wildcard(name: str) -> None:
    token = encode_token(name)
    assert token
    assert token.isascii()
    assert not set(token) & set(". *>\t\r\n\0")
    assert token != "_", "that is for what is cluster scoped"


@given(NAMES, NAMES)
def test_different_names_are_different_tokens(one: str, other: str) -> None:
    assert (encode_token(one) == encode_token(other)) == (one == other)


@pytest.mark.parametrize(
    ("aggregate", "subject"),
    [
        (Aggregate("ImageStream", "shop", "app"), "taghistory.shop.app.TagImaged"),
        (Aggregate("ImageStream", "shop", "app.v2"), "taghistory.shop.app%2Ev2.TagImaged"),
        (Aggregate("ImageStream", "_", "_image"), "taghistory.%5F.%5Fimage.TagImaged"),
        (Aggregate("Image", "", "sha256:00"), "taghistory._.image.TagImaged"),
    ],
)
def test_the_subject_of_an_event(aggregate: Aggregate, subject: str) -> None:
    event = msgspec.structs.replace(recorded("TagImaged", 1, b"{}"), aggregate=aggregate)
    assert subject_of(event) == subject
