"""A FieldSet is a set of paths: its algebra is that of Python's sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.merge.field_set import EMPTY, FieldSet
from service.merge.path_elements import Path, display

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"', "i:0"])
PATHS = st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=12)


def of(paths: frozenset[Path]) -> FieldSet:
    return FieldSet.of(*paths)


@given(PATHS)
def test_a_set_holds_the_paths_it_was_made_of(paths: frozenset[Path]) -> None:
    fields = of(paths)
    assert set(fields.paths()) == paths
    assert all(fields.has(path) for path in paths)
    assert bool(fields) == bool(paths)


@given(PATHS, PATHS)
def test_union_intersection_and_difference_are_those_of_sets(ours: frozenset[Path], theirs: frozenset[Path]) -> None:
    assert set(of(ours).union(of(theirs)).paths()) == ours | theirs
    assert set(of(ours).intersection(of(theirs)).paths()) == ours & theirs
    assert set(of(ours).difference(of(theirs)).paths()) == ours - theirs


@given(PATHS, PATHS)
def test_equal_sets_are_equal_however_they_came_about(ours: frozenset[Path], theirs: frozenset[Path]) -> None:
    assert of(ours | theirs).difference(of(theirs - ours)) == of(ours)
    assert of(ours).union(of(theirs)) == of(theirs).union(of(ours))
    assert (of(ours) == of(theirs)) == (ours == theirs)


def test_paths_come_fields_first_then_keys_values_and_indices() -> None:
    paths = [
        ("v:null",),
        ("v:true",),
        ("i:10",),
        ("i:9",),
        ('v:"b"',),
        ("v:2",),
        ('k:{"name":"b"}',),
        ("f:z",),
        ("f:a", "f:b"),
        ("f:b",),
    ]
    assert [display(path) for path in FieldSet.of(*paths).paths()] == [
        ".b",
        ".z",
        '[name="b"]',
        "[=2]",
        '[="b"]',
        "[=true]",
        "[=null]",
        "[9]",
        "[10]",
        ".a.b",
    ]


def test_a_path_is_not_in_the_set_for_having_children_in_it() -> None:
    fields = FieldSet.of(("f:a", "f:b"))
    assert not fields.has(("f:a",)) and not fields.has(("f:a", "f:b", "f:c")) and not EMPTY.has(("f:a",))
