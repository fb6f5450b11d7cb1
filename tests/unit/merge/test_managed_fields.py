"""Who owns what after ordinary writes. The documents and answers of the first tests are the reference server's."""

from __future__ import annotations

from typing import Any

import pytest

from service.merge.managed_fields import manager_from_user_agent, only_times_differ, track_update
from tests.unit.merge.kinds import API_VERSION, SCHEMA, T0, T1, T2, entry, owned, stream, tag

NEW_TAG: dict[str, Any] = {
    ".": {},
    "f:annotations": {},
    "f:from": {},
    "f:generation": {},
    "f:name": {},
    "f:policy": {".": {}},
}


def tracked(
    live: dict[str, Any] | None, new: dict[str, Any], manager: str = "recorder", now: str = T0, subresource: str = ""
) -> dict[str, Any]:
    """The new object as it is stored."""
    entries = track_update(SCHEMA, live, new, manager, API_VERSION, now, subresource)
    metadata = {k: v for k, v in new["metadata"].items() if k != "managedFields"}
    return {**new, "metadata": {**metadata, "managedFields": entries} if entries else metadata}


def times(document: dict[str, Any]) -> dict[str, str]:
    return {e["manager"]: e["time"] for e in document["metadata"]["managedFields"] if "time" in e}


def test_a_creator_owns_what_the_empty_object_does_not_have() -> None:
    created = tracked(None, stream({"tags": [tag("a", "q/a:1")]}, name="s", namespace="n", labels={"x": "1"}))
    assert created["metadata"]["managedFields"] == [
        {
            "manager": "recorder",
            "operation": "Update",
            "apiVersion": API_VERSION,
            "time": T0,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:x": {}}},
                "f:spec": {"f:tags": {".": {}, 'k:{"name":"a"}': NEW_TAG | {"f:policy": {}}}},
            },
        }
    ]


def test_structs_that_always_exist_are_not_owned_but_their_changed_fields_are() -> None:
    created = tracked(None, stream({"lookupPolicy": {"local": True}}, name="s"))
    assert owned(created) == {"recorder": {"f:spec": {"f:lookupPolicy": {"f:local": {}}}}}


def test_nothing_but_names_means_nothing_to_own() -> None:
    assert track_update(SCHEMA, None, stream(name="s", uid="u", generation=1), "m", API_VERSION, T0) == []


def test_a_changed_field_goes_to_the_one_who_changed_it() -> None:
    live = tracked(None, stream({"tags": [tag("a", "q/a:1", generation=3)]}, name="s"), "m1")
    new = stream({"tags": [tag("a", "q/a:3"), tag("p", "q/p:1", policy={"mode": "Legacy"})]}, name="s")
    after = tracked(live, new, "put", T1)
    assert owned(after) == {
        "m1": {
            "f:spec": {
                "f:tags": {".": {}, 'k:{"name":"a"}': {".": {}, "f:annotations": {}, "f:name": {}, "f:policy": {}}}
            }
        },
        "put": {
            "f:spec": {
                "f:tags": {
                    'k:{"name":"a"}': {"f:from": {}, "f:generation": {}},
                    'k:{"name":"p"}': NEW_TAG | {"f:policy": {".": {}, "f:mode": {}}},
                }
            }
        },
    }
    assert times(after) == {"m1": T0, "put": T1}


def test_what_is_gone_is_owned_by_nobody_and_times_stay() -> None:
    live = tracked(None, stream({"tags": [tag("a"), tag("b")]}, name="s"), "m1")
    after = tracked(live, stream({"tags": [tag("b")]}, name="s"), "m2", T1)
    assert list(owned(after)) == ["m1"]
    assert list(owned(after)["m1"]["f:spec"]["f:tags"]) == [".", 'k:{"name":"b"}']
    assert times(after) == {"m1": T0}


def test_a_manager_left_with_nothing_has_no_entry() -> None:
    live = tracked(tracked(None, stream(name="s", labels={"a": "1"})), stream(name="s", labels={"a": "2"}), "m2", T1)
    assert owned(live)["recorder"] == {"f:metadata": {"f:labels": {}}}
    assert owned(live)["m2"] == {"f:metadata": {"f:labels": {"f:a": {}}}}
    after = tracked(live, stream(name="s", labels={"a": "3"}), "recorder", T2)
    assert owned(after) == {"recorder": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}}


