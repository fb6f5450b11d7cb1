"""FieldsV1: what is written can be read, and is written in one way only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.merge.field_set import FieldSet
from service.merge.fields_v1 import decode_fields, encode_fields
from service.merge.path_elements import FIELD, INDEX, BadElement, display, key_element, value_element

SCALARS = st.one_of(st.text(), st.integers(-(2**53), 2**53), st.booleans())
ELEMENTS = st.one_of(
    st.text(min_size=1).map(lambda name: FIELD + name),
    st.builds(key_element, st.sampled_from(["name", "uid"]), SCALARS),
    SCALARS.map(value_element),
    st.integers(0, 99).map(lambda index: f"{INDEX}{index}"),
)
SETS = st.lists(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=10).map(lambda p: FieldSet.of(*p))


@given(SETS)
def test_reading_what_was_written_gives_the_same_set(fields: FieldSet) -> None:
    assert decode_fields(json.loads(json.dumps(encode_fields(fields)))) == fields


@given(SETS)
def test_a_set_has_one_spelling(fields: FieldSet) -> None:
    again = encode_fields(decode_fields(shuffled(encode_fields(fields))))
    assert json.dumps(again) == json.dumps(encode_fields(fields))


def shuffled(document: dict[str, Any]) -> dict[str, Any]:
    return {key: shuffled(document[key]) for key in reversed(document)}


def test_fields_come_before_keys_values_and_indices_and_the_node_itself_first() -> None:
    fields = FieldSet.of(
        ("f:l",), ("f:l", "i:1"), ("f:l", 'v:"a"'), ("f:l", 'k:{"n":2}'), ("f:l", 'k:{"n":10}'), ("f:l", "f:b")
    )
    (below,) = encode_fields(fields).values()
    assert isinstance(below, dict)
    assert list(below) == [".", "f:b", 'k:{"n":2}', 'k:{"n":10}', 'v:"a"', "i:1"]


def test_a_node_with_children_is_a_member_only_if_it_says_so() -> None:
    assert decode_fields({"f:a": {".": {}, "f:b": {}}, "f:c": {"f:d": {}}}) == FieldSet.of(
        ("f:a",), ("f:a", "f:b"), ("f:c", "f:d")
    )


def test_spellings_of_one_item_are_read_as_one() -> None:
    written: Any = {'k:{ "b": 1, "a": "<" }': {}, "i:+07": {}, 'v: "x"': {}}
    assert list(encode_fields(decode_fields(written))) == ['k:{"a":"\\u003c","b":1}', 'v:"x"', "i:7"]


def test_kinds_of_elements_that_nobody_knows_yet_are_dropped() -> None:
    assert decode_fields({"f:a": {"z:new": {}}, "q:1": {"f:b": {}}}) == FieldSet.of(("f:a",))


@pytest.mark.parametrize("wrong", [{"x": {}}, {"k:{": {}}, {"k:[]": {}}, {"v:": {}}, {"i:x": {}}, {"f:a": []}, [1]])
def test_what_no_version_could_mean_is_refused(wrong: Any) -> None:
    with pytest.raises(BadElement):
        decode_fields(wrong)


def test_messages_show_paths_as_a_reader_would_write_them() -> None:
    path = ("f:spec", "f:tags", 'k:{"a":"x\\n","b":2,"c":true,"d":null}', 'v:"s"', "i:3")
    assert display(path) == '.spec.tags[a="x\\n",b=2,c=true,d=null][="s"][3]'
