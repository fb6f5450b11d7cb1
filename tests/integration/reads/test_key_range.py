"""A range of keys holds what its name says, in the order of lists."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from service.reads.key_range import KeyRange, in_namespace, one_object, tags_of

names = st.text(alphabet="-./09:;AZ_az", max_size=4)
"""Among the characters of names, and the neighbours of the colon."""
streams = names.map(lambda name: name.replace(":", ""))
keys = st.tuples(names, names)


def holds(key_range: KeyRange, key: tuple[str, str]) -> bool:
    return key_range[:2] <= key < key_range[2:]


@given(names, keys)
def test_a_namespace(namespace: str, key: tuple[str, str]) -> None:
    assert holds(in_namespace(namespace), key) == (key[0] == namespace)
    assert holds(in_namespace(None), key)


@given(keys, keys)
def test_one_object(wanted: tuple[str, str], key: tuple[str, str]) -> None:
    assert holds(one_object(*wanted), key) == (key == wanted)


@given(names, streams, keys)
def test_the_tags_of_a_stream(namespace: str, stream: str, key: tuple[str, str]) -> None:
    assert holds(tags_of(namespace, stream), key) == (key[0] == namespace and key[1].startswith(f"{stream}:"))


@given(names, keys, keys)
def test_what_is_left_behind_a_key(namespace: str, after: tuple[str, str], key: tuple[str, str]) -> None:
    for whole in (in_namespace(namespace), in_namespace(None)):
        assert holds(whole.after(after), key) == (holds(whole, key) and key > after)
        assert whole.after(None) == whole
