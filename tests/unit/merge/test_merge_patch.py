"""JSON Merge Patch against a slow and obvious model."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.merge.errors import PatchSyntaxError
from service.merge.merge_patch import apply_merge_patch

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["x", "y"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=3)


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every path of nested objects to what is not one, or to an empty one."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {p: v for key, item in value.items() for p, v in leaves(item, (*path, key)).items()}


@given(DOCUMENTS, DOCUMENTS)
def test_it_is_the_patch_written_leaf_by_leaf(document: dict[str, Any], patch: dict[str, Any]) -> None:
    expected: dict[str, Any] = copy.deepcopy(document)
    for path, value in leaves(patch).items():
        write(expected, path, value)
    untouched = copy.deepcopy((document, patch))
    assert pruned(apply_merge_patch(document, patch)) == pruned(expected)
    assert (document, patch) == untouched


def write(target: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(target.get(name), dict):
            target[name] = {}
        target = target[name]
    if path and value is None:
        target.pop(path[-1], None)
    elif path and not (value == {} and isinstance(target.get(path[-1]), dict)):
        target[path[-1]] = copy.deepcopy(value)


def pruned(value: Any) -> Any:
    """Nulls inside lists' objects go only where the value is new; the model does not look there."""
    if isinstance(value, dict):
        return {key: pruned(item) for key, item in value.items()}
    return [strip(item) for item in value] if isinstance(value, list) else value


def strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: strip(item) for key, item in value.items() if item is not None}
    return [strip(item) for item in value] if isinstance(value, list) else value


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_applied_twice_is_applied_once(document: dict[str, Any], patch: dict[str, Any]) -> None:
    once = apply_merge_patch(document, patch)
    assert pruned(apply_merge_patch(once, patch)) == pruned(once)


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": 1, "b": 2}, {"a": None, "c": None}, {"b": 2}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": [{"b": None, "c": 1}, None]}, {"a": [{"c": 1}, None]}),
        ({"a": None}, {"a": {"b": None}}, {"a": {}}),
        ({"a": {"b": 1}}, {"a": [{"b": None}]}, {"a": [{"b": None}]}),
        ({"a": [0]}, {"a": [{"b": None}]}, {"a": [{}]}),
        ({"a": {"b": 1}}, {"a": "x"}, {"a": "x"}),
    ],
)
def test_nulls_delete_and_vanish_from_what_is_new(
    document: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert apply_merge_patch(document, patch) == result


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (None, "Invalid JSON Patch"),
        ([], "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("x", "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}"),
    ],
)
def test_only_objects_are_patches(patch: Any, message: str) -> None:
    with pytest.raises(PatchSyntaxError) as caught:
        apply_merge_patch({}, patch)
    assert caught.value.message == message


def test_what_the_patch_reaches_into_comes_out_in_byte_order() -> None:
    """Errors quote the patched document, so its order is seen."""
    document = {"b": {"z": 1, "y": {"q": 1, "p": 2}}, "a": {"d": 1, "c": 2}}
    assert json.dumps(apply_merge_patch(document, {"b": {"x": 0}})) == (
        '{"a": {"d": 1, "c": 2}, "b": {"x": 0, "y": {"q": 1, "p": 2}, "z": 1}}'
    )
