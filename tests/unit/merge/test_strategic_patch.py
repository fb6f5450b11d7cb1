"""Strategic merge patch: lists by key, sets, directives. Messages are the reference server's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.merge.errors import MergeError, PatchFailed, PatchSyntaxError, StrategicPatchError
from service.merge.merge_patch import apply_merge_patch
from service.merge.strategic_patch import apply_strategic_patch
from tests.unit.merge.kinds import SCHEMA, stream, tag

LIVE = stream(
    {"tags": [tag("a", "q/a:1", generation=1), tag("b", "q/b:1"), tag("c")], "items": ["x"], "rest": {"k": {"l": 1}}},
    name="s",
    labels={"x": "1", "y": "2"},
    finalizers=["e.com/a", "e.com/b"],
)


def merged(document: Any, patch: Any) -> Any:
    before = copy.deepcopy((document, patch))
    result = apply_strategic_patch(SCHEMA, document, patch)
    assert (document, patch) == before
    return result


def patched(patch: Any) -> Any:
    return merged(LIVE, patch)


def spec(patch: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = patched({"spec": patch})["spec"]
    return result


def names(patch: dict[str, Any]) -> list[str]:
    return [t["name"] for t in spec(patch).get("tags", [])]


def finalizers(patch: dict[str, Any]) -> list[str]:
    result: list[str] = patched({"metadata": patch})["metadata"].get("finalizers", [])
    return result


def error(patch: Any, kind: type[MergeError]) -> str:
    with pytest.raises(kind) as caught:
        patched(patch)
    return caught.value.message


class TestMaps:
    def test_members_are_merged_and_null_deletes(self) -> None:
        assert patched({"metadata": {"labels": {"x": None, "z": "3", "w": None}}})["metadata"]["labels"] == {
            "y": "2",
            "z": "3",
        }

    def test_replace_takes_the_rest_of_the_map(self) -> None:
        assert patched({"metadata": {"labels": {"$patch": "replace", "z": "3"}}})["metadata"]["labels"] == {"z": "3"}

    def test_delete_leaves_an_empty_map(self) -> None:
        assert patched({"metadata": {"labels": {"$patch": "delete"}}})["metadata"]["labels"] == {}

    def test_a_directive_for_what_is_not_there_vanishes(self) -> None:
        assert "annotations" not in patched({"metadata": {"annotations": {"$patch": "delete"}}})["metadata"]

    def test_what_is_new_comes_without_nulls_and_directives(self) -> None:
        assert spec({"limits": {"a": {"b": 1, "c": None}, "d": {"$patch": "replace"}}})["limits"] == {"a": {"b": 1}}

    def test_a_value_of_another_type_replaces(self) -> None:
        assert spec({"items": "x"})["items"] == "x"
        assert spec({"lookupPolicy": None}) == {k: v for k, v in LIVE["spec"].items() if k != "lookupPolicy"}

    def test_a_free_form_value_is_taken_whole(self) -> None:
        assert spec({"rest": {"m": 2}})["rest"] == {"m": 2}

    def test_an_unknown_directive_is_refused(self) -> None:
        assert error({"spec": {"$patch": "nope"}}, StrategicPatchError) == (
            "unknown patch type: nope in map: map[$patch:nope]"
        )

    def test_retain_keys_drops_the_others(self) -> None:
        assert spec({"$retainKeys": ["lookupPolicy"], "lookupPolicy": {"local": True}}) == {
            "lookupPolicy": {"local": True}
        }

    @pytest.mark.parametrize("keys", ["tags", ["tags"]])
    def test_retain_keys_must_list_what_the_patch_sets(self, keys: Any) -> None:
        message = error({"spec": {"$retainKeys": keys, "repository": "r"}}, PatchSyntaxError)
        assert message == "invalid patch format of retainKeys"


class TestListsByKey:
    def test_items_with_the_same_key_are_merged(self) -> None:
        found = spec({"tags": [{"name": "a", "annotations": {"z": "1"}}]})["tags"]
        assert found == [LIVE["spec"]["tags"][0] | {"annotations": {"z": "1"}}, *LIVE["spec"]["tags"][1:]]

    def test_other_items_are_added(self) -> None:
        assert names({"tags": [tag("new")]}) == ["new", "a", "b", "c"]

    def test_items_of_the_patch_come_in_its_order_and_others_stay_where_they_can(self) -> None:
        assert names({"tags": [tag("c"), tag("a")]}) == ["b", "c", "a"]

    def test_delete_removes_an_item(self) -> None:
        assert names({"tags": [{"$patch": "delete", "name": "b"}, tag("d")]}) == ["d", "a", "c"]

    def test_replace_takes_the_other_items_of_the_patch(self) -> None:
        assert names({"tags": [{"$patch": "replace"}, tag("only")]}) == ["only"]

    def test_an_empty_patch_list_changes_nothing(self) -> None:
        assert names({"tags": []}) == ["a", "b", "c"]

    def test_null_deletes_the_list(self) -> None:
        assert "tags" not in spec({"tags": None})

    def test_an_item_without_its_key_is_refused(self) -> None:
        assert error({"spec": {"tags": [{"from": {"kind": "DockerImage"}}]}}, StrategicPatchError) == (
            "map: map[from:map[kind:DockerImage]] does not contain declared merge key: name"
        )
        assert "does not contain declared merge key" in error(
            {"spec": {"tags": [{"$patch": "delete"}]}}, StrategicPatchError
        )

    @pytest.mark.parametrize(
        ("item", "message"),
        [
            ({"$patch": "merge", "name": "a"}, "merging lists cannot yet be specified in the patch"),
            ({"$patch": "x", "name": "a"}, "unknown patch type: x in map: map[$patch:x name:a]"),
        ],
    )
    def test_other_directives_are_refused(self, item: Any, message: str) -> None:
        assert error({"spec": {"tags": [item]}}, StrategicPatchError) == message

    def test_items_must_be_of_one_type(self) -> None:
        assert error({"spec": {"tags": ["x"]}}, StrategicPatchError).startswith(
            "list element types are not identical: [[map["
        )

    def test_lists_of_lists_are_not_supported(self) -> None:
        error({"spec": {"tags": [[]]}}, PatchFailed)


class TestElementOrder:
    def test_it_orders_the_list_and_leaves_others_beside_their_neighbours(self) -> None:
        order = [{"name": "c"}, {"name": "a"}]
        assert names({"$setElementOrder/tags": order}) == ["b", "c", "a"]

    def test_it_orders_what_the_patch_adds(self) -> None:
        order = [{"name": "new"}, {"name": "c"}, {"name": "a"}, {"name": "b"}]
        assert names({"$setElementOrder/tags": order, "tags": [tag("new")]}) == ["new", "c", "a", "b"]

    def test_it_works_with_deletions_and_new_lists(self) -> None:
        order = [{"name": "c"}, {"name": "a"}]
        assert names({"$setElementOrder/tags": order, "tags": [{"$patch": "delete", "name": "b"}]}) == ["c", "a"]
        patch = {"spec": {"$setElementOrder/tags": order, "tags": [tag("c"), tag("a")]}}
        assert [t["name"] for t in merged(stream(name="s"), patch)["spec"]["tags"]] == ["c", "a"]

    def test_it_does_nothing_without_a_list(self) -> None:
        live = stream(name="s")
        assert merged(live, {"spec": {"$setElementOrder/tags": [{"name": "a"}]}}) == live

    def test_a_set_is_ordered_by_value(self) -> None:
        assert finalizers({"$setElementOrder/finalizers": ["e.com/b", "e.com/a"]}) == ["e.com/b", "e.com/a"]

    def test_the_patch_must_follow_it(self) -> None:
        order = [{"name": "b"}, {"name": "a"}]
        patch = {"spec": {"$setElementOrder/tags": order, "tags": [{"name": "a"}, {"name": "b"}]}}
        assert error(patch, StrategicPatchError) == (
            "The order in patch list:\n[map[name:a] map[name:b]]\n doesn't match $setElementOrder list:\n"
            "[map[name:b] map[name:a]]\n"
        )

    def test_malformed_directives_are_refused(self) -> None:
        assert error({"spec": {"$setElementOrder": []}}, PatchSyntaxError) == (
            "invalid patch format of setElementOrder list"
        )
        assert error({"spec": {"$setElementOrder/tags": "a"}}, StrategicPatchError) == (
            "expected a []interface {}, but received a string"
        )


class TestSets:
    def test_values_are_added_once(self) -> None:
        assert finalizers({"finalizers": ["e.com/c", "e.com/a"]}) == ["e.com/c", "e.com/a", "e.com/b"]

    def test_values_are_deleted_by_directive(self) -> None:
        assert finalizers({"$deleteFromPrimitiveList/finalizers": ["e.com/a", "e.com/z"]}) == ["e.com/b"]

    def test_deleting_from_nothing_does_nothing(self) -> None:
        live = stream(name="s")
        assert merged(live, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}) == live

    def test_a_malformed_directive_is_refused(self) -> None:
        assert error({"metadata": {"$deleteFromPrimitiveList": ["a"]}}, PatchSyntaxError) == (
            "invalid patch format of primitive list"
        )

    def test_maps_in_a_set_are_refused(self) -> None:
        live = {"metadata": {"finalizers": [{"a": "b"}]}}
        with pytest.raises(StrategicPatchError, match="cannot merge lists without merge key"):
            merged(live, {"metadata": {"finalizers": [{"a": "c"}]}})


def test_other_lists_are_replaced() -> None:
    assert spec({"items": ["y"]})["items"] == ["y"]


def test_unknown_fields_are_set_but_cannot_be_merged() -> None:
    assert spec({"nope": 1})["nope"] == 1
    live = {"spec": {"nope": {"a": 1}}, "metadata": {"labels": {"x": {"a": 1}}}}
    with pytest.raises(StrategicPatchError) as caught:
        merged(live, {"spec": {"nope": {"b": 1}}})
    assert caught.value.message == 'unable to find api field in struct Spec for the json field "nope"'
    with pytest.raises(StrategicPatchError, match="data type is not struct, instead is: map"):
        merged(live, {"metadata": {"labels": {"x": {"b": 1}}}})


@pytest.mark.parametrize("kind", ["array", "string"])
def test_only_objects_are_patches(kind: str) -> None:
    patch = {"array": [], "string": "x"}[kind]
    message = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    assert error(patch, PatchSyntaxError) == message


def test_null_is_an_empty_patch() -> None:
    assert patched(None) == LIVE


WORDS = st.sampled_from(["a", "b", "c"])
MAYBE = st.one_of(st.none(), WORDS)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "repository": MAYBE,
        "lookupPolicy": st.one_of(st.none(), st.fixed_dictionaries({"local": st.booleans()})),
        "items": st.one_of(st.none(), st.lists(WORDS, max_size=3)),
    },
)
METADATA = st.fixed_dictionaries({}, optional={"labels": st.dictionaries(WORDS, MAYBE)})
PLAIN = st.fixed_dictionaries({}, optional={"metadata": METADATA, "spec": SPECS})


@given(PLAIN, PLAIN)
def test_without_keyed_lists_it_is_a_merge_patch(document: dict[str, Any], patch: dict[str, Any]) -> None:
    live = apply_merge_patch({}, document)
    assert merged(live, patch) == apply_merge_patch(live, patch)


@given(st.lists(WORDS, unique=True), st.lists(WORDS, unique=True), st.lists(WORDS, unique=True))
def test_every_item_of_either_list_is_there_once_and_in_the_patchs_order(
    live: list[str], patch: list[str], deleted: list[str]
) -> None:
    gone = [{"$patch": "delete", "name": name} for name in deleted]
    kept = [name for name in patch if name not in deleted]
    document = {"spec": {"tags": [tag(name) for name in live]}}
    result = merged(document, {"spec": {"tags": gone + [tag(name) for name in kept]}})
    found = [t["name"] for t in result["spec"]["tags"]]
    assert sorted(found) == sorted((set(live) - set(deleted)) | set(kept))
    assert [name for name in found if name in kept] == kept
    assert [name for name in found if name not in kept] == [n for n in live if n not in kept and n not in deleted]


TAG_FIELDS = st.fixed_dictionaries(
    {}, optional={"generation": st.one_of(st.none(), st.integers(0, 3)), "annotations": st.dictionaries(WORDS, MAYBE)}
)
TAGS = st.dictionaries(WORDS, TAG_FIELDS, max_size=3)


@given(TAGS, TAGS)
def test_a_keyed_list_is_patched_item_by_item(live: dict[str, Any], patch: dict[str, Any]) -> None:
    """Each as its own merge patch; those the patch does not name stay as they are."""
    before = {name: apply_merge_patch({"name": name}, fields) for name, fields in live.items()}
    after = before | {name: apply_merge_patch(before.get(name, {"name": name}), patch[name]) for name in patch}
    wanted = [{"name": name, **fields} for name, fields in patch.items()]
    result = merged({"spec": {"tags": list(before.values())}}, {"spec": {"tags": wanted}})
    assert {t["name"]: t for t in result["spec"].get("tags", [])} == after