def test_no_change_changes_no_time() -> None:
    live = tracked(None, stream(name="s", labels={"a": "1"}))
    assert tracked(live, stream(name="s", labels={"a": "1"}, resourceVersion="7"), "other", T1) == {
        **live,
        "metadata": {**live["metadata"], "resourceVersion": "7"},
    }


def test_moving_a_list_item_is_no_change() -> None:
    live = tracked(None, stream({"tags": [tag("a"), tag("b")]}, name="s"))
    after = tracked(live, stream({"tags": [tag("b"), tag("a")]}, name="s"), "other", T1)
    assert owned(after) == owned(live)


def test_null_becoming_a_map_adds_its_entries_only() -> None:
    live = tracked(None, stream({"tags": [tag("a")]}, name="s"))
    after = tracked(live, stream({"tags": [tag("a", annotations={"z": "1"})]}, name="s"), "other", T1)
    assert owned(after)["other"] == {"f:spec": {"f:tags": {'k:{"name":"a"}': {"f:annotations": {"f:z": {}}}}}}


def test_null_becoming_an_empty_map_is_a_change_of_the_map() -> None:
    live = tracked(None, stream({"tags": [tag("a")]}, name="s"))
    after = tracked(live, stream({"tags": [tag("a", annotations={})]}, name="s"), "other", T1)
    assert owned(after)["other"] == {"f:spec": {"f:tags": {'k:{"name":"a"}': {"f:annotations": {}}}}}


def test_finalizers_are_owned_one_by_one() -> None:
    live = tracked(None, stream(name="s", finalizers=["e.com/a"]))
    after = tracked(live, stream(name="s", finalizers=["e.com/b", "e.com/a"]), "other", T1)
    assert owned(after)["other"] == {"f:metadata": {"f:finalizers": {'v:"e.com/b"': {}}}}


def test_an_untracked_object_stays_untracked() -> None:
    assert track_update(SCHEMA, stream(name="s"), stream(name="s", labels={"a": "1"}), "m", API_VERSION, T0) == []


def test_an_item_without_its_key_ends_the_tracking_and_not_the_write() -> None:
    live = tracked(None, stream(name="s", labels={"a": "1"}))
    new = stream({"signatures": [{"title": "x"}]}, name="s", labels={"a": "1"})
    assert track_update(SCHEMA, live, new, "m", API_VERSION, T1) == []


class TestEntriesSentByTheClient:
    LIVE = tracked(None, stream(name="s", labels={"a": "1", "b": "1"}))

    def put(self, entries: Any, subresource: str = "", **labels: str) -> dict[str, Any]:
        new = stream(name="s", labels=labels)
        new["metadata"]["managedFields"] = entries
        return tracked(self.LIVE, new, "put", T1, subresource)

    def test_are_the_base_if_they_make_sense(self) -> None:
        mine = entry("mine", {"f:metadata": {"f:labels": {"f:a": {}}}})
        assert owned(self.put([mine], a="1", b="1")) == {"mine": {"f:metadata": {"f:labels": {"f:a": {}}}}}

    def test_lose_what_the_same_write_changes(self) -> None:
        mine = entry("mine", {"f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}})
        assert owned(self.put([mine], a="2", b="1")) == {
            "mine": {"f:metadata": {"f:labels": {"f:b": {}}}},
            "put": {"f:metadata": {"f:labels": {"f:a": {}}}},
        }

    @pytest.mark.parametrize("cleared", [[], [{}]])
    def test_clear_the_tracking_when_empty(self, cleared: list[Any]) -> None:
        assert owned(self.put(cleared, a="1", b="2")) == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            [{"manager": "m"}],
            [entry("m", {}, operation="Delete")],
            [{**entry("m", {}), "apiVersion": ""}],
            [{**entry("m", {}), "fieldsType": "FieldsV2"}],
            [entry("m", {"nonsense": {}})],
            [{**entry("m", {}), "time": "yesterday"}],
            [{**entry("m", {}), "manager": 7}],
            ["m"],
            "m",
        ],
    )
    def test_are_ignored_when_invalid(self, wrong: Any) -> None:
        assert owned(self.put(wrong, a="1", b="1")) == owned(self.LIVE)

    def test_are_ignored_on_a_subresource(self) -> None:
        assert owned(self.put([entry("mine", {"f:spec": {}})], "status", a="1", b="1")) == owned(self.LIVE)

    def test_change_nothing_by_telling_other_times(self) -> None:
        old = [{**e, "time": T2} for e in self.LIVE["metadata"]["managedFields"]]
        assert times(self.put(old, a="1", b="1")) == {"recorder": T0}


