"""Server-side apply. The story of the first tests, and every message, is the reference server's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.merge.apply import apply
from service.merge.errors import ApplyConflicts, PatchSyntaxError, TypedPatchError
from service.merge.kubectl import LAST_APPLIED
from service.merge.managed_fields import track_update
from tests.unit.merge.kinds import API_VERSION, SCHEMA, T0, T1, T2, config, entry, owned, stored, stream, tag

A: dict[str, Any] = {".": {}, "f:from": {}, "f:name": {}}


def applied(
    live: dict[str, Any] | None,
    wanted: dict[str, Any],
    manager: str = "m1",
    force: bool = False,
    now: str = T0,
    subresource: str = "",
) -> dict[str, Any]:
    return apply(
        SCHEMA,
        live,
        wanted,
        manager=manager,
        force=force,
        api_version=API_VERSION,
        now=now,
        subresource=subresource,
    )


def tags(document: dict[str, Any]) -> dict[str, str]:
    return {t["name"]: t["from"]["name"] for t in document["spec"].get("tags", [])}


def entries(document: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(e["manager"], e["operation"], e.get("time")) for e in document["metadata"]["managedFields"]]


ONE_TAG = applied(None, config({"tags": [tag("a", "q/a:1")]}))
TWO_TAGS = applied(ONE_TAG, config({"tags": [tag("a", "q/a:1"), tag("b", "q/b:1")]}))


class TestStory:
    def test_applying_to_nothing_creates_and_owns_what_was_said(self) -> None:
        created = applied(None, config({"tags": [tag("a", "q/a:1")]}))
        assert created == {
            "kind": "ImageStream",
            "apiVersion": API_VERSION,
            "metadata": {
                "name": "s",
                "managedFields": [entry("m1", {"f:spec": {"f:tags": {'k:{"name":"a"}': A}}}, "Apply")],
            },
            "spec": {"lookupPolicy": {"local": False}, "tags": [tag("a", "q/a:1")]},
        }

    def test_applying_the_same_again_changes_nothing(self) -> None:
        assert applied(ONE_TAG, config({"tags": [tag("a", "q/a:1")]}), now=T1) == ONE_TAG

    def test_saying_what_is_already_so_shares_it_without_a_time(self) -> None:
        shared = applied(TWO_TAGS, config({"tags": [tag("a", "q/a:1")]}), "m2", now=T1)
        assert entries(shared) == [("m2", "Apply", None), ("m1", "Apply", T0)]
        assert shared["spec"] == TWO_TAGS["spec"]

    def test_wanting_what_another_has_otherwise_is_a_conflict(self) -> None:
        with pytest.raises(ApplyConflicts) as caught:
            applied(TWO_TAGS, config({"tags": [tag("a", "q/a:2")]}), "m2")
        assert caught.value.message == ('Apply failed with 1 conflict: conflict with "m1": .spec.tags[name="a"].from')
        assert caught.value.causes == [('conflict with "m1"', '.spec.tags[name="a"].from')]

    def test_force_takes_it(self) -> None:
        forced = applied(TWO_TAGS, config({"tags": [tag("a", "q/a:2")]}), "m2", force=True, now=T1)
        assert tags(forced) == {"a": "q/a:2", "b": "q/b:1"}
        assert owned(forced) == {
            "m1": {"f:spec": {"f:tags": {'k:{"name":"a"}': {".": {}, "f:name": {}}, 'k:{"name":"b"}': A}}},
            "m2": {"f:spec": {"f:tags": {'k:{"name":"a"}': A}}},
        }

    def test_what_a_manager_no_longer_says_goes_unless_another_says_it(self) -> None:
        both = applied(TWO_TAGS, config({"tags": [tag("a", "q/a:1")]}), "m2")
        dropped = applied(both, config(), "m1", now=T2)
        assert tags(dropped) == {"a": "q/a:1"}
        assert owned(dropped) == {"m2": {"f:spec": {"f:tags": {'k:{"name":"a"}': A}}}}
        assert "tags" not in stored(applied(dropped, config(), "m2"))["spec"]

    def test_an_update_by_another_is_a_conflict_that_names_the_version(self) -> None:
        new = stream({"tags": [tag("a", "q/a:3")]}, name="s")
        live = stream({"tags": [tag("a", "q/a:1")]}, name="s")
        live["metadata"]["managedFields"] = ONE_TAG["metadata"]["managedFields"]
        new["metadata"]["managedFields"] = track_update(SCHEMA, live, new, "put", API_VERSION, T1)
        with pytest.raises(ApplyConflicts) as caught:
            applied(new, config({"tags": [tag("a", "q/a:1")]}), "m1")
        assert caught.value.causes == [('conflict with "put" using image.openshift.io/v1', '.spec.tags[name="a"].from')]
        forced = applied(new, config({"tags": [tag("a", "q/a:1")]}), "m1", force=True, now=T2)
        assert tags(forced) == {"a": "q/a:1"} and list(owned(forced)) == ["m1"]

    def test_a_tag_without_a_name_is_the_one_with_the_empty_name(self) -> None:
        nameless = applied(ONE_TAG, config({"tags": [{"from": {"kind": "DockerImage", "name": "a/b"}}]}), "m2")
        assert owned(nameless)["m2"] == {"f:spec": {"f:tags": {'k:{"name":""}': {".": {}, "f:from": {}}}}}

    def test_explicit_nulls_and_empty_values_are_owned(self) -> None:
        said = applied(None, config({"tags": [tag("a", annotations={}, policy=None)], "items": []}, labels=None))
        assert owned(said)["m1"] == {
            "f:metadata": {"f:labels": {}},
            "f:spec": {
                "f:items": {},
                "f:tags": {'k:{"name":"a"}': {".": {}, "f:annotations": {}, "f:name": {}, "f:policy": {}}},
            },
        }

    def test_an_emptied_map_goes_with_its_last_entry(self) -> None:
        labelled = applied(None, config({"limits": {"x": {"y": 1}, "z": {"y": 2}}}, labels={"a": "1"}))
        assert applied(labelled, config({"limits": {"z": {"y": 2}}}))["spec"]["limits"] == {"z": {"y": 2}}
        assert "labels" not in applied(labelled, config({"limits": {"x": {"y": 1}}}))["metadata"]


class TestRemovalSparesTheOthers:
    def test_an_item_goes_whole_with_what_nobody_owns_in_it(self) -> None:
        live = applied(None, config({"tags": [tag("a", "q/a:1"), tag("b")], "repository": "r"}))
        live["spec"]["tags"][0]["generation"] = 7
        after = applied(live, config({"tags": [tag("b")], "repository": "r"}))
        assert after["spec"]["tags"] == [tag("b")]

    def test_an_item_stays_while_another_owns_a_field_in_it(self) -> None:
        live = applied(ONE_TAG, config({"tags": [tag("a", generation=3)]}), "m2")
        after = applied(live, config(), "m1")
        assert after["spec"]["tags"] == [{"name": "a", "generation": 3}]

    def test_so_does_a_struct(self) -> None:
        live = applied(None, config({"tags": [tag("a", policy={"mode": "x"})]}))
        live["spec"]["tags"][0]["policy"]["insecure"] = True
        after = applied(live, config({"tags": [tag("a")]}))
        assert after["spec"] == {"lookupPolicy": {"local": False}, "tags": [tag("a")]}

    def test_an_entry_that_another_wants_empty_stays_empty(self) -> None:
        live = applied(applied(None, config({"limits": {"x": {"y": 1}}})), config({"limits": {"x": {}}}), "m2")
        assert applied(live, config())["spec"]["limits"] == {"x": {}}

    def test_labels_that_an_update_set_stay_when_an_applier_gives_up_its_own(self) -> None:
        live = applied(None, config(labels={"mine": "1"}))
        new = {**live, "metadata": {**live["metadata"], "labels": {"mine": "1", "theirs": "1"}}}
        new["metadata"]["managedFields"] = track_update(SCHEMA, live, new, "put", API_VERSION, T1)
        assert applied(new, config())["metadata"]["labels"] == {"theirs": "1"}


def test_a_configuration_that_says_no_name_does_not_take_it_away() -> None:
    live = applied(None, config(labels={"a": "1"}))
    nameless = {"kind": "ImageStream", "apiVersion": API_VERSION, "metadata": {}}
    assert applied(live, nameless)["metadata"] == {"name": "s"}


def test_items_come_in_the_order_of_the_configuration_and_others_keep_their_place() -> None:
    live = stream({"tags": [tag(name) for name in ("x", "a", "y", "b", "z")]}, name="s")
    wanted = config({"tags": [tag("b"), tag("new"), tag("a")]})
    assert [t["name"] for t in applied(live, wanted)["spec"]["tags"]] == ["x", "y", "b", "z", "new", "a"]


def test_first_apply_to_an_untracked_object_attributes_what_is_there() -> None:
    live = stream({"tags": [tag("m")]}, name="s", labels={"a": "1"})
    after = applied(live, config({"lookupPolicy": {"local": False}}), now=T1)
    assert entries(after) == [("m1", "Apply", None), ("before-first-apply", "Update", T1)]
    assert owned(after)["before-first-apply"]["f:metadata"] == {"f:labels": {".": {}, "f:a": {}}}
    with pytest.raises(ApplyConflicts):
        applied(live, config(labels={"a": "2"}))


def test_many_conflicts_are_listed_by_manager() -> None:
    live = applied(None, config({"repository": "r", "weight": 1}, labels={"b": "1"}), "m1")
    live = applied(live, config(labels={"c": "1"}), "m0", subresource="status")
    with pytest.raises(ApplyConflicts) as caught:
        applied(live, config({"repository": "x", "weight": 2}, labels={"b": "2", "c": "2"}), "m2")
    assert caught.value.message == (
        "Apply failed with 4 conflicts: "
        'conflicts with "m0" with subresource "status":\n'
        "- .metadata.labels.c\n"
        'conflicts with "m1":\n'
        "- .metadata.labels.b\n"
        "- .spec.repository\n"
        "- .spec.weight"
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"spec": {"nope": 1}}, ".spec.nope: field not declared in schema"),
        ({"spec": {"tags": "x"}}, ".spec.tags: expected list, got &{x}"),
        ({"spec": [1]}, ".spec: expected map, got &{[1]}"),
        ({"spec": {"tags": [tag("d"), tag("d")]}}, '.spec.tags: duplicate entries for key [name="d"]'),
        ({"spec": {"repository": 5}}, ".spec.repository: expected string, got &value.valueUnstructured{Value:5}"),
        ({"spec": {"weight": "5"}}, ".spec.weight: expected numeric (int or float), got string"),
        ({"spec": {"weight": True}}, ".spec.weight: expected numeric (int or float), got bool"),
        ({"spec": {"lookupPolicy": {"local": "yes"}}}, ".spec.lookupPolicy.local: expected boolean, got &{yes}"),
        ({"spec": {"items": [1]}}, ".spec.items[0]: expected string, got &value.valueUnstructured{Value:1}"),
        (
            {"spec": {"tags": [tag("a", policy={"x": 1})]}},
            '.spec.tags[name="a"].policy.x: field not declared in schema',
        ),
        ({"spec": {"tags": [None]}}, ".spec.tags: element 0: associative list with keys may not have a null element"),
        ({"spec": {"tags": [1]}}, ".spec.tags: element 0: associative list with keys may not have non-map elements"),
        (
            {"spec": {"signatures": [{"title": "x"}]}},
            '.spec.signatures: element 0: associative list with keys has an element that omits key field "name" '
            "(and doesn't have default value)",
        ),
        (
            {"metadata": {"name": "s", "finalizers": [{}]}},
            ".metadata.finalizers: element 0: associative list without keys has an element that's a map type",
        ),
        (
            {"metadata": {"name": "s", "finalizers": [[]]}},
            ".metadata.finalizers: element 0: not supported: associative list with lists as elements",
        ),
        (
            {"metadata": {"name": "s", "finalizers": [None]}},
            ".metadata.finalizers: element 0: associative list without keys has an element that's an explicit null",
        ),
        (
            {"spec": {"repository": 1, "items": 2}},
            "errors:\n  .spec.repository: expected string, got &value.valueUnstructured{Value:1}\n"
            "  .spec.items: expected list, got &{2}",
        ),
    ],
)
def test_a_configuration_that_breaks_the_schema_is_refused(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(TypedPatchError) as caught:
        applied(ONE_TAG, config() | wanted)
    assert caught.value.message == (
        f"failed to create typed patch object (/s; image.openshift.io/v1, Kind=ImageStream): {message}"
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"metadata": {"name": "s"}}, "invalid object type: /, Kind="),
        ({"kind": "ImageStream"}, "invalid object type: /, Kind=ImageStream"),
        ({"kind": "ImageStream", "apiVersion": "v1"}, "invalid object type: /v1, Kind=ImageStream"),
        ({"kind": "Image", "apiVersion": API_VERSION}, "invalid object type: image.openshift.io/v1, Kind=Image"),
        (config(managedFields=[]), "metadata.managedFields must be nil"),
    ],
)
def test_a_configuration_of_something_else_is_refused(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(PatchSyntaxError) as caught:
        applied(ONE_TAG, wanted)
    assert caught.value.message == message


def test_a_live_object_whose_items_cannot_be_told_apart_cannot_be_applied_to() -> None:
    live = stream({"signatures": [{"title": "x"}]}, name="s")
    with pytest.raises(TypedPatchError, match=r"failed to create typed live object .*: \.spec\.signatures: element 0"):
        applied(live, config())


class TestKubectl:
    """`kubectl apply --server-side` takes over what `kubectl apply` had set."""

    LAST = json.dumps(config({"repository": "r"}, labels={"a": "1"}))

    def client_side(self, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        live = stream(spec, name="s", annotations={LAST_APPLIED: self.LAST}, **metadata)
        live["metadata"]["managedFields"] = track_update(
            SCHEMA, None, live, "kubectl-client-side-apply", API_VERSION, T0
        )
        return live

    def test_fields_as_they_were_applied_are_no_conflict(self) -> None:
        live = self.client_side({"repository": "r"}, labels={"a": "1"})
        after = applied(live, config({"repository": "x"}, labels={"a": "2"}), "kubectl", now=T1)
        assert after["spec"]["repository"] == "x"
        assert after["metadata"]["labels"] == {"a": "2"}

    def test_fields_changed_since_are(self) -> None:
        live = self.client_side({"repository": "changed"}, labels={"a": "1"})
        with pytest.raises(ApplyConflicts) as caught:
            applied(live, config({"repository": "x"}, labels={"a": "2"}), "kubectl")
        assert [path for _, path in caught.value.causes] == [".spec.repository"]

    def test_other_managers_get_no_such_favour(self) -> None:
        with pytest.raises(ApplyConflicts):
            applied(self.client_side({"repository": "r"}), config({"repository": "x"}), "other")

    @pytest.mark.parametrize(
        "useless", ["", "{", "[]", LAST.replace("/v1", "/v0"), LAST.replace('"repository"', '"nope"')]
    )
    def test_an_annotation_that_tells_nothing_allows_nothing(self, useless: str) -> None:
        live = self.client_side({"repository": "r"})
        live["metadata"]["annotations"][LAST_APPLIED] = useless
        with pytest.raises(ApplyConflicts):
            applied(live, config({"repository": "x"}), "kubectl")

    def test_the_annotation_follows(self) -> None:
        live = self.client_side({"repository": "r"})
        wanted = config({"repository": "<x>"}, annotations={LAST_APPLIED: "gone", "b": "1"})
        after = applied(live, wanted, "kubectl", force=True)
        assert after["metadata"]["annotations"] == {
            "b": "1",
            LAST_APPLIED: '{"apiVersion":"image.openshift.io/v1","kind":"ImageStream",'
            '"metadata":{"annotations":{"b":"1"},"name":"s"},"spec":{"repository":"\\u003cx\\u003e"}}\n',
        }
        assert wanted["metadata"]["annotations"][LAST_APPLIED] == "gone"

    def test_an_annotation_that_would_grow_too_large_goes(self) -> None:
        live = self.client_side({"repository": "r"})
        after = applied(live, config({"repository": "x" * 300_000}), "kubectl", force=True)
        assert LAST_APPLIED not in after["metadata"]["annotations"]

    def test_no_annotation_is_not_made(self) -> None:
        assert "annotations" not in applied(ONE_TAG, config(), "kubectl")["metadata"]
