"""JSON Patch, where the reference follows the RFC and where it does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.merge.errors import PatchFailed, PatchSyntaxError, PatchTooLarge
from service.merge.json_patch import COPIES_LIMIT_BYTES, OPERATIONS_LIMIT, apply_json_patch, unknown_members

DOCUMENT: dict[str, Any] = {"a": {"b": [1, 2, {"c": "d"}], "n": None}, "x/y~z": "odd", "~1": "odder", "t": True}


def patched(*operations: dict[str, Any]) -> Any:
    before = copy.deepcopy(operations)
    result = apply_json_patch(DOCUMENT, list(operations))
    assert operations == before
    return result


@pytest.mark.parametrize(
    ("operation", "path", "value"),
    [
        ({"op": "add", "path": "/a/new", "value": 1}, ("a", "new"), 1),
        ({"op": "add", "path": "/a/new"}, ("a", "new"), None),
        ({"op": "add", "path": "/a/b/0", "value": 0}, ("a", "b"), [0, 1, 2, {"c": "d"}]),
        ({"op": "add", "path": "/a/b/-", "value": 3}, ("a", "b"), [1, 2, {"c": "d"}, 3]),
        ({"op": "add", "path": "/a/b/3", "value": 3}, ("a", "b"), [1, 2, {"c": "d"}, 3]),
        ({"op": "add", "path": "/a/b/-1", "value": 3}, ("a", "b"), [1, 2, {"c": "d"}, 3]),
        ({"op": "remove", "path": "/a/b/-1"}, ("a", "b"), [1, 2]),
        ({"op": "remove", "path": "/a/b/0"}, ("a", "b"), [2, {"c": "d"}]),
        ({"op": "replace", "path": "/a/b/-3", "value": 9}, ("a", "b"), [9, 2, {"c": "d"}]),
        ({"op": "replace", "path": "/a/missing", "value": 9}, ("a", "missing"), 9),
        ({"op": "replace", "path": "/x~1y~0z", "value": "even"}, ("x/y~z",), "even"),
        ({"op": "move", "from": "/a/b/2/c", "path": "/a/c"}, ("a",), {"b": [1, 2, {}], "n": None, "c": "d"}),
        ({"op": "copy", "from": "/a/b/2", "path": "/a/b/0"}, ("a", "b"), [{"c": "d"}, 1, 2, {"c": "d"}]),
        ({"op": "copy", "from": "/missing", "path": "/new"}, ("new",), None),
    ],
)
def test_an_operation_changes_what_it_names(operation: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    result = patched(operation)
    for name in path:
        result = result[name]
    assert result == value


@pytest.mark.parametrize(
    "operation",
    [
        {"path": "/a/b", "value": [1, 2, {"c": "d"}]},
        {"path": "/a/b/-1/c", "value": "d"},
        {"path": "/~01", "value": "odder"},
        {"path": "/a/n", "value": None},
        {"path": "/a/missing", "value": None},
        {"path": "/a/missing"},
    ],
)
def test_a_test_that_holds_changes_nothing(operation: dict[str, Any]) -> None:
    assert patched({"op": "test", **operation}) == DOCUMENT


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/b/0", "value": 2},
        {"op": "test", "path": "/t", "value": 1},
        {"op": "test", "path": "/a/b/0", "value": 1.0},
        {"op": "test", "path": "/a/b/9", "value": None},
        {"op": "remove", "path": "/a/missing"},
        {"op": "remove", "path": "/a/b/3"},
        {"op": "remove", "path": "/a/b/-4"},
        {"op": "replace", "path": "/a/b/3", "value": 1},
        {"op": "add", "path": "/a/b/5", "value": 1},
        {"op": "add", "path": "/a/b/one", "value": 1},
        {"op": "add", "path": "/a/b/99999999999999999999", "value": 1},
        {"op": "add", "path": "/no/way", "value": 1},
        {"op": "add", "path": "/t/way", "value": 1},
        {"op": "add", "path": "", "value": {}},
        {"op": "add", "value": 1},
        {"op": "move", "from": "/a/missing", "path": "/b"},
        {"op": "move", "path": "/b"},
        {"op": "copy", "from": "/a", "path": "/no/way"},
        {"op": "frob", "path": "/a"},
        {"path": "/a"},
        {},
    ],
)
def test_an_operation_that_does_not_apply_fails_the_patch(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchFailed) as caught:
        patched({"op": "add", "path": "/before", "value": 1}, operation)
    assert caught.value.message == "the server rejected our request due to an error in our request"
    assert "before" not in DOCUMENT


def test_a_copy_and_its_source_go_their_own_ways() -> None:
    result = patched({"op": "copy", "from": "/a", "path": "/z"}, {"op": "remove", "path": "/z/b/0"})
    assert (result["a"]["b"][0], result["z"]["b"][0]) == (1, 2)


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({"op": "add"}, "cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (["add"], "cannot unmarshal string into Go value of type handlers.jsonPatchOp"),
        ([{"op": 5}], "cannot unmarshal number into Go struct field jsonPatchOp.op of type string"),
        ([{"path": []}], "cannot unmarshal array into Go struct field jsonPatchOp.path of type string"),
    ],
)
def test_what_is_no_list_of_operations_is_a_syntax_error(operations: Any, message: str) -> None:
    with pytest.raises(PatchSyntaxError) as caught:
        apply_json_patch(DOCUMENT, operations)
    assert caught.value.message == f"error decoding patch: json: {message}"


@pytest.mark.parametrize("nothing", [None, []])
def test_no_operations_change_nothing(nothing: Any) -> None:
    assert apply_json_patch(DOCUMENT, nothing) == DOCUMENT


def test_the_number_of_operations_is_bounded() -> None:
    operations: Any = [{"op": "test", "path": "/t", "value": True}] * (OPERATIONS_LIMIT + 1)
    with pytest.raises(PatchTooLarge) as caught:
        apply_json_patch(DOCUMENT, operations)
    assert caught.value.message == "The allowed maximum operations in a JSON patch is 10000, got 10001"
    assert apply_json_patch(DOCUMENT, operations[1:]) == DOCUMENT


def test_copies_cannot_blow_a_document_up() -> None:
    document: Any = {"a": {"x": "y" * 1000}}
    doublings: Any = [
        {"op": "copy", "from": "/a", "path": f"/a/{i}"} for i in range(2 + (COPIES_LIMIT_BYTES // 1000).bit_length())
    ]
    with pytest.raises(PatchFailed):
        apply_json_patch(document, doublings)


def test_members_that_mean_nothing_are_named() -> None:
    assert list(unknown_members([{"op": "add", "x": 1, "y": 2}, {}, {"from": "", "z": 1}])) == [
        'json patch unknown field "[0].x"',
        'json patch unknown field "[0].y"',
        'json patch unknown field "[2].z"',
    ]


KEYS = st.sampled_from(["a", "b", "c/d", "e~f"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(["x", "y"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_a_difference_computed_by_others_is_applied_as_they_mean_it(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    difference = json.loads(jsonpatch.make_patch(before, after).to_string())
    assert apply_json_patch(before, difference) == after


@given(DOCUMENTS, st.data())
def test_random_operations_do_what_they_do_for_others(document: dict[str, Any], data: st.DataObject) -> None:
    """Every kind of operation, on what is there when its turn comes."""
    operations: list[dict[str, Any]] = []
    expected = document
    for _ in range(data.draw(st.integers(1, 4))):
        operations.append(data.draw(operation_on(expected)))
        expected = jsonpatch.apply_patch(expected, operations[-1:])
    assert apply_json_patch(document, operations) == expected


@st.composite
def operation_on(draw: st.DrawFn, document: Any) -> dict[str, Any]:
    """One that the RFC allows on the document."""
    there = [path for path, _ in places(document) if path]
    containers = [(path, value) for path, value in places(document) if isinstance(value, dict | list)]
    path, container = draw(st.sampled_from(containers))
    where = draw(KEYS).replace("~", "~0").replace("/", "~1") if isinstance(container, dict) else "-"
    new = f"{path}/{where}"
    kinds = ["add", "remove", "replace", "copy", "test"] if there else ["add"]
    match draw(st.sampled_from(kinds)):
        case "add":
            return {"op": "add", "path": new, "value": draw(VALUES)}
        case "copy":
            return {"op": "copy", "from": draw(st.sampled_from(there)), "path": new}
        case "test":
            tested = draw(st.sampled_from(there))
            return {"op": "test", "path": tested, "value": dict(places(document))[tested]}
        case "replace":
            return {"op": "replace", "path": draw(st.sampled_from(there)), "value": draw(VALUES)}
        case _:
            return {"op": "remove", "path": draw(st.sampled_from(there))}


def places(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every place in the document, by its pointer, with what is there."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, f"{path}/{index}")
