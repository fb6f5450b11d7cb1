"""What server-side apply promises, whatever is applied."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.merge.apply import apply
from service.merge.managed_fields import only_times_differ, track_update
from tests.unit.merge.kinds import API_VERSION, SCHEMA, T0, T1, config, owned, stored, stream

WORDS = st.sampled_from(["a", "b", "c"])
MAPS = st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)
TAGS = st.lists(
    st.fixed_dictionaries(
        {"name": WORDS},
        optional={
            "annotations": MAPS,
            "from": st.fixed_dictionaries({"kind": WORDS, "name": WORDS}),
            "generation": st.integers(0, 3),
            "policy": st.fixed_dictionaries({}, optional={"mode": WORDS, "insecure": st.just(True)}),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda t: t["name"],
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "tags": TAGS,
        "repository": WORDS,
        "lookupPolicy": st.fixed_dictionaries({"local": st.booleans()}),
        "limits": st.dictionaries(WORDS, st.dictionaries(WORDS, st.integers(0, 3), min_size=1), min_size=1, max_size=3),
        "items": st.lists(WORDS, min_size=1, max_size=3),
    },
)
CONFIGS = st.builds(
    config,
    st.one_of(st.none(), SPECS),
    labels=MAPS,
    finalizers=st.lists(WORDS, min_size=1, max_size=2, unique=True),
)
STREAMS = st.builds(stream, SPECS, labels=MAPS)


def applied(live: dict[str, Any] | None, wanted: dict[str, Any], manager: str = "m", now: str = T0) -> dict[str, Any]:
    """What a forced apply stores."""
    result = stored(apply(SCHEMA, live, wanted, manager=manager, force=True, api_version=API_VERSION, now=now))
    return live if live is not None and only_times_differ(live, result) else result


def says(document: Any, wanted: Any) -> bool:
    """Whether everything the configuration says is so in the document."""
    if isinstance(wanted, dict):
        return isinstance(document, dict) and all(k in document and says(document[k], v) for k, v in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        by_name = {item["name"]: item for item in document}
        return all(item["name"] in by_name and says(by_name[item["name"]], item) for item in wanted)
    if isinstance(wanted, list):
        return set(wanted) <= set(document)
    return bool(document == wanted)


@given(st.one_of(st.none(), STREAMS), CONFIGS)
def test_what_is_applied_is_so(live: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    assert says(applied(live, wanted), wanted)


@given(st.one_of(st.none(), STREAMS), CONFIGS)
def test_apply_is_idempotent(live: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    once = applied(live, wanted)
    assert applied(once, wanted, now=T1) == once


@given(CONFIGS, CONFIGS)
def test_what_was_applied_before_leaves_no_trace(first: dict[str, Any], second: dict[str, Any]) -> None:
    twice = applied(applied(None, first), second)
    assert normal(twice) == normal(applied(None, second))


def normal(document: dict[str, Any]) -> Any:
    """The document with its keyed lists in one order: the order of items may tell of the past."""
    document = copy.deepcopy(document)
    document["spec"].get("tags", []).sort(key=lambda t: t["name"])
    document["metadata"]["finalizers"].sort()
    for entry in document["metadata"].get("managedFields", []):
        entry.pop("time", None)
    return document


@given(CONFIGS, CONFIGS)
def test_managers_of_disjoint_fields_never_lose_each_others(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """m1 keeps labels and tags, m2 everything else; neither needs force, in whatever order they come."""
    m1 = config({k: v for k, v in ours.get("spec", {}).items() if k == "tags"}, labels=ours["metadata"]["labels"])
    rest = {k: v for k, v in theirs.get("spec", {}).items() if k != "tags"}
    m2 = config(rest, finalizers=theirs["metadata"]["finalizers"])
    both = None
    for manager, wanted in [("m1", m1), ("m2", m2), ("m1", m1), ("m2", m2)]:
        both = stored(apply(SCHEMA, both, wanted, manager=manager, force=False, api_version=API_VERSION, now=T0))
    assert both is not None
    assert says(both, m1) and says(both, m2)
    gone = stored(apply(SCHEMA, both, config(), manager="m1", force=False, api_version=API_VERSION, now=T0))
    assert says(gone, m2) and "m1" not in owned(gone) and "labels" not in gone["metadata"]


@given(STREAMS, CONFIGS)
def test_arguments_are_left_alone(live: dict[str, Any], wanted: dict[str, Any]) -> None:
    before = copy.deepcopy((live, wanted))
    applied(live, wanted)
    assert (live, wanted) == before


@given(STREAMS, STREAMS, STREAMS)
def test_every_written_field_has_exactly_one_updater(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    """After any updates, tracking each manager's writes gives disjoint sets, none of it gone from the object."""
    live: dict[str, Any] | None = None
    for manager, new in [("m1", first), ("m2", second), ("m3", third)]:
        document = copy.deepcopy(new)
        if entries := track_update(SCHEMA, live, document, manager, API_VERSION, T0):
            document["metadata"]["managedFields"] = entries
        live = document
    assert live is not None
    leaves = [leaf for fields in owned(live).values() for leaf in leaves_of(fields)]
    assert len(leaves) == len(set(leaves))
    assert all(exists(live, leaf) for leaf in leaves)


def leaves_of(fields: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    paths = [prefix] if prefix and (not fields or "." in fields) else []
    return paths + [p for key, below in fields.items() if key != "." for p in leaves_of(below, (*prefix, key))]


def exists(document: Any, path: tuple[str, ...]) -> bool:
    for element in path:
        kind, content = element[:2], element[2:]
        if kind == "f:":
            if not isinstance(document, dict) or content not in document:
                return False
            document = document[content]
        else:
            named = [item for item in document if content == f'{{"name":"{item["name"]}"}}']
            if not named:
                return False
            (document,) = named
    return True