def test_a_subresource_has_an_entry_of_its_own() -> None:
    live = tracked(None, stream(name="s", labels={"a": "1"}))
    after = tracked(live, stream({"repository": "r"}, name="s", labels={"a": "1"}), "recorder", T1, "status")
    assert [(e["manager"], e.get("subresource")) for e in after["metadata"]["managedFields"]] == [
        ("recorder", None),
        ("recorder", "status"),
    ]


def test_entries_are_sorted_by_operation_time_and_manager() -> None:
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {"f:a": {}}}}
    sent = [
        entry("b", fields, time=T1),
        entry("a", fields, time=T1),
        entry("z", fields, time="2026-01-01T01:00:00+01:00"),
        entry("late", fields, "Apply", T2),
        entry("never", fields, "Apply", None),
    ]
    new = stream(name="s", labels={"a": "1", "b": "1"})
    new["metadata"]["managedFields"] = sent
    entries = tracked(TestEntriesSentByTheClient.LIVE, new)["metadata"]["managedFields"]
    assert [e["manager"] for e in entries] == ["never", "late", "z", "a", "b"]
    assert entries[2]["time"] == T0


def test_only_ten_updaters_are_remembered_by_name() -> None:
    document = None
    for i in range(13):
        new = stream(name="s", labels={f"l{n}": "1" for n in range(i + 1)})
        document = tracked(document, new, f"m{i}", f"2026-01-01T00:00:{i:02}Z")
        assert len(owned(document)) == min(i + 1, 10)
    assert document is not None
    assert list(owned(document)) == ["ancient-changes", *(f"m{i}" for i in range(4, 13))]
    assert owned(document)["ancient-changes"] == {
        "f:metadata": {"f:labels": {".": {}, "f:l0": {}, "f:l1": {}, "f:l2": {}, "f:l3": {}}}
    }
    assert times(document)["ancient-changes"] == "2026-01-01T00:00:03Z"


def test_old_updates_of_two_versions_are_folded_apart() -> None:
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {"f:a": {}}}}
    sent = [
        entry(f"m{i:02}", fields, time=f"2026-01-01T00:00:{i:02}Z") | ({"apiVersion": "old/v1"} if i % 2 else {})
        for i in range(12)
    ]
    new = stream(name="s", labels={"a": "1", "b": "2"})
    new["metadata"]["managedFields"] = sent
    after = tracked(TestEntriesSentByTheClient.LIVE, new, "put", T2)["metadata"]["managedFields"]
    assert [(e["manager"], e["apiVersion"]) for e in after if e["manager"] == "ancient-changes"] == [
        ("ancient-changes", API_VERSION),
        ("ancient-changes", "old/v1"),
    ]
    assert len(after) == 10


def test_telling_other_times_is_telling_nothing_new() -> None:
    live = tracked(None, stream(name="s", labels={"a": "1"}))
    later = tracked(None, stream(name="s", labels={"a": "1"}), now=T1)
    assert only_times_differ(live, later)
    assert not only_times_differ(live, tracked(None, stream(name="s", labels={"a": "1"}), "other"))
    assert not only_times_differ(live, tracked(live, stream(name="s", labels={"a": "2"})))


@pytest.mark.parametrize(
    ("user_agent", "manager"),
    [
        ("kubectl/v1.32 (linux/amd64)", "kubectl"),
        ("Mozilla", "Mozilla"),
        ("", "unknown"),
        ("/x", "unknown"),
        ("a\tb\x7fc/1", "abc"),
        ("é" * 100, "é" * 64),
    ],
)
def test_the_user_agent_names_the_manager(user_agent: str, manager: str) -> None:
    assert manager_from_user_agent(user_agent) == manager
